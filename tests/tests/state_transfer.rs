//! A replica far behind fetches a certified state and the blocks above it, not the blocks below, whatever others tell it.

use quorate_ledger::{Chunk, Item, KvOp, Manifest};
use quorate_sim::{Cluster, DiskOf, LinkSpec, SimProtocol, disk::DiskFault, for_each_protocol};
use quorate_types::{BoundedVec, Digest, Height, ReplicaId};
use quorate_validator::sync::{Blocks, SyncReply};
use std::{cell::RefCell, collections::BTreeSet, rc::Rc, time::Duration};

const HOUR: Duration = Duration::from_secs(3600);
const MS: Duration = Duration::from_millis(1);
const GAP: u64 = 64;

for_each_protocol!(
    a_replica_that_was_away_for_hundreds_of_heights_comes_back_by_a_snapshot,
    a_replica_that_was_away_for_a_moment_reads_the_blocks,
    row_16_whoever_gives_a_bad_snapshot_is_refused_and_the_next_one_asked,
    a_crash_at_any_moment_of_a_transfer_leaves_the_old_ledger_or_the_new,
    row_58_a_replica_that_lost_its_disks_comes_back_by_a_snapshot,
    a_transfer_outlives_the_checkpoints_of_a_fast_chain,
);

fn put<P: SimProtocol>(cluster: &mut Cluster<P>, round: usize, at: u16) {
    let key = BoundedVec::new(format!("key {round}").into_bytes()).expect("short");
    let value = BoundedVec::new(vec![round as u8; 20_000]).expect("below the limit");
    cluster.submit_op(1 + round % 5, at, &KvOp::Put { key, value });
}

/// A cluster whose state fills several chunks, that makes a block every 20 ms, and whose replica 3 is down.
fn without_one<P: SimProtocol>(seed: u64) -> Cluster<P> {
    let builder = Cluster::of::<P>().kv().seed(seed).checkpoint_interval(8).snapshot_gap(GAP);
    let mut cluster = builder.block_interval(20 * MS).timeout(200 * MS).build();
    for round in 0..50 {
        put(&mut cluster, round, (round % 3) as u16);
        cluster.run_for(5 * MS);
    }
    cluster.run_until(Cluster::is_settled, HOUR);
    cluster.crash(3);
    cluster
}

fn run_on<P: SimProtocol>(cluster: &mut Cluster<P>, heights: u64) {
    let target = cluster.committed().0 + heights;
    cluster.run_until(|cluster| cluster.committed().0 >= target, HOUR);
}

/// Heights of all blocks that were given to replica 3.
fn watch_blocks<P: SimProtocol>(cluster: &mut Cluster<P>) -> Rc<RefCell<BTreeSet<Height>>> {
    let given = Rc::<RefCell<BTreeSet<Height>>>::default();
    let seen = given.clone();
    cluster.corrupt_answers(move |_, to, _, reply| {
        if let (ReplicaId(3), SyncReply::Blocks(Blocks { blocks, .. })) = (to, &reply) {
            seen.borrow_mut().extend(blocks.iter().map(|whole| whole.block.header.height));
        }
        Some(reply)
    });
    given
}

fn is_back<P: SimProtocol>(cluster: &Cluster<P>) -> bool {
    cluster.is_running(3) && cluster.height(3).0 + 8 >= cluster.committed().0
}

/// It votes again, holds the same chain and state as the others, and takes part in what comes.
fn assert_whole<P: SimProtocol>(cluster: &mut Cluster<P>) {
    cluster.submit_at(3, ["afterwards"]);
    cluster.settle();
    cluster.assert_agreement();
    for key in ["key 0", "key 49", "afterwards"] {
        assert_eq!(cluster.get(3, key.as_bytes()), cluster.get(0, key.as_bytes()), "{key}");
        assert!(cluster.get(3, key.as_bytes()).is_some(), "{key}");
    }
}

