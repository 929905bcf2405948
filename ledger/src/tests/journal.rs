//! The vote journal under power failures, damage and strangers' files.

use super::faulty::{FATES, Fate, Faulty};
use crate::{
    Binding, Disk, Durability, Entry, FileDisk, Journal, JournalError, LogError, MemoryDisk, Protocol,
    record_log::{self, MAX_PAYLOAD},
};
use proptest::prelude::*;
use quorate_types::{BoundedVec, encode};

type Record = BoundedVec<u8, { 128 * 1024 * 1024 }>;
const FIRST: &str = "journal-00000001";

fn record(number: u8) -> Entry<Record> {
    Entry::Record(super::bytes([number; 5]))
}

fn entries(numbers: impl IntoIterator<Item = u8>) -> Vec<Entry<Record>> {
    [Entry::Birth].into_iter().chain(numbers.into_iter().map(record)).collect()
}

fn open<D: Disk>(disk: D) -> Result<Vec<Entry<Record>>, JournalError> {
    Journal::open(disk, binding()).map(|(_, entries)| entries)
}

fn binding() -> Binding {
    Binding::of(&crate::genesis::tests::genesis(4))
}

/// A new journal that was opened once.
fn bound() -> Journal<MemoryDisk, Record> {
    let born = Journal::<_, Record>::create(MemoryDisk::default()).expect("memory");
    Journal::open(born.into_disk(), binding()).expect("sound").0
}

/// A journal on which `numbers` were flushed one by one.
fn journal(numbers: impl IntoIterator<Item = u8>) -> MemoryDisk {
    let mut journal = bound();
    for number in numbers {
        journal.push(record(number));
        journal.flush(Durability::Always).expect("memory");
    }
    journal.into_disk()
}

#[test]
fn what_was_flushed_is_there_again_in_order() {
    assert_eq!(open(journal(0..3)).expect("sound"), entries(0..3));
    let mut unflushed = bound();
    unflushed.push(record(1));
    assert_eq!(open(unflushed.into_disk()).expect("sound"), entries([]), "pushed is not flushed");
}

#[test]
fn a_journal_is_made_once_and_a_lost_one_is_missed() {
    let exists = Journal::<_, Record>::create(journal([1])).expect_err("its promises would be forgotten");
    assert!(matches!(exists, JournalError::Exists { ref file } if file == FIRST), "{exists}");
    assert!(matches!(open(MemoryDisk::default()), Err(JournalError::Missing { .. })));
    let mut emptied = journal([1]);
    emptied.truncate(FIRST, 0).expect("memory");
    assert!(matches!(open(emptied), Err(JournalError::Log(LogError::Damaged { offset: 0, .. }))), "emptied, not lost");
}

#[test]
fn a_journal_with_a_bad_beginning_is_refused_and_left_as_it_is() {
    let mut born = Journal::<_, Record>::create(MemoryDisk::default()).expect("memory").into_disk();
    let good = born.files.remove(FIRST).expect("there");
    for at in 0..good.len() {
        let dir = tempfile::tempdir().expect("temporary directory");
        let mut bad = good.clone();
        bad[at] ^= 1;
        std::fs::write(dir.path().join(FIRST), &bad).expect("written");
        let error = open(FileDisk::open(dir.path()).expect("there")).expect_err("its one frame is bad, not torn");
        assert!(matches!(error, JournalError::Log(LogError::Damaged { offset: 0, .. })), "byte {at}: {error}");
        assert_eq!(std::fs::read(dir.path().join(FIRST)).expect("there"), bad);
    }
}

#[test]
fn creation_cut_off_anywhere_leaves_a_whole_journal_or_none() {
    for at in 0.. {
        let mut is_done = false;
        for fate in FATES {
            let disk = Faulty::default();
            disk.fail(at, fate);
            is_done = Journal::<_, Record>::create(disk.clone()).is_ok();
            for image in disk.after_power_failure() {
                match open(image.clone()) {
                    Ok(found) => assert_eq!(found, entries([])),
                    Err(JournalError::Missing { .. }) => {
                        assert!(!is_done, "reported as made, and gone");
                        Journal::<_, Record>::create(image).expect("it can be made again");
                    }
                    Err(error) => panic!("operation {at} {fate:?}: {error}"),
                }
            }
        }
        if is_done {
            return;
        }
    }
}

