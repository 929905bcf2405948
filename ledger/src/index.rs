//! The ledger's index: what can be rebuilt from the block log, kept for speed.
//!
//! One atomic write per commit; durable only when [`Index::sync`] is called, after the log itself. If it is behind the log, what it
//! lacks is executed again; if it is damaged or ahead of the log, it is thrown away and rebuilt.

use std::{collections::BTreeMap, io};

/// The kinds of things indexed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Table {
    /// Block digest to height.
    Digest,
    /// Transaction digest to the place where it took effect, and its outcome.
    Transaction,
    /// Transaction digest to the place where it had none last.
    Skipped,
    /// State key to value.
    State,
    /// The index's own head.
    Meta,
}

impl Table {
    pub(crate) const ALL: [Self; 5] = [Self::Digest, Self::Transaction, Self::Skipped, Self::State, Self::Meta];
}

/// A change: the new value, or none.
pub type Change = (Table, Vec<u8>, Option<Vec<u8>>);

/// A key-value store in tables.
pub trait Index: Send + Sync + 'static {
    /// Applies all changes or none.
    fn write(&mut self, changes: Vec<Change>) -> io::Result<()>;
    /// One value.
    fn get(&self, table: Table, key: &[u8]) -> io::Result<Option<Vec<u8>>>;
    /// A whole table in the order of its keys.
    fn all(&self, table: Table) -> io::Result<Vec<(Vec<u8>, Vec<u8>)>>;
    /// Makes everything written durable.
    fn sync(&mut self) -> io::Result<()>;
    /// Begins to make everything written durable, all of it or nothing, and need not wait for the end. What fails then is told by the
    /// next call that can fail.
    fn begin_sync(&mut self) -> io::Result<()> {
        self.sync()
    }
    /// Forgets everything.
    fn clear(&mut self) -> io::Result<()>;
}

/// An index in memory, for simulations and tests.
#[derive(Clone, Debug, Default)]
pub struct MemoryIndex(BTreeMap<(Table, Vec<u8>), Vec<u8>>);

impl Index for MemoryIndex {
    fn write(&mut self, changes: Vec<Change>) -> io::Result<()> {
        for (table, key, value) in changes {
            match value {
                Some(value) => self.0.insert((table, key), value),
                None => self.0.remove(&(table, key)),
            };
        }
        Ok(())
    }

    fn get(&self, table: Table, key: &[u8]) -> io::Result<Option<Vec<u8>>> {
        Ok(self.0.get(&(table, key.to_vec())).cloned())
    }

    fn all(&self, table: Table) -> io::Result<Vec<(Vec<u8>, Vec<u8>)>> {
        let of_table = self.0.range((table, Vec::new())..).take_while(|((of, _), _)| *of == table);
        Ok(of_table.map(|((_, key), value)| (key.clone(), value.clone())).collect())
    }

    fn sync(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn clear(&mut self) -> io::Result<()> {
        self.0.clear();
        Ok(())
    }
}
