//! Making what was changed look right again: roots, then signatures.

use super::Fields;
use crate::Hands;
use quorate_consensus::Protocol;
use quorate_types::Block;

/// A protocol whose messages can be changed field by field and signed again.
pub trait Resign: Protocol<Message: Fields> {
    /// Makes all signatures that are the attacker's to make.
    fn resign(message: &mut Self::Message, hands: &Hands<Self>);

    /// Makes blocks name the payloads that they have.
    fn reroot(message: &mut Self::Message);
}

/// The block names its payload.
pub(super) fn rooted(block: &mut Block) {
    block.header.payload_root = Block::payload_root(&block.payload);
}
