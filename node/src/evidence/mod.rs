//! Evidence of misbehaviour that this validator has seen: one file for each piece, in `<home>/data/evidence/`.
//!
//! Bounded, because whoever misbehaves may go on doing so: a slot (kind, view, height) of a member is kept once, and of each member
//! so many pieces. When they are full later ones are left out, and only counted: the first convicts.

mod file;

pub use file::EvidenceView;
pub(crate) use file::{parse, parse_all};

use crate::home::create_private_dir;
use quorate_consensus::{Evidence, Rejection};
use quorate_types::{Digest, Height, ReplicaId, View};
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tracing::warn;

/// Pieces kept of one member.
pub const PIECES_PER_MEMBER: usize = 16;

/// What a piece is known by.
type Slot = (ReplicaId, String, View, Option<Height>);

/// The evidence of one node. The runtime adds, the API reads.
#[derive(Debug)]
pub struct EvidenceStore {
    directory: PathBuf,
    genesis: Digest,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    /// In order of arrival.
    pieces: Vec<Arc<EvidenceView>>,
    slots: BTreeSet<Slot>,
    next: u64,
}

/// What became of a piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keeping {
    /// It is kept.
    New,
    /// There is one of this slot.
    Known,
    /// There are enough of this member.
    Enough,
}

impl EvidenceStore {
    /// Opens the directory, or makes it. A file that is damaged, or that `check` refuses, is named and left out.
    pub fn open(
        directory: PathBuf,
        genesis: Digest,
        check: impl Fn(&Evidence) -> Result<(), Rejection>,
    ) -> Result<Self, crate::exit::Failure> {
        create_private_dir(&directory)?;
        let mut kept = Kept::default();
        for path in clean_files(&directory)? {
            kept.next = kept.next.max(file::number(&path).map_or(0, |number| number.saturating_add(1)));
            let read = file::read(&path, &genesis).and_then(|(view, evidence)| {
                check(&evidence).map(|()| (view, evidence)).map_err(|error| error.to_string())
            });
            match read {
                Ok((view, evidence)) => drop(kept.add(&evidence, view)),
                Err(why) => warn!(file = %path.display(), why, "a file of evidence is damaged and left out"),
            }
        }
        Ok(Self { directory, genesis, kept: Mutex::new(kept) })
    }

    /// Keeps a piece, if it is news, and says so in the log.
    pub fn keep(&self, evidence: &Evidence) -> Keeping {
        let mut kept = self.lock();
        let view = EvidenceView::of(kept.next, evidence, &self.genesis);
        let keeping = kept.add(evidence, view.clone());
        if keeping == Keeping::New {
            kept.next += 1;
            let path = self.directory.join(view.file_name());
            warn!(accused = %evidence.accused, view = %evidence.view, kind = evidence.kind, file = %path.display(),
                "a replica has contradicted the protocol, and here is the proof");
            // Kept in memory all the same: the node's own work does not depend on it.
            if let Err(failure) = file::write(&path, &view) {
                warn!(%failure, "evidence could not be written");
            }
        }
        keeping
    }

    /// How many pieces there are.
    pub fn count(&self) -> usize {
        self.lock().pieces.len()
    }

    /// Everything, the newest first.
    pub fn newest_first(&self) -> Vec<Arc<EvidenceView>> {
        self.lock().pieces.iter().rev().cloned().collect()
    }

    /// The proofs themselves, in the order in which they came.
    pub(crate) fn proofs(&self) -> impl Iterator<Item = Evidence> {
        let pieces: Vec<_> = self.lock().pieces.clone();
        pieces.into_iter().filter_map(|piece| piece.decode().ok())
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn add(&mut self, evidence: &Evidence, view: EvidenceView) -> Keeping {
        let slot = (evidence.accused, evidence.kind.clone(), evidence.view, evidence.height);
        if self.slots.contains(&slot) {
            return Keeping::Known;
        }
        if self.pieces.iter().filter(|piece| piece.accused == evidence.accused).count() >= PIECES_PER_MEMBER {
            return Keeping::Enough;
        }
        self.slots.insert(slot);
        self.pieces.push(Arc::new(view));
        Keeping::New
    }
}

/// The directory's files of evidence, oldest first. What a crash left half written goes.
fn clean_files(directory: &Path) -> Result<Vec<PathBuf>, crate::exit::Failure> {
    for partial in with_extension(directory, "partial")? {
        let _ = fs::remove_file(partial);
    }
    files(directory)
}

/// The directory's files of evidence, oldest first.
pub(crate) fn files(directory: &Path) -> Result<Vec<PathBuf>, crate::exit::Failure> {
    let mut files = with_extension(directory, "json")?;
    files.sort_by_key(|path| (file::number(path), path.clone()));
    Ok(files)
}

fn with_extension(directory: &Path, extension: &str) -> Result<Vec<PathBuf>, crate::exit::Failure> {
    let fail = |error: std::io::Error| crate::home::file_failure("read", directory, &error);
    let entries = fs::read_dir(directory).map_err(fail)?;
    let paths = entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>().map_err(fail)?;
    Ok(paths.into_iter().filter(|path| path.extension().is_some_and(|is| is == extension)).collect())
}

/// Writes pieces of evidence as files into a directory that is made for them.
pub(crate) fn write_pieces(
    directory: &Path,
    genesis: &Digest,
    pieces: &[Evidence],
) -> Result<(), crate::exit::Failure> {
    if directory.exists() {
        let why = format!("{} exists: evidence is written into a new directory", directory.display());
        return Err(crate::exit::Failure::environment(why).hint("choose another one"));
    }
    create_private_dir(directory)?;
    for (id, evidence) in (0..).zip(pieces) {
        let view = EvidenceView::of(id, evidence, genesis);
        file::write(&directory.join(view.file_name()), &view)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
