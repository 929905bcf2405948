//! The order in which the model lets messages arrive.
//!
//! A replica uses a vote only in the view that it is cast in: earlier it is kept, later it is ignored. So every run can be
//! reordered, without any replica noticing, until the messages of a round arrive before those of the next one
//! (Elrad & Francez 1982: communication-closed layers). The model explores runs in that order only.

use quorate_consensus::{
    Protocol,
    hotstuff::{self, HotStuff},
    pbft,
};
use quorate_crypto::Symbolic;
use quorate_types::{Height, ReplicaId, View};
use std::{fmt, hash::Hash};

/// The kinds of rounds of a view, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    Change,
    Begin,
    Propose,
    Prepare,
    Commit,
    Checkpoint,
    /// HotStuff: leaving the view without a certificate.
    Leave,
}

/// Where a message belongs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Round {
    pub view: View,
    pub phase: Phase,
    pub height: Height,
}

impl fmt::Debug for Round {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "view {} {:?}", self.view.0, self.phase)?;
        if self.height > Height::GENESIS { write!(f, " {}", self.height.0) } else { Ok(()) }
    }
}

/// A protocol that the model can run.
pub trait Speech:
    Protocol<Scheme = Symbolic, Message: Eq + Hash + Sync, Record: Eq + Hash + Sync> + Eq + Hash + Sync
{
    /// A message's round. `None`: questions and answers, which arrive at once.
    fn round(message: &Self::Message) -> Option<Round>;

    /// Who alone decides what follows from the messages of this round, by which of them it hears first.
    fn collector(round: Round, replicas: usize) -> Option<ReplicaId>;

    /// Whether the round's messages mean something only as a quorum and are said once: to hear fewer is to hear nothing.
    fn is_poll(round: Round) -> bool;

    /// Whether it matters which quorum is heard: then one sender may be heard by nobody.
    fn is_gathered(round: Round) -> bool;
}

/// Who leads a view.
pub fn leader(view: View, replicas: usize) -> ReplicaId {
    let replicas = u64::try_from(replicas).expect("few");
    ReplicaId(u16::try_from(view.0 % replicas).expect("few"))
}

impl Speech for pbft::Pbft<Symbolic> {
    fn round(message: &pbft::Message<Symbolic>) -> Option<Round> {
        use pbft::Message as Said;
        let of = |view, phase, height| Some(Round { view, phase, height });
        let in_ballot = |ballot: pbft::Ballot, phase| of(ballot.view, phase, ballot.height);
        match message {
            Said::PrePrepare(said) => in_ballot(said.ballot(), Phase::Propose),
            Said::Prepare(vote) => in_ballot(vote.statement.0, Phase::Prepare),
            Said::Commit(vote) => in_ballot(vote.statement.0, Phase::Commit),
            Said::Checkpoint(vote) => of(View::GENESIS, Phase::Checkpoint, vote.statement.height),
            Said::ViewChange(change) => of(change.view, Phase::Change, Height::GENESIS),
            Said::NewView(new_view) => of(new_view.view, Phase::Begin, Height::GENESIS),
            Said::AskCertificates(_) | Said::Certificates(_) | Said::AskBlock(_) | Said::Blocks { .. } => None,
        }
    }

    fn collector(round: Round, replicas: usize) -> Option<ReplicaId> {
        (round.phase == Phase::Change).then(|| leader(round.view, replicas))
    }

    fn is_poll(round: Round) -> bool {
        matches!(round.phase, Phase::Prepare | Phase::Commit | Phase::Checkpoint)
    }

    fn is_gathered(_: Round) -> bool {
        false
    }
}

/// Timeouts of a view come after its votes. A vote may come again, to all, from who has not seen its certificate.
impl Speech for HotStuff<Symbolic> {
    fn round(message: &hotstuff::Message<Symbolic>) -> Option<Round> {
        use hotstuff::Message as Said;
        let of = |view, phase| Some(Round { view, phase, height: Height::GENESIS });
        match message {
            Said::Proposal(said) => of(said.justified.block.header.view, Phase::Propose),
            Said::Vote(vote) => of(vote.ballot.view, Phase::Prepare),
            Said::Timeout(timeout) => of(timeout.view, Phase::Leave),
            Said::Certificates(_) | Said::AskCertificates(_) | Said::AskBlock(_) | Said::Blocks { .. } => None,
        }
    }

    fn collector(_: Round, _: usize) -> Option<ReplicaId> {
        None
    }

    fn is_poll(_: Round) -> bool {
        false
    }

    fn is_gathered(round: Round) -> bool {
        round.phase == Phase::Leave
    }
}
