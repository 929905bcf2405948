//! BLS keys and shares in key files.

use super::{keys::BlsSecret, polynomial::Share, variant::Variant};
use crate::KeyFile;
use pkcs8::{
    AlgorithmIdentifierRef, ObjectIdentifier, PrivateKeyInfoRef, SecretDocument,
    der::{Encode, asn1::OctetStringRef},
};
use zeroize::Zeroizing;

/// A scalar, greatest byte first.
const SECRET: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.32473.12381.1");

/// Two bytes of index and a scalar, greatest bytes first.
const SHARE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.32473.12381.2");

fn document(oid: ObjectIdentifier, bytes: &[u8]) -> SecretDocument {
    let key = OctetStringRef::new(bytes).expect("a few bytes");
    let info = PrivateKeyInfoRef::new(AlgorithmIdentifierRef { oid, parameters: None }, key);
    let der = Zeroizing::new(info.to_der().expect("a few bytes encode"));
    SecretDocument::try_from(der.as_slice()).expect("just encoded")
}

fn content<const N: usize>(oid: ObjectIdentifier, document: &SecretDocument) -> Result<Zeroizing<[u8; N]>, String> {
    let info = PrivateKeyInfoRef::try_from(document.as_bytes()).map_err(|error| error.to_string())?;
    if info.algorithm.oid != oid {
        return Err("a key for another algorithm".into());
    }
    info.private_key.as_bytes().try_into().map(Zeroizing::new).map_err(|_| "a key of another length".into())
}

impl<V: Variant> KeyFile for BlsSecret<V> {
    const WHAT: &'static str = "BLS key";
    const KIND: &'static str = "a BLS12-381 private key";

    fn to_document(&self) -> SecretDocument {
        document(SECRET, &*self.to_bytes())
    }

    fn from_document(document: &SecretDocument) -> Result<Self, String> {
        Self::from_bytes(&*content(SECRET, document)?).ok_or_else(|| "zero, or not below r".into())
    }
}

impl KeyFile for Share {
    const WHAT: &'static str = "threshold share";
    const KIND: &'static str = "a share of a BLS12-381 private key";

    fn to_document(&self) -> SecretDocument {
        let mut bytes = Zeroizing::new([0; 34]);
        bytes[..2].copy_from_slice(&self.index().to_be_bytes());
        bytes[2..].copy_from_slice(&*self.to_bytes());
        document(SHARE, &*bytes)
    }

    fn from_document(document: &SecretDocument) -> Result<Self, String> {
        let bytes = content::<34>(SHARE, document)?;
        let mut value = Zeroizing::new([0; 32]);
        value.copy_from_slice(&bytes[2..]);
        let share = Self::from_bytes(u16::from_be_bytes([bytes[0], bytes[1]]), &value);
        share.ok_or_else(|| "index zero, or a value that is not below r".into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        KeyFileError, Passphrase, VoteSecret,
        bls::{MinSig, deal_from},
    };

    #[test]
    fn keys_and_shares_are_saved_and_load_as_what_they_are() {
        let dir = tempfile::tempdir().expect("temporary directory");
        let path = |name: &str| dir.path().join(name);
        let passphrase = Passphrase::new("correct horse\n");
        let key = BlsSecret::<MinSig>::from_seed(&[1; 32]);
        let share = deal_from::<MinSig>(&[1; 32], 4, 3).shares[2].clone();
        for (folder, passphrase) in [("plain", None), ("encrypted", passphrase.as_ref())] {
            let (key_path, share_path) = (path(&format!("{folder}-key")), path(&format!("{folder}-share")));
            key.save_with(&key_path, passphrase).expect("new file");
            share.save_with(&share_path, passphrase).expect("new file");
            assert_eq!(BlsSecret::load_with(&key_path, passphrase).expect("loads"), key);
            assert_eq!(Share::load_with(&share_path, passphrase).expect("loads"), share);
            let crossed = Share::load_with(&key_path, passphrase);
            assert!(matches!(crossed, Err(KeyFileError::Malformed { .. })), "{crossed:?}");
            assert!(VoteSecret::load_with(&share_path, passphrase).is_err());
        }
    }
}
