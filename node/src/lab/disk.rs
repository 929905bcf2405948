//! A disk that is slow, full, or fails to sync, when it is told to.
//!
//! The files below are the validator's own: what was written stays good. A validator that is told so by its disk ends by itself, as it
//! does on a bad one.

use super::{DiskFaults, DiskStatus};
use quorate_ledger::{Disk, FileDisk};
use rustix::io::Errno;
use std::{
    io,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// Files that fail when they are told to.
pub(super) struct FaultyDisk {
    files: FileDisk,
    switch: Switch,
}

/// What a disk is told by. Clones are of the same disk.
#[derive(Clone, Debug, Default)]
pub(super) struct Switch(Arc<(Mutex<State>, Condvar)>);

#[derive(Debug, Default)]
struct State {
    faults: DiskFaults,
    measured: DiskStatus,
}

impl Switch {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on it fails like this. A sync that waits takes no longer than it would have to now.
    pub(super) fn set(&self, faults: DiskFaults) {
        let mut state = self.state();
        if state.faults.full_after != faults.full_after {
            state.measured.room = faults.full_after;
        }
        state.faults = faults;
        self.0.1.notify_all();
    }

    /// How it fares.
    pub(super) fn status(&self) -> DiskStatus {
        self.state().measured
    }

    /// How many of so many bytes fit.
    fn fit(&self, bytes: usize) -> usize {
        let mut state = self.state();
        let Some(room) = state.measured.room else { return bytes };
        let fit = usize::try_from(room).unwrap_or(usize::MAX).min(bytes);
        state.measured.room = Some(room.saturating_sub(u64::try_from(fit).unwrap_or(u64::MAX)));
        state.measured.failed += u64::from(fit < bytes);
        fit
    }

    /// Waits as long as a sync takes longer now, then lets it happen.
    fn delayed(&self, sync: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
        let began = Instant::now();
        let mut state = self.state();
        loop {
            let left = Duration::from_millis(state.faults.delay_ms).saturating_sub(began.elapsed());
            if left.is_zero() {
                break;
            }
            state = self.0.1.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        if state.faults.sync_fails {
            state.measured.failed += 1;
            return Err(Errno::IO.into());
        }
        drop(state);
        let result = sync();
        let mut state = self.state();
        state.measured.syncs += 1;
        state.measured.last_sync_ms = began.elapsed().as_secs_f64() * 1000.0;
        result
    }
}

impl FaultyDisk {
    pub(super) fn new(files: FileDisk, switch: Switch) -> Self {
        Self { files, switch }
    }
}

impl Disk for FaultyDisk {
    fn list(&self) -> io::Result<Vec<String>> {
        self.files.list()
    }

    fn len(&self, name: &str) -> io::Result<u64> {
        self.files.len(name)
    }

    fn read(&self, name: &str, offset: u64, len: usize) -> io::Result<Vec<u8>> {
        self.files.read(name, offset, len)
    }

    fn append(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let fit = self.switch.fit(bytes.len());
        self.files.append(name, &bytes[..fit])?;
        if fit < bytes.len() { Err(Errno::NOSPC.into()) } else { Ok(()) }
    }

    fn sync(&mut self, name: &str) -> io::Result<()> {
        let files = &mut self.files;
        self.switch.delayed(|| files.sync(name))
    }

    fn sync_directory(&mut self) -> io::Result<()> {
        let files = &mut self.files;
        self.switch.delayed(|| files.sync_directory())
    }

    fn truncate(&mut self, name: &str, len: u64) -> io::Result<()> {
        self.files.truncate(name, len)
    }

    fn rename(&mut self, from: &str, to: &str) -> io::Result<()> {
        self.files.rename(from, to)
    }

    fn remove(&mut self, name: &str) -> io::Result<()> {
        self.files.remove(name)
    }

    fn describe(&self, name: &str) -> String {
        self.files.describe(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Bench {
        disk: FaultyDisk,
        switch: Switch,
        _dir: tempfile::TempDir,
    }

    impl Bench {
        fn new() -> Self {
            let dir = tempfile::tempdir().expect("temporary directory");
            let switch = Switch::default();
            let files = FileDisk::open(dir.path()).expect("exists");
            Self { disk: FaultyDisk::new(files, switch.clone()), switch, _dir: dir }
        }

        fn written(&self) -> u64 {
            self.disk.len("log").unwrap_or_default()
        }
    }

    #[test]
    fn without_faults_it_is_a_disk() {
        let mut bench = Bench::new();
        bench.disk.append("log", b"abc").expect("written");
        bench.disk.sync("log").expect("synced");
        assert_eq!(bench.disk.read("log", 1, 9).expect("read"), b"bc");
        assert_eq!(bench.switch.status().syncs, 1);
    }

    #[test]
    fn a_full_disk_takes_what_fits_and_says_so_until_it_is_freed() {
        let mut bench = Bench::new();
        let full = DiskFaults { full_after: Some(5), ..DiskFaults::default() };
        bench.switch.set(full);
        bench.disk.append("log", b"abc").expect("fits");
        // Told the same again, it does not begin to count anew.
        bench.switch.set(DiskFaults { delay_ms: 1, ..full });
        let error = bench.disk.append("log", b"defg").expect_err("does not fit");
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
        assert_eq!((bench.written(), bench.switch.status().room), (5, Some(0)));
        assert!(bench.disk.append("log", b"h").is_err());
        bench.switch.set(DiskFaults::default());
        bench.disk.append("log", b"h").expect("freed");
        assert_eq!((bench.written(), bench.switch.status().room, bench.switch.status().failed), (6, None, 2));
    }

    #[test]
    fn a_sync_fails_and_every_one_after_it() {
        let mut bench = Bench::new();
        bench.disk.append("log", b"abc").expect("written");
        bench.switch.set(DiskFaults { sync_fails: true, ..DiskFaults::default() });
        assert!(bench.disk.sync("log").is_err() && bench.disk.sync_directory().is_err());
        assert_eq!(bench.switch.status().failed, 2);
    }

    #[test]
    fn a_slow_sync_takes_longer_and_ends_when_the_disk_is_fast_again() {
        let mut bench = Bench::new();
        bench.disk.append("log", b"abc").expect("written");
        bench.switch.set(DiskFaults { delay_ms: 20, ..DiskFaults::default() });
        bench.disk.sync("log").expect("synced");
        assert!(bench.switch.status().last_sync_ms >= 20.0);
        bench.switch.set(DiskFaults { delay_ms: 3_600_000, ..DiskFaults::default() });
        let switch = bench.switch.clone();
        let sync = std::thread::spawn(move || bench.disk.sync("log"));
        switch.set(DiskFaults::default());
        sync.join().expect("no panic").expect("synced");
    }
}
