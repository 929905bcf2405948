//! A disk that fails or loses power at any operation, and what may be found on it afterwards.

use crate::{Disk, MemoryDisk};
use std::{
    collections::BTreeMap,
    io,
    sync::{Arc, Mutex},
};

/// What happens to the operation at which the disk fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It is not done.
    NotDone,
    /// It is done; an append half.
    HalfDone,
    /// It is done, and reported as failed all the same.
    Done,
}

pub(super) const FATES: [Fate; 3] = [Fate::NotDone, Fate::HalfDone, Fate::Done];

#[derive(Clone, Debug)]
enum NameChange {
    Add(String, usize),
    Rename(String, String),
    Remove(String),
}

#[derive(Clone, Debug, Default)]
struct Inner {
    /// Contents, and how much of them is durable.
    contents: Vec<(Vec<u8>, usize)>,
    names: BTreeMap<String, usize>,
    durable_names: BTreeMap<String, usize>,
    unsynced: Vec<NameChange>,
    operations: usize,
    fails_at: Option<(usize, Fate)>,
    /// Whether it works again after the failure.
    recovers: bool,
}

/// The disk. Clones share their content.
#[derive(Clone, Debug, Default)]
pub(super) struct Faulty(Arc<Mutex<Inner>>);

fn apply(names: &mut BTreeMap<String, usize>, change: &NameChange) {
    match change {
        NameChange::Add(name, file) => drop(names.insert(name.clone(), *file)),
        NameChange::Remove(name) => drop(names.remove(name)),
        NameChange::Rename(from, to) => {
            if let Some(file) = names.remove(from) {
                names.insert(to.clone(), file);
            }
        }
    }
}

impl Inner {
    fn file(&self, name: &str) -> io::Result<usize> {
        self.names.get(name).copied().ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, name.to_owned()))
    }

    fn change(&mut self, change: NameChange) {
        apply(&mut self.names, &change);
        self.unsynced.push(change);
    }

    /// Counts an operation; `act` does it, wholly or half.
    fn operate(&mut self, act: impl FnOnce(&mut Self, bool) -> io::Result<()>) -> io::Result<()> {
        let now = self.operations;
        self.operations += 1;
        let failed = || io::Error::other("the power is gone");
        match self.fails_at {
            Some((at, Fate::NotDone)) if at == now => Err(failed()),
            Some((at, fate)) if at == now => act(self, fate == Fate::HalfDone).and(Err(failed())),
            Some((at, _)) if at < now && !self.recovers => Err(failed()),
            _ => act(self, false),
        }
    }
}

impl Faulty {
    /// A good disk with this content, all of it durable.
    pub(super) fn of(disk: &MemoryDisk) -> Self {
        let mut inner = Inner::default();
        for (name, bytes) in &disk.files {
            inner.names.insert(name.clone(), inner.contents.len());
            inner.contents.push((bytes.clone(), bytes.len()));
        }
        inner.durable_names = inner.names.clone();
        Self(Arc::new(Mutex::new(inner)))
    }

    /// The `after`-th changing operation from now on fails, and all later ones do.
    pub(super) fn fail(&self, after: usize, fate: Fate) {
        let mut inner = self.0.lock().expect("one thread");
        inner.fails_at = Some((inner.operations + after, fate));
    }

    /// As [`Faulty::fail`], but the operations after that one are done.
    pub(super) fn fail_once(&self, after: usize, fate: Fate) {
        self.fail(after, fate);
        self.0.lock().expect("one thread").recovers = true;
    }

    /// Everything that a power failure now may leave: of what was not synced, some names or none, and of each file all
    /// bytes, half of them or none.
    pub(super) fn after_power_failure(&self) -> Vec<MemoryDisk> {
        let inner = self.0.lock().expect("one thread");
        let mut images = Vec::new();
        for kept_names in 0..=inner.unsynced.len() {
            let mut names = inner.durable_names.clone();
            inner.unsynced[..kept_names].iter().for_each(|change| apply(&mut names, change));
            for halves in 0..=2 {
                let left = |file: usize| {
                    let (bytes, synced) = &inner.contents[file];
                    bytes[..synced + (bytes.len() - synced) * halves / 2].to_vec()
                };
                let files = names.iter().map(|(name, file)| (name.clone(), left(*file))).collect();
                images.push(MemoryDisk { files });
            }
        }
        images
    }
}

impl Disk for Faulty {
    fn list(&self) -> io::Result<Vec<String>> {
        Ok(self.0.lock().expect("one thread").names.keys().cloned().collect())
    }

    fn len(&self, name: &str) -> io::Result<u64> {
        let inner = self.0.lock().expect("one thread");
        Ok(inner.contents[inner.file(name)?].0.len() as u64)
    }

    fn read(&self, name: &str, offset: u64, len: usize) -> io::Result<Vec<u8>> {
        let inner = self.0.lock().expect("one thread");
        let bytes = &inner.contents[inner.file(name)?].0;
        let start = (offset as usize).min(bytes.len());
        Ok(bytes[start..(start + len).min(bytes.len())].to_vec())
    }

    fn append(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.0.lock().expect("one thread").operate(|inner, half| {
            if inner.file(name).is_err() {
                inner.contents.push((Vec::new(), 0));
                inner.change(NameChange::Add(name.to_owned(), inner.contents.len() - 1));
            }
            let file = inner.file(name)?;
            let written = if half { bytes.len() / 2 } else { bytes.len() };
            inner.contents[file].0.extend_from_slice(&bytes[..written]);
            Ok(())
        })
    }

    fn sync(&mut self, name: &str) -> io::Result<()> {
        self.0.lock().expect("one thread").operate(|inner, half| {
            let file = inner.file(name)?;
            let (bytes, synced) = &mut inner.contents[file];
            *synced += (bytes.len() - *synced) / if half { 2 } else { 1 };
            Ok(())
        })
    }

    fn sync_directory(&mut self) -> io::Result<()> {
        self.0.lock().expect("one thread").operate(|inner, half| {
            let done = inner.unsynced.len() / if half { 2 } else { 1 };
            for change in inner.unsynced.drain(..done) {
                apply(&mut inner.durable_names, &change);
            }
            Ok(())
        })
    }

    fn truncate(&mut self, name: &str, len: u64) -> io::Result<()> {
        self.0.lock().expect("one thread").operate(|inner, _| {
            let file = inner.file(name)?;
            let (bytes, synced) = &mut inner.contents[file];
            bytes.truncate(len as usize);
            *synced = (*synced).min(bytes.len());
            Ok(())
        })
    }

    fn rename(&mut self, from: &str, to: &str) -> io::Result<()> {
        self.0.lock().expect("one thread").operate(|inner, _| {
            inner.file(from)?;
            inner.change(NameChange::Rename(from.to_owned(), to.to_owned()));
            Ok(())
        })
    }

    fn remove(&mut self, name: &str) -> io::Result<()> {
        self.0.lock().expect("one thread").operate(|inner, _| {
            inner.file(name)?;
            inner.change(NameChange::Remove(name.to_owned()));
            Ok(())
        })
    }
}
