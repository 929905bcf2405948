//! The vote journal: what a replica promised and what that rests on, before anybody hears of it.
//!
//! Entries are pushed in memory and flushed as one frame. The first entry is written when the keys are made: a validator
//! without a journal knows that it lost one. The second binds the journal to a chain, when a validator of that chain opens it
//! for the first time: records of another chain, and above all of another protocol, are never read as if they were its own.
//! Rotation begins a new file with what still matters; it is complete under a
//! temporary name before it takes the place of the old one.
//!
//! A journal that failed once stays failed: after a failed write the file's end is unknown, and after a failed sync the
//! operating system may have dropped the bytes and say yes the next time. Only opening it anew tells what is there.

use crate::{
    Disk, Genesis, Protocol, SchemeKind,
    record_log::{self, Frame, LogError},
};
use borsh::{BorshDeserialize, BorshSerialize};
use quorate_types::{Batch, ChainId, encode};
use serde::{Deserialize, Serialize};
use std::{fmt, io, marker::PhantomData, sync::Arc};

const PREFIX: &str = "journal-";
const TEMPORARY: &str = "journal.new";

/// One thing to remember.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum Entry<R> {
    /// The journal began, with its replica's keys.
    Birth,
    /// A batch that later records may rest on.
    Batch(Arc<Batch>),
    /// The replica's own.
    Record(R),
    /// Everything after it is of this chain. Kept by the journal itself, not handed out.
    Bound(Binding),
}

/// The chain whose promises a journal holds, and what gives their bytes a meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Binding {
    /// The chain.
    pub chain: ChainId,
    /// Its protocol.
    pub protocol: Protocol,
    /// Its vote scheme.
    pub scheme: SchemeKind,
}

impl Binding {
    /// What the journals of this chain's validators are bound to.
    pub fn of(genesis: &Genesis) -> Self {
        Self { chain: genesis.chain_id(), protocol: genesis.protocol, scheme: genesis.scheme }
    }
}

impl fmt::Display for Binding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "chain {} ({}, {})", self.chain.0, self.protocol, self.scheme)
    }
}

/// When a flush counts as done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Durability {
    /// When the disk has it.
    #[default]
    Always,
    /// When the disk has it, but a few milliseconds' worth at a time.
    Group,
    /// When the operating system has it: survives a crash of the process, not of the machine.
    None,
}

impl fmt::Display for Durability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Always => "always",
            Self::Group => "group",
            Self::None => "none",
        })
    }
}

/// Why a journal cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// There is none: this disk lost it, or was never given one.
    #[error("there is no vote journal in {directory}; `quorate keygen` makes one together with the keys")]
    Missing {
        /// Where.
        directory: String,
    },
    /// One is there already: making a new one would forget its promises.
    #[error("there is a vote journal already: {file}")]
    Exists {
        /// Which.
        file: String,
    },
    /// It cannot be read.
    #[error(transparent)]
    Log(#[from] LogError),
    /// It is bound to another chain.
    #[error(
        "{file} holds promises made on {has}, and this validator's genesis is {asked}. What was promised on one chain means \
         nothing on another: give this home the genesis.json that it ran with, or make a new home with `quorate keygen`"
    )]
    OtherChain {
        /// Which file.
        file: String,
        /// What it is bound to.
        has: Box<Binding>,
        /// What it was opened for.
        asked: Box<Binding>,
    },
    /// A frame that passed its checksum does not hold entries of this version.
    #[error("{file}, frame at byte {offset}: {why}. It was written by another version, or for another protocol")]
    Foreign {
        /// Which file.
        file: String,
        /// Where.
        offset: u64,
        /// The decoder's complaint.
        why: String,
    },
    /// The disk said no.
    #[error("the journal's directory: {0}")]
    Io(#[from] io::Error),
}

/// An open journal.
#[derive(Debug)]
pub struct Journal<D, R> {
    disk: D,
    generation: u64,
    binding: Option<Binding>,
    pending: Vec<u8>,
    bytes: u64,
    /// Whether something was written and not synced.
    is_unsynced: bool,
    /// How often it was made durable.
    syncs: u64,
    /// The first failure.
    failed: Option<(io::ErrorKind, String)>,
    records: PhantomData<fn() -> R>,
}

/// What is on the disk.
struct Found<R> {
    names: Vec<String>,
    generation: u64,
    is_bound: bool,
    bytes: u64,
    entries: Vec<Entry<R>>,
}

fn name(generation: u64) -> String {
    format!("{PREFIX}{generation:08}")
}

