//! What a replica says when somebody asks why there is no block.

use super::net::{BASE, Net};
use crate::{
    Kind, Replica,
    diagnosis::{Diagnosis, Fate, Stage, Tally},
    test_net::id,
};
use quorate_types::{Height, ReplicaId, View};

fn tally(diagnosis: &Diagnosis, what: &str) -> Option<Tally> {
    diagnosis.tallies.iter().find(|tally| tally.what == what && tally.view == diagnosis.view).cloned()
}

fn from(tally: Option<Tally>) -> Vec<ReplicaId> {
    tally.into_iter().flat_map(|tally| tally.from).collect()
}

#[test]
fn one_that_rests_has_no_work_and_holds_the_last_certificate() {
    let mut net = Net::new(4);
    net.submit(1);
    net.run(BASE * 4);
    let diagnosis = net.node(0).diagnosis();
    assert_eq!((diagnosis.stage, diagnosis.has_work), (Stage::Active, false));
    assert!(diagnosis.committed >= Height(1));
    let certificate = diagnosis.certificates[0];
    assert_eq!((certificate.what, certificate.view.next()), ("quorum certificate", diagnosis.view));
}

#[test]
fn with_two_of_four_down_it_tells_whose_timeouts_there_are() {
    let mut net = Net::new(4);
    net.crash(2);
    net.crash(3);
    net.submit(1);
    net.run(BASE * 3);
    for index in [0, 1] {
        let diagnosis = net.node(index).diagnosis();
        assert_eq!((diagnosis.view, diagnosis.leader, diagnosis.stage), (View(1), Some(id(1)), Stage::TimedOut));
        assert!(diagnosis.has_work);
        assert_eq!(from(tally(&diagnosis, "timeouts")), [id(0), id(1)]);
        // Timeouts carry the votes.
        let votes = tally(&diagnosis, "votes").expect("both have voted");
        assert_eq!((votes.height, votes.collector, votes.is_complete), (Some(Height(1)), Some(id(2)), false));
        assert_eq!(from(Some(votes)), [id(0), id(1)]);
        let proposal = diagnosis.proposal.expect("the leader runs");
        assert_eq!((proposal.proposer, proposal.fate), (id(1), Fate::Voted));
    }
}

#[test]
fn a_vote_that_went_to_one_leader_alone_is_known_to_its_voter() {
    let mut net = Net::new(4);
    net.filter = Box::new(|_, _, message| message.kind() != "vote" && message.kind() != "timeout");
    net.submit(1);
    net.run(BASE / 2);
    let voters = |index: usize| from(tally(&net.node(index).diagnosis(), "votes"));
    assert_eq!([0, 1, 2, 3].map(voters), [0, 1, 2, 3].map(|index| vec![id(index)]));
}

#[test]
fn a_block_that_is_not_executed_is_said_to_be() {
    let mut net = Net::new(4);
    net.lame = Some(0);
    net.filter = Box::new(|_, _, message| message.kind() != "vote" && message.kind() != "timeout");
    net.submit(1);
    net.run(BASE / 2);
    let fate = |index: usize| net.node(index).diagnosis().proposal.map(|proposal| proposal.fate);
    assert_eq!((fate(0), fate(1)), (Some(Fate::NotExecuted), Some(Fate::Voted)));
}
