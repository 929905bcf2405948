//! Committed blocks on the disk: self-contained records in segment files.

use crate::{
    Disk, LedgerError, Manifest, Outcome, State, base,
    proof::{outcomes_root, state_root},
    record_log::{self, FRAME_HEADER, Frame, LogError},
};
use borsh::{BorshDeserialize, BorshSerialize};
use quorate_types::{Batch, Block, Digest, Header, Height, decode, encode};
use std::{io, sync::Arc};

/// A segment is closed when it is this long.
pub(crate) const SEGMENT: u64 = 64 * 1024 * 1024;
/// So many bytes are made durable at once, more or less. The votes' journal is on the same disk, where a flush waits for those before it:
/// ten megabytes a second that four validators wrote in one go stopped all votes for a third of a second.
const GULP: u64 = 1024 * 1024;
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

/// What a ledger begins from in place of genesis, and the first segment above it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Base {
    pub(crate) segment: u64,
    pub(crate) manifest: Manifest,
}

/// The block log.
///
/// All segments but the last are durable: the next one begins when the one before it is synced. A log that failed once
/// stays failed, for nobody knows what the disk kept of it; opening it anew tells.
#[derive(Debug)]
pub(crate) struct Store<D> {
    pub(crate) disk: D,
    /// A segment is closed when it is this long.
    limit: u64,
    segment: u64,
    len: u64,
    /// The first segment.
    first: u64,
    /// The block below the first one.
    below: Height,
    /// By height, from the first block above `below` on.
    places: Vec<Place>,
    /// Whether the last segment, or its name, may not be durable.
    is_unsynced: bool,
    /// Bytes of the last segment that have reached the disk.
    synced: u64,
    /// The first failure.
    failed: Option<(io::ErrorKind, String)>,
}

pub(crate) fn name(segment: u64) -> String {
    format!("{PREFIX}{segment:08}")
}

/// The numbers of the segments among these files, ascending.
pub(crate) fn segments_of(files: &[String]) -> Vec<u64> {
    let number = |file: &String| file.strip_prefix(PREFIX)?.parse().ok().filter(|&segment| name(segment) == *file);
    let mut segments: Vec<u64> = files.iter().filter_map(number).collect();
    segments.sort_unstable();
    segments
}

impl<D: Disk> Store<D> {
    /// Reads and checks the whole log; calls `each` with every block's digest, and whether it has a commit proof of its own,
    /// in order. The first one stands above `below`, in segment `first`. `durable` is what is known to have been durable,
    /// `is_known` tells which digests are; segments are closed at `limit` bytes.
    pub(crate) fn open(
        disk: D,
        durable: Option<Durable>,
        limit: u64,
        (below, first): (&Header, u64),
        is_known: impl Fn(&Digest) -> bool,
        mut each: impl FnMut(&Digest, bool),
    ) -> Result<Self, LedgerError> {
        let is_unsynced = false;
        let (below_height, places, failed) = (below.height, Vec::new(), None);
        let mut store = Self {
            disk,
            limit,
            segment: first,
            len: 0,
            first,
            below: below_height,
            places,
            is_unsynced,
            synced: 0,
            failed,
        };
        let segments = store.segments(durable)?;
        let mut parent = below.clone();
        for &segment in &segments {
            let file = name(segment);
            let floor = if segments.last() == Some(&segment) {
                durable.map(|durable| if durable.segment == segment { durable.len } else { 0 })
            } else {
                Some(store.disk.len(&file)?)
            };
            let (frames, end) = store.read_segment(&file, floor, parent.height)?;
            for (index, frame) in frames.iter().enumerate() {
                let stored = store.follow(&parent, &file, (frame, frames.get(index + 1)), &is_known)?;
                let is_proven = stored.proof.is_some();
                parent = stored.block.header;
                store.places.push(Place { segment, offset: frame.offset, len: frame.payload.len() });
                each(&parent.digest(), is_proven);
            }
            let kept = end?;
            // What another process wrote last may still be on its way to the disk.
            (store.segment, store.len, store.is_unsynced) = (segment, kept, true);
        }
        Ok(store)
    }

