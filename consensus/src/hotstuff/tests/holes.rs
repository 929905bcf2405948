//! The holes of earlier drafts, each as a test that fails when its cure is undone.

use super::net::{BASE, Msg, Net, Node, S, batch, id};
use crate::{
    Event, Protocol, Rejection, Replica, Slot, Verified,
    hotstuff::{Certificates, Message, Record, TimeoutCertificate, TimeoutShare, TimeoutStatement, rejoin::Rejoin},
};
use quorate_crypto::Scheme;
use quorate_types::{BoundedVec, ReplicaId, View};
use std::{cell::RefCell, collections::BTreeMap, rc::Rc, time::Duration};

const D: usize = 3;

/// Everything sent to replica D, whose process is the test.
fn puppet(net: &mut Net) -> Rc<RefCell<Vec<Msg>>> {
    net.crash(D);
    let inbox = Rc::new(RefCell::new(vec![]));
    let copy = inbox.clone();
    net.filter = Box::new(move |_, to, message| {
        if to == id(D) {
            copy.borrow_mut().push(message.clone());
        }
        to != id(D)
    });
    inbox
}

/// A timeout certificate of `timeouts` and D's own share that claims to know `claim`.
fn complete(net: &Net, timeouts: &[crate::hotstuff::Timeout<S>], claim: View) -> TimeoutCertificate<S> {
    let view = timeouts[0].view;
    let secret = net.scheme.secret(id(D));
    let own = net.scheme.attest(&secret, &TimeoutStatement { view, high_qc: claim });
    let mut shares: Vec<_> = timeouts
        .iter()
        .map(|t| TimeoutShare { replica: t.replica, high_qc: t.high_qc.view(), attestation: t.attestation.clone() })
        .collect();
    shares.push(TimeoutShare { replica: id(D), high_qc: claim, attestation: own });
    shares.sort_by_key(|share| share.replica);
    let high_qc = timeouts.iter().map(|t| &t.high_qc).max_by_key(|qc| qc.view()).expect("some").clone();
    TimeoutCertificate { view, high_qc, shares: BoundedVec::new(shares).expect("few") }
}

fn certificates(tc: TimeoutCertificate<S>) -> Msg {
    Message::Certificates(Box::new(Certificates { high_qc: tc.high_qc.clone(), entry: Some(tc), is_whole: false }))
}

#[test]
fn h1_a_timeout_certificate_without_the_certificate_it_claims_is_refused() {
    let mut net = Net::new(4);
    let inbox = puppet(&mut net);
    net.submit(1);
    net.run(BASE * 2);
    let timeouts: Vec<_> = inbox
        .borrow()
        .iter()
        .filter_map(|m| if let Message::Timeout(t) = m { Some((**t).clone()) } else { None })
        .take(2)
        .collect();
    let view = timeouts[0].view;
    let honest = timeouts[0].high_qc.view();
    let good = certificates(complete(&net, &timeouts, honest));
    let poisoned = certificates(complete(&net, &timeouts, View(view.0 - 1).max(honest.next())));
    assert!(Verified::check(good, id(D), &net.keys).is_ok());
    assert!(matches!(Verified::check(poisoned, id(D), &net.keys), Err(Rejection::Malformed(_))));
}

#[test]
fn row_24_shares_of_one_replica_count_once_in_a_timeout_certificate() {
    let net = Net::new(4);
    let high_qc = crate::hotstuff::QuorumCertificate::<S>::genesis(&net.genesis);
    let (view, known) = (View(1), high_qc.view());
    let share = |replica: usize| TimeoutShare {
        replica: id(replica),
        high_qc: known,
        attestation: net.scheme.attest(&net.scheme.secret(id(replica)), &TimeoutStatement { view, high_qc: known }),
    };
    let of = |signers: &[usize]| {
        let shares = BoundedVec::new(signers.iter().map(|signer| share(*signer)).collect()).expect("few");
        let tc = TimeoutCertificate { view, high_qc: high_qc.clone(), shares };
        Verified::check(certificates(tc), id(D), &net.keys).map(|_| ())
    };
    assert_eq!(of(&[0, 1, 2]), Ok(()));
    assert!(of(&[0, 1]).is_err(), "too few");
    assert!(of(&[0, 1, 1]).is_err(), "one of them twice");
    assert!(of(&[1, 0, 2]).is_err(), "not in their order: one certificate has one encoding");
}

/// D completes timeout certificates from the first two timeouts and races them to the one replica that has not timed out yet,
/// whose vote lies with D. Every view of D's is lost, but the others must go on committing.
#[test]
fn h2_a_byzantine_replica_racing_the_timeout_certificate_to_single_replicas_does_not_stop_commits() {
    let mut net = Net::new(4);
    let inbox = puppet(&mut net);
    net.slow = vec![Duration::ZERO, Duration::from_millis(5), Duration::ZERO, Duration::ZERO];
    for name in 1..=10 {
        net.submit(name);
        for _ in 0..4000 {
            net.run(Duration::from_micros(100));
            race(&mut net, &inbox);
        }
    }
    assert!(net.count_batches(0) >= 8, "{} batches while D races", net.count_batches(0));
    net.run(BASE * 20);
    net.assert_agreement();
    for index in 0..3 {
        assert_eq!(net.count_batches(index), 10, "replica {index}");
    }
}

