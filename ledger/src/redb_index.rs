//! The index in a redb file.
//!
//! What is written stays in memory until it is made durable, in one transaction, beside the caller, who reads and writes on. One
//! transaction for each block copied the same pages over and over, took most of a commit's time, and left the old pages to the next durable
//! transaction, which then stopped everybody for a tenth of a second.

use crate::{
    Change, Index, Table,
    index_file::{Changes, File, failed, of_table},
};
use redb::Durability;
use std::{
    fs, io, mem, panic,
    path::Path,
    sync::Arc,
    thread::{self, JoinHandle},
};

/// Bytes of changes held in memory at most. More of them, as of an index that is made anew, go into the file without being durable.
const HELD: usize = 16 * 1024 * 1024;

/// An index in a redb file.
#[derive(Debug)]
pub struct RedbIndex {
    file: Arc<File>,
    /// Not in the file yet.
    held: Changes,
    /// Bytes of keys and values that were put there.
    held_bytes: usize,
    /// On their way into the file.
    leaving: Option<Leaving>,
}

#[derive(Debug)]
struct Leaving {
    changes: Arc<Changes>,
    thread: JoinHandle<io::Result<()>>,
}

impl RedbIndex {
    /// Opens the file, which is created if it is not there. A damaged file is removed and begun anew; the note says so. A
    /// file that is open elsewhere is left alone.
    pub fn open_or_recreate(path: &Path) -> io::Result<(Self, Option<String>)> {
        // redb panics over some damaged pages. Nothing of it is left when it does, and the file is thrown away.
        let opened = panic::catch_unwind(|| Self::open(path)).unwrap_or_else(|_| Err(failed("it cannot be read")));
        match opened {
            Ok(index) => Ok((index, None)),
            Err(error) if path.exists() && error.kind() != io::ErrorKind::WouldBlock => {
                let note = format!("{} was damaged ({error}) and is rebuilt from the block log", path.display());
                fs::remove_file(path)?;
                Ok((Self::open(path)?, Some(note)))
            }
            Err(error) => Err(error),
        }
    }

    fn open(path: &Path) -> io::Result<Self> {
        let file = Arc::new(File::open(path)?);
        Ok(Self { file, held: Changes::new(), held_bytes: 0, leaving: None })
    }

    /// Waits until nothing is on its way into the file.
    fn land(&mut self) -> io::Result<()> {
        let Some(Leaving { thread, changes }) = self.leaving.take() else { return Ok(()) };
        let landed = thread.join().unwrap_or_else(|_| Err(failed("writing to it ended in a panic")));
        if landed.is_err() {
            self.take_back(changes);
        }
        landed
    }

    /// What did not get into the file is held again, below what came since: whatever is written later leaves no gap.
    fn take_back(&mut self, changes: Arc<Changes>) {
        let newer = mem::replace(&mut self.held, Arc::unwrap_or_clone(changes));
        self.held.extend(newer);
    }

    /// Writes what is held into the file.
    fn put_down(&mut self, durability: Durability) -> io::Result<()> {
        self.land()?;
        self.file.commit(&self.held, durability)?;
        self.held.clear();
        self.held_bytes = 0;
        Ok(())
    }

    /// What is not, or not certainly, in the file: older changes first.
    fn above_file(&self) -> impl DoubleEndedIterator<Item = &Changes> {
        let leaving = self.leaving.as_ref().map(|leaving| &*leaving.changes);
        leaving.into_iter().chain(std::iter::once(&self.held))
    }
}

impl Index for RedbIndex {
    fn write(&mut self, changes: Vec<Change>) -> io::Result<()> {
        if self.leaving.as_ref().is_some_and(|leaving| leaving.thread.is_finished()) {
            self.land()?;
        }
        let bytes = |(_, key, value): &Change| key.len() + value.as_ref().map_or(0, Vec::len);
        self.held_bytes += changes.iter().map(bytes).sum::<usize>();
        self.held.extend(changes.into_iter().map(|(table, key, value)| ((table, key), value)));
        if self.held_bytes > HELD { self.put_down(Durability::None) } else { Ok(()) }
    }

    fn get(&self, table: Table, key: &[u8]) -> io::Result<Option<Vec<u8>>> {
        let place = (table, key.to_vec());
        if let Some(value) = self.above_file().rev().find_map(|changes| changes.get(&place)) {
            return Ok(value.clone());
        }
        self.file.get(table, key)
    }

    fn all(&self, table: Table) -> io::Result<Vec<(Vec<u8>, Vec<u8>)>> {
        let mut all = self.file.all(table)?;
        for (key, value) in self.above_file().flat_map(|changes| of_table(changes, table)) {
            match value {
                Some(value) => all.insert(key.clone(), value.clone()),
                None => all.remove(key),
            };
        }
        Ok(all.into_iter().collect())
    }

    fn sync(&mut self) -> io::Result<()> {
        self.put_down(Durability::Immediate)
    }

    fn begin_sync(&mut self) -> io::Result<()> {
        self.land()?;
        let changes = Arc::new(mem::take(&mut self.held));
        self.held_bytes = 0;
        let (file, leaving) = (self.file.clone(), changes.clone());
        let write = move || file.commit(&leaving, Durability::Immediate);
        match thread::Builder::new().name("index".to_owned()).spawn(write) {
            Ok(thread) => self.leaving = Some(Leaving { changes, thread }),
            Err(error) => {
                self.take_back(changes);
                return Err(error);
            }
        }
        Ok(())
    }

    fn clear(&mut self) -> io::Result<()> {
        self.land()?;
        self.held.clear();
        self.held_bytes = 0;
        self.file.clear()
    }
}

impl Drop for RedbIndex {
    /// The file is free once this has returned.
    fn drop(&mut self) {
        // Nobody is left who could be told; what is not in the file is made from the log again.
        let _lost = self.land();
    }
}
