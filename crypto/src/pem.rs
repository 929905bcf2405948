//! Key files: PKCS#8 version 1 in PEM, mode 0600, written once.
//!
//! ed25519-dalek writes PKCS#8 *v2* by default, which OpenSSL 3.0 cannot read. We write v1 (no public key inside), which
//! both read; files made by `openssl genpkey -algorithm ed25519` load as well.

use crate::keys::{ClientSecret, IdentitySecret, VoteSecret};
use ed25519_dalek::{
    SigningKey,
    pkcs8::{DecodePrivateKey, EncodePrivateKey, KeypairBytes, spki::der::pem::LineEnding},
};
use std::{
    fs, io,
    io::Write,
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};
use zeroize::Zeroizing;

/// Why a key file could not be read or written. Nothing secret is in the message.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// The file system said no.
    #[error("{what} file {path}: {source}")]
    Io {
        /// Which key.
        what: &'static str,
        /// Which file.
        path: PathBuf,
        /// What the file system said.
        source: io::Error,
    },
    /// Others than the owner may read it.
    #[error("{what} file {path} may be read by others (mode {mode:o}); try: chmod 600 {path}")]
    Exposed {
        /// Which key.
        what: &'static str,
        /// Which file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// Not an ed25519 private key in PKCS#8 PEM.
    #[error(
        "{what} file {path} is not an ed25519 private key in PKCS#8 PEM ({why}); it may be cut off or of another kind"
    )]
    Malformed {
        /// Which key.
        what: &'static str,
        /// Which file.
        path: PathBuf,
        /// The parser's complaint.
        why: String,
    },
}

fn encode(key: &SigningKey) -> Zeroizing<String> {
    KeypairBytes { secret_key: key.to_bytes(), public_key: None }
        .to_pkcs8_pem(LineEnding::LF)
        .expect("32 bytes always encode as PKCS#8")
}

fn write_new(path: &Path, text: &str) -> io::Result<()> {
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

fn read_private(what: &'static str, path: &Path) -> Result<Zeroizing<String>, KeyFileError> {
    let io = |source| KeyFileError::Io { what, path: path.to_owned(), source };
    let mode = fs::metadata(path).map_err(io)?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(KeyFileError::Exposed { what, path: path.to_owned(), mode });
    }
    fs::read_to_string(path).map(Zeroizing::new).map_err(io)
}

macro_rules! pem_file {
    ($name:ident) => {
        impl $name {
            /// PKCS#8 v1 PEM, wiped when dropped.
            pub fn to_pem(&self) -> Zeroizing<String> {
                encode(&self.0)
            }

            /// Reads PKCS#8 v1 or v2 PEM.
            pub fn from_pem(text: &str) -> Result<Self, String> {
                SigningKey::from_pkcs8_pem(text).map(Self).map_err(|error| error.to_string())
            }

            /// Writes the key to a new file of mode 0600; an existing file is never overwritten.
            pub fn save(&self, path: &Path) -> Result<(), KeyFileError> {
                let io = |source| KeyFileError::Io { what: Self::WHAT, path: path.to_owned(), source };
                write_new(path, &self.to_pem()).map_err(io)
            }

            /// Reads a key file; refuses one that others may read.
            pub fn load(path: &Path) -> Result<Self, KeyFileError> {
                let text = read_private(Self::WHAT, path)?;
                let malformed = |why| KeyFileError::Malformed { what: Self::WHAT, path: path.to_owned(), why };
                Self::from_pem(&text).map_err(malformed)
            }
        }
    };
}
pem_file!(IdentitySecret);
pem_file!(VoteSecret);
pem_file!(ClientSecret);

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    #[test]
    fn a_saved_key_loads_and_is_never_overwritten() {
        let dir = tempfile::tempdir().expect("temporary directory");
        let path = dir.path().join("key.pem");
        let key = VoteSecret::from_seed([3; 32]);
        key.save(&path).expect("new file");
        assert_eq!(VoteSecret::load(&path).expect("just written"), key);
        assert_eq!(fs::metadata(&path).expect("exists").permissions().mode() & 0o777, 0o600);
        assert!(matches!(VoteSecret::generate().save(&path), Err(KeyFileError::Io { .. })));
        assert_eq!(VoteSecret::load(&path).expect("still there"), key);
    }

    #[test]
    fn a_file_that_others_can_read_is_refused() {
        let dir = tempfile::tempdir().expect("temporary directory");
        let path = dir.path().join("key.pem");
        VoteSecret::from_seed([3; 32]).save(&path).expect("new file");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).expect("own file");
        assert!(matches!(VoteSecret::load(&path), Err(KeyFileError::Exposed { mode: 0o640, .. })));
    }

    #[test]
    fn a_truncated_file_is_refused_without_telling_its_content() {
        let dir = tempfile::tempdir().expect("temporary directory");
        let path = dir.path().join("key.pem");
        let pem = VoteSecret::from_seed([3; 32]).to_pem();
        for cut in 0..pem.len() - 1 {
            let _ = fs::remove_file(&path);
            write_new(&path, &pem[..cut]).expect("new file");
            let error = VoteSecret::load(&path).expect_err("cut off").to_string();
            assert!(error.contains("not an ed25519 private key"), "{error}");
            assert!(!error.contains("MC4C"), "{error}");
        }
    }

    #[test]
    fn openssl_reads_our_file_and_we_read_its() {
        let dir = tempfile::tempdir().expect("temporary directory");
        let path = dir.path().join("key.pem");
        let Ok(made) = Command::new("openssl").args(["genpkey", "-algorithm", "ed25519", "-out"]).arg(&path).output()
        else {
            eprintln!("skipped: no openssl on this machine");
            return;
        };
        assert!(made.status.success(), "{made:?}");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("own file");
        VoteSecret::load(&path).expect("openssl's key loads");

        let ours = dir.path().join("ours.pem");
        VoteSecret::from_seed([3; 32]).save(&ours).expect("new file");
        let read = Command::new("openssl").args(["pkey", "-noout", "-text", "-in"]).arg(&ours).output().expect("runs");
        assert!(read.status.success(), "{}", String::from_utf8_lossy(&read.stderr));
    }
}