fn a_replica_that_was_away_for_hundreds_of_heights_comes_back_by_a_snapshot<P: SimProtocol>() {
    for seed in 0..3 {
        let mut cluster = without_one::<P>(seed);
        let left_at = cluster.committed();
        run_on(&mut cluster, 300);
        let given = watch_blocks(&mut cluster);
        cluster.restart(3);
        cluster.run_until(is_back, HOUR);
        let base = cluster.began_at(3).expect("it did not read hundreds of blocks");
        assert!(base.0 > left_at.0 + 300 - GAP, "it left at {left_at} and began again at {base}");
        assert!(cluster.messages("ask_chunk") > 2, "its state fills several chunks");
        assert!(given.borrow().iter().all(|height| *height > base), "it fetched {:?} too", given.borrow().first());
        assert_whole(&mut cluster);
        cluster.crash(3);
        cluster.restart(3);
        assert_eq!(cluster.began_at(3), Some(base), "and found it again on its disk");
        assert_whole(&mut cluster);
    }
}

fn a_replica_that_was_away_for_a_moment_reads_the_blocks<P: SimProtocol>() {
    let mut cluster = without_one::<P>(0);
    run_on(&mut cluster, GAP / 3);
    cluster.restart(3);
    cluster.run_until(is_back, HOUR);
    assert_eq!((cluster.began_at(3), cluster.messages("ask_manifest")), (None, 0));
    assert_whole(&mut cluster);
}

#[derive(Clone, Copy, Debug)]
enum Lie {
    WrongRoot,
    ForgedProof,
    OldSnapshot,
    WrongValue,
    Truncated,
    Oversized,
    EndlessSplits,
    AnotherQuestion,
}

const LIES: [Lie; 8] = [
    Lie::WrongRoot,
    Lie::ForgedProof,
    Lie::OldSnapshot,
    Lie::WrongValue,
    Lie::Truncated,
    Lie::Oversized,
    Lie::EndlessSplits,
    Lie::AnotherQuestion,
];

fn items(items: Vec<Item>) -> SyncReply {
    SyncReply::Chunk(Some(Chunk { items: BoundedVec::new(items).expect("few") }))
}

/// What a liar makes of an honest answer.
fn lie_about(lie: Lie, reply: SyncReply, old: &Manifest) -> SyncReply {
    match (lie, reply) {
        (Lie::WrongRoot, SyncReply::Manifest(Some(mut manifest))) => {
            manifest.app_root = Digest([7; 32]);
            SyncReply::Manifest(Some(manifest))
        }
        (Lie::ForgedProof, SyncReply::Manifest(Some(mut manifest))) => {
            manifest.proof = old.proof.clone();
            SyncReply::Manifest(Some(manifest))
        }
        (Lie::OldSnapshot, SyncReply::Manifest(Some(_))) => SyncReply::Manifest(Some(Box::new(old.clone()))),
        (Lie::WrongValue, SyncReply::Chunk(Some(chunk))) => {
            let mut forged = chunk.items.into_inner();
            let leaf = forged.iter_mut().find_map(|item| match item {
                Item::Leaf { value, .. } => Some(value),
                Item::Empty | Item::Branch | Item::Cut(_) => None,
            });
            let leaf = leaf.expect("a chunk has leaves");
            *leaf = BoundedVec::new(vec![9; leaf.len()]).expect("as long as it was");
            items(forged)
        }
        (Lie::Truncated, SyncReply::Chunk(Some(chunk))) => items(chunk.items[..chunk.items.len() / 2].to_vec()),
        (Lie::Oversized, SyncReply::Chunk(Some(chunk))) => {
            items(chunk.items.iter().cloned().chain([Item::Empty, Item::Empty]).collect())
        }
        (Lie::EndlessSplits, SyncReply::Chunk(Some(_))) => items(vec![Item::Cut(old.app_root)]),
        (Lie::AnotherQuestion, SyncReply::Chunk(Some(_))) => SyncReply::Blocks(Blocks::default()),
        (_, reply) => reply,
    }
}

/// The first snapshot that anybody gives.
fn first_snapshot<P: SimProtocol>(cluster: &mut Cluster<P>) -> Manifest {
    let first = Rc::<RefCell<Option<Manifest>>>::default();
    let seen = first.clone();
    cluster.corrupt_answers(move |_, _, _, reply| {
        if let SyncReply::Manifest(Some(manifest)) = &reply {
            seen.borrow_mut().get_or_insert_with(|| *manifest.clone());
        }
        Some(reply)
    });
    cluster.restart(3);
    cluster.run_until(is_back, HOUR);
    first.take().expect("it fetched one")
}