#[test]
fn rotation_cut_off_anywhere_leaves_all_old_entries_or_all_new_ones() {
    let before = journal(0..4);
    let (old, new) = (entries(0..4), entries([2, 3, 9]));
    for at in 0.. {
        let mut is_done = false;
        for fate in FATES {
            let disk = Faulty::of(&before);
            let (mut journal, _) = Journal::open(disk.clone(), binding()).expect("sound");
            disk.fail(at, fate);
            let rotated = journal.rotate([2, 3, 9].map(record).into());
            is_done = rotated.is_ok();
            journal.push(record(10));
            assert!(journal.flush(Durability::Always).is_err(), "a failed journal stays failed");
            for image in disk.after_power_failure() {
                let found = open(image).unwrap_or_else(|error| panic!("operation {at} {fate:?}: {error}"));
                let with_next = [new.clone(), vec![record(10)]].concat();
                let is_whole = found == new || found == with_next || (found == old && !is_done);
                assert!(is_whole, "operation {at} {fate:?}: {found:?}");
            }
        }
        if is_done {
            assert!(at >= 5, "rotation writes, syncs, renames, syncs the directory and removes");
            return;
        }
    }
}

#[test]
fn a_flush_cut_off_anywhere_leaves_all_of_it_or_nothing() {
    let before = journal(0..2);
    for at in 0..3 {
        for fate in FATES {
            let disk = Faulty::of(&before);
            let (mut journal, _) = Journal::open(disk.clone(), binding()).expect("sound");
            disk.fail(at, fate);
            journal.push(record(2));
            journal.push(record(3));
            let flushed = journal.flush(Durability::Always);
            assert_eq!(flushed.is_ok(), at >= 2);
            for image in disk.after_power_failure() {
                let found = open(image).unwrap_or_else(|error| panic!("operation {at} {fate:?}: {error}"));
                assert!(found == entries(0..4) || (found == entries(0..2) && flushed.is_err()), "{found:?}");
            }
        }
    }
}

#[test]
fn after_a_failed_write_or_sync_nothing_is_written_any_more() {
    for (at, fate) in [(0, Fate::NotDone), (0, Fate::HalfDone), (1, Fate::NotDone)] {
        let disk = Faulty::of(&journal([0]));
        let (mut journal, _) = Journal::open(disk.clone(), binding()).expect("sound");
        disk.fail_once(at, fate);
        journal.push(record(1));
        assert!(journal.flush(Durability::Always).is_err());
        journal.push(record(2));
        let again = journal.flush(Durability::Always).expect_err("though the disk works again").to_string();
        assert!(again.contains("since it failed: the power is gone"), "{again}");
        assert!(journal.rotate(vec![record(2)]).is_err());
        let found = open(disk.after_power_failure().pop().expect("the fullest")).expect("not damaged in the middle");
        assert!(!found.contains(&record(2)));
    }
}

#[test]
fn what_an_earlier_process_wrote_is_durable_before_it_is_read() {
    let disk = Faulty::of(&journal([0]));
    let (mut journal, _) = Journal::open(disk.clone(), binding()).expect("sound");
    journal.push(record(1));
    journal.flush(Durability::None).expect("written");
    drop(journal);
    assert_eq!(open(disk.clone()).expect("sound"), entries(0..2));
    for image in disk.after_power_failure() {
        assert_eq!(open(image).expect("sound"), entries(0..2), "it was read, so it may have been said again");
    }
}

