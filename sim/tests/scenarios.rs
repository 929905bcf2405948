//! Stories about whole clusters, and at the same time examples of how to write them.

use quorate_consensus::{
    hotstuff::{HotStuff, Message},
    pbft::Pbft,
};
use quorate_crypto::Ed25519List;
use quorate_sim::{Cluster, Cue, DiskOf, Hands, LinkSpec, SimProtocol, Verdict, disk::DiskFault, for_each_protocol};
use quorate_types::View;
use quorate_validator::Wire;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

for_each_protocol!(
    a_crashed_leader_is_replaced_and_nothing_is_lost,
    everybody_crashing_at_once_again_and_again_loses_nothing,
    the_side_without_a_quorum_stops_and_catches_up,
    a_partition_without_any_quorum_commits_nothing,
    a_replica_that_lost_its_disks_rejoins_and_speaks_again,
    a_failed_fsync_stops_the_replica_and_the_others_go_on,
    slow_disks_cost_time_until_they_are_repaired,
    terrible_links_cost_time_and_nothing_else,
    clocks_that_are_an_hour_off_change_timestamps_only,
    an_idle_cluster_is_quiet,
    a_batch_handed_in_twice_leaves_every_pool,
    a_replica_that_fetched_the_chain_gets_the_batches_that_all_others_dropped,
    without_a_quorum_of_speakers_nothing_commits,
);

fn a_crashed_leader_is_replaced_and_nothing_is_lost<P: SimProtocol>() {
    let mut cluster = Cluster::of::<P>().replicas(4).seed(7).build();
    cluster.submit(["a", "b"]);
    cluster.run_until_height(1);
    cluster.crash(cluster.leader());
    cluster.submit(["c"]);
    cluster.settle();
    cluster.assert_agreement();
    cluster.assert_ledger(["a", "b", "c"]);
}

#[test]
fn the_real_scheme_runs_the_same_cluster() {
    fn claim<P: SimProtocol>() {
        let mut cluster = Cluster::of::<P>().replicas(4).seed(1).build();
        cluster.submit(["a"]);
        cluster.settle();
        cluster.assert_ledger(["a"]);
    }
    claim::<HotStuff<Ed25519List>>();
    claim::<Pbft<Ed25519List>>();
}

fn everybody_crashing_at_once_again_and_again_loses_nothing<P: SimProtocol>() {
    let mut cluster = Cluster::of::<P>().replicas(4).seed(3).build();
    let names: Vec<_> = (0..20).map(|i| format!("tx{i}")).collect();
    for (round, name) in names.iter().enumerate() {
        cluster.submit([name]);
        cluster.run_for(Duration::from_millis(7 * u64::try_from(round).expect("small")));
        cluster.crash_all();
        cluster.restart_all();
    }
    cluster.settle();
    cluster.assert_agreement();
    cluster.assert_ledger(&names);
}

#[test]
fn one_dead_for_ever_does_not_stop_the_others() {
    let mut cluster = Cluster::new().replicas(4).seed(5).build();
    cluster.crash(2);
    for batch in 0..20 {
        cluster.submit_at(0, [format!("tx{batch}")]);
        cluster.run_for(SECOND / 4);
    }
    cluster.run_until(|cluster| cluster.effects().len() == 20, 60 * SECOND);
    let (views, height) = (cluster.view(0).0, cluster.committed().0);
    assert!(height * 2 * 4 >= views, "a block commits at least every 2n views: {height} blocks in {views} views");
}

fn the_side_without_a_quorum_stops_and_catches_up<P: SimProtocol>() {
    let mut cluster = Cluster::of::<P>().replicas(4).seed(9).build();
    cluster.partition([&[0, 1, 2], &[3]]);
    cluster.submit_at(0, ["a"]);
    cluster.run_until(|cluster| cluster.effects().len() == 1, 30 * SECOND);
    assert_eq!(cluster.height(3).0, 0);
    cluster.settle();
    cluster.assert_ledger(["a"]);
}

fn a_partition_without_any_quorum_commits_nothing<P: SimProtocol>() {
    let mut cluster = Cluster::of::<P>().replicas(4).seed(11).build();
    cluster.partition([&[0, 1], &[2, 3]]);
    cluster.submit(["a"]);
    cluster.run_for(20 * SECOND);
    assert_eq!(cluster.committed().0, 0);
    cluster.settle();
    cluster.assert_ledger(["a"]);
}

