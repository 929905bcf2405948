//! Attacks on what leaves a machine beside its replica's steps: batches, answers to whoever catches up, bytes. And attackers that come
//! and go while a cluster runs.

use quorate_byzantine::{Attacks, Byzantine, Target};
use quorate_sim::{Cluster, SimProtocol, SymbolicHotStuff, SymbolicPbft, Verdict};
use quorate_types::ReplicaId;
use quorate_validator::Wire;
use std::{cell::RefCell, collections::BTreeSet, rc::Rc, time::Duration};

const BASE: Duration = Duration::from_millis(200);

fn builder<P: SimProtocol>() -> quorate_sim::Builder<Byzantine<P>> {
    Cluster::of::<Byzantine<P>>().seed(5).timeout(BASE).checkpoint_interval(8)
}

fn load<P: SimProtocol>(cluster: &mut Cluster<P>, at: u16, rounds: std::ops::Range<u32>) {
    for round in rounds {
        cluster.submit_at(at, [format!("{round}")]);
        cluster.run_for(BASE / 10);
    }
}

/// Whose batches, with their bodies, reached whom.
fn bodies_told<P: SimProtocol>(cluster: &mut Cluster<P>) -> Rc<RefCell<BTreeSet<(ReplicaId, ReplicaId)>>> {
    let told = Rc::new(RefCell::new(BTreeSet::new()));
    let seen = told.clone();
    cluster.intercept(move |from, to, wire| {
        if let Wire::Pool(quorate_consensus::PoolMessage::Batch(_)) = wire {
            seen.borrow_mut().insert((from, to));
        }
        Verdict::Pass
    });
    told
}

fn withheld_batches_reach_nobody_and_their_transactions_take_effect<P: SimProtocol + Attacks>() {
    let mut cluster = builder::<P>().attacker(1, "withhold-batch", Target::default()).build();
    let told = bodies_told(&mut cluster);
    load(&mut cluster, 1, 0..10);
    load(&mut cluster, 2, 10..20);
    cluster.settle();
    assert!(told.borrow().iter().all(|(from, _)| *from != ReplicaId(1)));
    assert!(told.borrow().contains(&(ReplicaId(2), ReplicaId(0))), "honest replicas give theirs");
    assert_eq!(cluster.effects().len(), 20, "clients go elsewhere");
}

fn garbage_is_thrown_away<P: SimProtocol + Attacks>() {
    let mut cluster = builder::<P>().attacker(1, "garbage", Target::default()).build();
    load(&mut cluster, 0, 0..20);
    cluster.settle();
    assert!(cluster.message_counts()["garbage"] > 20 && cluster.rejected() > 20);
    assert_eq!(cluster.effects().len(), 20);
}

/// One replica misses many blocks while the attacker is the only other one that it hears of; then all are there.
fn behind<P: SimProtocol + Attacks>(attack: &str) -> Cluster<Byzantine<P>> {
    let mut cluster = builder::<P>().replicas(4).snapshot_gap(40).attacker(1, attack, Target::default()).build();
    load(&mut cluster, 0, 0..5);
    cluster.crash(3);
    load(&mut cluster, 0, 5..60);
    cluster.restart(3);
    load(&mut cluster, 0, 60..62);
    cluster.settle();
    assert_eq!(cluster.effects().len(), 62);
    cluster
}

fn lies_to_whoever_catches_up_are_refused<P: SimProtocol + Attacks>() {
    let cluster = behind::<P>("lying-sync");
    assert!(cluster.refusals().iter().all(|(_, peer, _)| *peer == ReplicaId(1)), "nobody honest is blamed");
}

fn endless_answers_end<P: SimProtocol + Attacks>() {
    let cluster = behind::<P>("endless-sync");
    assert_eq!(cluster.refusals().len(), 0, "none of it is a lie");
}

fn attackers_come_and_go_while_a_cluster_runs<P: SimProtocol + Attacks>() {
    let mut cluster = builder::<P>().build();
    load(&mut cluster, 0, 0..5);
    assert!(cluster.message_counts().get("garbage").is_none());
    cluster.start_attack(1, "garbage", Target::default());
    load(&mut cluster, 0, 5..10);
    cluster.crash(1);
    cluster.restart(1);
    load(&mut cluster, 0, 10..15);
    let garbage = cluster.message_counts()["garbage"];
    assert!(garbage > 0);
    cluster.stop_attack(1);
    load(&mut cluster, 0, 15..20);
    cluster.settle();
    assert_eq!(cluster.message_counts()["garbage"], garbage);
    assert_eq!(cluster.effects().len(), 20);
}

macro_rules! for_each_attacked {
    ($($claim:ident),* $(,)?) => {
        mod hotstuff {
            $(#[test] fn $claim() { super::$claim::<super::SymbolicHotStuff>(); })*
        }
        mod pbft {
            $(#[test] fn $claim() { super::$claim::<super::SymbolicPbft>(); })*
        }
    };
}

for_each_attacked!(
    withheld_batches_reach_nobody_and_their_transactions_take_effect,
    garbage_is_thrown_away,
    lies_to_whoever_catches_up_are_refused,
    endless_answers_end,
    attackers_come_and_go_while_a_cluster_runs,
);