#[test]
fn damage_in_the_middle_is_refused_with_file_and_offset() {
    let good = journal(0..3);
    let (frames, _) = record_log::scan(&good.files[FIRST], None).expect("sound");
    for frame in &frames[..3] {
        for at in frame.offset as usize..frame.offset as usize + record_log::FRAME_HEADER + frame.payload.len() {
            let mut damaged = good.clone();
            damaged.files.get_mut(FIRST).expect("there")[at] ^= 0x20;
            match open(damaged) {
                Err(JournalError::Log(LogError::Damaged { file, offset, .. })) => {
                    assert_eq!((file.as_str(), offset), (FIRST, frame.offset));
                }
                other => panic!("byte {at}: {other:?}"),
            }
        }
    }
}

#[test]
fn a_journal_cut_at_any_byte_keeps_its_whole_frames() {
    let good = journal(0..3);
    for cut in 0..good.files[FIRST].len() {
        let mut disk = good.clone();
        disk.truncate(FIRST, cut as u64).expect("memory");
        match open(disk) {
            Ok(found) => assert_eq!(found[..], entries(0..3)[..found.len()]),
            Err(JournalError::Log(_)) => assert!(cut < record_log::FRAME_HEADER + 1, "the birth is whole"),
            Err(error) => panic!("cut at {cut}: {error}"),
        }
    }
}

#[test]
fn a_journal_of_another_version_is_named_as_such() {
    for stranger in [vec![7, 7, 7], [encode(&record(1)), vec![2, 0]].concat()] {
        let mut disk = journal([1]);
        let offset = disk.len(FIRST).expect("there");
        disk.append(FIRST, &record_log::frame(offset, &stranger).expect("small")).expect("memory");
        let error = open(disk).expect_err("not ours");
        assert!(matches!(error, JournalError::Foreign { offset: at, .. } if at == offset), "{error:?}");
        assert!(error.to_string().contains("another version"), "{error}");
    }
}

#[test]
fn a_journal_of_another_chain_or_protocol_is_refused_before_its_records_are_read() {
    let other = Binding { protocol: Protocol::Pbft, ..binding() };
    for disk in [journal([]), journal([1])] {
        let error = Journal::<_, Record>::open(disk.clone(), other).expect_err("promises of another protocol");
        assert!(matches!(error, JournalError::OtherChain { .. }), "{error:?}");
        let text = error.to_string();
        for part in [FIRST, "(hotstuff, ed25519)", "(pbft, ed25519)", "genesis.json"] {
            assert!(text.contains(part), "{part}: {text}");
        }
        let mut rotated = Journal::<_, Record>::open(disk, binding()).expect("its own").0;
        rotated.rotate(vec![record(1)]).expect("memory");
        assert!(Journal::<_, Record>::open(rotated.into_disk(), other).is_err(), "rotation keeps it");
    }
    let lost = Journal::begin(MemoryDisk::default(), binding(), vec![record(1)]).expect("memory");
    assert!(Journal::<_, Record>::open(lost.into_disk(), other).is_err(), "one that begins anew is bound too");
}

#[test]
fn records_that_belong_to_no_chain_are_refused() {
    let mut unbound = Journal::create(MemoryDisk::default()).expect("memory");
    unbound.push(record(1));
    unbound.flush(Durability::Always).expect("memory");
    let error = open(unbound.into_disk()).expect_err("written before journals were bound").to_string();
    assert!(error.contains("for which chain") && error.contains("another version"), "{error}");
}

#[test]
fn binding_cut_off_anywhere_leaves_a_journal_that_can_be_bound() {
    let born = Journal::<_, Record>::create(MemoryDisk::default()).expect("memory").into_disk();
    for at in 0..6 {
        for fate in FATES {
            let disk = Faulty::of(&born);
            disk.fail(at, fate);
            let opened = open(disk.clone()).is_ok();
            let other = Binding { protocol: Protocol::Pbft, ..binding() };
            for image in disk.after_power_failure() {
                assert_eq!(open(image.clone()).expect("sound"), entries([]), "operation {at} {fate:?}");
                assert!(!opened || Journal::<_, Record>::open(image, other).is_err(), "bound before it was opened");
            }
        }
    }
}

