//! One checked record log, for the vote journal and for the blocks.
//!
//! A file is a sequence of frames: `length u32 LE | CRC-32C(length, payload) u32 LE | payload`. One frame is one write, and
//! holds everything since the last flush.
//!
//! Reading stops at the first bad frame. If no good frame follows, it is a *torn tail*, a write that a crash cut off before
//! it was durable, and is cut. If a good frame follows, it is *damage in the middle*: something durable is gone, and
//! reading on would mean to forget it silently, so it is refused with its place. Where several frames may have been written
//! between two syncs (the block log), a crash can lose them in any order; there the caller knows how much was durable, the
//! *floor*: damage below it is always refused, damage above it always cut.

use crate::Disk;
use std::io;

/// Bytes before a frame's payload.
pub const FRAME_HEADER: usize = 8;
/// A frame's payload is not larger: a block of the greatest size fits.
pub const MAX_PAYLOAD: usize = 64 * 1024 * 1024;

/// Why a log cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The disk said no.
    #[error("{file}: {source}")]
    Io {
        /// Which file.
        file: String,
        /// What it said.
        source: io::Error,
    },
    /// Something that was durable is not there any more.
    #[error(
        "{file} is damaged at byte {offset}: {why}. It is not the torn end of an interrupted write, so something durable is \
         lost; restore the file from a copy, or remove this validator's data and let it join again"
    )]
    Damaged {
        /// Which file.
        file: String,
        /// Where the bad frame begins.
        offset: u64,
        /// What is wrong with it.
        why: &'static str,
    },
}

/// A frame and where it begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Offset of its header.
    pub offset: u64,
    /// What was written.
    pub payload: Vec<u8>,
}

/// The frame that holds `payload`.
///
/// # Panics
/// If the payload is larger than [`MAX_PAYLOAD`], which our own records never are.
pub fn frame(payload: &[u8]) -> Vec<u8> {
    assert!(payload.len() <= MAX_PAYLOAD, "a record of {} bytes", payload.len());
    let length = u32::try_from(payload.len()).expect("below 64 MiB").to_le_bytes();
    let mut bytes = Vec::with_capacity(FRAME_HEADER + payload.len());
    bytes.extend_from_slice(&length);
    bytes.extend_from_slice(&checksum(length, payload).to_le_bytes());
    bytes.extend_from_slice(payload);
    bytes
}

fn checksum(length: [u8; 4], payload: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(&length), payload)
}

/// The payload of the frame at the start of `bytes`, or what is wrong with it.
fn parse(bytes: &[u8]) -> Result<&[u8], &'static str> {
    let Some((length, rest)) = bytes.split_first_chunk::<4>() else { return Err("its header is cut off") };
    let Some((crc, rest)) = rest.split_first_chunk::<4>() else { return Err("its header is cut off") };
    let size = u32::from_le_bytes(*length) as usize;
    if size == 0 || size > MAX_PAYLOAD {
        return Err("its length is impossible");
    }
    let Some(payload) = rest.get(..size) else { return Err("it is longer than the file") };
    if checksum(*length, payload) != u32::from_le_bytes(*crc) {
        return Err("its checksum does not match");
    }
    Ok(payload)
}

/// Reads all frames of a file, which may be missing, and cuts a torn tail. Returns the frames and the length kept.
pub fn read<D: Disk>(disk: &mut D, name: &str, floor: Option<u64>) -> Result<(Vec<Frame>, u64), LogError> {
    let io = |source: io::Error, disk: &D| LogError::Io { file: disk.describe(name), source };
    let length = match disk.len(name) {
        Ok(length) => length,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok((Vec::new(), 0)),
        Err(error) => return Err(io(error, disk)),
    };
    let size = usize::try_from(length).unwrap_or(usize::MAX);
    let bytes = disk.read(name, 0, size).map_err(|error| io(error, disk))?;
    let (frames, good) = match scan(&bytes, floor) {
        Ok(scanned) => scanned,
        Err((offset, why)) => return Err(LogError::Damaged { file: disk.describe(name), offset, why }),
    };
    if good < length {
        disk.truncate(name, good).map_err(|error| io(error, disk))?;
        disk.sync(name).map_err(|error| io(error, disk))?;
    }
    Ok((frames, good))
}

