//! A disk that is looked at and never changed.

use quorate_ledger::{Disk, FileDisk};
use std::{
    collections::BTreeMap,
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// The bytes that opening for real would cut from each file's end.
pub(super) type Torn = Arc<Mutex<BTreeMap<String, u64>>>;

/// Reads the files of a directory. Cutting a torn end only hides it; every other change is refused.
pub(super) struct ReadOnlyDisk {
    files: FileDisk,
    torn: Torn,
}

impl ReadOnlyDisk {
    /// Reads `files` and notes in `torn` what is hidden.
    pub(super) fn new(files: FileDisk, torn: Torn) -> Self {
        Self { files, torn }
    }

    fn torn(&self) -> MutexGuard<'_, BTreeMap<String, u64>> {
        self.torn.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn refused(what: &str) -> io::Result<()> {
    Err(io::Error::new(io::ErrorKind::ReadOnlyFilesystem, format!("opened for reading: no {what}")))
}

impl Disk for ReadOnlyDisk {
    fn list(&self) -> io::Result<Vec<String>> {
        self.files.list()
    }

    fn len(&self, name: &str) -> io::Result<u64> {
        let hidden = self.torn().get(name).copied().unwrap_or(0);
        Ok(self.files.len(name)?.saturating_sub(hidden))
    }

    fn read(&self, name: &str, offset: u64, len: usize) -> io::Result<Vec<u8>> {
        let left = self.len(name)?.saturating_sub(offset);
        self.files.read(name, offset, len.min(usize::try_from(left).unwrap_or(usize::MAX)))
    }

    fn append(&mut self, _name: &str, _bytes: &[u8]) -> io::Result<()> {
        refused("appending")
    }

    fn sync(&mut self, _name: &str) -> io::Result<()> {
        Ok(())
    }

    fn sync_directory(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn truncate(&mut self, name: &str, len: u64) -> io::Result<()> {
        let hidden = self.files.len(name)?.saturating_sub(len);
        self.torn().insert(name.to_owned(), hidden);
        Ok(())
    }

    fn rename(&mut self, _from: &str, _to: &str) -> io::Result<()> {
        refused("renaming")
    }

    fn remove(&mut self, _name: &str) -> io::Result<()> {
        refused("removing")
    }

    fn describe(&self, name: &str) -> String {
        self.files.describe(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cutting_hides_and_changes_nothing() {
        let dir = tempfile::tempdir().expect("temporary directory");
        std::fs::write(dir.path().join("a"), b"hello").expect("new file");
        let mut disk = ReadOnlyDisk::new(FileDisk::open(dir.path()).expect("exists"), Torn::default());
        disk.truncate("a", 2).expect("only hides");
        assert_eq!((disk.len("a").expect("exists"), disk.read("a", 0, 9).expect("exists")), (2, b"he".to_vec()));
        assert_eq!(disk.read("a", 4, 9).expect("exists"), b"");
        assert!(disk.append("a", b"x").is_err() && disk.remove("a").is_err() && disk.rename("a", "b").is_err());
        assert_eq!(std::fs::read(dir.path().join("a")).expect("exists"), b"hello");
        assert_eq!(*disk.torn(), BTreeMap::from([("a".to_owned(), 3)]));
    }
}