#[test]
fn more_than_a_frame_holds_is_written_in_several() {
    let large = |number: u8| Entry::Record(Record::new(vec![number; MAX_PAYLOAD / 4]).expect("bounded"));
    let disk = Faulty::of(&journal([]));
    let (mut journal, _) = Journal::open(disk.clone(), binding()).expect("sound");
    (0..5).for_each(|number| journal.push(large(number)));
    journal.flush(Durability::Always).expect("it fits in frames");
    for image in disk.after_power_failure() {
        let found = open(image).expect("sound");
        assert!(found.len() == 6 && found[1..].iter().zip(0..).all(|(entry, number)| *entry == large(number)));
    }
}

#[test]
fn what_push_wrote_early_is_durable_and_its_failure_is_not_lost() {
    let large = || Entry::Record(Record::new(vec![1; MAX_PAYLOAD / 2]).expect("bounded"));
    let disk = Faulty::of(&journal([]));
    let (mut journal, _) = Journal::open(disk.clone(), binding()).expect("sound");
    journal.push(large());
    journal.flush(Durability::Always).expect("written early, synced at the latest now");
    assert!(disk.after_power_failure().into_iter().all(|image| open(image).expect("sound").len() == 2));

    let (mut journal, _) = Journal::open(disk.clone(), binding()).expect("sound");
    disk.fail_once(1, Fate::NotDone);
    journal.push(large());
    assert!(journal.flush(Durability::Always).is_err(), "the early write was not synced");
}

#[test]
fn one_entry_over_the_frame_limit_is_an_error_and_no_panic() {
    let disk = journal([1]);
    let (mut journal, _) = Journal::open(disk, binding()).expect("sound");
    journal.push(Entry::Record(Record::new(vec![1; MAX_PAYLOAD + 1]).expect("bounded")));
    let error = journal.flush(Durability::Always).expect_err("it cannot be read again").to_string();
    assert!(error.contains("67108"), "{error}");
    assert_eq!(open(journal.into_disk()).expect("sound"), entries([1]));
}

#[test]
fn bytes_count_the_present_file() {
    let mut journal = bound();
    let born = journal.bytes();
    journal.push(record(1));
    journal.flush(Durability::Group).expect("memory");
    assert!(journal.bytes() > born);
    journal.push(record(2));
    journal.rotate(vec![]).expect("memory");
    assert_eq!(journal.bytes(), born);
    journal.flush(Durability::Always).expect("memory");
    let disk = journal.into_disk();
    assert_eq!(disk.list().expect("memory"), ["journal-00000002"]);
    assert_eq!(open(disk).expect("sound"), entries([2]), "what was pushed before the rotation is not lost");
}

#[test]
fn on_a_file_system_it_rotates_and_opens_again_beside_leftovers() {
    let dir = tempfile::tempdir().expect("temporary directory");
    let path = dir.path().join("above").join("journal");
    let disk = || FileDisk::open(path.clone()).expect("creatable");
    Journal::<_, Record>::create(disk()).expect("empty");
    let (mut journal, _) = Journal::open(disk(), binding()).expect("sound");
    journal.push(record(1));
    journal.flush(Durability::Always).expect("written");
    let old = std::fs::read(path.join(FIRST)).expect("there");
    journal.rotate(vec![record(2)]).expect("rotates");
    journal.push(record(3));
    journal.flush(Durability::Always).expect("written");
    drop(journal);
    std::fs::write(path.join(FIRST), old).expect("the old one came back");
    std::fs::write(path.join("journal.new"), b"half").expect("and half a new one");
    std::fs::write(path.join("journal-notes.txt"), b"a person's").expect("and a stranger");
    assert_eq!(open(disk()).expect("sound"), entries([2, 3]));
    assert_eq!(disk().list().expect("readable"), ["journal-00000002", "journal-notes.txt"]);
    let error = Journal::<_, Record>::create(disk()).expect_err("there is one").to_string();
    assert!(error.contains(path.to_str().expect("text")), "{error}");
}

proptest! {
    #[test]
    fn no_content_makes_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), keep in 0usize..60) {
        let mut disk = journal(0..3);
        let file = disk.files.get_mut(FIRST).expect("there");
        file.truncate(keep);
        file.extend_from_slice(&bytes);
        let _whatever = open(disk);
    }
}
