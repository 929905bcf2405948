use super::*;

fn crashed(seed: u64, prepare: impl Fn(&mut SimDisk)) -> SimDisk {
    let mut disk = SimDisk::default();
    prepare(&mut disk);
    disk.crash(Losses::FromTheEnd, &mut Rng::new(seed));
    disk
}

fn append(disk: &mut SimDisk, name: &str, bytes: &[u8]) {
    disk.append(name, bytes).expect("no fault injected");
}

#[test]
fn synced_bytes_and_names_survive_every_crash() {
    for seed in 0..200 {
        let disk = crashed(seed, |disk| {
            append(disk, "a", b"kept");
            disk.sync("a").expect("works");
            disk.sync_directory().expect("works");
            append(disk, "a", b" perhaps");
        });
        let bytes = disk.contents("a").expect("its name is durable");
        assert!(bytes.starts_with(b"kept") && bytes.len() <= 12, "seed {seed}: {bytes:?}");
    }
}

#[test]
fn unsynced_bytes_are_lost_kept_and_torn() {
    let mut lengths = std::collections::BTreeSet::new();
    for seed in 0..400 {
        let disk = crashed(seed, |disk| {
            append(disk, "a", b"");
            disk.sync_directory().expect("works");
            append(disk, "a", b"01234567");
        });
        lengths.insert(disk.contents("a").expect("durable name").len());
    }
    assert_eq!(lengths, (0..=8).collect());
}

#[test]
fn a_file_without_a_directory_sync_may_vanish_though_its_bytes_were_synced() {
    let vanished = (0..100).filter(|seed| {
        let disk = crashed(*seed, |disk| {
            append(disk, "a", b"x");
            disk.sync("a").expect("works");
        });
        disk.contents("a").is_none()
    });
    assert!((20..80).contains(&vanished.count()));
}

#[test]
fn a_rename_without_a_directory_sync_is_done_or_not_but_never_half() {
    let mut seen = std::collections::BTreeSet::new();
    for seed in 0..100 {
        let disk = crashed(seed, |disk| {
            append(disk, "old", b"x");
            disk.sync("old").expect("works");
            disk.sync_directory().expect("works");
            disk.rename("old", "new").expect("works");
        });
        seen.insert(disk.list().expect("works"));
    }
    assert_eq!(seen, [vec!["new".to_owned()], vec!["old".to_owned()]].into());
}

#[test]
fn a_deferred_sync_is_worth_nothing_before_it_is_done() {
    let mut lost = 0;
    for seed in 0..100 {
        let prepare = |disk: &mut SimDisk| {
            append(disk, "a", b"");
            disk.sync_directory().expect("works");
            disk.set_deferred(true);
            append(disk, "a", b"01234567");
            disk.sync("a").expect("begun");
        };
        lost += u32::from(crashed(seed, prepare).contents("a") != Some(b"01234567".to_vec()));
        let done = crashed(seed, |disk| {
            prepare(disk);
            disk.finish_sync();
        });
        assert_eq!(done.contents("a"), Some(b"01234567".to_vec()));
    }
    assert!(lost > 30);
}

#[test]
fn an_unsynced_truncation_may_come_undone() {
    let mut seen = std::collections::BTreeSet::new();
    for seed in 0..100 {
        let disk = crashed(seed, |disk| {
            append(disk, "a", b"0123");
            disk.sync("a").expect("works");
            disk.sync_directory().expect("works");
            disk.truncate("a", 2).expect("works");
        });
        seen.insert(disk.contents("a").expect("durable name"));
    }
    assert_eq!(seen, [b"01".to_vec(), b"0123".to_vec()].into());
}

#[test]
fn a_failing_disk_says_so_and_a_full_one_writes_what_fits() {
    let mut disk = SimDisk::default();
    append(&mut disk, "a", b"0123");
    disk.inject(DiskFault::SyncFails);
    assert!(disk.sync("a").is_err() && disk.sync("a").is_err());
    disk.repair();
    disk.inject(DiskFault::FullAfter(2));
    let error = disk.append("a", b"4567").expect_err("two bytes fit");
    assert_eq!(error.kind(), io::ErrorKind::StorageFull);
    assert_eq!(disk.contents("a"), Some(b"012345".to_vec()));
    disk.repair();
    disk.inject(DiskFault::PowerFailsBefore(1));
    append(&mut disk, "a", b"6");
    assert!(disk.append("a", b"7").is_err() && disk.sync("a").is_err());
}

#[test]
fn writes_in_any_order_leave_holes_but_never_below_a_sync() {
    let mut holes = 0;
    for seed in 0..200 {
        let mut disk = SimDisk::default();
        append(&mut disk, "a", b"kept");
        disk.sync("a").expect("works");
        disk.sync_directory().expect("works");
        append(&mut disk, "a", b"01234567");
        disk.crash(Losses::InAnyOrder, &mut Rng::new(seed));
        let bytes = disk.contents("a").expect("durable name");
        assert!(bytes.starts_with(b"kept"));
        holes += u32::from(bytes.ends_with(b"7") && bytes.contains(&0));
    }
    assert!(holes > 5, "{holes}");
}
