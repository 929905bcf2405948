//! What a disk holds: files, their names, and the faults that wait for it.

use super::file::File;
use std::{collections::BTreeMap, io, time::Duration};

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) files: BTreeMap<u64, File>,
    pub(super) next_file: u64,
    /// The directory as programs see it.
    pub(super) names: BTreeMap<String, u64>,
    /// As it would be after a crash, without `changes`.
    pub(super) durable_names: BTreeMap<String, u64>,
    pub(super) changes: Vec<NameChange>,
    pub(super) deferred: bool,
    pub(super) room: Option<u64>,
    pub(super) sync_fails: bool,
    pub(super) slow: Duration,
    pub(super) fuse: Option<u32>,
    pub(super) is_dead: bool,
    pub(super) has_bad_sectors: bool,
    /// Bytes of the file that was removed last: what new sectors held before.
    pub(super) removed: Vec<u8>,
}

#[derive(Clone, Debug)]
pub(super) enum NameChange {
    Create(String, u64),
    Rename(String, String),
    Remove(String),
}

impl State {
    pub(super) fn file(&self, name: &str) -> io::Result<&File> {
        let found = self.names.get(name).and_then(|file| self.files.get(file));
        found.ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, format!("no file {name}")))
    }

    pub(super) fn file_mut(&mut self, name: &str) -> io::Result<&mut File> {
        let found = self.names.get(name).and_then(|file| self.files.get_mut(file));
        found.ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, format!("no file {name}")))
    }

    pub(super) fn change(&mut self, change: NameChange) {
        change.clone().apply(&mut self.names);
        self.changes.push(change);
    }

    /// Whether the power is still there for one more change.
    pub(super) fn power(&mut self) -> io::Result<()> {
        if let Some(left) = &mut self.fuse {
            if *left == 0 {
                self.is_dead = true;
            } else {
                *left -= 1;
            }
        }
        if self.is_dead { Err(io::Error::other("the power is gone")) } else { Ok(()) }
    }

    /// How much of a write fits.
    pub(super) fn reserve(&mut self, length: usize) -> usize {
        let Some(room) = &mut self.room else { return length };
        let fits = usize::try_from(*room).unwrap_or(usize::MAX).min(length);
        *room -= u64::try_from(fits).unwrap_or_default();
        fits
    }
}

impl NameChange {
    pub(super) fn apply(self, names: &mut BTreeMap<String, u64>) {
        match self {
            Self::Create(name, file) => {
                names.insert(name, file);
            }
            Self::Rename(from, to) => {
                if let Some(file) = names.remove(&from) {
                    names.insert(to, file);
                }
            }
            Self::Remove(name) => {
                names.remove(&name);
            }
        }
    }
}
