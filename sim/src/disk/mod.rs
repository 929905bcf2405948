//! A disk that forgets what was not synced.
//!
//! [`SimDisk`] implements the ledger's [`Disk`], so the journal and the block log run on it unchanged. It keeps what was
//! written apart from what is durable. Power fails with [`SimDisk::crash`]: of each file's unsynced writes a drawn prefix
//! survives, cut at any byte, now and then with zeros or garbage where the tail was; of unsynced creations, renames and
//! removals a drawn prefix. A disk can also fail outright (fsync errors, no space, power lost before the n-th write), and lie: a
//! sector that it said was durable may hold something else (`sectors`).
//!
//! A journal's flush takes time. With [`SimDisk::set_deferred`], a sync is begun at once and is only done with
//! [`SimDisk::finish_sync`]: a crash in between may lose all of it, half of it, or nothing but the answer.

mod file;
mod sectors;
mod state;
#[cfg(test)]
mod tests;

use crate::Rng;
use file::File;
use quorate_ledger::Disk;
use state::{NameChange, State};
use std::{
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// How a disk misbehaves, besides losing what was not synced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DiskFault {
    /// The next sync fails with an I/O error; every one after it as well, as on a disk that was remounted read-only.
    SyncFails,
    /// No more than this many further bytes fit.
    FullAfter(u64),
    /// The power goes before the n-th change (write, sync, rename...) from now; everything fails from then on.
    PowerFailsBefore(u32),
    /// A sector that was written and synced holds what it held before: bytes of a file that is gone, or zeros. Counted over all
    /// files, and from the first again when there are fewer.
    StaleSector(u32),
    /// What was written and synced to the one sector went to the other one, and the first holds what it held before.
    MisdirectedSector(u32, u32),
    /// Whatever is made durable takes so much longer.
    Slow(Duration),
}

/// Which unsynced writes a crash can take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Losses {
    /// The last ones: a prefix survives, cut at any byte.
    FromTheEnd,
    /// Any: the disk wrote them in an order of its own.
    InAnyOrder,
}

/// A handle to a simulated disk. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct SimDisk(Arc<Mutex<State>>);

impl SimDisk {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether syncs take effect only with [`SimDisk::finish_sync`].
    pub fn set_deferred(&self, deferred: bool) {
        self.state().deferred = deferred;
    }

    /// Ends all syncs that were begun: their bytes are durable.
    pub fn finish_sync(&self) {
        self.state().files.values_mut().for_each(File::finish_sync);
    }

    /// Makes it fail.
    pub fn inject(&self, fault: DiskFault) {
        let mut state = self.state();
        match fault {
            DiskFault::SyncFails => state.sync_fails = true,
            DiskFault::FullAfter(bytes) => state.room = Some(bytes),
            DiskFault::PowerFailsBefore(changes) => state.fuse = Some(changes),
            DiskFault::StaleSector(sector) => state.put_back(sector),
            DiskFault::MisdirectedSector(from, to) => state.misdirect(from, to),
            DiskFault::Slow(by) => state.slow = by,
        }
    }

    /// Ends all faults but bad sectors: the disk was freed, or answers again.
    pub fn repair(&self) {
        let mut state = self.state();
        (state.sync_fails, state.room, state.fuse, state.is_dead) = (false, None, None, false);
        state.slow = Duration::ZERO;
    }

    /// How much longer it takes than a good disk.
    pub fn slowness(&self) -> Duration {
        self.state().slow
    }

    /// Whether it may fail: a fault other than slowness was injected and not repaired.
    pub fn is_faulty(&self) -> bool {
        let state = self.state();
        state.sync_fails || state.is_dead || state.room.is_some() || state.fuse.is_some() || state.has_bad_sectors
    }

    /// Whether sectors hold what was not written to them.
    pub fn has_bad_sectors(&self) -> bool {
        self.state().has_bad_sectors
    }

