//! A damaged index file: noticed and rebuilt from the log, and never a wrong answer.

use super::{assert_grown, genesis, reopen::Home};
use crate::{Change, Index, RedbIndex, Table};
use std::{fs, path::PathBuf};

/// Opens the home with this index file; the answers must be right, whatever is in it.
fn opens_right(home: &Home, bytes: &[u8], what: &str) -> bool {
    fs::write(home.index(), bytes).expect("writable");
    let (opened, was_damaged) = home.try_open(&genesis());
    let ledger = opened.unwrap_or_else(|error| panic!("{what}: {error}"));
    assert_grown(&ledger, 4);
    was_damaged
}

#[test]
fn an_untouched_index_is_not_rebuilt_after_a_clean_end_or_a_killed_process() {
    let home = Home::grown(4);
    let bytes = fs::read(home.index()).expect("there");
    assert!(!opens_right(&home, &bytes, "untouched"));

    let mut ledger = home.open();
    ledger.sync().expect("a good disk");
    let killed = fs::read(home.index()).expect("there");
    drop(ledger);
    assert!(!opens_right(&home, &killed, "copied while it was open"));
}

#[test]
fn a_flipped_byte_anywhere_never_gives_a_wrong_answer() {
    let home = Home::grown(4);
    let good = fs::read(home.index()).expect("there");
    let used: Vec<usize> = (0..good.len()).filter(|&at| good[at] != 0).collect();
    assert!(used.len() > 500, "the file holds something");
    let mut noticed = 0;
    for (turn, &at) in used.iter().enumerate().filter(|(turn, _)| turn % (used.len() / 250) == 0) {
        let mut bytes = good.clone();
        bytes[at] ^= 1 << (turn % 8);
        noticed += usize::from(opens_right(&home, &bytes, &format!("byte {at}")));
    }
    assert!(noticed > 5, "{noticed} of 250: the checksums are looked at");
}

#[test]
fn a_file_cut_or_overwritten_is_rebuilt() {
    let home = Home::grown(4);
    let good = fs::read(home.index()).expect("there");
    for cut in [0, 1, 100, 4095, 4096, 8192, good.len() / 2, good.len() - 4096, good.len() - 1] {
        opens_right(&home, &good[..cut], &format!("cut at {cut}"));
    }
    for page in 0..16.min(good.len() / 4096) {
        for fill in [0, 0xff] {
            let mut bytes = good.clone();
            bytes[page * 4096..(page + 1) * 4096].fill(fill);
            opens_right(&home, &bytes, &format!("page {page} filled with {fill}"));
        }
    }
    assert!(opens_right(&home, b"not a database", "another file"));
}

#[test]
fn it_is_a_table_of_maps_written_whole() {
    let dir = tempfile::tempdir().expect("temporary directory");
    let path = dir.path().join("index.redb");
    let (mut index, note) = RedbIndex::open_or_recreate(&path).expect("new");
    assert_eq!(note, None);
    let change = |table, key: &[u8], value: Option<&[u8]>| (table, key.to_vec(), value.map(<[u8]>::to_vec));
    index
        .write(vec![
            change(Table::State, b"b", Some(b"2")),
            change(Table::State, b"a", Some(b"1")),
            change(Table::Meta, b"a", Some(b"meta")),
            change(Table::State, b"b", Some(b"3")),
        ])
        .expect("writes");
    index.write(vec![change(Table::State, b"none", None), change(Table::Digest, b"d", Some(b""))]).expect("writes");
    let entry = |key: &[u8], value: &[u8]| (key.to_vec(), value.to_vec());
    assert_eq!(index.all(Table::State).expect("reads"), [entry(b"a", b"1"), entry(b"b", b"3")], "later changes win");
    assert_eq!(index.get(Table::Digest, b"d").expect("reads"), Some(vec![]));
    assert_eq!(index.get(Table::Transaction, b"d").expect("reads"), None);
    index.sync().expect("syncs");
    drop(index);
    let (mut index, note) = RedbIndex::open_or_recreate(&path).expect("there");
    assert_eq!((note, index.get(Table::Meta, b"a").expect("reads")), (None, Some(b"meta".to_vec())));
    index.clear().expect("clears");
    assert_eq!(index.all(Table::State).expect("reads"), []);
}

#[test]
fn a_file_that_another_process_has_open_is_not_taken_for_a_damaged_one() {
    let dir = tempfile::tempdir().expect("temporary directory");
    let path = dir.path().join("index.redb");
    let (mut held, _) = RedbIndex::open_or_recreate(&path).expect("new");
    held.write(vec![(Table::Meta, vec![1], Some(vec![2]))]).expect("writes");
    assert!(RedbIndex::open_or_recreate(&path).is_err(), "removing it would pull it from under its owner");
    held.sync().expect("syncs");
    drop(held);
    let (index, note) = RedbIndex::open_or_recreate(&path).expect("free again");
    assert_eq!((note, index.get(Table::Meta, &[1]).expect("reads")), (None, Some(vec![2])));
}

