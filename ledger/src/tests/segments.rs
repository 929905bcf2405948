//! A log of several files, and power failures while it grows.

use super::{
    assert_grown,
    faulty::{FATES, Fate, Faulty},
    genesis, grow,
};
use crate::{Disk, Index, Ledger, LedgerError, MemoryDisk, MemoryIndex};
use quorate_types::Height;

fn open<D: Disk, I: Index>(disk: D, index: I, segment: u64) -> Result<Ledger<D, I>, LedgerError> {
    Ledger::open_with(disk, index, &genesis(), segment)
}

/// Seven blocks in segments that are closed at `segment` bytes.
fn grown(segment: u64) -> (MemoryDisk, MemoryIndex) {
    let mut ledger = open(MemoryDisk::default(), MemoryIndex::default(), segment).expect("empty");
    grow(&mut ledger, 7);
    ledger.sync().expect("memory");
    (ledger.store.disk, ledger.index)
}

fn name(segment: usize) -> String {
    format!("blocks-{segment:08}")
}

#[test]
fn blocks_of_any_segment_are_found_again() {
    let one_block = grown(u64::MAX).0.len(&name(1)).expect("there") / 7;
    for (segment, files) in [(1, 7), (one_block + 1, 4), (3 * one_block, 3), (u64::MAX, 1)] {
        let (disk, index) = grown(segment);
        assert_eq!(disk.files.len(), files, "segments of {segment} bytes");
        for index in [index, MemoryIndex::default()] {
            let mut ledger = open(disk.clone(), index, segment).expect("sound");
            assert_grown(&ledger, 7);
            grow(&mut ledger, 9);
            ledger.sync().expect("memory");
            assert_grown(&open(ledger.store.disk, ledger.index, segment).expect("sound"), 9);
        }
    }
}

#[test]
fn a_missing_segment_is_refused_by_name() {
    let (disk, index) = grown(1);
    for missing in 1..=7 {
        for (index, is_remembered) in [(index.clone(), true), (MemoryIndex::default(), false)] {
            let mut without = disk.clone();
            without.remove(&name(missing)).expect("there");
            if missing == 7 && !is_remembered {
                assert_grown(&open(without, index, 1).expect("nothing says that there was more"), 6);
            } else {
                let error = open(without, index, 1).expect_err("a gap").to_string();
                assert!(error.contains(&name(missing)) && error.contains("missing"), "{error}");
            }
        }
    }
}

#[test]
fn a_closed_segment_is_never_cut() {
    let (disk, _) = grown(1);
    for closed in 1..7 {
        let length = disk.len(&name(closed)).expect("there");
        for cut in 0..length {
            let mut torn = disk.clone();
            torn.truncate(&name(closed), cut).expect("memory");
            match open(torn, MemoryIndex::default(), 1) {
                Err(LedgerError::Unsound { height, .. }) => {
                    // A segment emptied altogether shows at its block's height as well: the next one does not follow.
                    assert_eq!(height, Height(closed as u64), "cut at {cut}");
                }
                other => panic!("cut at {cut}: {:?}", other.map(|ledger| ledger.head().height)),
            }
        }
    }
}

#[test]
fn files_of_other_names_are_left_alone() {
    let (mut disk, index) = grown(1);
    for name in ["blocks-1", "blocks-00000003.bak", "blocks-+0000003", "notes"] {
        disk.append(name, b"a person's").expect("memory");
    }
    assert_grown(&open(disk, index, 1).expect("sound"), 7);
}

/// Grows to 6, synced at every even height, until the disk fails. What was synced last, and the index then.
fn grow_until_failure(disk: Faulty, segment: u64) -> (u64, MemoryIndex, Option<MemoryIndex>) {
    let (mut durable, mut kept) = (0, MemoryIndex::default());
    let Ok(mut ledger) = open(disk, MemoryIndex::default(), segment) else { return (0, kept, None) };
    for height in 1..=6 {
        let next = ledger.head().height.0;
        let batches = vec![
            super::batch([super::tx(&super::rich(), 2 * next, &super::put("k", &format!("{height}")))]),
            super::batch([super::tx(&super::rich(), 2 * next + 1, &super::put(&format!("at {height}"), "x"))]),
        ];
        let head = ledger.head().digest();
        let block = super::build(&mut ledger, &head, height, batches);
        let digest = block.digest();
        if ledger.commit(&digest, super::proof(&digest)).is_err() {
            break;
        }
        if height % 2 == 0 {
            if ledger.sync().is_err() {
                break;
            }
            (durable, kept) = (height, ledger.index.clone());
        }
    }
    (durable, kept, Some(ledger.index))
}

