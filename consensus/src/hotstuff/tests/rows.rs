//! Rows of the project's list of scenarios.

use super::net::{BASE, Msg, Net, Node, S, batch, child, id};
use crate::{
    Event, Ignored, Protocol, Replica, Verified,
    hotstuff::{
        Ballot, JustifiedBlock, Message, Proposal, ProposalStatement, QuorumCertificate, Timeout, TimeoutStatement,
        Vote,
    },
};
use quorate_crypto::Scheme;
use quorate_types::{Block, Digest, Height, View};
use std::{cell::RefCell, collections::BTreeSet, rc::Rc, time::Duration};

fn vote(net: &Net, voter: usize, view: u64, block: Digest) -> Msg {
    let ballot = Ballot { view: View(view), height: Height(1), block };
    let signature = net.scheme.sign(&net.scheme.secret(id(voter)), &ballot);
    Message::Vote(Vote { ballot, voter: id(voter), signature })
}

fn timeout(net: &Net, replica: usize, view: u64) -> Msg {
    let statement = TimeoutStatement { view: View(view), high_qc: View::GENESIS };
    let attestation = net.scheme.attest(&net.scheme.secret(id(replica)), &statement);
    let high_qc = QuorumCertificate::<S>::genesis(&net.genesis);
    Message::Timeout(Box::new(Timeout { view: View(view), high_qc, vote: None, replica: id(replica), attestation }))
}

fn propose(net: &Net, block: Block) -> Msg {
    let proposer = block.header.proposer;
    let statement = ProposalStatement(Ballot::of(&block.header));
    let attestation = net.scheme.attest(&net.scheme.secret(proposer), &statement);
    let justified = JustifiedBlock { block, justify: QuorumCertificate::genesis(&net.genesis) };
    Message::Proposal(Box::new(Proposal { justified, entry: None, attestation }))
}

fn hear(net: &Net, node: &mut Node, from: usize, message: Msg) -> Option<Ignored> {
    let message = Verified::check(message, id(from), &net.keys).expect("well signed");
    node.handle(Event::Received { from: id(from), message }).reason()
}

#[test]
fn row_5_23_34_66_far_views_of_one_replica_are_ignored_and_kept_nowhere() {
    let net = Net::new(4);
    let mut node = net.node(0).clone();
    for view in [1 << 20, 1_000_000_000, u64::MAX - 1, u64::MAX] {
        for attempt in 0..50 {
            let far = vote(&net, 3, view - attempt, batch(1));
            assert_eq!(hear(&net, &mut node, 3, far), Some(Ignored::OutsideWindow));
        }
        hear(&net, &mut node, 3, timeout(&net, 3, view));
    }
    let block = child(&net.genesis, View(u64::MAX), id(3), vec![]);
    assert_eq!(hear(&net, &mut node, 3, propose(&net, block)), Some(Ignored::FutureView));
    assert_eq!(node.view(), View(1), "one replica moves nobody");
    assert_eq!((node.tree.len(), node.last_timeout.is_none()), (0, true));
    assert_eq!(node.votes, net.node(0).votes, "no vote is kept");
}

#[test]
fn row_30_timeouts_of_different_views_never_add_up() {
    let net = Net::new(7);
    let mut node = net.node(0).clone();
    for (replica, view) in [(1, 1), (2, 2), (3, 3), (4, 4), (5, 5), (6, 6)] {
        hear(&net, &mut node, replica, timeout(&net, replica, view));
    }
    assert_eq!(node.view(), View(1));
}

#[test]
fn row_31_two_votes_of_one_replica_in_a_view_count_once_and_are_evidence() {
    let mut net = Net::new(4);
    for name in [1, 2] {
        net.deliver(id(3), id(2), vote(&net, 3, 1, batch(name)));
        net.deliver(id(3), id(2), vote(&net, 3, 1, batch(name)));
    }
    assert_eq!(net.accused, [id(3)], "once");
    net.deliver(id(1), id(2), vote(&net, 1, 1, batch(2)));
    net.deliver(id(0), id(2), vote(&net, 0, 1, batch(2)));
    assert_eq!(net.node(2).high_qc.view(), View::GENESIS, "two votes and a contradicted one are no quorum");
}

