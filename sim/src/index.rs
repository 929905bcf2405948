//! The index of a simulated replica: lost with the power, or as it was when last synced.

use quorate_ledger::{Change, Index, MemoryIndex, Table};
use std::{
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// A handle to an index that survives, or does not survive, a simulated crash. Clones share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct SimIndex(Arc<Mutex<Kept>>);

#[derive(Debug, Default)]
struct Kept {
    now: MemoryIndex,
    /// Begun to be made durable, and not there yet: when the next sync begins, it is.
    leaving: Option<MemoryIndex>,
    synced: MemoryIndex,
}

impl SimIndex {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Power fails: back to the last sync.
    pub(crate) fn crash(&self) {
        let mut kept = self.kept();
        kept.now = kept.synced.clone();
        kept.leaving = None;
    }

    /// Everything is gone.
    pub(crate) fn wipe(&self) {
        *self.kept() = Kept::default();
    }
}

impl Index for SimIndex {
    fn write(&mut self, changes: Vec<Change>) -> io::Result<()> {
        self.kept().now.write(changes)
    }

    fn get(&self, table: Table, key: &[u8]) -> io::Result<Option<Vec<u8>>> {
        self.kept().now.get(table, key)
    }

    fn all(&self, table: Table) -> io::Result<Vec<(Vec<u8>, Vec<u8>)>> {
        self.kept().now.all(table)
    }

    fn sync(&mut self) -> io::Result<()> {
        let mut kept = self.kept();
        kept.synced = kept.now.clone();
        kept.leaving = None;
        Ok(())
    }

    fn begin_sync(&mut self) -> io::Result<()> {
        let mut kept = self.kept();
        let now = kept.now.clone();
        if let Some(landed) = kept.leaving.replace(now) {
            kept.synced = landed;
        }
        Ok(())
    }

    fn clear(&mut self) -> io::Result<()> {
        let mut kept = self.kept();
        if let Some(landed) = kept.leaving.take() {
            kept.synced = landed;
        }
        kept.now.clear()
    }
}
