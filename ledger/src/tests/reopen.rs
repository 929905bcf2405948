//! The ledger opened again on real files: a log in a directory and an index in redb.

use super::{assert_grown, genesis, grow};
use crate::{Disk, FileDisk, Genesis, Index, Ledger, LedgerError, MemoryIndex, RedbIndex, Table};
use quorate_types::Height;
use std::{fs, path::PathBuf};
use tempfile::TempDir;

pub(super) type Real = Ledger<FileDisk, RedbIndex>;

/// A data directory.
pub(super) struct Home(TempDir);

impl Home {
    pub(super) fn new() -> Self {
        Self(tempfile::tempdir().expect("temporary directory"))
    }

    pub(super) fn index(&self) -> PathBuf {
        self.0.path().join("index.redb")
    }

    pub(super) fn log(&self) -> PathBuf {
        self.0.path().join("blocks").join("blocks-00000001")
    }

    /// The ledger, and whether its index was found damaged.
    pub(super) fn try_open(&self, genesis: &Genesis) -> (Result<Real, LedgerError>, bool) {
        let disk = FileDisk::open(self.0.path().join("blocks")).expect("creatable");
        let (index, note) = RedbIndex::open_or_recreate(&self.index()).expect("recreatable");
        (Ledger::open(disk, index, genesis), note.is_some())
    }

    pub(super) fn open(&self) -> Real {
        self.try_open(&genesis()).0.expect("sound")
    }

    /// `height` blocks, all synced, and closed.
    pub(super) fn grown(height: u64) -> Self {
        let home = Self::new();
        home.grow(height);
        home
    }

    pub(super) fn grow(&self, height: u64) {
        let mut ledger = self.open();
        grow(&mut ledger, height);
        ledger.sync().expect("a good disk");
    }
}

#[test]
fn after_a_clean_sync_everything_is_there() {
    let home = Home::grown(4);
    assert_grown(&home.open(), 4);
    home.grow(6);
    assert_grown(&home.open(), 6);
}

#[test]
fn what_is_in_the_log_is_there_without_a_sync_when_only_the_process_ended() {
    let home = Home::new();
    grow(&mut home.open(), 4);
    assert_grown(&home.open(), 4);
}

#[test]
fn an_index_that_was_not_written_any_more_is_made_up_for_from_the_log() {
    let home = Home::grown(2);
    let before = fs::read(home.index()).expect("there");
    let mut ledger = home.open();
    grow(&mut ledger, 5);
    ledger.sync_blocks().expect("a good disk");
    grow(&mut ledger, 6);
    drop(ledger);
    assert_grown(&home.open(), 6);
    fs::write(home.index(), before).expect("writable");
    assert_grown(&home.open(), 6);
}

#[test]
fn an_unsynced_tail_may_be_lost_though_the_index_kept_it() {
    let home = Home::grown(2);
    let durable = fs::metadata(home.log()).expect("there").len();
    let mut ledger = home.open();
    grow(&mut ledger, 5);
    ledger.index.sync().expect("the index reaches the disk before the log");
    drop(ledger);
    let whole = fs::read(home.log()).expect("there");
    let kept = fs::read(home.index()).expect("there");
    for length in durable..=whole.len() as u64 {
        if !(length - durable).is_multiple_of(37) && length != whole.len() as u64 {
            continue;
        }
        fs::write(home.log(), &whole[..length as usize]).expect("writable");
        fs::write(home.index(), &kept).expect("writable");
        let ledger = home.open();
        let height = ledger.head().height.0;
        assert!((2..=5).contains(&height));
        assert_grown(&ledger, height);
    }
}