    /// Cuts all but the first `blocks` blocks.
    pub(crate) fn keep(&mut self, blocks: usize) -> Result<(), LedgerError> {
        let Some(&Place { segment, offset, .. }) = self.places.get(blocks) else { return Ok(()) };
        self.unless_failed(|store| {
            for later in (segment + 1..=store.segment).rev() {
                store.disk.remove(&name(later))?;
            }
            store.disk.truncate(&name(segment), offset)?;
            store.places.truncate(blocks);
            (store.segment, store.len, store.is_unsynced, store.synced) = (segment, offset, true, 0);
            Ok(())
        })
    }

    /// The numbers of the segments: from the first without a gap, up to the one that was durable at least.
    fn segments(&self, durable: Option<Durable>) -> Result<Vec<u64>, LedgerError> {
        let first = self.first;
        let segments: Vec<u64> =
            segments_of(&self.disk.list()?).into_iter().filter(|&segment| segment >= first).collect();
        let durable = durable.filter(|durable| durable.len > 0).map_or(0, |durable| durable.segment);
        let last = segments.last().copied().unwrap_or(0).max(durable);
        match (first..=last)
            .zip(segments.iter().copied().chain(std::iter::repeat(0)))
            .find(|(expected, is)| expected != is)
        {
            None => Ok(segments),
            Some((missing, _)) => {
                let file = self.disk.describe(&name(missing));
                Err(LogError::Damaged { file, offset: 0, before: 0, why: "the file is missing" }.into())
            }
        }
    }

    /// The good frames of a segment above the block at `below`, and where they end. Damage behind them is put at its height;
    /// it comes second because a block taken out from among them shows as a file that is too short.
    fn read_segment(
        &mut self,
        file: &str,
        floor: Option<u64>,
        below: Height,
    ) -> Result<(Vec<Frame>, Result<u64, LedgerError>), LedgerError> {
        match record_log::read(&mut self.disk, file, floor) {
            Ok((frames, end)) => Ok((frames, Ok(end))),
            Err(LogError::Damaged { file: place, offset, before, why }) => {
                let good = self.disk.read(file, 0, usize::try_from(offset).unwrap_or(usize::MAX))?;
                let frames = record_log::scan(&good, None).map(|(frames, _)| frames).unwrap_or_default();
                let height = Height(below.0.saturating_add(before as u64)).next();
                Ok((frames, Err(LedgerError::Unsound { height, file: place, offset, why: why.to_owned() })))
            }
            Err(error @ LogError::Io { .. }) => Err(error.into()),
        }
    }

    /// The block in `frame`, if it follows `parent`. Where only the link between the two is broken, the parent's header is
    /// the one that was changed if the block `above` or the index stands by this one.
    fn follow(
        &self,
        parent: &Header,
        file: &str,
        (frame, above): (&Frame, Option<&Frame>),
        is_known: &impl Fn(&Digest) -> bool,
    ) -> Result<StoredBlock, LedgerError> {
        let height = parent.height.next();
        let unsound =
            |why: String| LedgerError::Unsound { height, file: self.disk.describe(file), offset: frame.offset, why };
        let stored: StoredBlock = decode(&frame.payload).map_err(|error| unsound(error.to_string()))?;
        let header = &stored.block.header;
        let is_next = header.height == height && parent.height != self.below;
        if is_next && header.parent != parent.digest() {
            let above: Option<StoredBlock> = above.and_then(|frame| decode(&frame.payload).ok());
            if is_known(&header.parent) || above.is_some_and(|above| above.block.header.parent == header.digest()) {
                let why = format!("it is {}, and the block above it stands on {}", parent.digest(), header.parent);
                return Err(self.unsound(parent.height, why));
            }
        }
        stored.check(parent).map_err(unsound)?;
        Ok(stored)
    }

