//! Named attacks beside honest replicas, up to `f` of them: agreement holds (the cluster checks it at every commit), whatever honest
//! clients submit is committed, and nobody honest is accused.

use quorate_byzantine::{Attacks, Byzantine, Known, Target};
use quorate_sim::{Cluster, SimProtocol, SymbolicHotStuff, SymbolicPbft, Verdict};
use quorate_types::{Height, ReplicaId, View};
use quorate_validator::Wire;
use std::{collections::BTreeSet, time::Duration};

type Pbft = Byzantine<SymbolicPbft>;

const MS: Duration = Duration::from_millis(1);
const BASE: Duration = Duration::from_millis(200);

/// A cluster of `n` with these attackers.
fn cluster<P: SimProtocol + Attacks>(n: usize, attackers: &[u16], attack: &str, from: u64) -> Cluster<Byzantine<P>> {
    let builder = Cluster::of::<Byzantine<P>>().replicas(n).seed(from + n as u64).timeout(BASE).checkpoint_interval(8);
    let builder = builder.snapshot_gap(16);
    let corrupt =
        |builder, attacker: &u16| quorate_sim::Builder::attacker(builder, *attacker, attack, Target::from_view(from));
    attackers.iter().fold(builder, corrupt).build()
}

/// Load, each round at another honest replica.
struct Load {
    honest: Vec<u16>,
    rounds: usize,
}

impl Load {
    fn run<P: SimProtocol>(&mut self, cluster: &mut Cluster<P>, rounds: usize) {
        for _ in 0..rounds {
            cluster.submit_at(self.honest[self.rounds % self.honest.len()], [format!("{}", self.rounds)]);
            self.rounds += 1;
            cluster.run_for(BASE / 4);
        }
    }
}

/// Whatever an attack waits for comes: each leader is cut off for a while, so that the next view begins and somebody has missed
/// something, and each honest replica is down for so long that it fetches blocks. In the end all is committed. Whether the attack took place.
fn is_survived<P: SimProtocol + Attacks>(n: usize, attackers: &[u16], attack: &str) -> bool {
    let mut cluster = cluster::<P>(n, attackers, attack, 1);
    let mut load = Load { honest: (0..n as u16).filter(|id| !attackers.contains(id)).collect(), rounds: 0 };
    load.run(&mut cluster, 10);
    for _ in 0..=n {
        let leader = cluster.leader().0;
        let rest: Vec<_> = (0..n as u16).filter(|id| *id != leader).collect();
        cluster.partition([&[leader], &rest]);
        load.run(&mut cluster, 12);
        cluster.heal();
        load.run(&mut cluster, 6);
    }
    for _ in 0..load.honest.len() {
        let down = load.honest.remove(0);
        cluster.crash(down);
        load.run(&mut cluster, 25);
        cluster.restart(down);
        load.honest.push(down);
        load.run(&mut cluster, 5);
    }
    println!("{attack} by {attackers:?} of {n}");
    cluster.settle();
    cluster.assert_agreement();
    cluster.assert_ledger((0..load.rounds).map(|round| format!("{round}")));
    assert!(cluster.accusations().all(|(_, evidence)| attackers.contains(&evidence.accused.0)), "{attack}");
    attackers.iter().any(|attacker| cluster.deeds(*attacker) > 0)
}

/// In each of these clusters; and in one of them at least the attack took place, or surviving it says nothing.
fn every_attack_is_survived<P: SimProtocol + Attacks>() {
    let clusters = [(4, &[1][..]), (4, &[3]), (7, &[1, 2])];
    let idle = |known: &Known<P>| {
        let took_place = clusters.map(|(n, attackers)| is_survived::<P>(n, attackers, known.name));
        !took_place.contains(&true)
    };
    let idle: Vec<_> = P::attacks().into_iter().filter(idle).map(|known| known.name).collect();
    assert_eq!(idle, [""; 0], "these never took place");
}

#[test]
fn hotstuff_survives_every_attack_by_f_of_its_replicas() {
    every_attack_is_survived::<SymbolicHotStuff>();
}