fn foreign<D: Disk>(disk: &D, file: &str, offset: u64, why: String) -> JournalError {
    JournalError::Foreign { file: disk.describe(file), offset, why }
}

fn generation(name: &str) -> Option<u64> {
    let generation = name.strip_prefix(PREFIX)?.parse().ok()?;
    (self::name(generation) == name).then_some(generation)
}

impl<D: Disk, R: BorshSerialize + BorshDeserialize> Journal<D, R> {
    /// Begins the first journal of a replica, together with its keys, which belong to no chain yet.
    pub fn create(disk: D) -> Result<Self, JournalError> {
        Self::first(disk, None, Vec::new())
    }

    /// Begins a journal that holds `live` from its first byte on: there is no moment at which a crash would leave a journal
    /// without it.
    pub fn begin(disk: D, binding: Binding, live: Vec<Entry<R>>) -> Result<Self, JournalError> {
        Self::first(disk, Some(binding), live)
    }

    fn first(disk: D, binding: Option<Binding>, live: Vec<Entry<R>>) -> Result<Self, JournalError> {
        if let Some(existing) = disk.list()?.iter().find(|name| generation(name).is_some()) {
            return Err(JournalError::Exists { file: disk.describe(existing) });
        }
        let mut journal = Self::at(disk, 0, binding, 0);
        journal.rotate(live)?;
        Ok(journal)
    }

    fn at(disk: D, generation: u64, binding: Option<Binding>, bytes: u64) -> Self {
        let pending = Vec::new();
        Self {
            disk,
            generation,
            binding,
            pending,
            bytes,
            is_unsynced: false,
            syncs: 0,
            failed: None,
            records: PhantomData,
        }
    }

    /// Opens the journal for the chain of `binding` and returns its entries, oldest first. One that has just been made is bound
    /// to that chain, durably, before anything is written to it.
    pub fn open(mut disk: D, binding: Binding) -> Result<(Self, Vec<Entry<R>>), JournalError> {
        let Found { names, generation, is_bound, bytes, entries } = Self::find(&mut disk, binding)?;
        let current = name(generation);
        // A crash between rename and removal leaves the old file beside the new one, which holds all that matters.
        for old in
            names.iter().filter(|old| *old == TEMPORARY || self::generation(old).is_some_and(|g| g != generation))
        {
            disk.remove(old)?;
        }
        // The process before this one may have ended between writing and syncing. What is read here is said again, so it
        // must be durable first.
        disk.sync(&current)?;
        // The name as well: it may be a rename that the process before this one did not live to sync.
        disk.sync_directory()?;
        let mut journal = Self::at(disk, generation, Some(binding), bytes);
        if !is_bound {
            journal.push(Entry::Bound(binding));
            journal.flush(Durability::Always)?;
        }
        Ok((journal, entries))
    }

    /// The entries of a journal that is only looked at, oldest first. Of the disk only a torn end may be cut.
    pub fn read(mut disk: D, binding: Binding) -> Result<Vec<Entry<R>>, JournalError> {
        Self::find(&mut disk, binding).map(|found| found.entries)
    }

    /// Reads the newest file, which holds all that matters.
    fn find(disk: &mut D, binding: Binding) -> Result<Found<R>, JournalError> {
        let names = disk.list()?;
        let Some(generation) = names.iter().filter_map(|name| generation(name)).max() else {
            return Err(JournalError::Missing { directory: disk.describe("") });
        };
        let current = name(generation);
        Self::check_beginning(disk, &current)?;
        let (frames, bytes) = record_log::read(disk, &current, None)?;
        let is_bound = Self::check_binding(disk, &current, &frames, binding)?;
        let mut entries: Vec<Entry<R>> = Vec::new();
        for frame in frames {
            let foreign = |why: String| foreign(disk, &current, frame.offset, why);
            let mut rest = frame.payload.as_slice();
            while !rest.is_empty() {
                let entry = Entry::deserialize(&mut rest).map_err(|error| foreign(error.to_string()))?;
                entries.extend((!matches!(entry, Entry::Bound(_))).then_some(entry));
            }
        }
        if !matches!(entries.first(), Some(Entry::Birth)) {
            return Err(JournalError::Missing { directory: disk.describe(&current) });
        }
        Ok(Found { names, generation, is_bound, bytes, entries })
    }

