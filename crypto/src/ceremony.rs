//! What an identity key does in a key generation: it signs its member's transactions, and opens the shares sealed for it.
//!
//! So a committee needs no further keys for a ceremony. The key speaks in domains of its own for libp2p's handshake and for
//! transactions, and ed25519 and X25519 may share a key (Thormarker, "On using the same key pair for Ed25519 and an X25519 based
//! KEM", 2021). The price: whoever learns a member's identity key later, and has the ceremony's ledger, learns that member's share.
//!
//! The seed of what a member deals follows from the same key and the ceremony's chain. There is no file to lose between dealing
//! and a crash, and no way to deal twice with different polynomials.

use crate::{
    ClientSecret, IdentityKey, IdentitySecret,
    bls::{OpeningSecret, SealingKey},
    keys::checked,
};
use quorate_types::{Account, ChainId, Digest, Domain};
use zeroize::Zeroizing;

/// What a member's dealing follows from.
const SEED: Domain = Domain("quorate/ceremony-seed/v1");

impl IdentityKey {
    /// The account that this key controls on a ceremony's chain.
    pub fn account(&self) -> Account {
        Account::from_key(self.0)
    }

    /// What boxes for this member are sealed for. None for bytes that are no key.
    pub fn sealing_key(&self) -> Option<SealingKey> {
        checked(&self.0).ok().map(|key| SealingKey(key.to_montgomery().to_bytes()))
    }
}

impl IdentitySecret {
    /// Signs this member's transactions on a ceremony's chain.
    pub fn client(&self) -> ClientSecret {
        ClientSecret(self.0.clone())
    }

    /// Opens what is sealed for this member.
    pub fn opening_secret(&self) -> OpeningSecret {
        OpeningSecret::from_seed(self.0.to_scalar_bytes())
    }

    /// What all this member's secrets in the ceremony on `chain` follow from.
    pub fn ceremony_seed(&self, chain: ChainId) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(Digest::of(SEED, &(*self.seed(), chain)).0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_for_a_public_key_its_secret_opens() {
        for seed in 0..20 {
            let secret = IdentitySecret::from_seed([seed; 32]);
            assert_eq!(secret.public().sealing_key(), Some(secret.opening_secret().public()));
            assert_eq!(secret.public().account(), secret.client().account());
        }
        assert_eq!(IdentityKey([0; 32]).sealing_key(), None, "a point of small order");
    }

    #[test]
    fn each_ceremony_has_its_own_seed() {
        let secret = IdentitySecret::from_seed([1; 32]);
        let on = |byte| secret.ceremony_seed(ChainId(Digest([byte; 32])));
        assert_eq!(on(1), on(1));
        assert_ne!(on(1), on(2));
        assert_ne!(*on(1), *secret.seed());
    }
}