#[test]
fn pbft_survives_every_attack_by_f_of_its_replicas() {
    every_attack_is_survived::<SymbolicPbft>();
}

/// One proposes two blocks for a place, the other votes for both: each half of the honest sees a vote more for its own.
fn a_conspiracy_of_f_is_survived<P: SimProtocol + Attacks>() {
    let builder = Cluster::of::<Byzantine<P>>().replicas(7).seed(3).timeout(BASE).checkpoint_interval(8);
    let builder = builder.attacker(1, "equivocate", Target::default()).attacker(2, "double-vote", Target::default());
    let mut cluster = builder.build();
    let mut load = Load { honest: vec![0, 3, 4, 5, 6], rounds: 0 };
    load.run(&mut cluster, 60);
    cluster.settle();
    cluster.assert_agreement();
    cluster.assert_ledger((0..60).map(|round| format!("{round}")));
    let accused: BTreeSet<_> = cluster.accusations().map(|(_, evidence)| evidence.accused.0).collect();
    // Whoever proposes to two halves is caught where one of them shows the other what it has; whoever votes twice, always.
    assert!(accused.contains(&2) && accused.is_subset(&BTreeSet::from([1, 2])), "{accused:?}");
}

#[test]
fn hotstuff_survives_a_conspiracy_of_f() {
    a_conspiracy_of_f_is_survived::<SymbolicHotStuff>();
}

#[test]
fn pbft_survives_a_conspiracy_of_f() {
    a_conspiracy_of_f_is_survived::<SymbolicPbft>();
}

/// In view 1 of seven replicas something is committed, something else at least prepared. Then the primary dies, and the one of view 2
/// attacks. Gives the cluster after the first block above, and that block's view.
fn succession(attack: &str) -> (Cluster<Pbft>, View) {
    let mut cluster = cluster::<SymbolicPbft>(7, &[2], attack, 1);
    cluster.submit_at(0, ["first", "second"]);
    cluster.run_until_height(1);
    // What is in flight can be prepared, and committed by nobody.
    cluster.intercept(|_, _, wire| match wire {
        Wire::Consensus(quorate_consensus::pbft::Message::Commit(vote)) if vote.statement.0.view == View(1) => {
            Verdict::Drop
        }
        _ => Verdict::Pass,
    });
    cluster.submit_at(3, ["prepared"]);
    cluster.run_for(BASE / 2);
    let before = cluster.committed();
    cluster.crash(1);
    cluster.submit_at(4, ["after"]);
    cluster.run_until(|cluster| cluster.committed() > before, BASE * 40);
    let view = cluster.running().filter(|id| *id != ReplicaId(2)).map(|id| cluster.view(id)).min();
    (cluster, view.expect("others run"))
}

/// The attacker's view begins nothing, and the next one or the one after it commits.
fn costs_at_most_two_further_views(attack: &str) {
    let (mut cluster, view) = succession(attack);
    assert!(cluster.rejected() > 0 || cluster.accusations().count() > 0, "{attack}: it began its view with a lie");
    assert!((View(3)..=View(4)).contains(&view), "{attack}: the next block was committed in {view}");
    cluster.restart(1);
    cluster.stop_intercepting();
    cluster.settle();
    cluster.assert_agreement();
    cluster.assert_ledger(["first", "second", "prepared", "after"]);
}

/// Without an attack the same succession needs one view: what the tests below see is the attack.
#[test]
fn without_an_attack_the_next_primary_commits_what_was_prepared() {
    let (_, view) = succession("conceal");
    assert_eq!(view, View(2), "its own VIEW-CHANGE is not the only one");
}

#[test]
fn a_new_view_without_the_prepared_block_costs_at_most_two_further_views() {
    costs_at_most_two_further_views("omit-prepared");
}

#[test]
fn a_new_view_with_forged_view_changes_costs_at_most_two_further_views() {
    costs_at_most_two_further_views("forged-in-new-view");
}

