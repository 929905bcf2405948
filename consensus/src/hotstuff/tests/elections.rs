//! Leaders that depend on the chain.

use super::net::{BASE, Msg, Net, Node, S, batch, child, id};
use crate::{
    Config, Election, Event, Ignored, Kind, Protocol, Replica, Request, Timer, Verified,
    election::Ancestry,
    hotstuff::{
        Ballot, Certificates, JustifiedBlock, Message, Proposal, ProposalStatement, QuorumCertificate,
        TimeoutCertificate, TimeoutShare, TimeoutStatement,
    },
};
use quorate_crypto::Scheme;
use quorate_types::{BoundedVec, Header, ReplicaId, View};
use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
    time::Duration,
};

const CHAINED: [Election; 2] = [Election::Stable, Election::Reputation];

/// Many small batches, so that there is always something to do.
fn load(net: &mut Net, names: std::ops::Range<u8>, pace: Duration) {
    for name in names {
        net.submit(name);
        net.run(pace);
    }
}

/// Who proposed in which view.
fn watch(net: &mut Net) -> Rc<RefCell<BTreeMap<View, BTreeSet<ReplicaId>>>> {
    let seen = Rc::<RefCell<BTreeMap<View, BTreeSet<ReplicaId>>>>::default();
    let copy = seen.clone();
    net.filter = Box::new(move |from, _, message| {
        if let Message::Proposal(proposal) = message {
            copy.borrow_mut().entry(proposal.justified.block.header.view).or_default().insert(from);
        }
        true
    });
    seen
}

fn attested(net: &Net, header: &Header, justified: JustifiedBlock<S>, entry: Option<TimeoutCertificate<S>>) -> Msg {
    let secret = net.scheme.secret(header.proposer);
    let attestation = net.scheme.attest(&secret, &ProposalStatement(Ballot::of(header)));
    Message::Proposal(Box::new(Proposal { justified, entry, attestation }))
}

fn hear(net: &Net, node: &mut Node, from: ReplicaId, message: Msg) -> Option<Ignored> {
    let message = Verified::check(message, from, &net.keys).expect("well signed");
    node.handle(Event::Received { from, message }).reason()
}

fn entered_by(net: &Net, view: View, high_qc: &QuorumCertificate<S>) -> TimeoutCertificate<S> {
    let statement = TimeoutStatement { view, high_qc: high_qc.view() };
    let share = |index: usize| TimeoutShare {
        replica: id(index),
        high_qc: statement.high_qc,
        attestation: net.scheme.attest(&net.scheme.secret(id(index)), &statement),
    };
    TimeoutCertificate {
        view,
        high_qc: high_qc.clone(),
        shares: BoundedVec::new((0..3).map(share).collect()).expect("few"),
    }
}

#[test]
fn all_commit_without_a_timeout_and_each_leads() {
    for election in CHAINED {
        let mut net = Net::with_election(4, election);
        let proposers = watch(&mut net);
        load(&mut net, 1..250, Duration::from_millis(2));
        net.run(BASE * 4);
        net.assert_agreement();
        assert!((0..4).all(|index| net.count_batches(index) == 249), "{election:?}");
        assert_eq!(net.sent.iter().filter(|((_, kind), _)| *kind == "timeout").count(), 0, "{election:?}");
        let proposers = proposers.borrow();
        assert!(proposers.values().all(|who| who.len() == 1), "one leader a view");
        assert_eq!(proposers.values().flatten().collect::<BTreeSet<_>>().len(), 4, "{election:?}");
    }
}

#[test]
fn with_f_dead_everything_commits() {
    for election in CHAINED {
        for (n, dead) in
            [(4, vec![0]), (4, vec![3]), (7, vec![1, 2]), (7, vec![0, 6]), (10, vec![1, 5, 9]), (5, vec![4])]
        {
            let mut net = Net::with_election(n, election);
            load(&mut net, 1..20, Duration::from_millis(2));
            dead.iter().for_each(|index| net.crash(*index));
            load(&mut net, 20..60, BASE);
            net.run(BASE * 40);
            net.assert_agreement();
            for index in (0..n).filter(|index| !dead.contains(index)) {
                assert_eq!(net.count_batches(index), 59, "{election:?}, n = {n}, dead {dead:?}, replica {index}");
            }
        }
    }
}

#[test]
fn one_replica_or_two_lead_themselves() {
    for election in CHAINED {
        for n in [1, 2, 3] {
            let mut net = Net::with_election(n, election);
            load(&mut net, 1..100, Duration::from_millis(5));
            net.run(BASE);
            assert_eq!(net.count_batches(0), 99, "{election:?}, n = {n}");
        }
    }
}

