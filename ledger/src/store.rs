//! Committed blocks on the disk: self-contained records in segment files.

use crate::{
    Disk, LedgerError, Outcome,
    proof::{outcomes_root, state_root},
    record_log::{self, FRAME_HEADER, LogError},
};
use borsh::{BorshDeserialize, BorshSerialize};
use quorate_types::{Batch, Block, Digest, Header, Height, decode, encode};
use std::sync::Arc;

/// A segment is closed when it is this long.
const SEGMENT: u64 = 64 * 1024 * 1024;
const PREFIX: &str = "blocks-";

/// A committed block with everything that belongs to it.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct StoredBlock {
    /// The block.
    pub block: Block,
    /// The bodies of its batches, in order.
    pub batches: Vec<Arc<Batch>>,
    /// Its commit proof, if it was committed by one of its own and not by a descendant's.
    pub proof: Option<Vec<u8>>,
    /// Root of the application's state after it.
    pub app_root: Digest,
    /// What each of its transactions did, in order.
    pub outcomes: Vec<(Digest, Outcome)>,
}

impl StoredBlock {
    /// Whether it follows `parent` and hangs together: links, batches, roots. Costs no execution.
    pub fn check(&self, parent: &Header) -> Result<(), String> {
        let header = &self.block.header;
        if header.height != parent.height.next() {
            return Err(format!("it says {} where {} belongs", header.height, parent.height.next()));
        }
        if header.parent != parent.digest() {
            return Err("its parent is not the block below it".to_owned());
        }
        if header.chain != parent.chain || header.epoch != parent.epoch {
            return Err("it is of another chain".to_owned());
        }
        let named = self.batches.iter().map(|batch| batch.digest());
        if !self.block.is_well_formed() || !named.eq(self.block.payload.iter().copied()) {
            return Err("its batches are not those that it names".to_owned());
        }
        if header.state_root != state_root(&self.app_root, &outcomes_root(&self.outcomes)) {
            return Err("its outcomes are not those that its state root covers".to_owned());
        }
        Ok(())
    }
}

/// Where a block lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    segment: u64,
    offset: u64,
    len: usize,
}

/// What of the log is known to be durable: a segment and a length.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(crate) struct Durable {
    pub(crate) segment: u64,
    pub(crate) len: u64,
}

/// The block log.
#[derive(Debug)]
pub(crate) struct Store<D> {
    disk: D,
    segment: u64,
    len: u64,
    /// By height, genesis not among them.
    places: Vec<Place>,
    unsynced: Vec<u64>,
}

fn name(segment: u64) -> String {
    format!("{PREFIX}{segment:08}")
}

impl<D: Disk> Store<D> {
    /// Reads and checks the whole log; calls `each` with every block, in order.
    pub(crate) fn open(
        disk: D,
        durable: Option<Durable>,
        genesis: &Header,
        mut each: impl FnMut(StoredBlock) -> Result<(), LedgerError>,
    ) -> Result<Self, LedgerError> {
        let mut store = Self { disk, segment: 1, len: 0, places: Vec::new(), unsynced: Vec::new() };
        let names = store.disk.list()?;
        let mut segments: Vec<u64> = names.iter().filter_map(|name| name.strip_prefix(PREFIX)?.parse().ok()).collect();
        segments.sort_unstable();
        let mut parent = genesis.clone();
        for (index, &segment) in segments.iter().enumerate() {
            let is_last = index + 1 == segments.len();
            let file = name(segment);
            let before = store.disk.len(&file)?;
            let floor = if is_last { durable.filter(|d| d.segment == segment).map(|d| d.len) } else { Some(before) };
            let (frames, kept) = record_log::read(&mut store.disk, &file, floor)?;
            if segment != segments[0] + index as u64 {
                return Err(LogError::Damaged { file, offset: 0, why: "the segment before it is missing" }.into());
            }
            for frame in frames {
                let height = parent.height.next();
                let unsound = |why: String, store: &Self| LedgerError::Unsound {
                    height,
                    file: store.disk.describe(&file),
                    offset: frame.offset,
                    why,
                };
                let stored: StoredBlock = decode(&frame.payload).map_err(|error| unsound(error.to_string(), &store))?;
                stored.check(&parent).map_err(|why| unsound(why, &store))?;
                parent = stored.block.header.clone();
                store.places.push(Place { segment, offset: frame.offset, len: frame.payload.len() });
                each(stored)?;
            }
            (store.segment, store.len) = (segment, kept);
        }
        Ok(store)
    }

    /// Puts a block behind the last one. Not durable before [`Store::sync`].
    pub(crate) fn append(&mut self, block: &StoredBlock) -> Result<(), LedgerError> {
        if self.len >= SEGMENT {
            self.segment += 1;
            self.len = 0;
        }
        let payload = encode(block);
        let frame = record_log::frame(&payload);
        self.disk.append(&name(self.segment), &frame)?;
        if self.unsynced.last() != Some(&self.segment) {
            self.unsynced.push(self.segment);
        }
        self.places.push(Place { segment: self.segment, offset: self.len, len: payload.len() });
        self.len += frame.len() as u64;
        Ok(())
    }

    /// Makes everything appended durable, and tells how far that reaches.
    pub(crate) fn sync(&mut self) -> Result<Durable, LedgerError> {
        if !self.unsynced.is_empty() {
            for segment in std::mem::take(&mut self.unsynced) {
                self.disk.sync(&name(segment))?;
            }
            self.disk.sync_directory()?;
        }
        Ok(Durable { segment: self.segment, len: self.len })
    }

    /// A block by its height, which is above genesis.
    pub(crate) fn read(&self, height: Height) -> Result<Option<StoredBlock>, LedgerError> {
        let Some(place) = usize::try_from(height.0).ok().and_then(|h| self.places.get(h.checked_sub(1)?)) else {
            return Ok(None);
        };
        let file = name(place.segment);
        let at = place.offset + FRAME_HEADER as u64;
        let payload = self.disk.read(&file, at, place.len)?;
        let stored = decode(&payload).map_err(|error| LedgerError::Unsound {
            height,
            file: self.disk.describe(&file),
            offset: place.offset,
            why: error.to_string(),
        })?;
        Ok(Some(stored))
    }
}
