//! What goes wrong in a measurement, the same for both protocols.

use quorate_consensus::{
    Cost, Kind,
    hotstuff::{self, HotStuff, JustifiedBlock},
    pbft::{self, Pbft},
};
use quorate_sim::{Cluster, Hands, SimProtocol, SimScheme, Verdict};
use quorate_types::{ReplicaId, View};
use quorate_validator::Wire;

/// A protocol whose leader can be made to propose two blocks.
pub(super) trait Measured: SimProtocol {
    /// Another proposal in the place of this one, signed as well; `None` if it is no proposal.
    fn double(hands: &Hands<Self>, message: &Self::Message) -> Option<Self::Message>;
}

impl<S: SimScheme> Measured for HotStuff<S> {
    fn double(hands: &Hands<Self>, message: &Self::Message) -> Option<Self::Message> {
        let hotstuff::Message::Proposal(proposal) = message else { return None };
        let JustifiedBlock { mut block, justify } = proposal.justified.clone();
        block.header.timestamp += 1;
        let double = hands.proposal(JustifiedBlock { block, justify }, proposal.entry.clone());
        Some(hotstuff::Message::Proposal(Box::new(double)))
    }
}

impl<S: SimScheme> Measured for Pbft<S> {
    fn double(hands: &Hands<Self>, message: &Self::Message) -> Option<Self::Message> {
        let pbft::Message::PrePrepare(pre_prepare) = message else { return None };
        let mut block = pre_prepare.block.clone();
        block.header.timestamp += 1;
        Some(pbft::Message::PrePrepare(Box::new(hands.pre_prepare(pre_prepare.view, block))))
    }
}

/// From now on `leader` says nothing in `view`. What it says in others, and about batches, passes.
pub(super) fn silence_in<P: SimProtocol>(cluster: &mut Cluster<P>, leader: ReplicaId, view: View) {
    cluster.intercept(move |from, _, wire| match wire {
        Wire::Consensus(message) if from == leader && message.of_view() == Some(view) => Verdict::Drop,
        Wire::Consensus(_) | Wire::Pool(_) | Wire::Evidence(_) => Verdict::Pass,
    });
}

/// From now on `leader` shows `f+1` others another block than the rest in `view`: neither gets a quorum.
pub(super) fn double_in<P: Measured>(cluster: &mut Cluster<P>, leader: ReplicaId, view: View) {
    let hands = cluster.hands_of(leader);
    let shown: Vec<_> = hands.committee().others(leader).take(hands.committee().weak_quorum()).collect();
    cluster.intercept(move |from, to, wire| {
        let Wire::Consensus(message) = wire else { return Verdict::Pass };
        let is_meant = from == leader && message.proposes().is_some_and(|header| header.view == view);
        match P::double(&hands, message).filter(|_| is_meant && shown.contains(&to)) {
            Some(double) => Verdict::Replace(vec![Wire::Consensus(double)]),
            None => Verdict::Pass,
        }
    });
}

/// Two halves that do not hear each other: neither has a quorum.
pub(super) fn halve<P: SimProtocol>(cluster: &mut Cluster<P>, n: usize) {
    let all: Vec<u16> = (0..u16::try_from(n).unwrap_or(u16::MAX)).collect();
    let (one, other) = all.split_at(n / 2);
    cluster.partition([one, other]);
}