#[test]
fn a_new_view_with_a_stale_view_change_costs_at_most_two_further_views() {
    costs_at_most_two_further_views("stale-in-new-view");
}

#[test]
fn a_new_view_with_a_duplicate_view_change_costs_at_most_two_further_views() {
    costs_at_most_two_further_views("duplicate-in-new-view");
}

#[test]
fn a_new_view_with_a_foreign_view_change_costs_at_most_two_further_views() {
    costs_at_most_two_further_views("foreign-in-new-view");
}

#[test]
fn a_silent_primary_costs_one_view() {
    for n in [4, 5, 7] {
        let mut cluster = cluster::<SymbolicPbft>(n, &[1], "silent", 1);
        cluster.submit_at(0, ["a"]);
        cluster.run_until(|cluster| cluster.effects().len() == 1, BASE * 3);
        assert_eq!(cluster.header(1).map(|header| header.view), Some(View(2)), "n={n}");
    }
}

/// Of four, one backup is shown another chain than the other two. Of seven, three of six are, and no block has a quorum.
#[test]
fn a_primary_with_a_chain_for_each_half_is_named_and_costs_at_most_two_further_views() {
    for n in [4, 7] {
        let mut cluster = cluster::<SymbolicPbft>(n, &[1], "equivocate", 1);
        cluster.submit_at(0, ["a"]);
        cluster.run_until(|cluster| cluster.effects().len() == 1, BASE * 20);
        let view = cluster.header(1).expect("committed").view;
        assert!(view <= View(3) && (n == 4 || view > View(1)), "n={n}: committed in {view}");
        cluster.run_for(BASE * 2);
        assert!(
            cluster.accusations().any(|(_, evidence)| evidence.accused == ReplicaId(1)),
            "n={n}: the pair is shown"
        );
        cluster.settle();
        cluster.assert_agreement();
    }
}

#[test]
fn a_primary_that_jumps_to_the_high_watermark_costs_at_most_two_further_views() {
    for n in [4, 7] {
        let mut cluster = cluster::<SymbolicPbft>(n, &[1], "jump", 1);
        cluster.submit_at(0, ["a"]);
        cluster.run_until(|cluster| cluster.effects().len() == 1, BASE * 20);
        let header = cluster.header(1).expect("committed");
        assert!((View(2)..=View(3)).contains(&header.view), "n={n}: committed in {}", header.view);
        assert_eq!(header.height, Height(1), "and without a gap");
        cluster.settle();
    }
}

/// Each proposal comes after nine tenths of a timeout: the view lasts, or it does not, and blocks come at least once a timeout while it does.
#[test]
fn a_primary_just_under_the_timeout_delays_and_stops_nothing() {
    for n in [4, 7] {
        let mut cluster = cluster::<SymbolicPbft>(n, &[1], "lazy-leader", 1);
        for round in 0..20 {
            let before = cluster.effects().len();
            cluster.submit_at(0, [format!("{round}")]);
            cluster.run_until(|cluster| cluster.effects().len() > before, BASE * 4);
        }
        let views: Vec<_> = cluster.running().map(|id| cluster.view(id)).collect();
        assert!(views.iter().all(|view| *view <= View(3)), "n={n}: {views:?}");
        cluster.settle();
    }
}

/// The primary leaves out every batch whose digest is odd.
#[test]
fn a_primary_that_censors_is_replaced_and_what_it_left_out_is_committed() {
    for n in [4, 7] {
        let mut cluster = cluster::<SymbolicPbft>(n, &[1], "censor", 1);
        for round in 0..30 {
            cluster.submit_at(0, [format!("{round}")]);
            cluster.run_for(BASE / 4);
        }
        cluster.run_until(|cluster| cluster.effects().len() == 30, BASE * 40);
        let views: Vec<_> = cluster.running().map(|id| cluster.view(id)).collect();
        assert!(views.iter().all(|view| *view > View(1)), "n={n}: {views:?}");
        cluster.run_for(10 * MS);
    }
}
