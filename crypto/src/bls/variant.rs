//! Which of the two groups holds keys, and which signatures (IETF draft-irtf-cfrg-bls-signature, 2.1).

use super::{
    field::SecretScalar,
    group::{G1, G2, Group},
    point::Point,
};
use blst::{BLST_ERROR, min_pk, min_sig};
use std::{fmt::Debug, hash::Hash};

/// An assignment of groups, with the standard's tags for signatures where keys come with a proof of possession.
pub trait Variant: Copy + Debug + Default + Eq + Ord + Hash + Send + Sync + 'static {
    /// The name in requests and reports.
    const NAME: &'static str;
    /// The tag under which votes are hashed.
    const SIGNATURE_TAG: &'static [u8];
    /// The tag under which a key's proof of possession is hashed.
    const POSSESSION_TAG: &'static [u8];
    /// Where public keys and commitments are.
    type Public: Group;
    /// Where signatures are.
    type Signature: Group;

    /// Signs. Zero signs nothing.
    fn sign(secret: &SecretScalar, message: &[u8], tag: &[u8]) -> Option<Point<Self::Signature>>;

    /// The public key. Zero has none.
    fn public(secret: &SecretScalar) -> Option<Point<Self::Public>>;

    /// One pairing check per message: each key signed the message beside it. Neither keys nor messages need be distinct: keys
    /// must have been proven. No messages, no signature.
    fn verify_each(
        keys: &[Point<Self::Public>],
        messages: &[&[u8]],
        tag: &[u8],
        signature: &Point<Self::Signature>,
    ) -> bool;

    /// Whether the key signed the message.
    fn verify(key: &Point<Self::Public>, message: &[u8], tag: &[u8], signature: &Point<Self::Signature>) -> bool {
        Self::verify_each(std::slice::from_ref(key), &[message], tag, signature)
    }

    /// Whether all keys signed the message: one check under their sum. No keys, no signature; nor from keys that sum to zero.
    fn verify_all<'a>(
        keys: impl IntoIterator<Item = &'a Point<Self::Public>>,
        message: &[u8],
        tag: &[u8],
        signature: &Point<Self::Signature>,
    ) -> bool {
        let sum = Self::Public::sum(keys.into_iter().map(Point::element));
        Point::new(sum).is_ok_and(|key| Self::verify(&key, message, tag, signature))
    }
}

/// Signatures in G1 (48 bytes), keys in G2 (96 bytes): small certificates, and the cheaper of the two to sign and combine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MinSig;

/// Keys in G1 (48 bytes), signatures in G2 (96 bytes), as Ethereum has it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MinPk;

macro_rules! variant {
    ($variant:ident, $blst:ident, $public:ident, $signature:ident, $name:literal, $signature_tag:literal, $possession_tag:literal) => {
        impl Variant for $variant {
            const NAME: &'static str = $name;
            const SIGNATURE_TAG: &'static [u8] = $signature_tag;
            const POSSESSION_TAG: &'static [u8] = $possession_tag;
            type Public = $public;
            type Signature = $signature;

            fn sign(secret: &SecretScalar, message: &[u8], tag: &[u8]) -> Option<Point<$signature>> {
                let secret = $blst::SecretKey::from_bytes(&*secret.expose().to_bytes()).ok()?;
                Point::new($signature(secret.sign(message, tag, &[]).into())).ok()
            }

            fn public(secret: &SecretScalar) -> Option<Point<$public>> {
                let secret = $blst::SecretKey::from_bytes(&*secret.expose().to_bytes()).ok()?;
                Point::new($public(secret.sk_to_pk().into())).ok()
            }

            fn verify_each(
                keys: &[Point<$public>],
                messages: &[&[u8]],
                tag: &[u8],
                signature: &Point<$signature>,
            ) -> bool {
                if keys.is_empty() || keys.len() != messages.len() {
                    return false;
                }
                let keys: Vec<_> = keys.iter().map(|key| $blst::PublicKey::from(key.element().0)).collect();
                let keys: Vec<_> = keys.iter().collect();
                // A `Point` is in its subgroup and not the identity: nothing to check a second time.
                let signature = $blst::Signature::from(signature.element().0);
                signature.aggregate_verify(false, messages, tag, &keys, false) == BLST_ERROR::BLST_SUCCESS
            }
        }
    };
}

variant!(
    MinSig,
    min_sig,
    G2,
    G1,
    "min_sig",
    b"BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_POP_",
    b"BLS_POP_BLS12381G1_XMD:SHA-256_SSWU_RO_POP_"
);
variant!(
    MinPk,
    min_pk,
    G1,
    G2,
    "min_pk",
    b"BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_",
    b"BLS_POP_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_"
);