#[test]
fn h2_a_vote_hidden_with_the_next_leader_goes_to_all_when_its_view_is_left_by_a_timeout_certificate() {
    let mut net = Net::new(4);
    let inbox = puppet(&mut net);
    let hidden = Rc::new(RefCell::new(vec![]));
    let (copy, revealed) = (inbox.clone(), hidden.clone());
    net.filter = Box::new(move |from, to, message| {
        if let Message::Vote(vote) = message
            && from == id(1)
            && to == id(0)
        {
            revealed.borrow_mut().push(vote.ballot.view);
        }
        if to == id(D) {
            copy.borrow_mut().push(message.clone());
        }
        to != id(D)
    });
    net.slow[1] = Duration::from_millis(5);
    net.submit(1);
    for _ in 0..1500 {
        net.run(Duration::from_micros(100));
        race(&mut net, &inbox);
    }
    assert!(hidden.borrow().contains(&View(2)), "the vote of view 2 lay with D alone: {:?}", hidden.borrow());
}

#[test]
fn h2_votes_of_a_view_already_left_still_make_a_certificate() {
    let net = Net::new(4);
    let ballot = crate::hotstuff::Ballot { view: View(5), height: quorate_types::Height(5), block: batch(1) };
    let vote = |index: usize| crate::hotstuff::Vote {
        ballot,
        voter: id(index),
        signature: net.scheme.sign(&net.scheme.secret(id(index)), &ballot),
    };
    let mut tally = super::super::tally::VoteTally::<S>::new();
    let now = View(9);
    for index in 0..2 {
        assert_eq!(tally.add(vote(index), now, &net.scheme), super::super::tally::Added::Counted);
    }
    let added = tally.add(vote(2), now, &net.scheme);
    assert!(matches!(added, super::super::tally::Added::Certified(_)), "{added:?}");
}

fn race(net: &mut Net, inbox: &Rc<RefCell<Vec<Msg>>>) {
    let mut by_view: BTreeMap<View, BTreeMap<ReplicaId, crate::hotstuff::Timeout<S>>> = BTreeMap::new();
    for message in inbox.borrow().iter() {
        if let Message::Timeout(t) = message {
            by_view.entry(t.view).or_default().insert(t.replica, (**t).clone());
        }
    }
    let Some((view, timeouts)) = by_view.into_iter().next_back() else { return };
    if timeouts.len() != 2 {
        return;
    }
    inbox.borrow_mut().clear();
    let timeouts: Vec<_> = timeouts.into_values().collect();
    let tc = complete(net, &timeouts, timeouts[0].high_qc.view());
    for index in 0..3 {
        if net.node(index).view() == view && !timeouts.iter().any(|t| t.replica == id(index)) {
            net.deliver(id(D), id(index), certificates(tc.clone()));
        }
    }
}

/// A and B are left in a view that C alone left, by a certificate that D completed and showed to nobody else. All crash, D for
/// ever. C's journal must prove the view that it is in.
#[test]
fn h3_the_certificate_of_entry_survives_a_common_crash() {
    let mut net = Net::new(4);
    let inbox = puppet(&mut net);
    net.submit(1);
    // The honest replicas hear neither each other's timeouts nor what C knows.
    let copy = inbox.clone();
    net.filter = Box::new(move |_, to, message| {
        if to == id(D) {
            copy.borrow_mut().push(message.clone());
        }
        to != id(D) && !matches!(message, Message::Timeout(_) | Message::Certificates(_))
    });
    net.run(BASE * 2);
    let timeouts: BTreeMap<ReplicaId, _> = inbox
        .borrow()
        .iter()
        .filter_map(|m| if let Message::Timeout(t) = m { Some((t.replica, (**t).clone())) } else { None })
        .collect();
    let timeouts: Vec<_> = timeouts.into_values().take(2).collect();
    let view = timeouts[0].view;
    let tc = complete(&net, &timeouts, timeouts[0].high_qc.view());
    net.deliver(id(D), id(2), certificates(tc));
    assert_eq!(net.node(2).view(), view.next());
    // C signs something in its new view: it leaves that as well.
    net.run(BASE * 5);
    assert!(net.node(2).safety.latest(Slot::Timeout) >= Some(view.next()));
    net.filter = Box::new(|_, to, _| to != id(D));
    (0..3).for_each(|index| net.crash(index));
    (0..3).for_each(|index| net.start(index));
    net.submit(1);
    net.run(BASE * 40);
    net.assert_agreement();
    assert_eq!(net.count_batches(0), 1);
}