    /// The first segment above what the log begins from.
    pub(crate) fn first(&self) -> u64 {
        self.first
    }

    fn place(&self, height: Height) -> Option<&Place> {
        let index = height.0.checked_sub(self.below.next().0)?;
        self.places.get(usize::try_from(index).ok()?)
    }

    /// The block at `height`, which the log has, is not the right one.
    pub(crate) fn unsound(&self, height: Height, why: String) -> LedgerError {
        let (file, offset) =
            self.place(height).map_or((name(self.first), 0), |place| (name(place.segment), place.offset));
        LedgerError::Unsound { height, file: self.disk.describe(&file), offset, why }
    }

    fn unless_failed<T>(&mut self, act: impl FnOnce(&mut Self) -> io::Result<T>) -> Result<T, LedgerError> {
        if let Some((kind, why)) = &self.failed {
            return Err(
                io::Error::new(*kind, format!("the block log cannot be written to since it failed: {why}")).into()
            );
        }
        let done = act(self);
        if let Err(error) = &done {
            self.failed = Some((error.kind(), error.to_string()));
        }
        Ok(done?)
    }

    /// Puts a block behind the last one. Not durable before [`Store::sync`].
    pub(crate) fn append(&mut self, block: &StoredBlock) -> Result<(), LedgerError> {
        self.unless_failed(|store| {
            if store.len >= store.limit {
                store.flush()?;
                store.segment += 1;
                (store.len, store.synced) = (0, 0);
            }
            let payload = encode(block);
            let frame = record_log::frame(store.len, &payload)?;
            store.is_unsynced = true;
            store.disk.append(&name(store.segment), &frame)?;
            store.places.push(Place { segment: store.segment, offset: store.len, len: payload.len() });
            store.len += frame.len() as u64;
            if store.len.saturating_sub(store.synced) < GULP { Ok(()) } else { store.gulp() }
        })
    }

    /// Makes everything appended durable, and tells how far that reaches.
    pub(crate) fn sync(&mut self) -> Result<Durable, LedgerError> {
        self.unless_failed(|store| {
            store.flush()?;
            Ok(Durable { segment: store.segment, len: store.len })
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.is_unsynced {
            self.disk.sync(&name(self.segment))?;
            self.disk.sync_directory()?;
            self.is_unsynced = false;
            self.synced = self.len;
        }
        Ok(())
    }

    /// Lets the bytes so far reach the disk. Their file's name may not have.
    fn gulp(&mut self) -> io::Result<()> {
        self.disk.sync(&name(self.segment))?;
        self.synced = self.len;
        Ok(())
    }

    /// Begins anew above `manifest`'s block, whose state is `state`: the blocks so far go. Durable when it returns.
    pub(crate) fn rebase(&mut self, manifest: &Manifest, state: &State) -> Result<(), LedgerError> {
        self.unless_failed(|store| {
            let first = store.segment + 1;
            base::write(&mut store.disk, first, manifest, state)?;
            base::sweep(&mut store.disk, first);
            store.places.clear();
            (store.first, store.segment, store.len, store.below) = (first, first, 0, manifest.header.height);
            (store.is_unsynced, store.synced) = (false, 0);
            Ok(())
        })
    }

    /// A block by its height. Checked again: the disk may have changed since it was opened.
    pub(crate) fn read(&self, height: Height) -> Result<Option<StoredBlock>, LedgerError> {
        let Some(place) = self.place(height) else { return Ok(None) };
        let file = name(place.segment);
        let bytes = self.disk.read(&file, place.offset, FRAME_HEADER + place.len)?;
        let stored = record_log::parse(place.offset, &bytes)
            .map_err(str::to_owned)
            .and_then(|payload| decode(payload).map_err(|error| error.to_string()));
        match stored {
            Ok(stored) => Ok(Some(stored)),
            Err(why) => Err(self.unsound(height, why)),
        }
    }
}