    /// Whether it is bound already. Looked at before any record is decoded: one of another protocol might decode, and mean
    /// something else.
    fn check_binding(disk: &D, file: &str, frames: &[Frame], asked: Binding) -> Result<bool, JournalError> {
        // The first frame is the birth alone.
        let Some(second) = frames.get(1) else { return Ok(false) };
        match Entry::<R>::deserialize(&mut second.payload.as_slice()) {
            Ok(Entry::Bound(has)) if has == asked => Ok(true),
            Ok(Entry::Bound(has)) => {
                let file = disk.describe(file);
                Err(JournalError::OtherChain { file, has: Box::new(has), asked: Box::new(asked) })
            }
            _ => Err(foreign(disk, file, second.offset, "it does not say for which chain it is".to_owned())),
        }
    }

    /// A journal gets its name when its first frame is durable. One that begins otherwise is damaged or of another version,
    /// not torn, and nothing of it is cut.
    fn check_beginning(disk: &D, file: &str) -> Result<(), JournalError> {
        let birth = record_log::frame(0, &encode(&Entry::<R>::Birth))?;
        if disk.read(file, 0, birth.len())? == birth {
            return Ok(());
        }
        let why = "it does not begin as a journal of this version does";
        Err(LogError::Damaged { file: disk.describe(file), offset: 0, before: 0, why }.into())
    }

    /// Puts an entry behind the last one, in memory.
    pub fn push(&mut self, entry: Entry<R>) {
        if self.failed.is_some() {
            return;
        }
        entry.serialize(&mut self.pending).expect("encoding into memory cannot fail");
        if self.pending.len() > record_log::MAX_PAYLOAD / 2 {
            // Far more than one flush ever gathers: written early rather than too large for a frame, and synced, for a
            // crash must not lose this frame and keep the next. The next flush reports a failure.
            let _reported_later = self.unless_failed(|journal| journal.write().and_then(|()| journal.sync()));
        }
    }

    fn unless_failed(&mut self, act: impl FnOnce(&mut Self) -> io::Result<()>) -> io::Result<()> {
        if let Some((kind, why)) = &self.failed {
            return Err(io::Error::new(*kind, format!("the journal cannot be written to since it failed: {why}")));
        }
        let done = act(self);
        if let Err(error) = &done {
            self.failed = Some((error.kind(), error.to_string()));
            self.pending = Vec::new();
        }
        done
    }

    fn write(&mut self) -> io::Result<()> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let frame = record_log::frame(self.bytes, &self.pending)?;
        self.is_unsynced = true;
        self.disk.append(&name(self.generation), &frame)?;
        self.pending.clear();
        self.bytes += frame.len() as u64;
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        if self.is_unsynced {
            self.disk.sync(&name(self.generation))?;
            self.is_unsynced = false;
            self.syncs += 1;
        }
        Ok(())
    }

    /// Writes what was pushed as one frame, and returns when it is as durable as `durability` says.
    pub fn flush(&mut self, durability: Durability) -> io::Result<()> {
        self.unless_failed(|journal| {
            journal.write()?;
            match durability {
                Durability::Always | Durability::Group => journal.sync(),
                Durability::None => Ok(()),
            }
        })
    }

    /// How often the disk was asked to make what was written durable. Rotations are apart.
    pub fn syncs(&self) -> u64 {
        self.syncs
    }

    /// Begins a new file that holds `live`, and what was pushed since; the old one goes.
    pub fn rotate(&mut self, live: Vec<Entry<R>>) -> io::Result<()> {
        self.unless_failed(|journal| journal.replace(live))
    }

    fn replace(&mut self, live: Vec<Entry<R>>) -> io::Result<()> {
        let mut frames = record_log::frame(0, &encode(&Entry::<R>::Birth))?;
        for entry in self.binding.map(Entry::Bound).into_iter().chain(live) {
            frames.extend_from_slice(&record_log::frame(frames.len() as u64, &encode(&entry))?);
        }
        if self.disk.list()?.iter().any(|name| name == TEMPORARY) {
            self.disk.remove(TEMPORARY)?;
        }
        self.disk.append(TEMPORARY, &frames)?;
        self.disk.sync(TEMPORARY)?;
        let (old, new) = (name(self.generation), name(self.generation + 1));
        self.disk.rename(TEMPORARY, &new)?;
        self.disk.sync_directory()?;
        self.generation += 1;
        self.bytes = frames.len() as u64;
        self.is_unsynced = false;
        if self.disk.list()?.contains(&old) {
            self.disk.remove(&old)?;
        }
        Ok(())
    }

    /// Bytes in the present file.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The disk, for tests and simulations.
    pub fn into_disk(self) -> D {
        self.disk
    }
}