/// The good frames at the start of `bytes` and where they end; or the place of damage that must not be cut.
pub fn scan(bytes: &[u8], floor: Option<u64>) -> Result<(Vec<Frame>, u64), (u64, &'static str)> {
    let mut frames = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let offset = at as u64;
        match parse(&bytes[at..]) {
            Ok(payload) => {
                frames.push(Frame { offset, payload: payload.to_vec() });
                at += FRAME_HEADER + payload.len();
            }
            Err(why) => {
                let is_torn = floor.map_or_else(|| !good_frame_after(&bytes[at + 1..]), |floor| offset >= floor);
                return if is_torn { Ok((frames, offset)) } else { Err((offset, why)) };
            }
        }
    }
    match floor {
        Some(floor) if (at as u64) < floor => Err((at as u64, "the file ends before what was durable")),
        _ => Ok((frames, at as u64)),
    }
}

/// Whether a good frame begins anywhere in `bytes`.
fn good_frame_after(bytes: &[u8]) -> bool {
    (0..bytes.len()).any(|at| parse(&bytes[at..]).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MemoryDisk;

    const RECORDS: [&[u8]; 3] = [b"first", b"the second record", b"third"];

    fn log() -> Vec<u8> {
        RECORDS.iter().flat_map(|record| frame(record)).collect()
    }

    fn disk(bytes: Vec<u8>) -> MemoryDisk {
        let mut disk = MemoryDisk::default();
        disk.files.insert("log".into(), bytes);
        disk
    }

    fn read_all(bytes: Vec<u8>) -> Result<(usize, u64), LogError> {
        let mut disk = disk(bytes);
        let (frames, kept) = read(&mut disk, "log", None)?;
        assert_eq!(disk.files["log"].len() as u64, kept, "the tail is cut on the disk as well");
        for (frame, record) in frames.iter().zip(RECORDS) {
            assert_eq!(frame.payload, record);
        }
        Ok((frames.len(), kept))
    }

    fn ends() -> Vec<usize> {
        RECORDS
            .iter()
            .scan(0, |at, record| {
                *at += FRAME_HEADER + record.len();
                Some(*at)
            })
            .collect()
    }

    #[test]
    fn a_log_cut_at_any_byte_keeps_its_whole_frames() {
        let log = log();
        for cut in 0..=log.len() {
            let whole = ends().iter().filter(|end| **end <= cut).count();
            let kept = if whole == 0 { 0 } else { ends()[whole - 1] };
            let (frames, length) = read_all(log[..cut].to_vec()).expect("a cut is a torn tail");
            assert_eq!((frames, length), (whole, kept as u64), "cut at {cut}");
        }
    }

    #[test]
    fn a_changed_byte_in_the_middle_is_refused_with_its_place_and_in_the_last_frame_cut() {
        let log = log();
        for at in 0..log.len() {
            let mut changed = log.clone();
            changed[at] ^= 0x40;
            let frame = ends().iter().filter(|end| **end <= at).count();
            let begins = if frame == 0 { 0 } else { ends()[frame - 1] as u64 };
            match read_all(changed) {
                Ok((frames, _)) => assert_eq!((frame, frames), (2, 2), "byte {at} was cut silently"),
                Err(LogError::Damaged { offset, .. }) => assert_eq!(offset, begins, "byte {at}"),
                Err(other) => panic!("{other}"),
            }
        }
    }

    #[test]
    fn a_tail_of_zeros_or_with_a_forged_length_is_cut() {
        let zeros = [log(), vec![0; 100]].concat();
        assert_eq!(read_all(zeros).expect("torn").0, 3);
        let mut forged = log();
        forged.extend_from_slice(&7u32.to_le_bytes());
        forged.extend_from_slice(&[0; 11]);
        assert_eq!(read_all(forged).expect("torn").0, 3);
    }

    #[test]
    fn the_floor_decides_where_it_is_known() {
        let mut damaged = log();
        damaged[ends()[0] + FRAME_HEADER] ^= 1;
        let floor = |floor: usize| scan(&damaged, Some(floor as u64)).map(|(frames, _)| frames.len());
        assert_eq!(floor(ends()[0]), Ok(1), "above the floor: lost in any order");
        assert_eq!(floor(ends()[1]), Err((ends()[0] as u64, "its checksum does not match")));
        let short = &log()[..ends()[0]];
        assert!(scan(short, Some(ends()[1] as u64)).is_err(), "ends below the floor");
    }
}
