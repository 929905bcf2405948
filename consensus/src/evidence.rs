//! Proof of misbehaviour that a third party can check.

use borsh::{BorshDeserialize, BorshSerialize};
use quorate_types::{ReplicaId, View};

/// Two signed statements of one replica that contradict each other, each in the wire encoding of the message that
/// carried it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub struct Evidence {
    /// Who signed both.
    pub accused: ReplicaId,
    /// In which view.
    pub view: View,
    /// The kind of statement.
    pub kind: String,
    /// The statement seen first.
    pub first: Vec<u8>,
    /// The one that contradicts it.
    pub second: Vec<u8>,
}
