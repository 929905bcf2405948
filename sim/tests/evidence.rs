//! What one honest replica can prove, all of them hold in the end, and no liar makes them hold anything else.

use quorate_byzantine::{Attacks, Byzantine, Target};
use quorate_consensus::{Evidence, Exhibit, Proof};
use quorate_sim::{Cluster, SimProtocol, SymbolicHotStuff, SymbolicPbft};
use quorate_types::{BoundedVec, ReplicaId, View};
use quorate_validator::{Testimony, Wire};
use std::{collections::BTreeSet, sync::Arc, time::Duration};

const MS: Duration = Duration::from_millis(1);
const BASE: Duration = Duration::from_millis(200);
const LIAR: u16 = 3;

fn load<P: SimProtocol>(cluster: &mut Cluster<P>, from: usize) {
    for round in from..from + 20 {
        cluster.submit_at(u16::try_from(round % 3).expect("small"), [format!("{round}")]);
        cluster.run_for(BASE / 4);
    }
}

/// Who is held guilty, of what.
fn held<P: SimProtocol>(cluster: &Cluster<P>, replica: u16) -> BTreeSet<(u16, String)> {
    let docket = cluster.docket(replica).expect("it runs");
    docket.charges().map(|charge| (charge.accused.0, charge.kind.clone())).collect()
}

/// One honest replica is cut off from before the liar begins until long after it has ended, and hears of it all the same.
fn everybody_learns_it<P: SimProtocol + Attacks>() {
    let mut cluster = Cluster::of::<Byzantine<P>>()
        .replicas(7)
        .seed(5)
        .timeout(BASE)
        .attacker(LIAR, "double-vote", Target::default())
        .build();
    cluster.partition([&[6], &[0, 1, 2, 3, 4, 5]]);
    load(&mut cluster, 0);
    cluster.run_for(20_000 * MS);
    assert_eq!(held(&cluster, 6), BTreeSet::new(), "it is cut off");
    let known = held(&cluster, 0);
    assert!(!known.is_empty() && known.iter().all(|(accused, _)| *accused == LIAR), "{known:?}");
    cluster.heal();
    cluster.run_for(60_000 * MS);
    for replica in [1, 2, 4, 5, 6] {
        assert_eq!(held(&cluster, replica), held(&cluster, 0), "{replica}");
    }
    let holders: BTreeSet<_> = cluster.accusations().map(|(who, _)| who.0).collect();
    assert!(holders.is_superset(&BTreeSet::from([0, 1, 2, 4, 5, 6])), "{holders:?}");
    // Everybody knows that everybody knows.
    let told = |cluster: &Cluster<Byzantine<P>>| cluster.messages("evidence") + cluster.messages("evidence_known");
    let before = told(&cluster);
    cluster.run_for(1_000_000 * MS);
    assert_eq!(told(&cluster), before);
}

#[test]
fn hotstuff_replicas_learn_what_one_of_them_can_prove() {
    everybody_learns_it::<SymbolicHotStuff>();
}

#[test]
fn pbft_replicas_learn_what_one_of_them_can_prove() {
    everybody_learns_it::<SymbolicPbft>();
}

/// Two statements that somebody else signed.
fn slander(accused: u16, view: u64) -> Evidence {
    let exhibit = |content: u8| Exhibit {
        content: BoundedVec::new(vec![content; 40]).expect("small"),
        proof: Proof::Vote(BoundedVec::new(vec![content; 40]).expect("small")),
    };
    let kind = "hotstuff/vote".into();
    Evidence {
        accused: ReplicaId(accused),
        kind,
        view: View(view),
        height: None,
        first: exhibit(1),
        second: exhibit(2),
    }
}

#[test]
fn slander_is_refused_once_and_then_not_even_looked_at() {
    let mut cluster = Cluster::of::<SymbolicHotStuff>().replicas(4).seed(1).timeout(BASE).build();
    load(&mut cluster, 0);
    cluster.settle();
    let before = cluster.messages("evidence");
    for view in 1..=50 {
        let wire = Wire::Evidence(Testimony::Proof(Arc::new(slander(1, view))));
        cluster.inject(LIAR, 0, wire);
    }
    cluster.run_for(10_000 * MS);
    assert_eq!(cluster.messages("evidence"), before + 50, "nobody passes it on");
    assert_eq!(cluster.accusations().count(), 0);
    let slanderers = cluster.docket(0).map(|docket| docket.slanderers().clone());
    assert_eq!(slanderers, Some(BTreeSet::from([ReplicaId(LIAR)])));
    assert_eq!(
        cluster.refusals().iter().filter(|(who, peer, _)| (who.0, peer.0) == (0, LIAR)).count(),
        1,
        "looked at once"
    );
    assert_eq!(cluster.messages("evidence_known"), 0);
}

#[test]
fn without_faults_there_is_no_message_about_any() {
    let mut cluster = Cluster::of::<SymbolicPbft>().replicas(4).seed(2).timeout(BASE).build();
    load(&mut cluster, 0);
    cluster.crash(1);
    load(&mut cluster, 20);
    cluster.settle();
    assert_eq!((cluster.messages("evidence"), cluster.messages("evidence_known")), (0, 0));
}
