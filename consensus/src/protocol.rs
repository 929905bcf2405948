//! What a host needs to know of a protocol to run it: how its replicas are made, and what its journal and proofs hold.

use crate::{Election, Evidence, Promise, Rejection, Replica, SeenCertificates, Timeouts, forensics::Past};
use quorate_crypto::{Committee, Scheme};
use quorate_types::{Block, Digest, Header, ReplicaId};
use std::fmt::Debug;

/// What a replica is made from.
#[derive(Clone, Debug)]
pub struct Config<S: Scheme> {
    /// Its place in the committee.
    pub id: ReplicaId,
    /// The committee's scheme.
    pub scheme: S,
    /// Its key.
    pub secret: S::Secret,
    /// Who leads, where the protocol leaves a choice.
    pub election: Election,
    /// How long views last.
    pub timeouts: Timeouts,
    /// Batches in one block, at most; from 1 to [`limits::BLOCK_BATCHES`](quorate_types::limits::BLOCK_BATCHES).
    pub max_block_batches: usize,
    /// Every so many heights there is a checkpoint, at least 1.
    pub checkpoint_interval: u64,
    /// The chain's first block.
    pub genesis: Header,
    /// The ledger's head.
    pub head: Header,
    /// The commit proof of the head, as the ledger keeps it; `None` of genesis.
    pub head_proof: Option<Vec<u8>>,
    /// Headers of the last blocks up to the head, newest first, for [`Election::memory`] views: from them the replica knows who
    /// may lead.
    pub recent: Vec<Header>,
    /// Certificates known to be good: those of the [`Keys`] that its messages are checked with.
    pub seen: SeenCertificates,
}

/// What is needed to check messages and certificates: the scheme, the one block that needs no certificate, and the
/// certificates seen before, which clones share.
#[derive(Clone, Debug)]
pub struct Keys<S: Scheme> {
    /// Holds the committee's public keys.
    pub scheme: S,
    /// The chain's first block.
    pub genesis: Header,
    /// Its digest.
    pub genesis_digest: Digest,
    /// Certificates known to be good.
    pub seen: SeenCertificates,
}

impl<S: Scheme> Keys<S> {
    /// Keys of the committee that starts from the block `genesis`.
    pub fn new(scheme: S, genesis: &Header) -> Self {
        let (genesis, genesis_digest) = (genesis.clone(), genesis.digest());
        Self { scheme, genesis, genesis_digest, seen: SeenCertificates::default() }
    }

    /// Who takes part.
    pub fn committee(&self) -> &Committee {
        self.scheme.committee()
    }
}

/// A replica that hosts can make, restart and check the results of, without knowing which protocol it runs.
pub trait Protocol:
    Replica<Message: crate::Verify<Keys = Keys<Self::Scheme>>> + Clone + Debug + Send + 'static
{
    /// What its votes are signed with.
    type Scheme: Scheme;

    /// A replica as its journal's records left it. `records` in the order in which they were written.
    fn recover(config: Config<Self::Scheme>, records: impl IntoIterator<Item = Self::Record>) -> Self;

    /// What a journal begins with whose predecessor is lost: from it a replica recovers that signs nothing until the others have
    /// provably moved on.
    fn silence() -> Self::Record;

    /// Checks that `proof`, as [`Action::Commit`](crate::Action::Commit) gave it, proves `block` final.
    fn verify_commit(block: &Header, proof: &[u8], keys: &Keys<Self::Scheme>) -> Result<(), Rejection>;

    /// Checks that `evidence` proves what it accuses somebody of. What is no evidence in this protocol is refused.
    fn verify_evidence(evidence: &Evidence, keys: &Keys<Self::Scheme>) -> Result<(), Rejection>;

    /// Accuses whoever signed for what is final in `ours` and, against it, for what is final in `theirs`, as far as the two pasts tell.
    /// Suspicions: [`forensics::culprits`](crate::forensics::culprits) looks both ways and keeps what is proven.
    fn blame(ours: &Past<Self::Record>, theirs: &Past<Self::Record>, keys: &Keys<Self::Scheme>) -> Vec<Evidence>;

    /// The block whose body a record keeps.
    fn block_in(record: &Self::Record) -> Option<&Block>;

    /// The promise that a record keeps.
    fn promise_in(record: &Self::Record) -> Option<&Promise>;

    /// The statements signed for `message`, by whom, as the promises that they are. A message may be brought by another than its
    /// signer. Certificates are not taken apart.
    fn promises_in(message: &Self::Message, committee: &Committee) -> Vec<(ReplicaId, Promise)>;

    /// Of each certificate in `message` those who signed it, as often as they stand in it, where the scheme tells.
    fn signers_in(message: &Self::Message, scheme: &Self::Scheme) -> Vec<Vec<ReplicaId>>;

    /// Who signed the certificate that a commit proof rests on, where the scheme tells.
    fn signers_of_commit(proof: &[u8], scheme: &Self::Scheme) -> Option<Vec<ReplicaId>>;
}
