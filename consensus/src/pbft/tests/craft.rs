//! Messages made by hand, with real keys, and what one replica makes of them.

use super::net::{Msg, Net, Node, S, id};
use crate::{
    Action, Event, Ignored, Kind, Promised, Rejection, Replica, Request, Timer, Verified,
    pbft::{
        Ballot, Checkpoint, Commit, Message, NewView, PrePrepare, PrePrepareStatement, Prepare, PreparedCertificate,
        Record, StableCheckpoint, ViewChange, ViewChangeStatement, Vote,
    },
    test_net::{Memory, child},
};
use quorate_crypto::{Certificate, Scheme, SymbolicSignature};
use quorate_types::{Block, BoundedVec, Digest, Header, View};
use std::collections::BTreeMap;

/// What one event made a replica do.
pub(super) struct Heard {
    pub(super) reason: Option<Ignored>,
    pub(super) requests: Vec<Request>,
    pub(super) actions: Vec<Action<Msg>>,
    pub(super) records: Vec<Record<S>>,
}

impl Heard {
    /// What it told anybody.
    pub(super) fn said(&self) -> Vec<&Msg> {
        let said = self.actions.iter().filter_map(|action| match action {
            Action::Broadcast(message) | Action::Send { message, .. } => Some(message),
            Action::Commit { .. } | Action::Accuse(_) | Action::Halt(_) => None,
        });
        said.collect()
    }

    pub(super) fn says(&self, kind: &str) -> bool {
        self.said().iter().any(|message| message.kind() == kind)
    }

    pub(super) fn accuses(&self, index: usize) -> bool {
        self.actions.iter().any(|action| matches!(action, Action::Accuse(evidence) if evidence.accused == id(index)))
    }

    pub(super) fn sets(&self, timer: Timer) -> bool {
        self.requests.iter().any(|request| matches!(request, Request::SetTimer { timer: set, .. } if *set == timer))
    }
}

pub(super) fn handle(node: &mut Node, event: Event<Msg>) -> Heard {
    let mut step = node.handle(event);
    let (reason, requests) = (step.reason(), step.take_requests());
    let mut journal = Memory(vec![]);
    let Ok(actions) = step.release(&mut journal);
    Heard { reason, requests, actions, records: journal.0 }
}

pub(super) fn check(net: &Net, from: usize, message: Msg) -> Result<(), Rejection> {
    Verified::check(message, id(from), &net.keys).map(|_| ())
}

pub(super) fn hear(net: &Net, node: &mut Node, from: usize, message: Msg) -> Heard {
    let message = Verified::check(message, id(from), &net.keys).expect("well signed");
    handle(node, Event::Received { from: id(from), message })
}

pub(super) fn sign<T: Promised>(net: &Net, who: usize, statement: &T) -> SymbolicSignature {
    net.scheme.sign(&net.scheme.secret(id(who)), statement)
}

fn vote<T: Promised>(net: &Net, voter: usize, statement: T) -> Vote<T, S> {
    Vote { signature: sign(net, voter, &statement), statement, voter: id(voter) }
}

pub(super) fn prepare(net: &Net, voter: usize, ballot: Ballot) -> Msg {
    Message::Prepare(vote(net, voter, Prepare(ballot)))
}

pub(super) fn commit(net: &Net, voter: usize, ballot: Ballot) -> Msg {
    Message::Commit(vote(net, voter, Commit(ballot)))
}

pub(super) fn checkpoint(net: &Net, voter: usize, checkpoint: Checkpoint) -> Msg {
    Message::Checkpoint(vote(net, voter, checkpoint))
}

/// A certificate that these signed.
pub(super) fn certify<T: Promised>(net: &Net, statement: T, signers: &[usize]) -> Certificate<T, S> {
    let signatures: BTreeMap<_, _> = signers.iter().map(|who| (id(*who), sign(net, *who, &statement))).collect();
    Certificate { proof: net.scheme.combine(&statement, &signatures).expect("a quorum"), statement }
}

/// The replicas of the first quorum.
pub(super) fn quorum(net: &Net) -> Vec<usize> {
    (0..net.keys.committee().quorum()).collect()
}

pub(super) fn prepared(net: &Net, view: u64, block: &Block) -> PreparedCertificate<S> {
    certify(net, Prepare(Ballot::of(View(view), &block.header)), &quorum(net))
}