fn a_replica_that_lost_its_disks_rejoins_and_speaks_again<P: SimProtocol>() {
    let mut cluster = Cluster::of::<P>().replicas(4).seed(2).checkpoint_interval(8).build();
    cluster.submit(["a"]);
    cluster.run_until_height(1);
    cluster.wipe(1);
    cluster.restart(1);
    assert!(cluster.status(1).is_some_and(|status| status.rejoining));
    // A crash in between does not pass it off as one that never spoke.
    cluster.run_for(SECOND / 2);
    cluster.crash(1);
    cluster.restart(1);
    assert!(cluster.status(1).is_some_and(|status| status.rejoining));
    // It speaks when the others have provably left all views in which it may have spoken. A leader that stays is cut off now and
    // then, so that they do.
    for round in 0..20 {
        if cluster.status(1).is_some_and(|status| !status.rejoining) {
            break;
        }
        let leader = cluster.leader().0;
        let others: Vec<_> = (0..4).filter(|id| *id != leader).collect();
        cluster.partition([&[leader], &others]);
        cluster.submit_at(others[0], [format!("cut {round}")]);
        cluster.run_for(2 * SECOND);
        cluster.heal();
        for part in 0..10 {
            cluster.submit_at(0, [format!("whole {round}.{part}")]);
            cluster.run_for(SECOND / 5);
        }
    }
    assert!(cluster.status(1).is_some_and(|status| !status.rejoining), "it speaks again");
    cluster.settle();
    cluster.assert_agreement();
}

fn a_failed_fsync_stops_the_replica_and_the_others_go_on<P: SimProtocol>() {
    let mut cluster = Cluster::of::<P>().replicas(4).seed(4).build();
    cluster.fail_disk(2, DiskOf::Journal, DiskFault::SyncFails);
    cluster.submit_at(0, ["a"]);
    cluster.run_until(|cluster| cluster.effects().len() == 1, 30 * SECOND);
    assert!(!cluster.is_running(2) && cluster.death(2).is_some());
    cluster.settle();
    cluster.assert_ledger(["a"]);
}

fn slow_disks_cost_time_until_they_are_repaired<P: SimProtocol>() {
    let slow = Duration::from_millis(300);
    let mut cluster = Cluster::of::<P>().replicas(4).seed(4).timeout(2 * SECOND).build();
    let takes = |cluster: &mut Cluster<P>, what: &str| {
        let (began, effects) = (cluster.now(), cluster.effects().len());
        cluster.submit_at(0, [what]);
        cluster.run_until(|cluster| cluster.effects().len() > effects, 60 * SECOND);
        cluster.now() - began
    };
    let quick = takes(&mut cluster, "quick");
    (0..4).for_each(|replica| cluster.fail_disk(replica, DiskOf::Journal, DiskFault::Slow(slow)));
    let slowly = takes(&mut cluster, "slow");
    assert!(quick < slow && slowly > slow, "{quick:?}, then {slowly:?}");
    cluster.crash_all();
    cluster.restart_all();
    cluster.run_for(SECOND);
    assert!(takes(&mut cluster, "repaired") < slow);
    cluster.settle();
    cluster.assert_ledger(["quick", "slow", "repaired"]);
}

fn terrible_links_cost_time_and_nothing_else<P: SimProtocol>() {
    let ms = Duration::from_millis;
    let links =
        LinkSpec { delay: ms(5), jitter: ms(60), loss: 0.3, duplicate: 0.5, reorder: 0.5, ..LinkSpec::default() };
    let mut cluster = Cluster::of::<P>().replicas(4).seed(6).links(links).build();
    cluster.submit(["a", "b", "c"]);
    cluster.run_until(|cluster| cluster.effects().len() == 3, 120 * SECOND);
    cluster.links(LinkSpec::delay(ms(5)));
    cluster.settle();
    cluster.assert_ledger(["a", "b", "c"]);
}

fn clocks_that_are_an_hour_off_change_timestamps_only<P: SimProtocol>() {
    let mut cluster = Cluster::of::<P>().replicas(4).seed(8).build();
    cluster.skew_clock(0, 7_200_000);
    cluster.skew_clock(1, -7_200_000);
    cluster.submit(["a", "b"]);
    cluster.settle();
    let time = |height| cluster.header(height).map(|header| header.timestamp).unwrap_or_default();
    let heights = 1..=cluster.committed().0;
    assert!(heights.clone().all(|h| (time(h - 1)..=time(h - 1) + 3_600_000).contains(&time(h))));
    cluster.assert_ledger(["a", "b"]);
}

fn an_idle_cluster_is_quiet<P: SimProtocol>() {
    let mut cluster = Cluster::of::<P>().replicas(4).seed(10).build();
    cluster.submit(["a"]);
    cluster.settle();
    cluster.run_for(20 * SECOND);
    let before: u64 = cluster.message_counts().values().sum();
    cluster.run_for(40 * SECOND);
    let sent = cluster.message_counts().values().sum::<u64>() - before;
    assert!(sent <= 4 * 2 * 11, "{sent} messages in 40 idle seconds");
}

