//! Where a validator's files lie, and who may read them.
//!
//! ```text
//! <home>/config/config.toml         settings of this machine
//! <home>/config/genesis.json        the chain: the same on every validator
//! <home>/config/node_key.pem        authenticates connections
//! <home>/config/validator_key.pem   signs votes, and what is said beside them
//! <home>/config/bls_key.pem         signs votes, under bls-multi
//! <home>/config/threshold_share.pem signs votes, under bls-threshold
//! <home>/config/fault_token         a testnet's: who knows it may ask this validator to fail
//! <home>/data/journal/              what was promised: never delete, never restore from a copy
//! <home>/data/blocks/               the ledger
//! <home>/data/index.redb            can be rebuilt from blocks/
//! <home>/data/evidence/             proof of others' misbehaviour
//! <home>/data/LOCK                  held by the process that uses data/ or dkg/
//! <home>/dkg/                       the chain of a key generation, and what came of it
//! ```

use crate::exit::Failure;
use quorate_crypto::{
    IdentitySecret, KeyFile, KeyFileError, Passphrase, VoteSecret,
    bls::{BlsSecret, Share},
};
use quorate_ledger::{Genesis, SchemeKind};
use quorate_validator::VoteSecrets;
use std::{
    fs,
    io::ErrorKind,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
};

/// A validator's home directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Home(PathBuf);

impl Home {
    /// The home at `path`, which need not exist.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// The directory itself.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// `config/`.
    pub fn config_dir(&self) -> PathBuf {
        self.0.join("config")
    }

    /// `data/`.
    pub fn data_dir(&self) -> PathBuf {
        self.0.join("data")
    }

    /// `config/config.toml`.
    pub fn config_file(&self) -> PathBuf {
        self.config_dir().join("config.toml")
    }

    /// `config/genesis.json`.
    pub fn genesis_file(&self) -> PathBuf {
        self.config_dir().join("genesis.json")
    }

    /// `config/node_key.pem`.
    pub fn node_key(&self) -> PathBuf {
        self.config_dir().join("node_key.pem")
    }

    /// `config/validator_key.pem`.
    pub fn validator_key(&self) -> PathBuf {
        self.config_dir().join("validator_key.pem")
    }

    /// `config/bls_key.pem`.
    pub fn bls_key(&self) -> PathBuf {
        self.config_dir().join("bls_key.pem")
    }

    /// `config/threshold_share.pem`.
    pub fn threshold_share(&self) -> PathBuf {
        self.config_dir().join("threshold_share.pem")
    }

    /// `config/fault_token`.
    pub fn fault_token(&self) -> PathBuf {
        self.config_dir().join("fault_token")
    }

    /// `data/journal/`.
    pub fn journal(&self) -> PathBuf {
        self.data_dir().join("journal")
    }

    /// `data/blocks/`.
    pub fn blocks(&self) -> PathBuf {
        self.data_dir().join("blocks")
    }

    /// `data/index.redb`.
    pub fn index(&self) -> PathBuf {
        self.data_dir().join("index.redb")
    }

    /// `data/evidence/`.
    pub fn evidence(&self) -> PathBuf {
        self.data_dir().join("evidence")
    }

    /// `dkg/`.
    pub fn ceremony(&self) -> PathBuf {
        self.0.join("dkg")
    }

    /// `dkg/result.json`.
    pub fn ceremony_result(&self) -> PathBuf {
        self.ceremony().join("result.json")
    }

    /// `data/LOCK`.
    pub fn lock(&self) -> PathBuf {
        self.data_dir().join("LOCK")
    }

    /// Makes `config/` and `data/`, mode 0700, where they are missing.
    pub fn create(&self) -> Result<(), Failure> {
        create_private_dir(&self.config_dir())?;
        create_private_dir(&self.data_dir())
    }

    /// Reads and checks the genesis.
    pub fn genesis(&self) -> Result<Genesis, Failure> {
        read_genesis(&self.genesis_file())
    }

    /// Loads the secret keys that `scheme` needs.
    pub fn keys(
        &self,
        scheme: SchemeKind,
        passphrase: Option<&Passphrase>,
    ) -> Result<(IdentitySecret, VoteSecrets), Failure> {
        let identity = self.load(&self.node_key(), passphrase)?;
        let vote: VoteSecret = self.load(&self.validator_key(), passphrase)?;
        let bls = scheme.is_multi().then(|| self.load::<BlsSecret<_>>(&self.bls_key(), passphrase)).transpose()?;
        let share = scheme.is_threshold().then(|| self.load(&self.threshold_share(), passphrase)).transpose()?;
        Ok((identity, VoteSecrets { vote, bls, share }))
    }