/// Leaders are found from journal and ledger as they were before: whoever restarts knows the leader that the others know.
#[test]
fn a_restarted_replica_knows_the_leader_that_the_others_know() {
    for election in CHAINED {
        let mut net = Net::with_election(4, election);
        let mut compared = 0;
        for name in 1..200 {
            net.submit(name);
            net.run(Duration::from_millis(u64::from(name % 7)));
            let index = usize::from(name % 4);
            let running = net.node(index).clone();
            let again = Node::recover(net.config(index), net.journals[index].0.clone());
            let opening = again.opening().clone();
            assert!(again.leader_now().is_some());
            assert_eq!(again.leader_now(), running.leader(again.view(), &opening.block()).or(again.leader_now()));
            compared += usize::from(running.tree.contains(&opening.block()));
            net.crash(index);
            net.start(index);
        }
        net.run(BASE * 20);
        net.assert_agreement();
        assert!(compared > 20, "{compared} times");
    }
}

/// What replica 5 did before it died, replica 6 knows from block sync alone.
#[test]
fn replicas_that_come_back_by_block_sync_agree_on_leaders_again() {
    for election in CHAINED {
        let mut net = Net::with_election(7, election);
        load(&mut net, 1..30, BASE / 10);
        net.crash(6);
        load(&mut net, 30..130, BASE);
        net.crash(5);
        load(&mut net, 130..150, BASE);
        net.start(6);
        load(&mut net, 150..220, BASE / 10);
        net.run(BASE * 20);
        net.assert_agreement();
        assert_eq!(net.count_batches(6), 219, "{election:?}");
        let (one, other) = (net.node(0), net.node(6));
        let tips = [one, other].map(|node| node.tree.root().clone());
        let tip = tips.iter().max_by_key(|root| root.height).expect("two");
        for view in tip.view.0 + 1..tip.view.0 + 2000 {
            // As if the tip were of the view before: after failed views all have their turn.
            let leader = |node: &Node| {
                let ancestry = || node.ancestry(&tip.digest()).map(|known| Ancestry { tip: View(view - 1), ..known });
                node.election.leader(node.committee(), View(view), ancestry)
            };
            assert_eq!(leader(one), leader(other), "{election:?}, view {view}");
            assert!(leader(one).is_some());
        }
    }
}

#[test]
fn lost_messages_crashes_and_restarts_cost_time_and_nothing_else() {
    for election in CHAINED {
        let mut net = Net::with_election(4, election);
        let mut dice = 7u32;
        net.filter = Box::new(move |_, _, message| {
            dice = dice.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            !(matches!(message.kind(), "proposal" | "vote" | "timeout" | "blocks" | "certificates") && dice >> 30 == 0)
        });
        for name in 1..=40 {
            net.submit(name);
            net.run(BASE);
            let victim = usize::from(name % 4);
            net.crash(victim);
            net.start(victim);
        }
        (1..=40).for_each(|name| (0..4).for_each(|index| net.offer(index, name)));
        net.run(BASE * 400);
        net.assert_agreement();
        assert_eq!(net.accused, [], "{election:?}: nobody lied");
        for index in 0..4 {
            assert_eq!(net.count_batches(index), 40, "{election:?}, replica {index}");
        }
    }
}

#[test]
fn a_proposal_of_another_than_the_leader_is_refused() {
    for election in CHAINED {
        let mut net = Net::with_election(4, election);
        load(&mut net, 1..20, Duration::from_millis(2));
        net.run(BASE);
        let mut node = net.node(0).clone();
        let leader = node.leader_now().expect("known");
        let header = net.header(&node.high_qc.block());
        for liar in (1..4).map(id).filter(|liar| *liar != leader) {
            let block = child(&header, node.view(), liar, vec![batch(200)]);
            let justified = JustifiedBlock { block: block.clone(), justify: node.high_qc.clone() };
            let said = attested(&net, &block.header, justified, None);
            assert_eq!(hear(&net, &mut node, liar, said), Some(Ignored::NotFromLeader), "{election:?}");
        }
    }
}

