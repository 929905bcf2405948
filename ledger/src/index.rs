//! The ledger's index: what can be rebuilt from the block log, kept for speed.
//!
//! One atomic write per commit; durable only when [`Index::sync`] is called, after the log itself. If it is damaged, behind
//! or ahead of the log, it is thrown away and rebuilt.

use redb::{Database, DatabaseError, Durability, ReadableDatabase, ReadableTable, TableDefinition};
use std::{collections::BTreeMap, fs, io, panic, path::Path};

/// The kinds of things indexed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Table {
    /// Block digest to height.
    Digest,
    /// Transaction digest to its place and outcome.
    Transaction,
    /// State key to value.
    State,
    /// The index's own head.
    Meta,
}

impl Table {
    const ALL: [Self; 4] = [Self::Digest, Self::Transaction, Self::State, Self::Meta];

    fn definition(self) -> TableDefinition<'static, &'static [u8], &'static [u8]> {
        TableDefinition::new(match self {
            Self::Digest => "digest",
            Self::Transaction => "transaction",
            Self::State => "state",
            Self::Meta => "meta",
        })
    }
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

/// An index in a redb file.
#[derive(Debug)]
pub struct RedbIndex(Database);

fn failed(error: impl std::fmt::Display) -> io::Error {
    io::Error::other(format!("index: {error}"))
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
        let mut database = Database::create(path).map_err(|error| match error {
            DatabaseError::DatabaseAlreadyOpen => {
                io::Error::new(io::ErrorKind::WouldBlock, format!("{} is open in another process", path.display()))
            }
            error => failed(error),
        })?;
        // Reading verifies no checksums, so damage would show as wrong answers: it is looked for here.
        if !database.check_integrity().map_err(failed)? {
            return Err(failed("its checksums do not match"));
        }
        let index = Self(database);
        let write = index.0.begin_write().map_err(failed)?;
        for table in Table::ALL {
            write.open_table(table.definition()).map_err(failed)?;
        }
        write.commit().map_err(failed)?;
        Ok(index)
    }

    fn commit(&mut self, changes: Vec<Change>, durability: Durability) -> io::Result<()> {
        let mut write = self.0.begin_write().map_err(failed)?;
        write.set_durability(durability).map_err(failed)?;
        for table in Table::ALL {
            let mut open = write.open_table(table.definition()).map_err(failed)?;
            for (_, key, value) in changes.iter().filter(|(of, _, _)| *of == table) {
                match value {
                    Some(value) => open.insert(key.as_slice(), value.as_slice()).map_err(failed)?,
                    None => open.remove(key.as_slice()).map_err(failed)?,
                };
            }
        }
        write.commit().map_err(failed)
    }
}

impl Index for RedbIndex {
    fn write(&mut self, changes: Vec<Change>) -> io::Result<()> {
        self.commit(changes, Durability::None)
    }

    fn get(&self, table: Table, key: &[u8]) -> io::Result<Option<Vec<u8>>> {
        let read = self.0.begin_read().map_err(failed)?;
        let open = read.open_table(table.definition()).map_err(failed)?;
        Ok(open.get(key).map_err(failed)?.map(|value| value.value().to_vec()))
    }

    fn all(&self, table: Table) -> io::Result<Vec<(Vec<u8>, Vec<u8>)>> {
        let read = self.0.begin_read().map_err(failed)?;
        let open = read.open_table(table.definition()).map_err(failed)?;
        let mut all = Vec::new();
        for entry in open.iter().map_err(failed)? {
            let (key, value) = entry.map_err(failed)?;
            all.push((key.value().to_vec(), value.value().to_vec()));
        }
        Ok(all)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.commit(Vec::new(), Durability::Immediate)
    }

    fn clear(&mut self) -> io::Result<()> {
        let write = self.0.begin_write().map_err(failed)?;
        for table in Table::ALL {
            write.delete_table(table.definition()).map_err(failed)?;
            write.open_table(table.definition()).map_err(failed)?;
        }
        write.commit().map_err(failed)
    }
}