/// The first two that have something to lie about are the liars.
fn row_16_whoever_gives_a_bad_snapshot_is_refused_and_the_next_one_asked<P: SimProtocol>() {
    for (seed, lie) in LIES.into_iter().enumerate() {
        let mut cluster = without_one::<P>(seed as u64);
        run_on(&mut cluster, 100);
        let mut old = first_snapshot(&mut cluster);
        cluster.crash(3);
        run_on(&mut cluster, 100);
        let told = Rc::<RefCell<BTreeSet<ReplicaId>>>::default();
        let liars = told.clone();
        cluster.corrupt_answers(move |from, _, _, reply| {
            if let (SyncReply::Manifest(Some(manifest)), Lie::EndlessSplits) = (&reply, lie) {
                old.app_root = manifest.app_root;
            }
            let (answer, mut liars) = (lie_about(lie, reply.clone(), &old), liars.borrow_mut());
            if answer != reply && liars.len() < 2 {
                liars.insert(from);
            }
            Some(if liars.contains(&from) { answer } else { reply })
        });
        let base = cluster.began_at(3);
        cluster.restart(3);
        cluster.run_until(is_back, HOUR);
        let refused: BTreeSet<_> = cluster.refusals().iter().map(|(_, liar, _)| *liar).collect();
        assert_eq!((refused.len(), &refused), (2, &*told.borrow()), "{lie:?}: {:?}", cluster.refusals());
        assert!(cluster.began_at(3) > base, "{lie:?}");
        cluster.corrupt_answers(|_, _, _, reply| Some(reply));
        assert_whole(&mut cluster);
    }
}

fn a_crash_at_any_moment_of_a_transfer_leaves_the_old_ledger_or_the_new<P: SimProtocol>() {
    let mut begun = 0;
    for change in 0..16u32 {
        let mut cluster = without_one::<P>(u64::from(change));
        run_on(&mut cluster, 150);
        cluster.restart(3);
        // Every other one dies before its first chunk has come; the rest while it writes the state to its disk.
        if change % 4 == 3 {
            cluster.run_until(|cluster| cluster.messages("ask_chunk") > u64::from(change / 4), HOUR);
            cluster.crash(3);
        } else {
            cluster.run_until(|cluster| cluster.messages("ask_chunk") > 1, HOUR);
            cluster.fail_disk(3, DiskOf::Blocks, DiskFault::PowerFailsBefore(change));
            cluster.try_until(|cluster| !cluster.is_running(3), 2_000 * MS);
            cluster.crash(3);
        }
        cluster.restart(3);
        assert!(cluster.is_running(3), "from the old ledger or the new");
        begun += u32::from(cluster.began_at(3).is_some());
        cluster.run_until(is_back, HOUR);
        assert!(cluster.began_at(3).is_some());
        assert_whole(&mut cluster);
    }
    assert!(begun > 0 && begun < 16, "{begun} of 16 times it was there already");
}

fn row_58_a_replica_that_lost_its_disks_comes_back_by_a_snapshot<P: SimProtocol>() {
    for seed in 0..3 {
        let mut cluster = without_one::<P>(seed);
        run_on(&mut cluster, 150);
        cluster.wipe(3);
        let given = watch_blocks(&mut cluster);
        cluster.restart(3);
        cluster.run_until(is_back, HOUR);
        let base = cluster.began_at(3).expect("it did not read everything from the start");
        assert!(given.borrow().iter().all(|height| *height > base), "it fetched {:?} too", given.borrow().first());
        assert_whole(&mut cluster);
    }
}

/// A checkpoint every two heights, and answers that take as long as several of them.
fn a_transfer_outlives_the_checkpoints_of_a_fast_chain<P: SimProtocol>() {
    let builder = Cluster::of::<P>().kv().seed(1).checkpoint_interval(2).snapshot_gap(GAP);
    let mut cluster = builder.block_interval(20 * MS).build();
    for round in 0..50 {
        put(&mut cluster, round, 0);
        cluster.run_for(5 * MS);
    }
    cluster.run_until(Cluster::is_settled, HOUR);
    cluster.crash(3);
    run_on(&mut cluster, 150);
    let slow = LinkSpec { delay: 60 * MS, ..LinkSpec::default() };
    (0..3).for_each(|other| cluster.link(other, 3, slow));
    cluster.restart(3);
    cluster.run_until(|cluster| cluster.began_at(3).is_some(), HOUR);
    assert_eq!(cluster.messages("ask_manifest"), 1, "one transfer was enough");
}