pub(super) fn stable(net: &Net, header: &Header) -> StableCheckpoint<S> {
    let certificate = certify(net, Checkpoint::of(header), &quorum(net));
    StableCheckpoint { checkpoint: certificate.statement, proof: Some(certificate.proof) }
}

pub(super) fn genesis_stable(net: &Net) -> StableCheckpoint<S> {
    StableCheckpoint::genesis(&net.genesis)
}

pub(super) fn primary(net: &Net, view: u64) -> usize {
    usize::try_from(view).expect("small") % net.nodes.len()
}

/// A block of a view's primary.
pub(super) fn block(net: &Net, parent: &Header, view: u64, payload: &[Digest]) -> Block {
    child(parent, View(view), id(primary(net, view)), payload.to_vec())
}

/// Blocks above genesis, one height after another.
pub(super) fn chain(net: &Net, view: u64, length: usize) -> Vec<Block> {
    let mut blocks: Vec<Block> = vec![];
    for height in 0..length {
        let parent = blocks.last().map_or(&net.genesis, |block| &block.header);
        blocks.push(block(net, parent, view, &[super::net::batch(u8::try_from(height + 1).expect("short"))]));
    }
    blocks
}

pub(super) fn pre_prepare(net: &Net, view: u64, block: &Block) -> PrePrepare<S> {
    let (ballot, primary) = (Ballot::of(View(view), &block.header), primary(net, view));
    let attestation = sign(net, primary, &PrePrepareStatement(ballot));
    PrePrepare { view: View(view), block: block.clone(), attestation, prepare: sign(net, primary, &Prepare(ballot)) }
}

pub(super) fn propose(net: &Net, view: u64, block: &Block) -> Msg {
    Message::PrePrepare(Box::new(pre_prepare(net, view, block)))
}

pub(super) fn change(
    net: &Net,
    replica: usize,
    view: u64,
    checkpoint: StableCheckpoint<S>,
    prepared: Option<PreparedCertificate<S>>,
) -> ViewChange<S> {
    let ballot = prepared.as_ref().map(|prepared| prepared.statement.0);
    let statement = ViewChangeStatement { view: View(view), checkpoint: checkpoint.checkpoint, prepared: ballot };
    let attestation = sign(net, replica, &statement);
    ViewChange { view: View(view), checkpoint, prepared, replica: id(replica), attestation }
}

/// A VIEW-CHANGE of one that has nothing to show.
pub(super) fn bare(net: &Net, replica: usize, view: u64) -> ViewChange<S> {
    change(net, replica, view, genesis_stable(net), None)
}

pub(super) fn leave(change: ViewChange<S>) -> Msg {
    Message::ViewChange(Box::new(change))
}

pub(super) fn new_view(net: &Net, view: u64, changes: &[ViewChange<S>], tip: Option<&Block>) -> NewView<S> {
    let tip = tip.map(|block| pre_prepare(net, view, block));
    let statement = NewView::<S>::statement_of(View(view), changes, tip.as_ref().map(|tip| tip.block.digest()));
    let attestation = sign(net, primary(net, view), &statement);
    let view_changes = BoundedVec::new(changes.to_vec()).expect("few");
    NewView { view: View(view), view_changes, tip, attestation }
}

pub(super) fn begin(new_view: NewView<S>) -> Msg {
    Message::NewView(Box::new(new_view))
}

/// A replica that lives outside the net.
pub(super) fn node(net: &Net, index: usize) -> Node {
    net.node(index).clone()
}

/// Tells a replica that its host executed these.
pub(super) fn execute(node: &mut Node, blocks: &[Block]) -> Vec<Heard> {
    let valid = crate::Executed::Valid;
    blocks.iter().map(|block| handle(node, Event::Executed { block: block.digest(), outcome: valid })).collect()
}

/// Gives a replica the blocks of view 1 and the votes of the others for them, up to prepared.
pub(super) fn prepare_all(net: &Net, node: &mut Node, blocks: &[Block]) {
    for block in blocks {
        hear(net, node, primary(net, 1), propose(net, 1, block));
        execute(node, std::slice::from_ref(block));
        for voter in 0..net.nodes.len() {
            if id(voter) != node.id() && voter != primary(net, 1) {
                hear(net, node, voter, prepare(net, voter, Ballot::of(View(1), &block.header)));
            }
        }
    }
}
