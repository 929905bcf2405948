//! A damaged index file: noticed and rebuilt from the log, and never a wrong answer.

use super::{assert_grown, genesis, reopen::Home};
use crate::{Index, RedbIndex, Table};
use std::fs;

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
