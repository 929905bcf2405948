//! What a replica says when somebody asks why there is no block.

use super::net::{BASE, Net};
use crate::{
    Kind, Replica,
    diagnosis::{Diagnosis, Fate, Stage, Tally},
    test_net::id,
};
use quorate_types::{Height, ReplicaId, View};

fn tally(diagnosis: &Diagnosis, what: &str) -> Option<Tally> {
    diagnosis.tallies.iter().find(|tally| tally.what == what).cloned()
}

fn from(tally: Option<Tally>) -> Vec<ReplicaId> {
    tally.into_iter().flat_map(|tally| tally.from).collect()
}

#[test]
fn one_that_rests_has_no_work_and_holds_the_last_certificates() {
    let mut net = Net::new(4);
    net.submit(1);
    net.run(BASE * 4);
    let diagnosis = net.node(0).diagnosis();
    assert_eq!((diagnosis.stage, diagnosis.has_work, diagnosis.committed), (Stage::Active, false, Height(1)));
    assert_eq!((diagnosis.tallies.len(), diagnosis.proposal), (0, None));
    let held: Vec<_> = diagnosis.certificates.iter().map(|held| (held.what, held.height)).collect();
    assert_eq!(held, [("prepared certificate", Some(Height(1))), ("commit certificate", Some(Height(1)))]);
}

#[test]
fn with_two_of_four_down_it_tells_whose_prepares_there_are_and_then_whose_view_changes() {
    let mut net = Net::new(4);
    net.crash(2);
    net.crash(3);
    net.submit(1);
    net.run(BASE / 2);
    let diagnosis = net.node(0).diagnosis();
    assert_eq!((diagnosis.view, diagnosis.leader, diagnosis.stage), (View(1), Some(id(1)), Stage::Active));
    let prepares = tally(&diagnosis, "PREPAREs").expect("the primary runs");
    assert_eq!((prepares.height, prepares.is_complete), (Some(Height(1)), false));
    assert_eq!(from(Some(prepares)), [id(0), id(1)]);
    assert_eq!(tally(&diagnosis, "COMMITs"), None);
    assert_eq!(diagnosis.proposal.map(|proposal| proposal.fate), Some(Fate::Voted));
    net.run(BASE * 2);
    let diagnosis = net.node(0).diagnosis();
    assert_eq!((diagnosis.view, diagnosis.leader, diagnosis.stage), (View(2), Some(id(2)), Stage::Changing));
    let changes = tally(&diagnosis, "VIEW-CHANGEs").expect("both have left");
    assert_eq!((changes.view, changes.collector), (View(2), Some(id(2))));
    assert_eq!(from(Some(changes)), [id(0), id(1)]);
}

#[test]
fn a_full_window_tells_whose_checkpoints_are_missing() {
    let mut net = Net::with_checkpoints(4, 2);
    net.filter = Box::new(|_, _, message| message.kind() != "checkpoint");
    for name in 1..=6 {
        net.submit(name);
        net.run(BASE / 4);
    }
    let diagnosis = net.node(0).diagnosis();
    assert_eq!((diagnosis.committed, diagnosis.has_work), (Height(4), true));
    let checkpoints = tally(&diagnosis, "CHECKPOINTs").expect("the window is full");
    assert_eq!(checkpoints.height, Some(Height(2)));
    assert_eq!(from(Some(checkpoints)), [id(0)]);
}

#[test]
fn prepared_and_not_committed_is_told_apart() {
    let mut net = Net::new(4);
    net.filter = Box::new(|_, _, message| message.kind() != "commit");
    net.submit(1);
    net.run(BASE / 4);
    let diagnosis = net.node(0).diagnosis();
    assert!(tally(&diagnosis, "PREPAREs").is_some_and(|tally| tally.is_complete));
    assert_eq!(from(tally(&diagnosis, "COMMITs")), [id(0)]);
}
