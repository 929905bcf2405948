//! What the program can say of its own build, for the provenance of figures: the commit, and the compiler.
//!
//! Only release builds ask git: else each commit would build this crate anew while somebody works on it.

use std::{env, process::Command};

/// Whatever may differ from the commit. Other crates are built before this one, so that looking at them anew costs nothing more.
const SOURCES: [&str; 13] = [
    "bench",
    "byzantine",
    "consensus",
    "crypto",
    "ledger",
    "links",
    "network",
    "node",
    "scenario",
    "sim",
    "sim-real",
    "types",
    "validator",
];

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let rustc = env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    let compiler = said(&rustc, &["--version"]).unwrap_or_else(|| "unknown".to_owned());
    println!("cargo::rustc-env=QUORATE_RUSTC={compiler}");
    let is_release = env::var("PROFILE").is_ok_and(|profile| profile == "release");
    let commit = if is_release { commit() } else { None };
    println!("cargo::rustc-env=QUORATE_COMMIT={}", commit.unwrap_or_else(|| "unknown".to_owned()));
}

/// `None` where there is no git or this is no clone.
fn commit() -> Option<String> {
    let head = said("git", &["rev-parse", "--short=12", "HEAD"])?;
    let log = said("git", &["rev-parse", "--git-path", "logs/HEAD"])?;
    println!("cargo::rerun-if-changed={log}");
    SOURCES.iter().for_each(|source| println!("cargo::rerun-if-changed=../{source}/src"));
    let changed = said("git", &["status", "--porcelain", "--untracked-files=no"])?;
    Some(if changed.is_empty() { head } else { format!("{head}-modified") })
}

fn said(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8(output.stdout).ok()?.trim().to_owned())
}