    /// Whether a key file here is encrypted.
    pub fn is_locked(&self) -> bool {
        matches!(VoteSecret::load(&self.validator_key()), Err(KeyFileError::Locked { .. }))
    }

    /// Writes the share that a dealer or a ceremony gave this validator. A share is never replaced.
    pub fn save_share(&self, share: &Share, passphrase: Option<&Passphrase>) -> Result<(), Failure> {
        share.save_with(&self.threshold_share(), passphrase).map_err(|error| Failure::environment(error.to_string()))
    }

    fn load<K: KeyFile>(&self, path: &Path, passphrase: Option<&Passphrase>) -> Result<K, Failure> {
        K::load_with(path, passphrase).map_err(|error| {
            let failure = Failure::environment(error.to_string());
            match error {
                KeyFileError::Io { source, .. } if source.kind() == ErrorKind::NotFound => failure
                    .hint("check --home")
                    .hint(format!("quorate keygen --home {} makes a new validator's keys", self.0.display())),
                KeyFileError::Malformed { .. } => failure.hint(
                    "restore the file from a copy: the genesis names its public half, so that a new key will not do",
                ),
                KeyFileError::Locked { .. } => failure.hint("--password-file with the file that holds it"),
                // What to try is in the message.
                KeyFileError::Io { .. } | KeyFileError::Exposed { .. } | KeyFileError::WrongPassphrase { .. } => {
                    failure
                }
            }
        })
    }
}

/// Makes a directory and what is above it, readable by the owner alone.
pub fn create_private_dir(path: &Path) -> Result<(), Failure> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(|error| file_failure("make", path, &error))
}

/// Reads and checks a genesis document.
pub fn read_genesis(path: &Path) -> Result<Genesis, Failure> {
    let text = read_text(path)?;
    let fail = |why: String| Failure::failed(format!("{}: {why}", path.display()));
    let genesis = Genesis::from_json(&text).map_err(|error| fail(error.to_string()))?;
    genesis.check().map_err(|error| fail(error.to_string()))?;
    Ok(genesis)
}

/// Reads a text file.
pub fn read_text(path: &Path) -> Result<String, Failure> {
    fs::read_to_string(path).map_err(|error| file_failure("read", path, &error))
}

/// Writes a new file or replaces one, mode 0600, so that a crash leaves either the old or the new content.
pub fn write_private(path: &Path, text: &str) -> Result<(), Failure> {
    use std::{io::Write, os::unix::fs::OpenOptionsExt};
    let partial = path.with_extension("partial");
    let write = || {
        let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&partial)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&partial, path)
    };
    write().map_err(|error| file_failure("write", path, &error))
}

/// What to say about a file that could not be read or written.
pub fn file_failure(verb: &str, path: &Path, error: &std::io::Error) -> Failure {
    let failure = Failure::environment(format!("cannot {verb} {}: {error}", path.display()));
    match error.kind() {
        ErrorKind::NotFound => failure.hint("check the path; --home names the directory that holds config/ and data/"),
        ErrorKind::StorageFull => failure.hint("free some disk space"),
        ErrorKind::PermissionDenied => failure.hint("run as the owner of the directory"),
        _ => failure,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn directories_are_private_and_files_too() {
        let dir = tempfile::tempdir().expect("temporary directory");
        let home = Home::new(dir.path().join("validator"));
        home.create().expect("new directories");
        write_private(&home.config_file(), "x = 1").expect("new file");
        let mode = |path: PathBuf| fs::metadata(path).expect("exists").permissions().mode() & 0o777;
        assert_eq!(mode(home.config_dir()), 0o700);
        assert_eq!(mode(home.data_dir()), 0o700);
        assert_eq!(mode(home.config_file()), 0o600);
    }

    #[test]
    fn a_missing_file_is_named() {
        let failure = Home::new("/nowhere").keys(SchemeKind::Ed25519, None).expect_err("no keys there");
        assert!(failure.to_string().contains("/nowhere/config/node_key.pem"), "{failure}");
        assert!(failure.to_string().contains("quorate keygen --home /nowhere"), "{failure}");
    }
}
