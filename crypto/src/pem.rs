//! Key files: PKCS#8 version 1 in PEM, mode 0600, written once, encrypted where a passphrase is given.
//!
//! ed25519-dalek writes PKCS#8 *v2* by default, which OpenSSL 3.0 cannot read. We write v1 (no public key inside), which
//! both read; files made by `openssl genpkey -algorithm ed25519` load as well, and so do `openssl pkcs8 -topk8 -scrypt` ones.
//! BLS keys and shares have no object identifier of their own; theirs is under the number that RFC 5612 keeps free for examples.

use crate::{
    keys::{ClientSecret, IdentitySecret, VoteSecret},
    passphrase::{self, Passphrase, Unlocked},
};
use ed25519_dalek::{
    SigningKey,
    pkcs8::{DecodePrivateKey, EncodePrivateKey, KeypairBytes},
};
use pkcs8::SecretDocument;
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
    /// Not a private key of this kind in PKCS#8 PEM.
    #[error("{what} file {path} is not {kind} in PKCS#8 PEM ({why}); it may be cut off or of another kind")]
    Malformed {
        /// Which key.
        what: &'static str,
        /// What it should be.
        kind: &'static str,
        /// Which file.
        path: PathBuf,
        /// The parser's complaint.
        why: String,
    },
    /// Encrypted, and no passphrase was given.
    #[error("{what} file {path} is encrypted; give its passphrase")]
    Locked {
        /// Which key.
        what: &'static str,
        /// Which file.
        path: PathBuf,
    },
    /// Does not decrypt under the passphrase given.
    #[error("{what} file {path} does not open with this passphrase")]
    WrongPassphrase {
        /// Which key.
        what: &'static str,
        /// Which file.
        path: PathBuf,
    },
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

/// A secret that can be kept in a file.
pub trait KeyFile: Sized {
    /// What the secret is for, in error messages.
    const WHAT: &'static str;
    /// What kind of secret it is, in error messages.
    const KIND: &'static str;

    /// The PKCS#8 document, in DER.
    fn to_document(&self) -> SecretDocument;

    /// Reads a PKCS#8 document.
    fn from_document(document: &SecretDocument) -> Result<Self, String>;

    /// The file's text, encrypted if there is a passphrase.
    ///
    /// # Panics
    /// If a passphrase is given and the operating system has no randomness to give.
    fn to_pem_with(&self, passphrase: Option<&Passphrase>) -> Zeroizing<String> {
        passphrase::to_pem(&self.to_document(), passphrase)
    }

    /// Writes the secret to a new file of mode 0600; an existing file is never overwritten.
    fn save_with(&self, path: &Path, passphrase: Option<&Passphrase>) -> Result<(), KeyFileError> {
        let io = |source| KeyFileError::Io { what: Self::WHAT, path: path.to_owned(), source };
        write_new(path, &self.to_pem_with(passphrase)).map_err(io)
    }

    /// Reads a key file; refuses one that others may read. A file that is not encrypted needs no passphrase.
    fn load_with(path: &Path, passphrase: Option<&Passphrase>) -> Result<Self, KeyFileError> {
        let (what, kind, owned) = (Self::WHAT, Self::KIND, || path.to_owned());
        let text = read_private(what, path)?;
        let malformed = |why| KeyFileError::Malformed { what, kind, path: owned(), why };
        match passphrase::from_pem(&text, passphrase).map_err(malformed)? {
            Unlocked::Document(document) => Self::from_document(&document).map_err(malformed),
            Unlocked::NoPassphrase => Err(KeyFileError::Locked { what, path: owned() }),
            Unlocked::WrongPassphrase => Err(KeyFileError::WrongPassphrase { what, path: owned() }),
        }
    }
}

macro_rules! ed25519_file {
    ($name:ident) => {
        impl KeyFile for $name {
            const WHAT: &'static str = $name::WHAT;
            const KIND: &'static str = "an ed25519 private key";

            fn to_document(&self) -> SecretDocument {
                KeypairBytes { secret_key: self.0.to_bytes(), public_key: None }
                    .to_pkcs8_der()
                    .expect("32 bytes always encode as PKCS#8")
            }

            fn from_document(document: &SecretDocument) -> Result<Self, String> {
                SigningKey::from_pkcs8_der(document.as_bytes()).map(Self).map_err(|error| error.to_string())
            }
        }

        impl $name {
            /// PKCS#8 v1 PEM, wiped when dropped.
            pub fn to_pem(&self) -> Zeroizing<String> {
                self.to_pem_with(None)
            }

            /// Reads PKCS#8 v1 or v2 PEM that is not encrypted.
            pub fn from_pem(text: &str) -> Result<Self, String> {
                match passphrase::from_pem(text, None)? {
                    Unlocked::Document(document) => Self::from_document(&document),
                    Unlocked::NoPassphrase | Unlocked::WrongPassphrase => Err("it is encrypted".into()),
                }
            }

            /// Writes the key to a new file of mode 0600, not encrypted; an existing file is never overwritten.
            pub fn save(&self, path: &Path) -> Result<(), KeyFileError> {
                self.save_with(path, None)
            }

            /// Reads a key file that is not encrypted; refuses one that others may read.
            pub fn load(path: &Path) -> Result<Self, KeyFileError> {
                Self::load_with(path, None)
            }
        }
    };
}
ed25519_file!(IdentitySecret);
ed25519_file!(VoteSecret);
ed25519_file!(ClientSecret);

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

    fn openssl(arguments: &[&str], path: &Path) -> Option<bool> {
        let run = Command::new("openssl").args(arguments).arg(path).output().ok()?;
        if !run.status.success() {
            eprintln!("{}", String::from_utf8_lossy(&run.stderr));
        }
        Some(run.status.success())
    }

    #[test]
    fn an_encrypted_file_opens_with_its_passphrase_only() {
        let dir = tempfile::tempdir().expect("temporary directory");
        let path = dir.path().join("key.pem");
        let (right, wrong) = (Passphrase::new("correct horse"), Passphrase::new("battery"));
        let key = VoteSecret::from_seed([3; 32]);
        key.save_with(&path, right.as_ref()).expect("new file");
        let text = fs::read_to_string(&path).expect("readable");
        assert!(text.starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----"), "{text}");
        assert_eq!(VoteSecret::load_with(&path, right.as_ref()).expect("opens"), key);
        assert!(matches!(VoteSecret::load_with(&path, wrong.as_ref()), Err(KeyFileError::WrongPassphrase { .. })));
        assert!(matches!(VoteSecret::load(&path), Err(KeyFileError::Locked { .. })));
        let read = openssl(&["pkey", "-noout", "-passin", "pass:correct horse", "-in"], &path);
        assert_ne!(read, Some(false), "openssl reads it too");
    }

    #[test]
    fn a_passphrase_is_not_needed_for_a_plain_file() {
        let dir = tempfile::tempdir().expect("temporary directory");
        let path = dir.path().join("key.pem");
        let key = VoteSecret::from_seed([3; 32]);
        key.save(&path).expect("new file");
        assert_eq!(VoteSecret::load_with(&path, Passphrase::new("any").as_ref()).expect("plain"), key);
    }
}
