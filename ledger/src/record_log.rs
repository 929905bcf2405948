//! One checked record log, for the vote journal and for the blocks.
//!
//! A file is a sequence of frames: a header `length u32 LE | CRC-32C(payload) u32 LE | CRC-32C(offset u64 LE, the eight bytes
//! before) u32 LE`, and the payload. One frame is one write, and holds everything since the last flush. The header's checksum
//! covers the frame's own offset, so that a frame that was written to the wrong place is none; and where the header is sound
//! the frame's end is known, so that a torn payload is not searched for what a client may have planted in it.
//!
//! Reading stops at the first bad frame. If no good frame follows, it is a *torn tail*, a write that a crash cut off before
//! it was durable, and is cut. If a good frame follows, it is *damage in the middle*: something durable is gone, and
//! reading on would mean to forget it silently, so it is refused with its place. Where several frames may have been written
//! between two syncs (the block log), a crash can lose them in any order; there the caller knows how much was durable, the
//! *floor*: damage below it is always refused, damage above it always cut.

use crate::Disk;
use std::io;

/// Bytes before a frame's payload.
pub const FRAME_HEADER: usize = 12;
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
         lost; remove this validator's data and let it join again. Put no older copy of a vote journal back: it has forgotten votes"
    )]
    Damaged {
        /// Which file.
        file: String,
        /// Where the bad frame begins.
        offset: u64,
        /// How many good frames stand before it.
        before: usize,
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

/// The frame that holds `payload` at `offset` of its file. An empty payload, or one larger than [`MAX_PAYLOAD`], is an error:
/// it could not be read again.
pub fn frame(offset: u64, payload: &[u8]) -> io::Result<Vec<u8>> {
    if payload.is_empty() || payload.len() > MAX_PAYLOAD {
        let why = format!("a record of {} bytes, where 1 to {MAX_PAYLOAD} can be written", payload.len());
        return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
    }
    let length = u32::try_from(payload.len()).expect("below 64 MiB");
    let mut bytes = Vec::with_capacity(FRAME_HEADER + payload.len());
    bytes.extend_from_slice(&length.to_le_bytes());
    bytes.extend_from_slice(&crc32c::crc32c(payload).to_le_bytes());
    bytes.extend_from_slice(&header_checksum(offset, &bytes).to_le_bytes());
    bytes.extend_from_slice(payload);
    Ok(bytes)
}

fn header_checksum(offset: u64, header: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(&offset.to_le_bytes()), header)
}

/// The payload's length and checksum, if a sound header stands at `offset` of the file, where `bytes` begin.
fn header(offset: u64, bytes: &[u8]) -> Result<(usize, u32), &'static str> {
    let Some(header) = bytes.first_chunk::<FRAME_HEADER>() else { return Err("its header is cut off") };
    let word = |at: usize| u32::from_le_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
    let (size, payload_checksum) = (word(0) as usize, word(4));
    if header_checksum(offset, &header[..8]) != word(8) {
        return Err("its header's checksum does not match");
    }
    if size == 0 || size > MAX_PAYLOAD {
        return Err("its length is impossible");
    }
    Ok((size, payload_checksum))
}

/// The payload of the frame that `bytes`, which stand at `offset` of the file, begin with; or what is wrong with it.
pub(crate) fn parse(offset: u64, bytes: &[u8]) -> Result<&[u8], &'static str> {
    let (size, checksum) = header(offset, bytes)?;
    let Some(payload) = bytes[FRAME_HEADER..].get(..size) else { return Err("it is longer than the file") };
    if crc32c::crc32c(payload) != checksum {
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
        Err(Damage { offset, before, why }) => {
            return Err(LogError::Damaged { file: disk.describe(name), offset, before, why });
        }
    };
    if good < length {
        disk.truncate(name, good).map_err(|error| io(error, disk))?;
        disk.sync(name).map_err(|error| io(error, disk))?;
    }
    Ok((frames, good))
}

/// The payload of a file's first frame; or what is wrong with it.
pub(crate) fn read_first<D: Disk>(disk: &D, name: &str) -> io::Result<Result<Vec<u8>, &'static str>> {
    let start = disk.read(name, 0, FRAME_HEADER)?;
    let size = match header(0, &start) {
        Ok((size, _)) => size,
        Err(why) => return Ok(Err(why)),
    };
    let frame = disk.read(name, 0, FRAME_HEADER + size)?;
    Ok(parse(0, &frame).map(<[u8]>::to_vec))
}

