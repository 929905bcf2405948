//! A box that one member can open: how a dealer sends a share where everybody reads along.
//!
//! X25519 with a key made for this box alone, SHA-256 in a domain as key derivation, ChaCha20-Poly1305. The derivation takes both
//! public keys and the context, so a box opens for one recipient in one place of one ceremony only. The nonce is constant
//! because the key is used once.

use crate::CryptoError;
use borsh::{BorshDeserialize, BorshSerialize};
use chacha20poly1305::{
    ChaCha20Poly1305, KeyInit, Nonce,
    aead::{Aead, Payload},
};
use quorate_types::{BoundedVec, Digest, Domain};
use std::fmt;
use x25519_dalek::{PublicKey, SharedSecret, StaticSecret};
use zeroize::Zeroizing;

/// What one box may hold: a share has 32 bytes.
pub const MAX_SEALED: usize = 256;

/// The key of a sealed box.
const SEALED: Domain = Domain("quorate/sealed-box/v1");

/// ChaCha20-Poly1305's tag.
const TAG: usize = 16;

/// Opens what is sealed for its public half.
#[derive(Clone)]
pub struct OpeningSecret(StaticSecret);

/// What boxes are sealed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize)]
pub struct SealingKey(pub [u8; 32]);

/// A sealed box.
#[derive(Clone, Debug, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub struct Sealed {
    ephemeral: [u8; 32],
    ciphertext: BoundedVec<u8, { MAX_SEALED + TAG }>,
}

impl OpeningSecret {
    /// A new secret from the operating system's random source.
    ///
    /// # Panics
    /// If the operating system has no randomness to give: there is no safe way to go on.
    pub fn generate() -> Self {
        let mut seed = Zeroizing::new([0; 32]);
        getrandom::fill(seed.as_mut_slice()).expect("the operating system gives randomness");
        Self::from_seed(*seed)
    }

    /// The secret of 32 bytes.
    pub fn from_seed(seed: [u8; 32]) -> Self {
        Self(StaticSecret::from(seed))
    }

    /// The public half.
    pub fn public(&self) -> SealingKey {
        SealingKey(PublicKey::from(&self.0).to_bytes())
    }

    /// What is inside, if the box was sealed for us in this context and nobody touched it.
    pub fn open(&self, context: &[u8], sealed: &Sealed) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
        let shared = self.0.diffie_hellman(&PublicKey::from(sealed.ephemeral));
        let cipher = cipher(&shared, &sealed.ephemeral, self.public(), context).ok_or(CryptoError::Sealed)?;
        let payload = Payload { msg: &sealed.ciphertext, aad: context };
        cipher.decrypt(&Nonce::default(), payload).map(Zeroizing::new).map_err(|_| CryptoError::Sealed)
    }
}

impl Sealed {
    /// What the sealer of this box put into it, for anybody to whom the sealer reveals the box's own secret. Exactly what the
    /// recipient finds there, or fails to find: both compute the same shared secret.
    pub fn open_revealed(
        &self,
        recipient: SealingKey,
        context: &[u8],
        ephemeral: &OpeningSecret,
    ) -> Result<Revealed, CryptoError> {
        if ephemeral.public().0 != self.ephemeral {
            return Err(CryptoError::Sealed);
        }
        let shared = ephemeral.0.diffie_hellman(&PublicKey::from(recipient.0));
        let payload = Payload { msg: &self.ciphertext, aad: context };
        let opened = cipher(&shared, &self.ephemeral, recipient, context)
            .and_then(|cipher| cipher.decrypt(&Nonce::default(), payload).ok());
        Ok(opened.map_or(Revealed::Nothing, |content| Revealed::Content(Zeroizing::new(content))))
    }
}

/// What a box turned out to hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Revealed {
    /// This.
    Content(Zeroizing<Vec<u8>>),
    /// Nothing that its recipient could have opened.
    Nothing,
}

