//! What a HotStuff replica writes to its journal, and how it comes back from it.

use super::{
    certificate::{QuorumCertificate, TimeoutCertificate},
    message::{JustifiedBlock, Timeout, Vote},
};
use crate::Promise;
use borsh::{BorshDeserialize, BorshSerialize};
use quorate_crypto::Scheme;

/// Durable before a signature leaves: the promise, and what it rests on.
#[derive(Clone, Debug, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub enum Record<S: Scheme> {
    /// Something was signed.
    Promise(Promise),
    /// The body of a block that a vote vouches for. Its batches are in the journal before it.
    Block(#[borsh(bound(serialize = "", deserialize = ""))] JustifiedBlock<S>),
    /// The certificates at the time of signing: the greatest known, the lock, and the timeout certificate by which the view was
    /// entered, without which nobody might be able to prove after a common crash that the view exists (hole H3).
    Certificates {
        /// Greatest known.
        #[borsh(bound(serialize = "", deserialize = ""))]
        high_qc: QuorumCertificate<S>,
        /// The lock.
        #[borsh(bound(serialize = "", deserialize = ""))]
        locked_qc: QuorumCertificate<S>,
        /// How the view was entered, if not by a quorum certificate.
        #[borsh(bound(serialize = "", deserialize = ""))]
        entry: Option<TimeoutCertificate<S>>,
    },
    /// The last vote: after a restart these same bytes are sent again.
    Vote(#[borsh(bound(serialize = "", deserialize = ""))] Vote<S>),
    /// The last timeout: after a restart these same bytes are sent again.
    Timeout(#[borsh(bound(serialize = "", deserialize = ""))] Box<Timeout<S>>),
    /// The journal before this one is lost, and with it its promises: silent until a promise follows. A journal that begins
    /// again must hold this from its first byte, or a crash would pass the replica off as one that never spoke.
    Silence,
}

impl<S: Scheme> From<Promise> for Record<S> {
    fn from(promise: Promise) -> Self {
        Self::Promise(promise)
    }
}
