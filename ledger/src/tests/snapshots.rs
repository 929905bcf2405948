//! A ledger that begins from a snapshot: the same chain from there on, and an honest word about what is below.

use super::{
    anchor, assert_grown,
    faulty::{FATES, Faulty},
    genesis, grow, memory, value,
};
use crate::{
    Disk, Fetch, Index, Installed, Ledger, LedgerError, Manifest, MemoryDisk, MemoryIndex, State, Table, user_key,
};
use quorate_types::{Batch, Block, BoundedVec, ChainId, Digest, Height};

/// Its default checkpoint interval is 64.
const CHECKPOINT: u64 = 64;
const HEAD: u64 = 70;

fn server() -> super::Memory {
    let mut ledger = memory();
    grow(&mut ledger, HEAD);
    ledger
}

fn snapshot(server: &super::Memory) -> (Manifest, State) {
    let manifest = server.manifest(Height(5)).expect("readable").expect("it passed a checkpoint");
    let mut fetch = Fetch::new(manifest.app_root);
    while let Some(prefix) = fetch.next() {
        let chunk = server.chunk(manifest.header.height, &prefix).expect("kept");
        fetch.take(&chunk).expect("the truth");
    }
    (manifest, fetch.finish().expect("complete"))
}

fn open<D: Disk, I: Index>(disk: D, index: I) -> Result<Ledger<D, I>, LedgerError> {
    Ledger::open(disk, index, &genesis())
}

/// Five blocks of its own, then the snapshot.
fn installed() -> super::Memory {
    let mut ledger = memory();
    grow(&mut ledger, 5);
    let (manifest, state) = snapshot(&server());
    assert_eq!(ledger.install(manifest, state).expect("sound"), Installed::Done);
    ledger
}

fn blocks(server: &super::Memory, above: u64) -> (Vec<(Block, Vec<Batch>)>, Vec<u8>) {
    let stored = (above + 1..=HEAD).map(|height| server.block(Height(height)).expect("readable").expect("there"));
    let blocks: Vec<_> =
        stored.map(|s| (s.block, s.batches.iter().map(|batch| Batch::clone(batch)).collect())).collect();
    (blocks, server.head_proof().expect("readable").expect("above genesis"))
}

/// Whether it is the server's chain with everything below the checkpoint missing.
fn assert_begun<D: Disk, I: Index>(ledger: &Ledger<D, I>, height: u64) {
    let mut reference = memory();
    grow(&mut reference, height);
    assert_eq!(ledger.head(), reference.head());
    assert_eq!(ledger.state.root(), reference.state.root());
    assert_eq!(ledger.index.all(Table::State).expect("readable"), reference.index.all(Table::State).expect("memory"));
    for at in (0..=height).map(Height) {
        let held = reference.block(at).expect("memory");
        let is_below = (1..=CHECKPOINT).contains(&at.0);
        assert_eq!(ledger.held(at).is_err(), is_below, "{at}");
        let found = ledger.block(at).expect("readable").map(|stored| stored.block);
        assert_eq!(found, held.map(|stored| stored.block).filter(|_| !is_below), "{at}");
    }
    let key = user_key(b"k");
    assert_eq!(ledger.prove_state(&key).expect("readable").verify(&key, &anchor), Ok(()));
    assert!(ledger.history().is_err());
}

#[test]
fn the_chain_goes_on_above_a_snapshot_and_is_found_again() {
    let server = server();
    let mut ledger = installed();
    assert_begun(&ledger, CHECKPOINT);
    assert_eq!(
        ledger.finality(Height(CHECKPOINT)).expect("readable").expect("proven").verify(ledger.head(), &anchor),
        Ok(())
    );
    let reopened = open(ledger.store.disk.clone(), ledger.index.clone()).expect("sound");
    assert_begun(&reopened, CHECKPOINT);
    let (more, proof) = blocks(&server, CHECKPOINT);
    assert_eq!(ledger.append_synced(more, proof).expect("the same chain").len(), (HEAD - CHECKPOINT) as usize);
    assert_begun(&ledger, HEAD);
    ledger.sync().expect("memory");
    for index in [ledger.index.clone(), MemoryIndex::default()] {
        let mut again = open(ledger.store.disk.clone(), index).expect("sound");
        assert_begun(&again, HEAD);
        assert_eq!(value(&again, "k"), Some(HEAD.to_string()));
        grow(&mut again, HEAD + 3);
        assert_eq!(
            again.block(Height(HEAD + 2)).expect("readable").map(|s| s.block.header.height),
            Some(Height(HEAD + 2))
        );
    }
}

#[test]
fn what_is_not_held_is_said_so() {
    let ledger = installed();
    let error = ledger.held(Height(7)).expect_err("below").to_string();
    assert!(error.contains("height 7 ") && error.contains("snapshot at height 64"), "{error}");
    assert_eq!(ledger.header(Height(CHECKPOINT)).expect("readable").as_ref(), Some(ledger.head()));
    assert_eq!(ledger.height_of(&ledger.head().digest()), Some(Height(CHECKPOINT)));
    assert!(memory().held(Height(7)).is_ok(), "not there yet is another matter");
}

#[test]
fn one_that_began_from_a_snapshot_gives_it_on() {
    let first = installed();
    let (manifest, state) = snapshot(&first);
    let mut second = memory();
    assert_eq!(second.install(manifest, state).expect("sound"), Installed::Done);
    assert_begun(&second, CHECKPOINT);
}