#[test]
fn p4_a_vote_is_recorded_together_with_what_it_rests_on() {
    let mut net = Net::new(4);
    for name in 1..8 {
        net.submit(name);
        net.run(Duration::from_millis(3));
    }
    for index in 0..4 {
        let records = &net.journals[index].0;
        let mut bodies = vec![net.genesis.digest()];
        let mut locked = View::GENESIS;
        for record in records {
            match record {
                Record::Block(justified) => bodies.push(justified.block.digest()),
                Record::Certificates { locked_qc, .. } => locked = locked_qc.view(),
                Record::Vote(vote) => {
                    let mut at = vote.ballot.block;
                    while at != net.genesis.digest() {
                        assert!(bodies.contains(&at), "replica {index} voted on a body that is not in its journal");
                        at = net.header(&at).parent;
                    }
                }
                Record::Promise(_) | Record::Timeout(_) | Record::Silence => {}
            }
        }
        let again = Node::recover(net.config(index), records.clone());
        assert_eq!(again.locked_qc.view(), locked);
        assert!(locked > View::GENESIS, "the test saw a lock");
    }
}

#[test]
fn c1_a_replica_that_lost_its_journal_is_silent_until_the_others_have_moved_on() {
    let mut net = Net::new(4);
    for name in 1..5 {
        net.submit(name);
        net.run(BASE / 2);
    }
    net.crash(2);
    net.journals[2].0.clear();
    net.nodes[2] = Some(Node::recover(net.config(2), [Record::Silence]));
    net.sent.clear();
    let spoke = Rc::new(RefCell::new(vec![]));
    let copy = spoke.clone();
    net.filter = Box::new(move |from, _, message| {
        if from == id(2) && matches!(message, Message::Vote(_) | Message::Timeout(_) | Message::Proposal(_)) {
            copy.borrow_mut().push(message.clone());
        }
        true
    });
    let lost_in = net.node(0).view();
    net.tell(2, Event::Started);
    net.run(BASE);
    assert!(net.node(2).status().rejoining);
    assert!(spoke.borrow().is_empty(), "it spoke: {:?}", spoke.borrow());
    for name in 5..30 {
        net.submit(name);
        net.run(BASE * 4);
    }
    assert!(!net.node(2).status().rejoining, "it is back");
    for message in spoke.borrow().iter() {
        let view = match message {
            Message::Vote(vote) => vote.ballot.view,
            Message::Timeout(timeout) => timeout.view,
            _ => continue,
        };
        assert!(view > View(lost_in.0 + 2), "spoke in {view}, lost its journal in {lost_in}");
    }
    assert!(!spoke.borrow().is_empty(), "it takes part again");
    net.assert_agreement();
}

#[test]
fn c1_messages_to_an_earlier_life_are_no_answers() {
    let mut net = Net::new(4);
    let early = net.node(0).certificates(false);
    for name in 1..5 {
        net.submit(name);
        net.run(BASE / 2);
    }
    let mut node = Node::recover(net.config(2), [Record::Silence]);
    let _ = node.handle(Event::Started);
    let hear = |node: &mut Node, from: usize, message| {
        let message = Verified::check(message, id(from), &net.keys).expect("good");
        let _ = node.handle(Event::Received { from: id(from), message });
    };
    [0, 1, 3].iter().for_each(|from| hear(&mut node, *from, early.clone()));
    assert!(node.status().rejoining, "these are from before it signed its last");
    for from in [0, 1, 1] {
        hear(&mut node, from, net.node(from).certificates(true));
        assert!(
            node.rejoin.as_ref().is_some_and(Rejoin::lacks_answers),
            "two of the others may be f and one that is behind"
        );
    }
    hear(&mut node, 3, net.node(3).certificates(true));
    assert!(!node.rejoin.as_ref().is_some_and(Rejoin::lacks_answers), "and these are answers");
}

#[test]
fn c1_a_liar_cannot_mute_a_rejoining_replica() {
    let mut net = Net::new(4);
    net.submit(1);
    net.run(BASE);
    net.nodes[2] = Some(Node::recover(net.config(2), [Record::Silence]));
    net.tell(2, Event::Started);
    // A claim without a certificate does not pass the check; there is no other way to name a view.
    let mut lie = net.node(0).high_qc.clone();
    lie.ballot.view = View(u64::MAX - 9);
    let lie = Message::Certificates(Box::new(Certificates { high_qc: lie, entry: None, is_whole: false }));
    assert!(Verified::check(lie, id(0), &net.keys).is_err());
    net.submit(2);
    for name in 3..20 {
        net.submit(name);
        net.run(BASE * 4);
    }
    assert!(!net.node(2).status().rejoining);
    assert!(net.count_batches(2) > 1);
}