/// Damage that must not be cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Damage {
    /// Where the bad frame begins.
    pub offset: u64,
    /// How many good frames stand before it.
    pub before: usize,
    /// What is wrong with it.
    pub why: &'static str,
}

/// The good frames at the start of `bytes` and where they end; or damage that must not be cut.
pub fn scan(bytes: &[u8], floor: Option<u64>) -> Result<(Vec<Frame>, u64), Damage> {
    let mut frames = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let offset = at as u64;
        match parse(offset, &bytes[at..]) {
            Ok(payload) => {
                frames.push(Frame { offset, payload: payload.to_vec() });
                at += FRAME_HEADER + payload.len();
            }
            Err(why) => {
                let is_torn = floor.map_or_else(|| !good_frame_after(bytes, at), |floor| offset >= floor);
                let before = frames.len();
                return if is_torn { Ok((frames, offset)) } else { Err(Damage { offset, before, why }) };
            }
        }
    }
    let (offset, before) = (at as u64, frames.len());
    match floor {
        Some(floor) if offset < floor => Err(Damage { offset, before, why: "the file ends before what was durable" }),
        _ => Ok((frames, offset)),
    }
}

/// Whether a good frame begins anywhere behind `bad`.
fn good_frame_after(bytes: &[u8], bad: usize) -> bool {
    // Where its header is sound its payload is skipped: clients choose those bytes.
    let behind = header(bad as u64, &bytes[bad..]).map_or(bad + 1, |(size, _)| bad + FRAME_HEADER + size);
    (behind..bytes.len()).any(|at| parse(at as u64, &bytes[at..]).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MemoryDisk;

    const RECORDS: [&[u8]; 3] = [b"first", b"the second record", b"third"];

    fn log() -> Vec<u8> {
        RECORDS
            .iter()
            .fold(Vec::new(), |log, record| [log.clone(), frame(log.len() as u64, record).expect("small")].concat())
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
                Err(LogError::Damaged { offset, before, .. }) => {
                    assert_eq!((offset, before), (begins, frame), "byte {at}")
                }
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
        let damage = Damage { offset: ends()[0] as u64, before: 1, why: "its checksum does not match" };
        assert_eq!(floor(ends()[1]), Err(damage));
        let short = &log()[..ends()[0]];
        assert!(scan(short, Some(ends()[1] as u64)).is_err(), "ends below the floor");
    }

    #[test]
    fn a_good_frame_inside_a_torn_payload_does_not_make_it_damage() {
        // A client may put anything into a payload, frames too; they are good at no other offset than their own.
        let planted: Vec<u8> = (0..50).flat_map(|offset| frame(offset, b"planted").expect("small")).collect();
        let end = ends()[2];
        let at_its_place = frame((end + FRAME_HEADER + planted.len()) as u64, b"planted").expect("small");
        let torn = frame(end as u64, &[planted, at_its_place, vec![0; 20]].concat()).expect("small");
        for cut in 0..torn.len() {
            let bytes = [log(), torn[..cut].to_vec()].concat();
            assert_eq!(read_all(bytes).expect("a torn tail"), (3, end as u64), "cut {cut} bytes into the last frame");
        }
    }

    #[test]
    fn a_good_frame_at_the_wrong_place_is_damage() {
        let log = log();
        let moved = [frame(0, b"abcde").expect("small"), log[..ends()[0]].to_vec(), log[ends()[0]..].to_vec()].concat();
        assert!(matches!(scan(&moved, Some(moved.len() as u64)), Err(Damage { before: 1, .. })));
    }

    #[test]
    fn what_could_not_be_read_again_is_not_written() {
        assert!(frame(0, b"").is_err());
        assert!(frame(0, &vec![1; MAX_PAYLOAD]).is_ok());
        let error = frame(0, &vec![1; MAX_PAYLOAD + 1]).expect_err("over the limit").to_string();
        assert!(error.contains("67108865"), "{error}");
    }
}
