//! Where a figure comes from: without it no report is written.

use serde::{Deserialize, Serialize};
use std::{fs, thread, time::SystemTime};

/// What was run, on what, and how.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provenance {
    /// The program's version.
    pub version: String,
    /// The commit that it was built from, `-modified` if files differed from it.
    pub commit: String,
    /// The compiler.
    pub rustc: String,
    /// `debug` or `release`.
    pub profile: String,
    /// The processor's name and how many of it the program may use.
    pub processor: String,
    /// Main memory in MiB, if the system tells.
    pub memory_mib: Option<u64>,
    /// The system's kernel, if it tells.
    pub kernel: Option<String>,
    /// Seconds since 1970, UTC, when it began.
    pub began: u64,
    /// The seed, if what was drawn followed from one.
    pub seed: Option<u64>,
    /// The program's arguments.
    pub flags: Vec<String>,
}

/// How a program was built, which only its own build knows.
#[derive(Clone, Copy, Debug)]
pub struct Built {
    /// The program's version.
    pub version: &'static str,
    /// The commit.
    pub commit: &'static str,
    /// The compiler.
    pub rustc: &'static str,
}

impl Provenance {
    /// Of the running program, from now on.
    pub fn of(built: Built, seed: Option<u64>, flags: impl IntoIterator<Item = String>) -> Self {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let processor = line("/proc/cpuinfo", "model name").unwrap_or_else(|| std::env::consts::ARCH.to_owned());
        let memory = line("/proc/meminfo", "MemTotal").and_then(|text| text.split(' ').next()?.parse::<u64>().ok());
        let began = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs());
        Self {
            version: built.version.to_owned(),
            commit: built.commit.to_owned(),
            rustc: built.rustc.to_owned(),
            profile: if cfg!(debug_assertions) { "debug" } else { "release" }.to_owned(),
            processor: format!("{processor}, {cores} in use"),
            memory_mib: memory.map(|kib| kib / 1024),
            kernel: fs::read_to_string("/proc/sys/kernel/osrelease").ok().map(|text| text.trim().to_owned()),
            began,
            seed,
            flags: flags.into_iter().collect(),
        }
    }

    /// Name and value, for people.
    pub fn lines(&self) -> Vec<(&'static str, String)> {
        let unknown = || "not told".to_owned();
        vec![
            ("quorate", format!("{}, commit {}, {} build", self.version, self.commit, self.profile)),
            ("compiler", self.rustc.clone()),
            ("processor", self.processor.clone()),
            ("memory", self.memory_mib.map_or_else(unknown, |mib| format!("{mib} MiB"))),
            ("kernel", self.kernel.clone().unwrap_or_else(unknown)),
            ("began", format!("{} (seconds since 1970, UTC)", self.began)),
            ("seed", self.seed.map_or_else(|| "none".to_owned(), |seed| seed.to_string())),
            ("command", format!("quorate {}", self.flags.join(" "))),
        ]
    }
}

/// The value of `name: value` in a file of such lines.
fn line(path: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    let value = text.lines().find_map(|line| line.strip_prefix(name)?.split_once(':'))?.1;
    Some(value.trim().to_owned())
}