impl fmt::Debug for OpeningSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OpeningSecret(public {:?})", self.public())
    }
}

/// Seals `content` for `recipient`. `context` names the place that the box has: ceremony, dealer, recipient. `ephemeral` is a
/// secret that nothing else is done with; None if the content is too long or the recipient's key gives no secret.
pub fn seal(recipient: SealingKey, context: &[u8], content: &[u8], ephemeral: &OpeningSecret) -> Option<Sealed> {
    if content.len() > MAX_SEALED {
        return None;
    }
    let ours = ephemeral.public().0;
    let shared = ephemeral.0.diffie_hellman(&PublicKey::from(recipient.0));
    let cipher = cipher(&shared, &ours, recipient, context)?;
    let ciphertext = cipher.encrypt(&Nonce::default(), Payload { msg: content, aad: context }).ok()?;
    Some(Sealed { ephemeral: ours, ciphertext: BoundedVec::new(ciphertext).ok()? })
}

/// None where one of the keys is of small order: everybody would know the key.
fn cipher(
    shared: &SharedSecret,
    ephemeral: &[u8; 32],
    recipient: SealingKey,
    context: &[u8],
) -> Option<ChaCha20Poly1305> {
    if !shared.was_contributory() {
        return None;
    }
    let key = Zeroizing::new(Digest::of(SEALED, &(shared.as_bytes(), ephemeral, recipient.0, context)).0);
    Some(ChaCha20Poly1305::new((&*key).into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use quorate_types::{decode, encode};

    fn sealed() -> (OpeningSecret, Sealed) {
        let recipient = OpeningSecret::from_seed([1; 32]);
        let sealed = seal(recipient.public(), b"here", b"share", &OpeningSecret::from_seed([2; 32]));
        (recipient, sealed.expect("short enough"))
    }

    #[test]
    fn the_recipient_opens_it_in_its_place_and_nobody_else() {
        let (recipient, sealed) = sealed();
        assert_eq!(recipient.open(b"here", &sealed).expect("opens").as_slice(), b"share");
        assert_eq!(recipient.open(b"there", &sealed), Err(CryptoError::Sealed));
        assert_eq!(OpeningSecret::from_seed([3; 32]).open(b"here", &sealed), Err(CryptoError::Sealed));
    }

    #[test]
    fn the_secret_of_a_box_shows_what_its_recipient_found() {
        let (recipient, sealed) = sealed();
        let revealed = |secret, context: &[u8]| {
            sealed.open_revealed(recipient.public(), context, &OpeningSecret::from_seed([secret; 32]))
        };
        assert_eq!(revealed(2, b"here"), Ok(Revealed::Content(Zeroizing::new(b"share".to_vec()))));
        assert_eq!(revealed(2, b"there"), Ok(Revealed::Nothing));
        assert_eq!(revealed(3, b"here"), Err(CryptoError::Sealed), "not the secret of this box");
    }

    #[test]
    fn no_byte_can_be_changed() {
        let (recipient, sealed) = sealed();
        let bytes = encode(&sealed);
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            let opened = decode::<Sealed>(&changed).ok().and_then(|sealed| recipient.open(b"here", &sealed).ok());
            assert_eq!(opened, None, "byte {at}");
        }
    }

    #[test]
    fn keys_of_small_order_seal_nothing() {
        assert_eq!(seal(SealingKey([0; 32]), b"", b"share", &OpeningSecret::generate()), None);
        let one = SealingKey(std::array::from_fn(|i| u8::from(i == 0)));
        assert_eq!(seal(one, b"", b"share", &OpeningSecret::generate()), None);
    }

    #[test]
    fn long_content_is_refused() {
        let (recipient, ephemeral) = (OpeningSecret::generate(), OpeningSecret::generate());
        assert!(seal(recipient.public(), b"", &[0; MAX_SEALED], &ephemeral).is_some());
        assert_eq!(seal(recipient.public(), b"", &[0; MAX_SEALED + 1], &ephemeral), None);
    }
}