#[test]
fn a_power_failure_at_any_operation_loses_nothing_that_was_synced() {
    for segment in [1, 1500, u64::MAX] {
        for at in 0..40 {
            for fate in FATES {
                let disk = Faulty::default();
                disk.fail(at, fate);
                let (durable, kept, latest) = grow_until_failure(disk.clone(), segment);
                for image in disk.after_power_failure() {
                    // The index may be the one that was synced, a later one, or gone.
                    for index in
                        [Some(kept.clone()), latest.clone(), Some(MemoryIndex::default())].into_iter().flatten()
                    {
                        let ledger = open(image.clone(), index, segment)
                            .unwrap_or_else(|error| panic!("operation {at} {fate:?}, segments of {segment}: {error}"));
                        let height = ledger.head().height.0;
                        assert!(height >= durable, "operation {at} {fate:?}: {height} where {durable} was synced");
                        assert_grown(&ledger, height);
                    }
                }
            }
        }
    }
}

#[test]
fn after_a_failed_write_or_sync_nothing_is_written_any_more() {
    // One block is an append, a sync of it is two operations.
    for (at, fate) in [(0, Fate::HalfDone), (0, Fate::NotDone), (1, Fate::NotDone), (2, Fate::NotDone)] {
        let disk = Faulty::default();
        let mut ledger = open(disk.clone(), MemoryIndex::default(), u64::MAX).expect("empty");
        grow(&mut ledger, 2);
        ledger.sync().expect("the disk is good");
        disk.fail_once(at, fate);
        let head = ledger.head().digest();
        let block = super::build(&mut ledger, &head, 9, vec![]).digest();
        let failed = ledger.commit(&block, vec![]).is_err() || ledger.sync().is_err();
        assert!(failed, "operation {at}");
        let error = ledger.sync().expect_err("though the disk works again").to_string();
        assert!(error.contains("since it failed"), "{error}");
        for image in disk.after_power_failure() {
            assert!(open(image, ledger.index.clone(), u64::MAX).expect("sound").head().height >= Height(2));
        }
    }
}

#[test]
fn what_an_earlier_process_wrote_is_synced_with_what_comes_after() {
    let disk = Faulty::default();
    let mut ledger = open(disk.clone(), MemoryIndex::default(), u64::MAX).expect("empty");
    grow(&mut ledger, 3);
    let index = ledger.index.clone();
    drop(ledger);
    let mut ledger = open(disk.clone(), index, u64::MAX).expect("the process ended, the machine did not");
    ledger.sync().expect("the disk is good");
    for image in disk.after_power_failure() {
        assert_grown(&open(image, ledger.index.clone(), u64::MAX).expect("sound"), 3);
    }
}

#[test]
fn much_that_nobody_asked_to_sync_reaches_the_disk_a_megabyte_at_a_time() {
    let disk = Faulty::default();
    let mut ledger = open(disk.clone(), MemoryIndex::default(), u64::MAX).expect("empty");
    grow(&mut ledger, 1);
    ledger.sync().expect("the disk is good");
    for view in 2..=8 {
        let head = ledger.head().digest();
        let block = super::build(&mut ledger, &head, view, vec![]).digest();
        ledger.commit(&block, vec![0; 300 * 1024]).expect("the disk is good");
    }
    for image in disk.after_power_failure() {
        let height = open(image, ledger.index.clone(), u64::MAX).expect("sound").head().height;
        assert!(height >= Height(5), "four blocks are more than a megabyte: {height}");
    }
}
