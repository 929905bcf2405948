//! The file that a ledger begins from if it did not begin from genesis.
//!
//! `base-NNNNNNNN` holds a [`Manifest`] and the whole state after its block, in checked frames; `NNNNNNNN` is the block log's
//! first segment above it. It is written under another name, synced and renamed: before the new name is durable the old ledger
//! stands, afterwards the new one, and what is left of the old one is removed, now or when the ledger is opened next.

use crate::{
    Disk, LedgerError, Manifest, State,
    record_log::{self, LogError},
    store::Base,
};
use quorate_types::{decode, encode};
use std::io;

const PREFIX: &str = "base-";
const UNFINISHED: &str = "base.new";
/// Bytes of keys and values after which a frame takes no more.
const FRAME: usize = 1024 * 1024;

type Leaves = Vec<(Vec<u8>, Vec<u8>)>;

fn name(segment: u64) -> String {
    format!("{PREFIX}{segment:08}")
}

/// The segments that begin above a base, ascending: the last base counts.
fn bases(files: &[String]) -> Vec<u64> {
    let number = |file: &String| file.strip_prefix(PREFIX)?.parse().ok().filter(|segment| name(*segment) == *file);
    let mut segments: Vec<u64> = files.iter().filter_map(number).collect();
    segments.sort_unstable();
    segments
}

/// Writes the file. When it returns, the ledger begins there.
pub(crate) fn write<D: Disk>(disk: &mut D, segment: u64, manifest: &Manifest, state: &State) -> io::Result<()> {
    if disk.list()?.iter().any(|file| file == UNFINISHED) {
        disk.remove(UNFINISHED)?;
    }
    let mut len = put(disk, 0, &encode(manifest))?;
    let (mut leaves, mut bytes) = (Leaves::new(), 0);
    for (key, value) in state.iter() {
        bytes += key.len() + value.len();
        leaves.push((key.to_vec(), value.to_vec()));
        if bytes >= FRAME {
            len = put(disk, len, &encode(&std::mem::take(&mut leaves)))?;
            bytes = 0;
        }
    }
    if !leaves.is_empty() {
        put(disk, len, &encode(&leaves))?;
    }
    disk.sync(UNFINISHED)?;
    disk.rename(UNFINISHED, &name(segment))?;
    disk.sync_directory()
}

fn put<D: Disk>(disk: &mut D, at: u64, payload: &[u8]) -> io::Result<u64> {
    let frame = record_log::frame(at, payload)?;
    disk.append(UNFINISHED, &frame)?;
    Ok(at + frame.len() as u64)
}

/// What the ledger on this disk begins from, if not from genesis.
pub(crate) fn find<D: Disk>(disk: &D) -> Result<Option<Base>, LedgerError> {
    let Some(&segment) = bases(&disk.list()?).last() else { return Ok(None) };
    let damaged = |why: &'static str| {
        let file = disk.describe(&name(segment));
        LedgerError::from(LogError::Damaged { file, offset: 0, before: 0, why })
    };
    let payload = record_log::read_first(disk, &name(segment))?.map_err(damaged)?;
    let manifest = decode(&payload).map_err(|_| damaged("it does not begin with a manifest"))?;
    Ok(Some(Base { segment, manifest }))
}

/// The state after the base's block.
pub(crate) fn state<D: Disk>(disk: &mut D, base: &Base) -> Result<State, LedgerError> {
    let file = name(base.segment);
    let whole = disk.len(&file)?;
    let (frames, _) = record_log::read(disk, &file, Some(whole))?;
    let mut leaves = Leaves::new();
    let mut is_read = true;
    for frame in frames.iter().skip(1) {
        match decode::<Leaves>(&frame.payload) {
            Ok(more) => leaves.extend(more),
            Err(_) => is_read = false,
        }
    }
    let state = State::from_sorted(leaves).filter(|state| is_read && state.root() == base.manifest.app_root);
    state.ok_or_else(|| LedgerError::Unsound {
        height: base.manifest.header.height,
        file: disk.describe(&file),
        offset: 0,
        why: "the state in it is not the one after its block".to_owned(),
    })
}

/// Removes what stands for a ledger before this base. Nothing depends on it: what a disk does not let go stays.
pub(crate) fn sweep<D: Disk>(disk: &mut D, first: u64) {
    let files = disk.list().unwrap_or_default();
    let old_bases = bases(&files).into_iter().filter(|segment| *segment < first).map(name);
    let unfinished = files.iter().filter(|file| *file == UNFINISHED).cloned();
    let old_blocks = crate::store::segments_of(&files).into_iter().filter(|segment| *segment < first);
    let old: Vec<_> = old_bases.chain(unfinished).chain(old_blocks.map(crate::store::name)).collect();
    for file in old {
        let _stays = disk.remove(&file);
    }
}
