//! Somebody changes the block log from outside, and repairs the checksums.

use super::{anchor, assert_grown, genesis, grow, memory};
use crate::{Ledger, LedgerError, MemoryDisk, MemoryIndex, record_log};
use quorate_types::Height;

const FILE: &str = "blocks-00000001";
const BLOCKS: u64 = 5;

type Opened = Result<Ledger<MemoryDisk, MemoryIndex>, LedgerError>;

struct Original {
    bytes: Vec<u8>,
    records: Vec<Vec<u8>>,
    index: MemoryIndex,
}

fn original() -> Original {
    let mut ledger = memory();
    grow(&mut ledger, BLOCKS);
    ledger.sync().expect("memory");
    let bytes = ledger.store.disk.files[FILE].clone();
    let (frames, _) = record_log::scan(&bytes, None).expect("just written");
    let records = frames.into_iter().map(|frame| frame.payload).collect();
    Original { bytes, records, index: ledger.index }
}

fn open(bytes: Vec<u8>, index: MemoryIndex) -> Opened {
    let files = [(FILE.to_owned(), bytes)].into();
    Ledger::open(MemoryDisk { files }, index, &genesis())
}

/// The log of `records`, in frames whose checksums are right.
fn framed(records: &[Vec<u8>]) -> Vec<u8> {
    let mut log = Vec::new();
    for record in records {
        let frame = record_log::frame(log.len() as u64, record).expect("small");
        log.extend_from_slice(&frame);
    }
    log
}

/// The height that a refusal names.
fn blamed(opened: &Opened) -> Option<u64> {
    match opened {
        Err(LedgerError::Unsound { height, .. }) => Some(height.0),
        Err(error) => panic!("refused without a height: {error}"),
        Ok(_) => None,
    }
}

#[test]
fn the_untouched_log_opens() {
    let Original { bytes, records, index } = original();
    assert_eq!(framed(&records), bytes);
    assert_grown(&open(bytes.clone(), index).expect("untouched"), BLOCKS);
    assert_grown(&open(bytes, MemoryIndex::default()).expect("untouched"), BLOCKS);
}

#[test]
fn a_changed_byte_is_refused_at_its_blocks_height() {
    let Original { bytes, records, index } = original();
    let mut end = 0;
    for (at_block, record) in records.iter().enumerate() {
        let (start, height) = (end, at_block as u64 + 1);
        end += record_log::FRAME_HEADER + record.len();
        for at in start..end {
            let mut changed = bytes.clone();
            changed[at] ^= 0x10;
            assert_eq!(blamed(&open(changed.clone(), index.clone())), Some(height), "byte {at}");
            let opened = open(changed, MemoryIndex::default());
            if height < BLOCKS {
                assert_eq!(blamed(&opened), Some(height), "byte {at} without an index");
            } else {
                // Nothing tells it from a torn write.
                assert_grown(&opened.expect("a torn tail is cut"), BLOCKS - 1);
            }
        }
    }
}

/// A changed block whose checksum was repaired. What only the commit proof covers is found by whoever checks that: the
/// proof's own bytes, and without an index the header of the last block.
#[test]
fn a_forged_byte_is_refused_at_its_blocks_height() {
    let Original { records, index, .. } = original();
    for (at_block, record) in records.iter().enumerate() {
        let height = at_block as u64 + 1;
        let mut undetected = 0;
        for at in 0..record.len() {
            let mut forged = records.clone();
            forged[at_block][at] ^= 0x01;
            let opened = open(framed(&forged), index.clone());
            match blamed(&opened) {
                Some(blamed) => assert_eq!(blamed, height, "byte {at} of block {height}"),
                None => {
                    let ledger = opened.expect("not blamed");
                    let header = ledger.block(Height(height)).expect("readable").expect("there").block.header;
                    let finality = ledger.finality(Height(height)).expect("readable").expect("there");
                    assert!(finality.verify(&header, &anchor).is_err(), "byte {at} of block {height} went unseen");
                    undetected += 1;
                }
            }
            let opened = open(framed(&forged), MemoryIndex::default());
            match blamed(&opened) {
                Some(blamed) if height + 1 == BLOCKS => assert!([height, height + 1].contains(&blamed)),
                Some(blamed) => assert_eq!(blamed, height, "byte {at} of block {height} without an index"),
                None => {
                    let ledger = opened.expect("not blamed");
                    let header = ledger.block(Height(height)).expect("readable").expect("there").block.header;
                    let finality = ledger.finality(Height(height)).expect("readable").expect("there");
                    assert!(finality.verify(&header, &anchor).is_err(), "byte {at} of block {height} went unseen");
                }
            }
        }
        assert_eq!(undetected, 32, "only the 32 bytes of the proof are not the ledger's to check");
    }
}

#[test]
fn two_blocks_swapped_are_refused_at_the_first_of_them() {
    let Original { records, index, .. } = original();
    for first in 0..records.len() {
        for second in first + 1..records.len() {
            let mut swapped = records.clone();
            swapped.swap(first, second);
            for index in [index.clone(), MemoryIndex::default()] {
                assert_eq!(blamed(&open(framed(&swapped), index)), Some(first as u64 + 1), "{first} and {second}");
            }
        }
    }
}

#[test]
fn a_dropped_block_is_refused_at_its_height() {
    let Original { records, index, .. } = original();
    for dropped in 0..records.len() {
        let mut without = records.clone();
        without.remove(dropped);
        assert_eq!(blamed(&open(framed(&without), index.clone())), Some(dropped as u64 + 1));
        if dropped + 1 < records.len() {
            assert_eq!(blamed(&open(framed(&without), MemoryIndex::default())), Some(dropped as u64 + 1));
        }
    }
}

#[test]
fn a_doubled_block_is_refused_where_the_second_stands() {
    let Original { records, .. } = original();
    for doubled in 0..records.len() {
        let mut twice = records.clone();
        twice.insert(doubled, records[doubled].clone());
        assert_eq!(blamed(&open(framed(&twice), MemoryIndex::default())), Some(doubled as u64 + 2));
    }
}

#[test]
fn the_whole_log_removed_or_emptied_is_refused_while_the_index_remembers_it() {
    let index = original().index;
    assert_eq!(blamed(&open(Vec::new(), index.clone())), Some(1));
    let gone = Ledger::open(MemoryDisk::default(), index, &genesis());
    let error = gone.expect_err("the log is gone").to_string();
    assert!(error.contains("blocks-00000001") && error.contains("missing"), "{error}");
}

#[test]
fn a_log_cut_at_any_byte_is_refused_below_what_was_durable_and_cut_above() {
    let Original { bytes, index, .. } = original();
    for cut in 0..bytes.len() {
        assert!(blamed(&open(bytes[..cut].to_vec(), index.clone())).is_some(), "cut at {cut}");
        let ledger = open(bytes[..cut].to_vec(), MemoryIndex::default()).expect("nothing says that it was durable");
        assert!(ledger.head().height.0 < BLOCKS);
    }
}

#[test]
fn a_block_that_changes_on_the_disk_later_is_not_served() {
    let mut ledger = memory();
    grow(&mut ledger, 2);
    let file = ledger.store.disk.files.get_mut(FILE).expect("there");
    let last = file.len() - 1;
    file[last] ^= 1;
    assert!(ledger.block(Height(1)).is_ok());
    assert!(matches!(ledger.block(Height(2)), Err(LedgerError::Unsound { height: Height(2), .. })));
}
