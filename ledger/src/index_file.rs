//! The file of the index, a redb database: one tree for each table, and more for transactions.
//!
//! Transactions' names come in no order: in one large tree each has a page of its own, all of which a flush has to write, and votes wait
//! for the same disk. So they are in *parts*, trees of a size that a flush fills rather than touches. What is written is in the last part;
//! who looks for something looks from the last to the first.

use crate::Table;
use redb::{
    Database, DatabaseError, Durability, ReadOnlyTable, ReadTransaction, ReadableDatabase, ReadableTable,
    ReadableTableMetadata, TableDefinition, TableError, TableHandle, WriteTransaction,
};
use std::{
    collections::BTreeMap,
    io,
    path::Path,
    sync::atomic::{AtomicU32, Ordering},
};

/// A part with so many transactions is the last one no more.
const PART: u64 = 65_536;

/// Bytes of its pages that are held in memory at most.
const CACHE: usize = 32 * 1024 * 1024;

/// The last change of each key.
pub(crate) type Changes = BTreeMap<(Table, Vec<u8>), Option<Vec<u8>>>;

/// The open file.
#[derive(Debug)]
pub(crate) struct File {
    database: Database,
    /// The last part of the transactions.
    last_part: AtomicU32,
}

pub(crate) fn failed(error: impl std::fmt::Display) -> io::Error {
    io::Error::other(format!("index: {error}"))
}

fn is_in_parts(table: Table) -> bool {
    matches!(table, Table::Transaction | Table::Skipped)
}

/// The name of a table, or of a part of it.
fn name(table: Table, part: u32) -> String {
    match (table, part) {
        (Table::Digest, _) => "digest".to_owned(),
        (Table::Transaction, 0) => "transaction".to_owned(),
        (Table::Transaction, part) => format!("transaction-{part}"),
        (Table::Skipped, 0) => "skipped".to_owned(),
        (Table::Skipped, part) => format!("skipped-{part}"),
        (Table::State, _) => "state".to_owned(),
        (Table::Meta, _) => "meta".to_owned(),
    }
}

fn tree(name: &str) -> TableDefinition<'_, &'static [u8], &'static [u8]> {
    TableDefinition::new(name)
}

/// The changes of one table.
pub(crate) fn of_table(changes: &Changes, table: Table) -> impl Iterator<Item = (&Vec<u8>, &Option<Vec<u8>>)> {
    let from = changes.range((table, Vec::new())..);
    from.take_while(move |((of, _), _)| *of == table).map(|((_, key), value)| (key, value))
}

impl File {
    /// Opens it, or creates it. Damage is an error.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let mut database = Database::builder().set_cache_size(CACHE).create(path).map_err(|error| match error {
            DatabaseError::DatabaseAlreadyOpen => {
                io::Error::new(io::ErrorKind::WouldBlock, format!("{} is open in another process", path.display()))
            }
            error => failed(error),
        })?;
        // Reading verifies no checksums, so damage would show as wrong answers: it is looked for here.
        if !database.check_integrity().map_err(failed)? {
            return Err(failed("its checksums do not match"));
        }
        let part = |name: &str| name.strip_prefix("transaction-").or(name.strip_prefix("skipped-"))?.parse().ok();
        let read = database.begin_read().map_err(failed)?;
        let tables = read.list_tables().map_err(failed)?;
        let last_part = tables.filter_map(|table| part(table.name())).max().unwrap_or(0);
        drop(read);
        Ok(Self { database, last_part: AtomicU32::new(last_part) })
    }

    /// The parts of a table, first to last.
    fn parts(&self, table: Table) -> impl DoubleEndedIterator<Item = String> + use<> {
        let last = if is_in_parts(table) { self.last_part.load(Ordering::SeqCst) } else { 0 };
        (0..=last).map(move |part| name(table, part))
    }

    /// Applies all changes or none.
    pub(crate) fn commit(&self, changes: &Changes, durability: Durability) -> io::Result<()> {
        let mut write = self.database.begin_write().map_err(failed)?;
        write.set_durability(durability).map_err(failed)?;
        let mut is_full = false;
        for table in Table::ALL {
            is_full |= self.apply(table, changes, &write)?;
        }
        write.commit().map_err(failed)?;
        self.last_part.fetch_add(u32::from(is_full), Ordering::SeqCst);
        Ok(())
    }

    /// Applies the changes of one table, and tells whether its last part is full.
    fn apply(&self, table: Table, changes: &Changes, write: &WriteTransaction) -> io::Result<bool> {
        let parts: Vec<String> = self.parts(table).collect();
        let (last, former) = parts.split_last().expect("there is a first part");
        let mut open = write.open_table(tree(last)).map_err(failed)?;
        for (key, value) in of_table(changes, table) {
            match value {
                Some(value) => drop(open.insert(key.as_slice(), value.as_slice()).map_err(failed)?),
                None => {
                    open.remove(key.as_slice()).map_err(failed)?;
                    for part in former {
                        write.open_table(tree(part)).map_err(failed)?.remove(key.as_slice()).map_err(failed)?;
                    }
                }
            }
        }
        Ok(is_in_parts(table) && open.len().map_err(failed)? >= PART)
    }

    /// One value.
    pub(crate) fn get(&self, table: Table, key: &[u8]) -> io::Result<Option<Vec<u8>>> {
        let parts = self.parts(table).rev();
        let read = self.database.begin_read().map_err(failed)?;
        for part in parts {
            let Some(open) = open(&read, &part)? else { continue };
            if let Some(value) = open.get(key).map_err(failed)? {
                return Ok(Some(value.value().to_vec()));
            }
        }
        Ok(None)
    }

    /// A whole table.
    pub(crate) fn all(&self, table: Table) -> io::Result<BTreeMap<Vec<u8>, Vec<u8>>> {
        let parts = self.parts(table);
        let read = self.database.begin_read().map_err(failed)?;
        let mut all = BTreeMap::new();
        for part in parts {
            let Some(open) = open(&read, &part)? else { continue };
            for entry in open.iter().map_err(failed)? {
                let (key, value) = entry.map_err(failed)?;
                all.insert(key.value().to_vec(), value.value().to_vec());
            }
        }
        Ok(all)
    }

    /// Removes all tables.
    pub(crate) fn clear(&self) -> io::Result<()> {
        let write = self.database.begin_write().map_err(failed)?;
        for part in Table::ALL.into_iter().flat_map(|table| self.parts(table)) {
            write.delete_table(tree(&part)).map_err(failed)?;
        }
        self.last_part.store(0, Ordering::SeqCst);
        write.commit().map_err(failed)
    }
}

/// A tree, if it is there: one in which nothing was written yet need not be.
fn open(read: &ReadTransaction, part: &str) -> io::Result<Option<ReadOnlyTable<&'static [u8], &'static [u8]>>> {
    match read.open_table(tree(part)) {
        Ok(open) => Ok(Some(open)),
        Err(TableError::TableDoesNotExist(_)) => Ok(None),
        Err(error) => Err(failed(error)),
    }
}
