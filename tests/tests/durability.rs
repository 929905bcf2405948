//! What was reported committed is there after every crash, and nobody breaks a promise over one.

use quorate_consensus::Slot;
use quorate_ledger::{Durability, Outcome};
use quorate_sim::{Cluster, Death, DiskOf, SimProtocol, Verdict, disk::DiskFault, for_each_protocol};
use quorate_types::{Digest, Height, ReplicaId, View};
use quorate_validator::Wire;
use std::{cell::RefCell, collections::BTreeMap, rc::Rc, time::Duration};

const MINUTE: Duration = Duration::from_secs(60);
const MS: Duration = Duration::from_millis(1);

for_each_protocol!(
    rows_28_and_50_what_was_reported_committed_outlives_a_power_failure_of_all,
    row_56_without_fsync_the_same_power_failure_loses_something,
    row_28_all_crash_in_the_middle_of_a_view_again_and_again_and_go_on,
    row_27_a_crash_between_signing_and_sending_leaves_one_statement_that_is_sent_again,
    row_55_a_replica_whose_disk_fails_stops_at_once_and_is_whole_after_a_restart,
    row_58_a_replica_that_lost_its_disks_comes_back_and_never_votes_twice,
    row_58_a_ledger_in_which_a_byte_was_changed_is_refused_at_start,
    row_54_a_journal_damaged_in_the_middle_is_never_skipped_over,
    row_53_a_journal_cut_at_any_byte_by_a_power_failure_is_a_shorter_journal,
);

/// Commits one transaction, lets power fail everywhere in the moment in which the first replica reports it, and starts
/// everybody. Whether it was still there then, without anybody handing it in again.
fn survives_power_failure<P: SimProtocol>(seed: u64, durability: Durability) -> bool {
    let builder = Cluster::of::<P>().seed(seed).durability(durability).client_retry(None).sync_ledger_every(1024);
    let mut cluster = builder.keep_violations().build();
    let height_of = |cluster: &Cluster<P>| cluster.running().map(|id| cluster.height(id)).max().unwrap_or_default();
    cluster.submit(["paid"]);
    cluster.run_until(|cluster| !cluster.effects().is_empty(), MINUTE);
    let reported = height_of(&cluster);
    cluster.crash_all();
    cluster.restart_all();
    cluster.try_until(|cluster| cluster.running().all(|id| cluster.height(id) >= reported), MINUTE)
        && cluster.violation().is_none()
        && (1..=reported.0).all(|height| cluster.header(height).is_some())
}

fn rows_28_and_50_what_was_reported_committed_outlives_a_power_failure_of_all<P: SimProtocol>() {
    for seed in 0..100 {
        assert!(survives_power_failure::<P>(seed, Durability::Always), "SEED={seed}");
    }
}

fn row_56_without_fsync_the_same_power_failure_loses_something<P: SimProtocol>() {
    let lost = (0..100).filter(|seed| !survives_power_failure::<P>(*seed, Durability::None)).count();
    assert!(lost > 0, "then the simulated disks forget nothing, and the test above shows nothing");
}