/// A host that has nothing to tell of the blocks below its head, as after a snapshot without them. Replica 1 is dead, so that
/// only those who remember know whose its views are.
#[test]
fn a_replica_that_knows_too_little_follows_and_says_nothing_until_it_knows_enough() {
    let mut net = Net::with_election(4, Election::Reputation);
    load(&mut net, 1..40, Duration::from_millis(2));
    net.crash(1);
    load(&mut net, 40..80, BASE);
    net.run(BASE * 10);
    let config = Config { recent: vec![], ..net.config(3) };
    let newcomer = Node::recover(config, net.node(3).snapshot());
    net.crash(3);
    net.nodes[3] = Some(newcomer);
    net.tell(3, Event::Started);
    let mut refused = 0;
    for name in 0..120u8 {
        net.submit(name % 40 + 80);
        net.run(BASE / 10);
        let node = net.node(3);
        let Some(proposal) = node.pending.as_ref().filter(|_| node.leader_now().is_none()) else { continue };
        let header = &proposal.justified.block.header;
        if node.tree.is_executed(&header.parent) && net.node(0).leader_by(proposal) == Some(header.proposer) {
            assert!(!node.tree.contains(&header.digest()), "it is kept, and not taken in");
            assert!(node.last_vote.as_ref().is_none_or(|vote| vote.ballot.view < header.view));
            assert_eq!(node.status().leader, None);
            refused += 1;
        }
    }
    assert!(refused > 0, "it met views whose leader it did not know");
    net.run(BASE * 40);
    net.assert_agreement();
    assert_eq!(net.node(3).tree.root().height, net.node(0).tree.root().height, "it followed all the same");
}

/// Two timeout certificates of one view, one of which knows a certificate more.
#[test]
fn of_two_timeout_certificates_of_a_view_the_one_that_knows_more_decides_who_leads() {
    let mut net = Net::with_election(4, Election::Stable);
    load(&mut net, 1..6, Duration::from_millis(2));
    net.run(BASE);
    let mut node = net.node(0).clone();
    let newer = node.high_qc.clone();
    let older = node.tree.get(&newer.block()).expect("held").held.justify.clone();
    let view = node.view();
    let certificates = |high_qc| {
        let entry = Some(entered_by(&net, view, high_qc));
        Message::Certificates(Box::new(Certificates { high_qc: high_qc.clone(), entry, is_whole: false }))
    };
    hear(&net, &mut node, id(1), certificates(&older));
    let first = node.leader_now();
    assert_eq!(node.entry.as_ref().map(|entry| entry.high_qc.view()), Some(older.view()));
    hear(&net, &mut node, id(1), certificates(&newer));
    assert_eq!(node.entry.as_ref().map(|entry| entry.high_qc.view()), Some(newer.view()));
    assert_ne!(node.leader_now(), first, "a failed view less");
    hear(&net, &mut node, id(1), certificates(&older));
    assert_eq!(node.entry.as_ref().map(|entry| entry.high_qc.view()), Some(newer.view()), "and not back");
}

/// By two timeout certificates, two replicas lead one view. Both may propose; nobody has lied.
#[test]
fn two_leaders_of_a_view_are_no_evidence() {
    let mut net = Net::with_election(4, Election::Stable);
    load(&mut net, 1..6, Duration::from_millis(2));
    net.run(BASE);
    let mut node = net.node(3).clone();
    let newer = node.high_qc.clone();
    let older = node.tree.get(&newer.block()).expect("held").held.justify.clone();
    let view = node.view();
    let parent = net.header(&newer.block());
    let mut reasons = vec![];
    for high_qc in [&older, &newer] {
        let leader = node.leader(view.next(), &high_qc.block()).expect("known");
        let block = child(&parent, view.next(), leader, vec![]);
        let justified = JustifiedBlock { block: block.clone(), justify: newer.clone() };
        let said = attested(&net, &block.header, justified, Some(entered_by(&net, view, high_qc)));
        reasons.push((leader, hear(&net, &mut node, leader, said)));
    }
    assert_ne!(reasons[0].0, reasons[1].0);
    assert_eq!(reasons[0].1, Some(Ignored::NotExecuted), "the first is taken");
    assert_eq!(reasons[1].1, Some(Ignored::Duplicate), "the second is not, and nobody is accused");
}

#[test]
fn a_host_that_never_answers_a_request_to_build_is_asked_again() {
    for election in [Election::RoundRobin, Election::Stable, Election::Reputation] {
        let net = Net::with_election(1, election);
        let mut node = net.node(0).clone();
        let builds = |node: &mut Node, event| {
            let requests = node.handle(event).take_requests();
            requests.into_iter().filter(|request| matches!(request, Request::Build { .. })).collect::<Vec<_>>()
        };
        let asked = builds(&mut node, Event::BatchReady(batch(1)));
        assert_eq!(asked.len(), 1);
        builds(&mut node, Event::TimedOut(Timer::Poll));
        assert_eq!(builds(&mut node, Event::TimedOut(Timer::Poll)), asked, "{election:?}: word for word");
    }
}
