//! Who may ask for faults: whoever can read a file that only the testnet's owner can read.

use crate::{
    exit::Failure,
    home::{file_failure, write_private},
};
use std::{fmt, fs, io::ErrorKind, path::Path};

/// What a request must bear: 64 hexadecimal characters. One for all validators of a testnet, a new one for each run.
#[derive(Clone, PartialEq, Eq)]
pub struct FaultToken(String);

impl FaultToken {
    /// A new one.
    pub fn generate() -> Result<Self, Failure> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).map_err(|error| Failure::environment(format!("no random numbers: {error}")))?;
        Ok(Self(hex::encode(bytes)))
    }

    /// Reads the file, if it is there.
    pub fn load(path: &Path) -> Result<Option<Self>, Failure> {
        match fs::read_to_string(path) {
            Ok(text) => Ok(Some(Self(text.trim().to_owned())).filter(|token| !token.0.is_empty())),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(file_failure("read", path, &error)),
        }
    }

    /// Writes the file, mode 0600.
    pub fn save(&self, path: &Path) -> Result<(), Failure> {
        write_private(path, &format!("{}\n", self.0))
    }

    /// The text that goes after `Authorization: Bearer `.
    pub fn text(&self) -> &str {
        &self.0
    }

    /// Whether `text` is it. Takes as long whatever the difference.
    pub fn is(&self, text: &str) -> bool {
        let (ours, theirs) = (self.0.as_bytes(), text.as_bytes());
        ours.len() == theirs.len()
            && ours.iter().zip(theirs).fold(0, |differ, (one, other)| differ | (one ^ other)) == 0
    }
}

impl fmt::Debug for FaultToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FaultToken(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn it_is_private_reads_back_and_is_new_each_time() {
        let dir = tempfile::tempdir().expect("temporary directory");
        let path = dir.path().join("fault_token");
        assert_eq!(FaultToken::load(&path), Ok(None));
        let token = FaultToken::generate().expect("random numbers");
        token.save(&path).expect("written");
        assert_eq!(fs::metadata(&path).expect("exists").permissions().mode() & 0o777, 0o600);
        assert_eq!(FaultToken::load(&path), Ok(Some(token.clone())));
        assert_ne!(FaultToken::generate(), Ok(token));
    }

    #[test]
    fn only_the_whole_of_it_is_it() {
        let token = FaultToken("abcd".to_owned());
        assert!(token.is("abcd"));
        assert!(!token.is("abce") && !token.is("abc") && !token.is("abcde") && !token.is(""));
    }
}
