//! A patch and its header.
//!
//! ```text
//! # breaks: the quorum is one too small
//! # caught-by: cargo test -p quorate-crypto --lib thresholds_hold_for_every_size
//! # says: two quorums share an honest replica
//! --- a/crypto/src/committee.rs
//! ...
//! ```
//!
//! `caught-by` and `says` may be there several times; each check must notice, with the words that follow it.

use super::cargo::Check;
use std::{fmt, fs, io, path::Path};

/// A planted fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mutant {
    /// Its file's name without the extension.
    pub name: String,
    /// What it breaks, in a line.
    pub breaks: String,
    /// Who must notice.
    pub expectations: Vec<Expectation>,
    /// The whole file.
    pub patch: String,
}

/// A check that must fail, and what its output must contain then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expectation {
    /// The check.
    pub check: Check,
    /// Words that tell the right reason from any other.
    pub says: String,
}

/// A patch file whose header is not one.
#[derive(Debug)]
pub struct BadPatch {
    file: String,
    why: String,
}

impl fmt::Display for BadPatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.file, self.why)
    }
}

impl std::error::Error for BadPatch {}

impl Mutant {
    /// All of a directory, by name.
    pub fn all(directory: &Path) -> io::Result<Vec<Self>> {
        let mut mutants = Vec::new();
        for entry in fs::read_dir(directory)? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "patch") {
                let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
                mutants.push(Self::parse(name, fs::read_to_string(&path)?).map_err(io::Error::other)?);
            }
        }
        mutants.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(mutants)
    }

    /// Reads the header of a patch.
    pub fn parse(name: String, patch: String) -> Result<Self, BadPatch> {
        let bad = |why: &str| BadPatch { file: format!("{name}.patch"), why: why.to_owned() };
        let (mut breaks, mut expectations, mut check) = (None, Vec::new(), None);
        for line in patch.lines().take_while(|line| line.starts_with('#')) {
            let (key, value) =
                line.trim_start_matches("# ").split_once(": ").ok_or_else(|| bad("not `# key: value`"))?;
            match key {
                "breaks" => breaks = Some(value.to_owned()),
                "caught-by" => check = Some(Check::parse(value).map_err(|why| bad(&why))?),
                "says" => {
                    let check = check.take().ok_or_else(|| bad("`says` without a `caught-by` before it"))?;
                    expectations.push(Expectation { check, says: value.to_owned() });
                }
                _ => return Err(bad("only `breaks`, `caught-by` and `says` are known")),
            }
        }
        if check.is_some() || expectations.is_empty() {
            return Err(bad("every `caught-by` needs a `says` after it, and there must be one"));
        }
        let breaks = breaks.ok_or_else(|| bad("no `# breaks:`"))?;
        Ok(Self { name, breaks, expectations, patch })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_says_what_is_broken_and_who_must_notice() {
        let text = "# breaks: all\n# caught-by: cargo test -p a b\n# says: c: d\n--- a/x\n";
        let mutant = Mutant::parse("m".to_owned(), text.to_owned()).expect("a header");
        assert_eq!((mutant.breaks.as_str(), mutant.expectations[0].says.as_str()), ("all", "c: d"));
    }

    #[test]
    fn a_patch_that_nobody_must_notice_is_refused() {
        for header in
            ["# breaks: all\n", "# breaks: all\n# caught-by: cargo test -p a\n", "# caught-by: make\n# says: x\n"]
        {
            assert!(Mutant::parse("m".to_owned(), header.to_owned()).is_err(), "{header}");
        }
    }
}
