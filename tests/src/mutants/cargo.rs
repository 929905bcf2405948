//! Building and running one check in the copy.

use super::tree::Tree;
use std::{
    fmt, fs, io,
    os::unix::process::CommandExt,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

/// A check that takes longer hangs.
const LONGEST: Duration = Duration::from_secs(900);

/// A cargo command: `cargo test ...` or `cargo run ...`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Check {
    arguments: Vec<String>,
}

/// How a command ended.
#[derive(Clone, Debug)]
pub struct Ran {
    /// Whether it succeeded.
    pub is_ok: bool,
    /// Everything it printed.
    pub output: String,
}

impl Check {
    /// From a line as one would type it.
    pub fn parse(line: &str) -> Result<Self, String> {
        let words: Vec<_> = line.split_whitespace().map(str::to_owned).collect();
        match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
            ["cargo", "test" | "run", "-p", _, ..] => Ok(Self { arguments: words[1..].to_vec() }),
            _ => Err(format!("`{line}` is not `cargo test -p ...` or `cargo run -p ...`")),
        }
    }

    /// Builds what it runs, without running it.
    pub fn build(&self, tree: &Tree) -> io::Result<Ran> {
        let own = self.arguments.iter().skip(1).take_while(|word| *word != "--").cloned();
        let build: Vec<_> = match self.arguments[0].as_str() {
            "test" => ["test".to_owned(), "--no-run".to_owned()].into_iter().chain(own).collect(),
            _ => ["build".to_owned()].into_iter().chain(own).collect(),
        };
        cargo(tree, &build)
    }

    /// Runs it. A filter that matches no test is an error: such a check passes whatever is broken.
    pub fn run(&self, tree: &Tree) -> io::Result<Ran> {
        let ran = cargo(tree, &self.arguments)?;
        let is_test = self.arguments[0] == "test";
        if is_test && ran.is_ok && !ran.output.lines().any(|line| passed(line) > 0) {
            return Err(io::Error::other(format!("`{self}` runs no test")));
        }
        Ok(ran)
    }
}

/// `test result: ok. 3 passed; ...`
fn passed(line: &str) -> usize {
    let count = line.strip_prefix("test result: ok. ").and_then(|rest| rest.split(' ').next());
    count.and_then(|count| count.parse().ok()).unwrap_or(0)
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cargo {}", self.arguments.join(" "))
    }
}

/// Into a file rather than a pipe: a test that hangs leaves its last words there.
fn cargo(tree: &Tree, arguments: &[String]) -> io::Result<Ran> {
    let log = tree.log();
    let out = fs::File::create(&log)?;
    let mut child = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(arguments)
        .current_dir(tree.path())
        .env("CARGO_TARGET_DIR", tree.target())
        .env("CARGO_TERM_COLOR", "never")
        .env("RUST_BACKTRACE", "0")
        .stdin(Stdio::null())
        .stdout(out.try_clone()?)
        .stderr(out)
        .process_group(0)
        .spawn()?;
    let started = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if started.elapsed() > LONGEST {
            // The whole group: the test binary is cargo's child, not ours.
            let _gone_already = Command::new("kill").args(["-KILL", "--", &format!("-{}", child.id())]).status();
            child.wait()?;
            let why = format!("`cargo {}` did not end within {LONGEST:?}; see {}", arguments.join(" "), log.display());
            return Err(io::Error::new(io::ErrorKind::TimedOut, why));
        }
        std::thread::sleep(Duration::from_millis(50));
    };
    let output = String::from_utf8_lossy(&fs::read(&log)?).into_owned();
    Ok(Ran { is_ok: status.success(), output })
}
