//! ed25519 keys, one type for each use, so that none can stand in for another.

use borsh::{BorshDeserialize, BorshSerialize};
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use quorate_types::{Account, Digest, Transaction, TransactionBody};
use serde::{Deserialize, Serialize};
use std::{
    fmt,
    hash::{Hash, Hasher},
};
use zeroize::Zeroizing;

/// Why 32 bytes are not a key that we accept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Not the encoding of a point on the curve.
    #[error("not a point of edwards25519")]
    NotAPoint,
    /// A point of small order: signatures of it verify for messages nobody signed.
    #[error("a point of small order")]
    Weak,
    /// A point outside the prime-order subgroup: implementations disagree about its signatures.
    #[error("a point outside the prime-order subgroup")]
    Torsioned,
}

pub(crate) fn checked(bytes: &[u8; 32]) -> Result<VerifyingKey, KeyError> {
    let key = VerifyingKey::from_bytes(bytes).map_err(|_| KeyError::NotAPoint)?;
    if key.is_weak() {
        return Err(KeyError::Weak);
    }
    if !key.to_edwards().is_torsion_free() {
        return Err(KeyError::Torsioned);
    }
    Ok(key)
}

/// The one check behind votes, attestations and transactions: strict, single (RFC 8032 without its leeway).
pub(crate) fn is_signed(key: &VerifyingKey, bytes: &[u8], signature: &[u8; 64]) -> bool {
    key.verify_strict(bytes, &Signature::from_bytes(signature)).is_ok()
}

macro_rules! secret_key {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Clone)]
        pub struct $name(pub(crate) SigningKey);

        impl $name {
            /// What the key is for, in error messages.
            pub const WHAT: &'static str = $what;

            /// A new key from the operating system's random source.
            ///
            /// # Panics
            /// If the operating system has no randomness to give: there is no safe way to go on.
            pub fn generate() -> Self {
                let mut seed = Zeroizing::new([0; 32]);
                getrandom::fill(seed.as_mut_slice()).expect("the operating system gives randomness");
                Self::from_seed(*seed)
            }

            /// The key of a 32-byte seed (RFC 8032 private key).
            pub fn from_seed(seed: [u8; 32]) -> Self {
                Self(SigningKey::from_bytes(&seed))
            }

            /// The seed, wiped when dropped.
            pub fn seed(&self) -> Zeroizing<[u8; 32]> {
                Zeroizing::new(self.0.to_bytes())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "(public {})"), Digest(self.0.verifying_key().to_bytes()))
            }
        }

        /// Equal when the public halves are.
        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                self.0.verifying_key() == other.0.verifying_key()
            }
        }

        impl Eq for $name {}

        impl Hash for $name {
            fn hash<H: Hasher>(&self, state: &mut H) {
                self.0.verifying_key().to_bytes().hash(state);
            }
        }
    };
}

macro_rules! public_key {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize, Serialize, Deserialize,
        )]
        #[serde(from = "Digest", into = "Digest")]
        pub struct $name(pub [u8; 32]);

        impl $name {
            /// Refuses bytes that are no point, a weak point, or a torsioned one.
            pub fn check(&self) -> Result<(), KeyError> {
                checked(&self.0).map(|_| ())
            }
        }

        impl From<Digest> for $name {
            fn from(hex: Digest) -> Self {
                Self(hex.0)
            }
        }

        impl From<$name> for Digest {
            fn from(key: $name) -> Self {
                Digest(key.0)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                Digest(self.0).fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), Digest(self.0).short())
            }
        }
    };
}

secret_key!(
    /// Authenticates a replica's connections (the libp2p node key). Signs nothing of the protocol.
    IdentitySecret,
    "identity key"
);
secret_key!(
    /// Signs what a replica says in the protocol. Held by `SafetyRules` and by nobody else.
    VoteSecret,
    "vote key"
);
secret_key!(
    /// Signs a client's transactions.
    ClientSecret,
    "client key"
);
public_key!(
    /// The public half of an [`IdentitySecret`]; libp2p's peer id follows from it.
    IdentityKey
);
public_key!(
    /// The public half of a [`VoteSecret`].
    VoteKey
);

impl IdentitySecret {
    /// The public half.
    pub fn public(&self) -> IdentityKey {
        IdentityKey(self.0.verifying_key().to_bytes())
    }
}

impl VoteSecret {
    /// The public half.
    pub fn public(&self) -> VoteKey {
        VoteKey(self.0.verifying_key().to_bytes())
    }
}

impl VoteKey {
    /// Whether this key signed the bytes: the check behind votes and attestations. A key that [`VoteKey::check`] refuses
    /// signed nothing.
    pub fn has_signed(&self, bytes: &[u8], signature: &[u8; 64]) -> bool {
        checked(&self.0).is_ok_and(|key| is_signed(&key, bytes, signature))
    }
}

impl ClientSecret {
    /// The account that this key controls.
    pub fn account(&self) -> Account {
        Account::from_key(self.0.verifying_key().to_bytes())
    }

    /// Signs `body`. A body that names another sender gives a transaction that every replica refuses.
    pub fn sign(&self, body: TransactionBody) -> Transaction {
        let signature = self.0.sign(&body.signing_bytes()).to_bytes();
        Transaction { body, signature }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weak_and_impossible_points_are_refused() {
        assert_eq!(VoteKey([0; 32]).check(), Err(KeyError::Weak));
        let mut identity = [0; 32];
        identity[0] = 1;
        assert_eq!(VoteKey(identity).check(), Err(KeyError::Weak));
        assert_eq!(IdentityKey([2; 32]).check().is_err(), VerifyingKey::from_bytes(&[2; 32]).is_err());
        assert_eq!(VoteSecret::from_seed([1; 32]).public().check(), Ok(()));
    }

    #[test]
    fn a_key_of_mixed_order_is_refused() {
        use ed25519_dalek::SigningKey;
        // A prime-order point plus a point of order eight: on the curve, not weak, and not torsion-free.
        let prime = SigningKey::from_bytes(&[1; 32]).verifying_key().to_edwards();
        let order_eight = [
            0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a, 0x20,
            0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a,
        ];
        let torsion = VerifyingKey::from_bytes(&order_eight).expect("a point of order eight").to_edwards();
        let mixed = (prime + torsion).compress().to_bytes();
        assert_eq!(VoteKey(mixed).check(), Err(KeyError::Torsioned));
    }

    #[test]
    fn debug_output_holds_no_secret() {
        let secret = VoteSecret::from_seed([0xab; 32]);
        assert!(!format!("{secret:?}").contains("abab"));
    }
}