#[test]
fn unsynced_blocks_may_be_lost_in_any_order() {
    let home = Home::grown(2);
    let durable = fs::metadata(home.log()).expect("there").len() as usize;
    grow(&mut home.open(), 5);
    let mut bytes = fs::read(home.log()).expect("there");
    let kept = fs::read(home.index()).expect("there");
    bytes[durable..durable + 100].fill(0);
    fs::write(home.log(), &bytes).expect("writable");
    assert_grown(&home.open(), 2);

    bytes[durable - 1] ^= 1;
    fs::write(home.log(), &bytes).expect("writable");
    fs::write(home.index(), kept).expect("writable");
    let error = home.try_open(&genesis()).0.expect_err("below what was durable");
    assert!(matches!(error, LedgerError::Unsound { height: Height(2), .. }), "{error}");
}

#[test]
fn a_lost_index_is_rebuilt() {
    let home = Home::grown(5);
    fs::remove_file(home.index()).expect("there");
    assert_grown(&home.open(), 5);
}

#[test]
fn an_index_that_is_behind_catches_up() {
    for behind in 0..4 {
        let home = Home::new();
        home.grow(behind);
        let old = fs::read(home.index()).expect("there");
        home.grow(5);
        fs::write(home.index(), old).expect("writable");
        let ledger = home.open();
        assert_grown(&ledger, 5);
    }
}

#[test]
fn an_index_that_is_ahead_of_an_older_copy_of_the_log_is_refused_and_a_new_one_built() {
    let home = Home::grown(2);
    let old = fs::read(home.log()).expect("there");
    home.grow(5);
    fs::write(home.log(), old).expect("writable");
    let error = home.try_open(&genesis()).0.expect_err("three durable blocks are gone");
    assert!(matches!(error, LedgerError::Unsound { height: Height(3), .. }), "{error}");
    assert!(error.to_string().contains("ends before what was durable"), "{error}");
    fs::remove_file(home.index()).expect("there");
    assert_grown(&home.open(), 2);
}

#[test]
fn an_index_of_another_chain_is_rebuilt() {
    let other = Genesis { chain: "another".into(), ..genesis() };
    for foreign_height in [1, 3, 9] {
        let foreign = Home::new();
        let mut ledger = foreign.try_open(&other).0.expect("empty");
        for view in 0..foreign_height {
            super::extend(&mut ledger, vec![]);
            assert_eq!(ledger.head().height.0, view + 1);
        }
        ledger.sync().expect("a good disk");
        drop(ledger);
        let home = Home::grown(3);
        fs::copy(foreign.index(), home.index()).expect("writable");
        assert_grown(&home.open(), 3);
        assert_grown(&home.open(), 3);
    }
}

#[test]
fn a_log_of_another_chain_is_refused_at_its_first_block() {
    let home = Home::grown(3);
    let other = Genesis { chain: "another".into(), ..genesis() };
    let error = home.try_open(&other).0.expect_err("another chain's blocks");
    assert!(matches!(error, LedgerError::Unsound { height: Height(1), .. }), "{error}");
}

#[test]
fn an_index_whose_state_is_not_the_logs_is_rebuilt() {
    let mut ledger = super::memory();
    grow(&mut ledger, 3);
    ledger.sync().expect("memory");
    let key = crate::user_key(b"k");
    type Change = (Table, Vec<u8>, Option<Vec<u8>>);
    let changes: [Change; 3] = [
        (Table::State, key.clone(), Some(b"forged".to_vec())),
        (Table::State, key, None),
        (Table::State, b"k/more".to_vec(), Some(vec![1])),
    ];
    for change in changes {
        let mut index: MemoryIndex = ledger.index.clone();
        index.write(vec![change]).expect("memory");
        let opened = Ledger::open(ledger.store.disk.clone(), index, &genesis()).expect("rebuilt");
        assert_grown(&opened, 3);
    }
}

#[test]
fn the_directory_and_its_files_are_the_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let home = Home::grown(1);
    let mode = |path: &std::path::Path| fs::metadata(path).expect("there").permissions().mode() & 0o777;
    assert_eq!((mode(home.log().parent().expect("a directory")), mode(&home.log())), (0o700, 0o600));
    let disk = FileDisk::open(home.log().parent().expect("a directory")).expect("there");
    assert_eq!(disk.list().expect("readable"), ["blocks-00000001"]);
}