/// A new index, and where it is.
fn index() -> (tempfile::TempDir, PathBuf, RedbIndex) {
    let dir = tempfile::tempdir().expect("temporary directory");
    let path = dir.path().join("index.redb");
    let (index, _) = RedbIndex::open_or_recreate(&path).expect("new");
    (dir, path, index)
}

fn put(key: u32, value: &[u8]) -> Change {
    (Table::State, key.to_be_bytes().to_vec(), Some(value.to_vec()))
}

fn value(index: &RedbIndex, key: u32) -> Option<Vec<u8>> {
    index.get(Table::State, &key.to_be_bytes()).expect("reads")
}

#[test]
fn the_last_write_is_read_wherever_older_ones_are() {
    let (_dir, path, mut index) = index();
    let removed = |key: u32| (Table::State, key.to_be_bytes().to_vec(), None);
    index.write(vec![put(1, b"file"), put(2, b"file"), put(3, b"file")]).expect("writes");
    index.sync().expect("syncs");
    index.write(vec![put(2, b"leaving"), removed(3), put(4, b"leaving")]).expect("writes");
    index.begin_sync().expect("begins");
    index.write(vec![put(4, b"held"), put(3, b"back")]).expect("writes");
    let expected = [(1, "file"), (2, "leaving"), (3, "back"), (4, "held")];
    let look = |index: &RedbIndex| {
        for (key, expected) in expected {
            assert_eq!(value(index, key), Some(expected.as_bytes().to_vec()), "{key}");
        }
        let all = index.all(Table::State).expect("reads");
        let expected = expected.map(|(key, value)| (key.to_be_bytes().to_vec(), value.as_bytes().to_vec()));
        assert_eq!(all, expected);
    };
    look(&index);
    index.begin_sync().expect("begins when the first has ended");
    look(&index);
    drop(index);
    look(&RedbIndex::open_or_recreate(&path).expect("free again").0);
}

#[test]
fn what_was_not_synced_is_not_in_the_file_and_what_was_is_there_whole() {
    let (_dir, path, mut index) = index();
    index.write(vec![put(1, b"synced")]).expect("writes");
    index.begin_sync().expect("begins");
    index.write(vec![put(1, b"later"), put(2, b"later")]).expect("writes");
    drop(index);
    let (index, note) = RedbIndex::open_or_recreate(&path).expect("free again");
    assert_eq!((note, value(&index, 1), value(&index, 2)), (None, Some(b"synced".to_vec()), None));
}

#[test]
fn more_than_memory_should_hold_goes_into_the_file() {
    let (_dir, path, mut index) = index();
    let many = 70_000;
    (0..many).for_each(|key| index.write(vec![put(key, &[7; 400])]).expect("writes"));
    assert_eq!(index.all(Table::State).expect("reads").len(), many as usize);
    index.clear().expect("clears");
    assert_eq!(value(&index, 1), None);
    index.write(vec![put(7, b"anew")]).expect("writes");
    index.sync().expect("syncs");
    drop(index);
    let (index, _) = RedbIndex::open_or_recreate(&path).expect("free again");
    assert_eq!(index.all(Table::State).expect("reads"), [(7_u32.to_be_bytes().to_vec(), b"anew".to_vec())]);
}

#[test]
fn transactions_are_found_in_whichever_part_they_are() {
    let (_dir, path, mut index) = index();
    let many: u32 = 150_000;
    let place = |key: u32, value: Option<&[u8]>| {
        (Table::Transaction, key.wrapping_mul(2_654_435_761).to_be_bytes().to_vec(), value.map(<[u8]>::to_vec))
    };
    let found = |index: &RedbIndex, key| {
        let (table, key, _) = place(key, None);
        index.get(table, &key).expect("reads")
    };
    for key in 0..many {
        index.write(vec![place(key, Some(&key.to_le_bytes()))]).expect("writes");
        if key % 20_000 == 0 {
            index.begin_sync().expect("begins");
        }
    }
    index.write(vec![place(1, Some(b"again")), place(2, None)]).expect("writes");
    index.sync().expect("syncs");
    drop(index);
    let (mut index, note) = RedbIndex::open_or_recreate(&path).expect("free again");
    assert_eq!(note, None);
    assert_eq!((found(&index, 1), found(&index, 2)), (Some(b"again".to_vec()), None));
    for key in [0, 3, 65_535, 65_536, 80_000, many - 1] {
        assert_eq!(found(&index, key), Some(key.to_le_bytes().to_vec()), "{key}");
    }
    assert_eq!(index.all(Table::Transaction).expect("reads").len(), many as usize - 1);
    index.clear().expect("clears");
    assert_eq!((index.all(Table::Transaction).expect("reads").len(), found(&index, 1)), (0, None));
}