#[test]
fn row_22_a_leader_that_extends_an_older_certificate_than_its_view_allows_gets_no_vote() {
    let mut net = Net::new(4);
    net.submit(1);
    net.run(BASE);
    let view = (0..4).map(|index| net.node(index).view()).max().expect("four");
    let leader = usize::try_from(view.0 % 4).expect("small");
    let is_there = |index: &usize| *index != leader && net.node(*index).view() == view;
    let follower = (0..4).find(is_there).unwrap_or(leader);
    let mut node = net.node(follower).clone();
    let fork = child(&net.genesis, view, id(leader), vec![batch(9)]);
    assert_eq!(hear(&net, &mut node, leader, propose(&net, fork)), Some(Ignored::Unjustified));
}

/// Half of the replicas get one block of the view, half another.
#[test]
fn row_45_equivocating_proposals_cost_their_view_and_nothing_more() {
    let mut net = Net::new(4);
    net.crash(1);
    let (left, right) = (vec![batch(1)], vec![batch(2)]);
    for (to, payload) in [(0, left.clone()), (2, right), (3, left)] {
        let block = child(&net.genesis, View(1), id(1), payload);
        net.blocks.insert(block.digest(), block.clone());
        net.deliver(id(1), id(to), propose(&net, block));
    }
    net.submit(1);
    net.submit(2);
    net.run(BASE * 40);
    net.assert_agreement();
    for index in [0, 2, 3] {
        assert!(net.count_batches(index) >= 2, "replica {index}: {}", net.count_batches(index));
    }
}

/// Every replica crashes after every single event, and comes back from its journal.
#[test]
fn row_27_44_no_crash_makes_a_replica_vote_twice_in_a_view() {
    let mut net = Net::new(4);
    let votes = Rc::new(RefCell::new(BTreeSet::new()));
    let copy = votes.clone();
    net.filter = Box::new(move |_, _, message| {
        if let Message::Vote(vote) = message {
            copy.borrow_mut().insert((vote.voter, vote.ballot.view, vote.ballot.block));
        }
        true
    });
    for round in 0..200u64 {
        net.submit(u8::try_from(round % 50 + 1).expect("small"));
        net.run(Duration::from_millis(round % 7));
        let victim = usize::try_from(round % 4).expect("small");
        net.crash(victim);
        net.start(victim);
    }
    net.run(BASE * 40);
    net.assert_agreement();
    let votes = votes.borrow();
    let slots: BTreeSet<_> = votes.iter().map(|(voter, view, _)| (*voter, *view)).collect();
    assert_eq!(slots.len(), votes.len(), "a second vote in a view");
    assert!(slots.len() > 20);
}

#[test]
fn row_38_recovery_takes_the_view_from_the_timeout_certificate_too() {
    let mut net = Net::new(4);
    net.crash(1);
    net.submit(1);
    let mut seen = 0;
    for _ in 0..2000 {
        net.run(BASE / 100);
        for index in [0, 2, 3] {
            let node = net.node(index);
            let has_voted = node.last_vote.as_ref().is_some_and(|vote| vote.ballot.view == node.view());
            if node.entry.is_some() && has_voted && node.high_qc.view().next() < node.view() {
                let again = Node::recover(net.config(index), net.journals[index].0.clone());
                assert_eq!(again.view(), node.view(), "replica {index}");
                seen += 1;
            }
        }
    }
    assert!(seen > 0, "somebody voted in a view that a timeout certificate had opened");
}

#[test]
fn row_39_a_replica_alone_never_moves_its_own_view() {
    let mut net = Net::new(4);
    (1..4).for_each(|index| net.crash(index));
    net.submit(1);
    net.run(BASE * 1000);
    assert_eq!(net.node(0).view(), View(1));
}
