//! What was reported committed is there after every crash, and nobody breaks a promise over one.

use quorate_ledger::{Durability, Outcome};
use quorate_sim::{Cluster, Death, DiskOf, Verdict, disk::DiskFault};
use quorate_types::{Digest, ReplicaId, View};
use quorate_validator::Wire;
use std::{cell::RefCell, collections::BTreeMap, rc::Rc, time::Duration};

const MINUTE: Duration = Duration::from_secs(60);
const MS: Duration = Duration::from_millis(1);

/// Commits one transaction, lets power fail everywhere in the moment in which the first replica reports it, and starts
/// everybody. Whether it was still there then, without anybody handing it in again.
fn survives_power_failure(seed: u64, durability: Durability) -> bool {
    let builder = Cluster::new().seed(seed).durability(durability).client_retry(None).sync_ledger_every(1024);
    let mut cluster = builder.keep_violations().build();
    let height_of = |cluster: &Cluster| cluster.running().map(|id| cluster.height(id)).max().unwrap_or_default();
    cluster.submit(["paid"]);
    cluster.run_until(|cluster| !cluster.effects().is_empty(), MINUTE);
    let reported = height_of(&cluster);
    cluster.crash_all();
    cluster.restart_all();
    cluster.try_until(|cluster| cluster.running().all(|id| cluster.height(id) >= reported), MINUTE)
        && cluster.violation().is_none()
        && (1..=reported.0).all(|height| cluster.header(height).is_some())
}

#[test]
fn rows_28_and_50_what_was_reported_committed_outlives_a_power_failure_of_all() {
    for seed in 0..100 {
        assert!(survives_power_failure(seed, Durability::Always), "SEED={seed}");
    }
}

#[test]
fn row_56_without_fsync_the_same_power_failure_loses_something() {
    let lost = (0..100).filter(|seed| !survives_power_failure(*seed, Durability::None)).count();
    assert!(lost > 0, "then the simulated disks forget nothing, and the test above shows nothing");
}

#[test]
fn row_28_all_crash_in_the_middle_of_a_view_again_and_again_and_go_on() {
    for seed in 0..10 {
        let mut cluster = Cluster::new().seed(seed).build();
        for round in 0..15u64 {
            cluster.submit([format!("{round}")]);
            cluster.run_for(Duration::from_micros(3_700 * (round + 1) + 131 * seed));
            cluster.crash_all();
            cluster.restart_all();
        }
        cluster.settle();
        cluster.assert_agreement();
        cluster.assert_ledger((0..15).map(|round| round.to_string()));
    }
}

/// Votes that left one replica: by view, what for and how often.
type Votes = Rc<RefCell<BTreeMap<View, (Digest, usize)>>>;

fn watch(cluster: &mut Cluster, whom: ReplicaId) -> Votes {
    let votes = Votes::default();
    let seen = votes.clone();
    cluster.intercept(move |from, _, wire| {
        if let Wire::Consensus(quorate_consensus::hotstuff::Message::Vote(vote)) = wire
            && from == whom
        {
            let mut seen = seen.borrow_mut();
            let (block, count) = seen.entry(vote.ballot.view).or_insert((vote.ballot.block, 0));
            assert_eq!(*block, vote.ballot.block, "two votes in {}", vote.ballot.view);
            *count += 1;
        }
        Verdict::Pass
    });
    votes
}

/// The journal's disk loses power before its first, second, ... change: between signing and writing, writing and syncing, syncing
/// and sending. The checkers see to it that no second statement is made; here, that the same one is made again.
#[test]
fn row_27_a_crash_between_signing_and_sending_leaves_one_vote_that_is_sent_again() {
    let mut repeated = 0;
    for changes in 0..40 {
        let mut cluster = Cluster::new().seed(u64::from(changes)).build();
        let votes = watch(&mut cluster, ReplicaId(2));
        cluster.fail_disk(2, DiskOf::Journal, DiskFault::PowerFailsBefore(changes));
        for round in 0..20 {
            cluster.submit_at(0, [format!("{round}")]);
            cluster.run_for(20 * MS);
        }
        assert!(!cluster.is_running(2), "the power failed");
        let before: Vec<_> = votes.borrow().iter().map(|(view, (_, count))| (*view, *count)).collect();
        cluster.restart(2);
        cluster.run_for(2 * MS);
        repeated += before.iter().filter(|(view, count)| votes.borrow()[view].1 > *count).count();
        cluster.settle();
        cluster.assert_agreement();
    }
    assert!(repeated > 0, "a restarted replica sends its last vote again");
}