/// Blocks 1 to 66 are executed and decided, the commits are on their way through the journal, and then a snapshot at 64 comes.
#[test]
fn commits_on_their_way_while_a_snapshot_is_installed_are_taken_for_what_they_are() {
    let server = server();
    let mut ledger = memory();
    let stored = |height| server.block(Height(height)).expect("readable").expect("there");
    for height in 1..=CHECKPOINT + 2 {
        let whole = stored(height);
        ledger.execute(&whole.block, whole.batches).expect("the same chain");
    }
    let (manifest, state) = snapshot(&server);
    assert_eq!(ledger.install(manifest, state).expect("sound"), Installed::Done);
    let mut commit = |height| {
        let digest = stored(height).block.digest();
        ledger.commit(&digest, digest.0.to_vec()).map(|blocks| blocks.len())
    };
    assert!(matches!([10, CHECKPOINT].map(&mut commit), [Ok(0), Ok(0)]), "the snapshot has passed them");
    assert_eq!(commit(CHECKPOINT + 2).expect("it stands above the snapshot"), 2);
    assert!(matches!(commit(HEAD), Err(LedgerError::NotExecuted { .. })), "another matter");
    assert_begun(&ledger, CHECKPOINT + 2);
}

#[test]
fn a_later_snapshot_replaces_an_earlier_one() {
    let mut ledger = installed();
    let mut server = server();
    grow(&mut server, 2 * CHECKPOINT + 1);
    let (manifest, state) = snapshot(&server);
    assert_eq!(ledger.install(manifest.clone(), state.clone()).expect("sound"), Installed::Done);
    assert_eq!(ledger.install(manifest, state).expect("sound"), Installed::Overtaken, "it stands there already");
    let files: Vec<_> = ledger.store.disk.files.keys().cloned().collect();
    assert_eq!(files, ["base-00000003"]);
    let ledger = open(ledger.store.disk, MemoryIndex::default()).expect("sound");
    assert_eq!(ledger.head().height, Height(2 * CHECKPOINT));
}

#[test]
fn a_power_failure_at_any_operation_leaves_the_old_ledger_or_the_new() {
    let mut before = memory();
    grow(&mut before, 5);
    before.sync().expect("memory");
    let (manifest, state) = snapshot(&server());
    let (mut old, mut new) = (0, 0);
    for at in 0..14 {
        for fate in FATES {
            let disk = Faulty::of(&before.store.disk);
            let mut ledger = open(disk.clone(), before.index.clone()).expect("sound");
            disk.fail(at, fate);
            let result = ledger.install(manifest.clone(), state.clone());
            for image in disk.after_power_failure() {
                for index in [before.index.clone(), ledger.index.clone(), MemoryIndex::default()] {
                    let mut opened =
                        open(image.clone(), index).unwrap_or_else(|error| panic!("operation {at} {fate:?}: {error}"));
                    let is_new = opened.head() == &manifest.header;
                    assert!(is_new || opened.head() == before.head(), "operation {at} {fate:?}");
                    let expected = if is_new { &state } else { &before.state };
                    let indexed = opened.index.all(Table::State).expect("readable");
                    assert_eq!((opened.state.root(), indexed.len()), (expected.root(), expected.len()));
                    assert!(is_new || result.is_err(), "operation {at} {fate:?}: installed, and gone again");
                    (old, new) = (old + u32::from(!is_new), new + u32::from(is_new));
                    let next = super::extend(&mut opened, vec![]).block;
                    let opened = open(opened.store.disk, MemoryIndex::default()).expect("sound");
                    assert_eq!(opened.head(), &next.header);
                }
            }
        }
    }
    assert!(old > 20 && new > 20, "{old} old, {new} new");
}

#[test]
fn a_base_in_which_anything_was_changed_is_refused() {
    let ledger = installed();
    let name = "base-00000002".to_owned();
    let len = ledger.store.disk.files[&name].len();
    for at in (0..len).step_by(61).chain([len - 1]) {
        let mut disk: MemoryDisk = ledger.store.disk.clone();
        if let Some(file) = disk.files.get_mut(&name) {
            file[at] ^= 1;
        }
        let error = open(disk, MemoryIndex::default()).expect_err("damaged").to_string();
        assert!(error.contains(&name), "byte {at}: {error}");
    }
    for kept in [0, 12, len / 2, len - 1] {
        let mut disk: MemoryDisk = ledger.store.disk.clone();
        disk.truncate(&name, kept as u64).expect("memory");
        assert!(open(disk, MemoryIndex::default()).is_err(), "cut to {kept} bytes");
    }
}

#[test]
fn a_snapshot_that_lies_changes_nothing() {
    let mut ledger = memory();
    grow(&mut ledger, 5);
    let (manifest, state) = snapshot(&server());
    let mut other = state.clone();
    other.insert(b"more".to_vec(), b"money".to_vec());
    let mut foreign = manifest.clone();
    foreign.header.chain = ChainId(Digest([7; 32]));
    let mut unlinked = manifest.clone();
    unlinked.below = BoundedVec::new(vec![manifest.header.clone()]).expect("one");
    let roots = Manifest { app_root: other.root(), ..manifest.clone() };
    let lies = [(manifest.clone(), other.clone()), (roots, other), (foreign, state.clone()), (unlinked, state.clone())];
    for (manifest, state) in lies {
        let error = ledger.install(manifest, state).expect_err("a lie");
        assert!(matches!(error, LedgerError::BadSnapshot { .. }), "{error}");
        assert_grown(&ledger, 5);
    }
    ledger.install(manifest, state).expect("the truth");
}