#[test]
fn what_the_others_committed_reaches_a_replica_that_missed_the_certificate() {
    // Whatever tells replica 3 of the commit is lost; then everybody else is idle.
    let mut cluster = Cluster::new().replicas(4).seed(12).build();
    cluster.intercept(|_, to, wire| match wire {
        Wire::Consensus(Message::Proposal(proposal)) if to.0 == 3 && proposal.justified.block.header.view > View(2) => {
            Verdict::Drop
        }
        Wire::Consensus(Message::Certificates(_) | Message::Timeout(_)) if to.0 == 3 => Verdict::Drop,
        _ => Verdict::Pass,
    });
    cluster.submit_at(0, ["a"]);
    cluster.run_until(|cluster| cluster.effects().len() == 1, 30 * SECOND);
    cluster.settle();
    cluster.assert_ledger(["a"]);
}

fn a_batch_handed_in_twice_leaves_every_pool<P: SimProtocol>() {
    // The same transactions in batches of two replicas: one of the batches is spent, and must not go round for ever.
    let mut cluster = Cluster::of::<P>().replicas(4).seed(16).build();
    cluster.submit_at(0, ["a"]);
    cluster.partition([&[0], &[1, 2, 3]]);
    cluster.run_for(10 * SECOND);
    cluster.settle();
    cluster.run_for(30 * SECOND);
    for replica in 0..4u16 {
        let pool = cluster.pool(replica).expect("running");
        assert_eq!((pool.batches, pool.waiting, pool.wanted), (0, 0, 0), "replica {replica}");
    }
    cluster.assert_ledger(["a"]);
}

fn a_replica_that_fetched_the_chain_gets_the_batches_that_all_others_dropped<P: SimProtocol>() {
    // Replica 3 hears of blocks but of no batch, until everything is committed and dropped by the others.
    let mut cluster = Cluster::of::<P>().replicas(4).seed(17).build();
    cluster.intercept(|_, to, wire| match wire {
        Wire::Pool(_) if to.0 == 3 => Verdict::Drop,
        _ => Verdict::Pass,
    });
    for batch in 0..6 {
        cluster.submit_at(0, [format!("tx{batch}")]);
        cluster.run_for(SECOND / 5);
    }
    cluster.run_until(|cluster| cluster.effects().len() == 6, 30 * SECOND);
    cluster.run_until(|cluster| cluster.height(3) >= cluster.height(0), 30 * SECOND);
    cluster.settle();
    cluster.assert_ledger((0..6).map(|batch| format!("tx{batch}")));
}

#[test]
fn an_injected_forgery_is_rejected_and_harms_nobody() {
    let mut cluster = Cluster::new().replicas(4).seed(13).puppet(3, |_: &mut Hands<_>, _| {}).build();
    cluster.submit_at(0, ["a"]);
    cluster.run_until_height(1);
    // A puppet's vote sent as another's is no vote of that other.
    let mut stolen = None;
    cluster.intercept(move |from, _, wire| match wire {
        Wire::Consensus(Message::Vote(vote)) if from.0 == 0 => {
            stolen = Some(vote.clone());
            Verdict::Pass
        }
        Wire::Consensus(Message::Vote(_)) if from.0 == 1 => match stolen.take() {
            Some(vote) => Verdict::Replace(vec![Wire::Consensus(Message::Vote(vote)), wire.clone()]),
            None => Verdict::Pass,
        },
        _ => Verdict::Pass,
    });
    cluster.submit_at(0, ["b"]);
    cluster.settle();
    assert!(cluster.rejected() > 0);
    cluster.assert_ledger(["a", "b"]);
}

#[test]
fn a_puppet_that_votes_twice_is_accused_with_evidence() {
    let twice = |hands: &mut Hands<_>, cue: Cue<_>| {
        let Cue::Received { wire: Wire::Consensus(Message::Proposal(proposal)), .. } = cue else { return };
        let header = &proposal.justified.block.header;
        let ballot = quorate_consensus::hotstuff::Ballot::of(header);
        let other = quorate_consensus::hotstuff::Ballot { block: header.parent, ..ballot };
        let next = hands.leader(header.view.next());
        for ballot in [ballot, other] {
            let vote = hands.vote(ballot);
            hands.send(next, Message::Vote(vote));
        }
    };
    let mut cluster = Cluster::new().replicas(4).seed(14).puppet(3, twice).build();
    cluster.submit_at(0, ["a"]);
    cluster.settle();
    assert!(cluster.accusations().any(|(_, evidence)| evidence.accused.0 == 3));
    cluster.assert_ledger(["a"]);
}

fn without_a_quorum_of_speakers_nothing_commits<P: SimProtocol>() {
    let mut cluster = Cluster::of::<P>()
        .replicas(4)
        .seed(15)
        .puppet(2, |_: &mut Hands<_>, _| {})
        .puppet(3, |_: &mut Hands<_>, _| {})
        .build();
    cluster.submit_at(0, ["a"]);
    cluster.run_for(20 * SECOND);
    assert_eq!(cluster.committed().0, 0);
}
