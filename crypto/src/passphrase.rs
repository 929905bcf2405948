//! Encryption of key files under a passphrase: PKCS#8's own, PBES2 with scrypt and AES-256-CBC, which OpenSSL reads.

use pkcs8::{
    EncryptedPrivateKeyInfoRef, LineEnding, PrivateKeyInfoRef, SecretDocument,
    pkcs5::{pbes2, scrypt},
};
use std::fmt;
use zeroize::Zeroizing;

const PLAIN: &str = "PRIVATE KEY";
const ENCRYPTED: &str = "ENCRYPTED PRIVATE KEY";

/// scrypt's cost: 16 MiB five times over. OpenSSL refuses to use more than 32 MiB.
const LOG_N: u8 = 14;
const R: u32 = 8;
const P: u32 = 5;

/// What a file may make us compute. Its own idea of scrypt's cost could ask for all memory there is.
const MAX_N: u64 = 1 << 20;
const MAX_R: u16 = 32;
const MAX_P: u16 = 16;

/// A passphrase, wiped when dropped. Never empty.
#[derive(Clone, PartialEq, Eq)]
pub struct Passphrase(Zeroizing<String>);

impl Passphrase {
    /// The text without the line end that a file or a terminal puts behind it. An empty one is none.
    pub fn new(text: &str) -> Option<Self> {
        let text = text.strip_suffix('\n').unwrap_or(text);
        let text = text.strip_suffix('\r').unwrap_or(text);
        (!text.is_empty()).then(|| Self(Zeroizing::new(text.to_owned())))
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passphrase")
    }
}

/// What became of a file.
pub(crate) enum Unlocked {
    Document(SecretDocument),
    NoPassphrase,
    WrongPassphrase,
}

/// The text of a key file.
pub(crate) fn to_pem(document: &SecretDocument, passphrase: Option<&Passphrase>) -> Zeroizing<String> {
    let encrypted = passphrase.map(|passphrase| encrypt(document, passphrase));
    let (document, label) = encrypted.as_ref().map_or((document, PLAIN), |document| (document, ENCRYPTED));
    document.to_pem(label, LineEnding::LF).expect("a document in memory has a PEM form")
}

fn encrypt(document: &SecretDocument, passphrase: &Passphrase) -> SecretDocument {
    let (mut salt, mut iv) = ([0; 16], [0; 16]);
    getrandom::fill(&mut salt).expect("the operating system gives randomness");
    getrandom::fill(&mut iv).expect("the operating system gives randomness");
    let cost = scrypt::Params::new(LOG_N, R, P).expect("constants that scrypt allows");
    let parameters = pbes2::Parameters::generate_scrypt_aes256cbc(cost, &salt, iv).expect("16 bytes of salt");
    PrivateKeyInfoRef::try_from(document.as_bytes())
        .and_then(|key| key.encrypt_with_params(parameters, passphrase.0.as_bytes()))
        .expect("a PKCS#8 document encrypts")
}

/// The document in the text of a key file.
pub(crate) fn from_pem(text: &str, passphrase: Option<&Passphrase>) -> Result<Unlocked, String> {
    let (label, document) = SecretDocument::from_pem(text).map_err(|error| error.to_string())?;
    match label {
        PLAIN => Ok(Unlocked::Document(document)),
        ENCRYPTED => decrypt(&document, passphrase),
        _ => Err("its PEM label is neither of a private key nor of an encrypted one".into()),
    }
}

fn decrypt(document: &SecretDocument, passphrase: Option<&Passphrase>) -> Result<Unlocked, String> {
    let Some(passphrase) = passphrase else { return Ok(Unlocked::NoPassphrase) };
    let encrypted = EncryptedPrivateKeyInfoRef::try_from(document.as_bytes()).map_err(|error| error.to_string())?;
    let scheme = encrypted.encryption_algorithm.pbes2().ok_or("an encryption other than PBES2")?;
    if let Some(cost) = scheme.kdf.scrypt()
        && (cost.cost_parameter > MAX_N || cost.block_size > MAX_R || cost.parallelization > MAX_P)
    {
        return Err("it asks for more work than a key file may".into());
    }
    let opened = encrypted.decrypt(passphrase.0.as_bytes());
    // The cipher has no tag: a wrong passphrase shows in the padding, or in what is no PKCS#8 document.
    let document = opened.ok().filter(|document| PrivateKeyInfoRef::try_from(document.as_bytes()).is_ok());
    Ok(document.map_or(Unlocked::WrongPassphrase, Unlocked::Document))
}