fn row_28_all_crash_in_the_middle_of_a_view_again_and_again_and_go_on<P: SimProtocol>() {
    for seed in 0..10 {
        let mut cluster = Cluster::of::<P>().seed(seed).build();
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

/// Statements of one replica that left it: where they stand, what they say, and to how many they went.
type Said = Rc<RefCell<BTreeMap<(Slot, View, Option<Height>), (Digest, usize)>>>;

fn watch<P: SimProtocol>(cluster: &mut Cluster<P>, whom: ReplicaId) -> Said {
    let said = Said::default();
    let (seen, committee) = (said.clone(), cluster.committee().clone());
    cluster.intercept(move |from, _, wire| {
        let promises = match wire {
            Wire::Consensus(message) if from == whom => P::promises_in(message, &committee),
            _ => Vec::new(),
        };
        for (_, promise) in promises.into_iter().filter(|(signer, _)| *signer == whom) {
            let mut seen = seen.borrow_mut();
            let place = (promise.slot, promise.view, promise.height);
            let (statement, count) = seen.entry(place).or_insert((promise.statement, 0));
            assert_eq!(*statement, promise.statement, "two statements in {place:?}");
            *count += 1;
        }
        Verdict::Pass
    });
    said
}

/// The journal's disk loses power before its first, second, ... change: between signing and writing, writing and syncing, syncing
/// and sending. The checkers see to it that no second statement is made; here, that the same one is made again.
fn row_27_a_crash_between_signing_and_sending_leaves_one_statement_that_is_sent_again<P: SimProtocol>() {
    let mut repeated = 0;
    for changes in 0..40 {
        let mut cluster = Cluster::of::<P>().seed(u64::from(changes)).build();
        let said = watch(&mut cluster, ReplicaId(2));
        cluster.fail_disk(2, DiskOf::Journal, DiskFault::PowerFailsBefore(changes));
        for round in 0..20 {
            cluster.submit_at(0, [format!("{round}")]);
            cluster.run_for(20 * MS);
        }
        assert!(!cluster.is_running(2), "the power failed");
        let before: Vec<_> = said.borrow().iter().map(|(place, (_, count))| (*place, *count)).collect();
        cluster.restart(2);
        cluster.run_for(2 * MS);
        repeated += before.iter().filter(|(place, count)| said.borrow()[place].1 > *count).count();
        cluster.settle();
        cluster.assert_agreement();
    }
    assert!(repeated > 0, "a restarted replica says its last words again");
}

fn row_55_a_replica_whose_disk_fails_stops_at_once_and_is_whole_after_a_restart<P: SimProtocol>() {
    let faults =
        [DiskFault::SyncFails, DiskFault::FullAfter(0), DiskFault::FullAfter(700), DiskFault::FullAfter(5_000)];
    for (seed, fault) in faults.into_iter().enumerate() {
        for disk in [DiskOf::Journal, DiskOf::Blocks] {
            let builder = Cluster::of::<P>().seed(seed as u64).sync_ledger_every(4);
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

fn row_58_a_replica_that_lost_its_disks_comes_back_and_never_votes_twice<P: SimProtocol>() {
    for seed in 0..10 {
        let mut cluster = Cluster::of::<P>().seed(seed).block_interval(20 * MS).checkpoint_interval(8).build();
        let said = watch(&mut cluster, ReplicaId(3));
        cluster.submit(["early"]);
        cluster.run_for(300 * MS + 7 * MS * u32::try_from(seed).expect("small"));
        let before = said.borrow().len();
        cluster.wipe(3);
        cluster.restart(3);
        let is_back = |cluster: &Cluster<P>| cluster.status(3).is_some_and(|status| !status.rejoining);
        while !is_back(&cluster) {
            assert!(cluster.now() < MINUTE, "it is not back");
            // Views must pass until it may speak; where leaders stay, they are cut off now and then.
            let leader = cluster.leader().0;
            cluster.partition([&[leader], &(0..4).filter(|id| *id != leader).collect::<Vec<_>>()]);
            cluster.run_for(1_200 * MS);
            cluster.heal();
            cluster.try_until(is_back, 1_000 * MS);
        }
        cluster.run_for(MINUTE / 20);
        assert!(said.borrow().len() > before, "it speaks again");
        assert!(cluster.height(3).0 > 50, "it has what it lost: {}", cluster.height(3));
        cluster.assert_agreement();
    }
}

fn row_58_a_ledger_in_which_a_byte_was_changed_is_refused_at_start<P: SimProtocol>() {
    for offset in [60, 400, 900] {
        let mut cluster = Cluster::of::<P>().kv().sync_ledger_every(1).build();
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

fn row_54_a_journal_damaged_in_the_middle_is_never_skipped_over<P: SimProtocol>() {
    let mut cluster = Cluster::of::<P>().build();
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

fn row_53_a_journal_cut_at_any_byte_by_a_power_failure_is_a_shorter_journal<P: SimProtocol>() {
    // What chance leaves of the tail: nothing, all, any part, zeros, garbage.
    for seed in 0..60 {
        let mut cluster = Cluster::of::<P>().seed(seed).flush_latency(5 * MS, 20 * MS).build();
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