    /// Power fails and comes back: what was not durable is gone, but for what chance spared.
    pub fn crash(&self, losses: Losses, rng: &mut Rng) {
        let mut state = self.state();
        let survived = rng.below(state.changes.len() + 1);
        let changes: Vec<_> = std::mem::take(&mut state.changes).into_iter().take(survived).collect();
        let mut names = std::mem::take(&mut state.durable_names);
        changes.into_iter().for_each(|change| change.apply(&mut names));
        let linked: std::collections::BTreeSet<_> = names.values().copied().collect();
        state.files.retain(|file, _| linked.contains(file));
        state.files.values_mut().for_each(|file| file.crash(losses, rng));
        (state.names, state.durable_names) = (names.clone(), names);
        (state.sync_fails, state.fuse, state.is_dead) = (false, None, false);
    }

    /// Everything is gone: a new disk.
    pub fn wipe(&self) {
        *self.state() = State::default();
    }

    /// Bytes written and not durable.
    pub fn unsynced(&self) -> usize {
        self.state().files.values().map(File::unsynced).sum()
    }

    /// Flips bits of one byte, durably: for tests of damage.
    ///
    /// # Panics
    /// If the file or the byte is not there.
    pub fn damage(&self, name: &str, offset: usize, bits: u8) {
        let mut state = self.state();
        let file = *state.names.get(name).expect("a file of that name");
        state.files.get_mut(&file).expect("named files exist").damage(offset, bits);
    }

    /// A copy of a file's present bytes.
    pub fn contents(&self, name: &str) -> Option<Vec<u8>> {
        let state = self.state();
        let file = state.names.get(name)?;
        state.files.get(file).map(|file| file.bytes().to_vec())
    }
}

impl Disk for SimDisk {
    fn list(&self) -> io::Result<Vec<String>> {
        Ok(self.state().names.keys().cloned().collect())
    }

    fn len(&self, name: &str) -> io::Result<u64> {
        self.state().file(name).map(|file| file.bytes().len() as u64)
    }

    fn read(&self, name: &str, offset: u64, len: usize) -> io::Result<Vec<u8>> {
        let state = self.state();
        let bytes = state.file(name)?.bytes();
        let start = usize::try_from(offset).unwrap_or(usize::MAX).min(bytes.len());
        Ok(bytes[start..start.saturating_add(len).min(bytes.len())].to_vec())
    }

    fn append(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.state();
        state.power()?;
        if !state.names.contains_key(name) {
            let file = state.next_file;
            state.next_file += 1;
            state.files.insert(file, File::default());
            state.change(NameChange::Create(name.to_owned(), file));
        }
        let fits = state.reserve(bytes.len());
        state.file_mut(name)?.append(&bytes[..fits]);
        if fits < bytes.len() {
            return Err(io::Error::new(io::ErrorKind::StorageFull, "no space left on the simulated disk"));
        }
        Ok(())
    }

    fn sync(&mut self, name: &str) -> io::Result<()> {
        let mut state = self.state();
        state.power()?;
        if state.sync_fails {
            return Err(io::Error::other("simulated fsync error"));
        }
        let deferred = state.deferred;
        let file = state.file_mut(name)?;
        file.begin_sync();
        if !deferred {
            file.finish_sync();
        }
        Ok(())
    }

    fn sync_directory(&mut self) -> io::Result<()> {
        let mut state = self.state();
        state.power()?;
        if state.sync_fails {
            return Err(io::Error::other("simulated fsync error of the directory"));
        }
        state.durable_names = state.names.clone();
        state.changes.clear();
        let linked: std::collections::BTreeSet<_> = state.names.values().copied().collect();
        state.files.retain(|file, _| linked.contains(file));
        Ok(())
    }

    fn truncate(&mut self, name: &str, len: u64) -> io::Result<()> {
        let mut state = self.state();
        state.power()?;
        state.file_mut(name)?.truncate(usize::try_from(len).unwrap_or(usize::MAX));
        Ok(())
    }

    fn rename(&mut self, from: &str, to: &str) -> io::Result<()> {
        let mut state = self.state();
        state.power()?;
        state.file(from)?;
        state.change(NameChange::Rename(from.to_owned(), to.to_owned()));
        Ok(())
    }

    fn remove(&mut self, name: &str) -> io::Result<()> {
        let mut state = self.state();
        state.power()?;
        state.removed = state.file(name)?.bytes().to_vec();
        state.change(NameChange::Remove(name.to_owned()));
        Ok(())
    }
}
