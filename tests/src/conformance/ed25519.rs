//! ed25519, as votes and attestations are checked.

use super::{Answer, Fields, holds};
use quorate_crypto::VoteKey;

pub(super) fn verify(fields: &Fields<'_>) -> Answer {
    let (key, message) = (VoteKey(fields.array("public_key")?), fields.bytes("message")?);
    holds(key.has_signed(&message, &fields.array("signature")?), "the signature does not verify")
}
