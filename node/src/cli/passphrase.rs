//! Passphrases of key files: from a file or the terminal, never from the command line, which others can see.

use crate::{
    exit::Failure,
    home::{Home, file_failure},
    output::Output,
};
use clap::Args;
use quorate_crypto::Passphrase;
use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
use std::{
    fs,
    io::{IsTerminal, Write},
    path::{Path, PathBuf},
};
use zeroize::Zeroizing;

// Where the passphrase comes from. No doc comment: it would replace the help of each command that takes these.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct PassphraseArgs {
    /// Key files are encrypted under the passphrase in this file
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// Key files are encrypted under a passphrase that is asked for on the terminal
    #[arg(long, conflicts_with = "password_file")]
    ask_password: bool,
}

impl PassphraseArgs {
    /// For key files that are to be made: without a passphrase they are plain, and a warning says so.
    pub(crate) fn for_new(&self, output: Output) -> Result<Option<Passphrase>, Failure> {
        let given = self.given()?;
        if given.is_none() {
            output.note("warning: key files are not encrypted; --password-file or --ask-password encrypts them");
        }
        // Asked twice, or a slip of the finger would lock everybody out.
        if self.ask_password && given != Some(ask("once more: ")?) {
            return Err(Failure::usage("the two passphrases differ"));
        }
        Ok(given)
    }

    /// For the key files of a home: a passphrase is asked for where one is needed, none was given and somebody is there.
    pub(crate) fn for_home(&self, home: &Home) -> Result<Option<Passphrase>, Failure> {
        match self.given()? {
            None if home.is_locked() && std::io::stdin().is_terminal() => {
                ask("passphrase of the key files: ").map(Some)
            }
            given => Ok(given),
        }
    }

    fn given(&self) -> Result<Option<Passphrase>, Failure> {
        match &self.password_file {
            Some(path) => read(path).map(Some),
            None if self.ask_password => ask("passphrase for the key files: ").map(Some),
            None => Ok(None),
        }
    }
}

/// The passphrase in a file: its one line.
pub(crate) fn read(path: &Path) -> Result<Passphrase, Failure> {
    let text = fs::read_to_string(path).map(Zeroizing::new).map_err(|error| file_failure("read", path, &error))?;
    Passphrase::new(&text).ok_or_else(|| Failure::usage(format!("{} holds no passphrase", path.display())))
}

/// Asks on the terminal, which shows nothing of the answer.
fn ask(prompt: &str) -> Result<Passphrase, Failure> {
    let stdin = std::io::stdin();
    if !stdin.is_terminal() {
        return Err(Failure::usage("there is no terminal to ask for a passphrase on").hint("--password-file"));
    }
    let failure = |error: std::io::Error| Failure::environment(format!("cannot ask for a passphrase: {error}"));
    eprint!("{prompt}");
    std::io::stderr().flush().map_err(failure)?;
    let before = tcgetattr(&stdin).map_err(|error| failure(error.into()))?;
    let mut silent = before.clone();
    silent.local_modes.remove(LocalModes::ECHO);
    tcsetattr(&stdin, OptionalActions::Flush, &silent).map_err(|error| failure(error.into()))?;
    let mut line = Zeroizing::new(String::new());
    let read = stdin.read_line(&mut line);
    let restored = tcsetattr(&stdin, OptionalActions::Flush, &before);
    eprintln!();
    read.map_err(failure)?;
    restored.map_err(|error| failure(error.into()))?;
    Passphrase::new(&line).ok_or_else(|| Failure::usage("an empty passphrase is none"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_passphrase_is_the_line_in_its_file() {
        let dir = tempfile::tempdir().expect("temporary directory");
        let path = dir.path().join("passphrase");
        fs::write(&path, "correct horse\n").expect("new file");
        assert_eq!(Some(read(&path).expect("a line")), Passphrase::new("correct horse"));
        fs::write(&path, "\n").expect("own file");
        assert!(read(&path).expect_err("empty").to_string().contains("holds no passphrase"));
    }
}