#[test]
fn row_55_a_replica_whose_disk_fails_stops_at_once_and_is_whole_after_a_restart() {
    let faults =
        [DiskFault::SyncFails, DiskFault::FullAfter(0), DiskFault::FullAfter(700), DiskFault::FullAfter(5_000)];
    for (seed, fault) in faults.into_iter().enumerate() {
        for disk in [DiskOf::Journal, DiskOf::Blocks] {
            let builder = Cluster::new().seed(seed as u64).sync_ledger_every(4);
            let mut cluster = builder.build();
            cluster.submit(["before"]);
            cluster.settle();
            cluster.fail_disk(1, disk, fault);
            for round in 0..40 {
                cluster.submit_at(0, [format!("{round}")]);
                cluster.run_for(20 * MS);
            }
            assert!(matches!(cluster.death(1), Some(Death::Disk(_))), "{fault:?} of {disk:?}: {:?}", cluster.death(1));
            assert!(cluster.height(0) > cluster.height(1), "the others go on");
            cluster.settle();
            cluster.assert_agreement();
        }
    }
}

#[test]
fn row_58_a_replica_that_lost_its_disks_comes_back_and_never_votes_twice() {
    for seed in 0..10 {
        let mut cluster = Cluster::new().seed(seed).block_interval(20 * MS).build();
        let votes = watch(&mut cluster, ReplicaId(3));
        cluster.submit(["early"]);
        cluster.run_for(300 * MS + 7 * MS * u32::try_from(seed).expect("small"));
        let last = votes.borrow().keys().next_back().copied();
        cluster.wipe(3);
        cluster.restart(3);
        cluster.run_until(|cluster| cluster.status(3).is_some_and(|status| !status.rejoining), MINUTE);
        cluster.run_for(MINUTE / 20);
        assert!(votes.borrow().keys().next_back().copied() > last, "it votes again");
        assert!(cluster.height(3).0 > 50, "it has what it lost: {}", cluster.height(3));
        cluster.assert_agreement();
    }
}

#[test]
fn row_58_a_ledger_in_which_a_byte_was_changed_is_refused_at_start() {
    for offset in [60, 400, 900] {
        let mut cluster = Cluster::new().kv().sync_ledger_every(1).build();
        cluster.submit(["a", "b", "c"]);
        cluster.settle();
        cluster.submit(["d"]);
        cluster.settle();
        cluster.distrust(2);
        let disk = cluster.disk(2, DiskOf::Blocks);
        let file = quorate_ledger::Disk::list(&disk).expect("a simulated disk lists").remove(0);
        cluster.crash(2);
        disk.damage(&file, offset, 0x10);
        cluster.restart(2);
        let Some(Death::Disk(why)) = cluster.death(2) else { panic!("byte {offset}: it starts from a damaged ledger") };
        assert!(why.contains("height") || why.contains(&file), "byte {offset}: says where: {why}");
    }
}

#[test]
fn row_54_a_journal_damaged_in_the_middle_is_never_skipped_over() {
    let mut cluster = Cluster::new().build();
    cluster.submit(["a", "b", "c"]);
    cluster.settle();
    cluster.distrust(2);
    let disk = cluster.disk(2, DiskOf::Journal);
    let file = quorate_ledger::Disk::list(&disk).expect("a simulated disk lists").remove(0);
    cluster.crash(2);
    disk.damage(&file, 200, 0x10);
    cluster.restart(2);
    let Some(Death::Disk(why)) = cluster.death(2) else { panic!("it starts from a damaged journal") };
    assert!(why.contains(&file) && why.contains("byte"), "it says where: {why}");
}

#[test]
fn row_53_a_journal_cut_at_any_byte_by_a_power_failure_is_a_shorter_journal() {
    // What chance leaves of the tail: nothing, all, any part, zeros, garbage.
    for seed in 0..60 {
        let mut cluster = Cluster::new().seed(seed).flush_latency(5 * MS, 20 * MS).build();
        for round in 0..5u16 {
            cluster.submit([format!("{round}")]);
            cluster.run_for(17 * MS);
            cluster.crash(round % 4);
            cluster.restart(round % 4);
        }
        cluster.settle();
        cluster.assert_agreement();
        let applied = |tx| cluster.outcome(&tx) == Some(Outcome::Applied);
        assert_eq!(cluster.effects().iter().filter(|tx| applied(tx.digest())).count(), 5);
    }
}
