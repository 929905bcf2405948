//! Frames on a stream: a big-endian `u32` length, then as many bytes. The one place where messages are counted.
//!
//! The layout is that of tokio-util's `LengthDelimitedCodec`. Ours differs in what it does with a forged length: it tells
//! the number, and it reserves memory for bytes that have come, not for bytes that were announced.

use crate::{Class, Frame, metrics::Meter};
use bytes::{Buf, BufMut, Bytes, BytesMut};
use std::{io, sync::Arc};
use tokio_util::codec::{Decoder, Encoder};

const HEADER: usize = 4;
/// Read ahead at most so much of a frame at a time.
const CHUNK: usize = 64 * 1024;

/// A frame longer than its class allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a {} frame of {have} bytes where at most {max} are allowed", class.name())]
pub(crate) struct FrameTooLarge {
    class: Class,
    have: usize,
    max: usize,
}

/// Encodes and decodes the frames of one class to or from one peer.
#[derive(Debug)]
pub(crate) struct FrameCodec {
    class: Class,
    max: usize,
    meter: Arc<Meter>,
}

impl FrameCodec {
    pub(crate) fn new(class: Class, max: usize, meter: Arc<Meter>) -> Self {
        Self { class, max, meter }
    }

    fn check(&self, have: usize) -> io::Result<()> {
        if have > self.max {
            let error = FrameTooLarge { class: self.class, have, max: self.max };
            return Err(io::Error::new(io::ErrorKind::InvalidData, error));
        }
        Ok(())
    }
}

impl Encoder<Frame> for FrameCodec {
    type Error = io::Error;

    fn encode(&mut self, frame: Frame, out: &mut BytesMut) -> io::Result<()> {
        self.check(frame.bytes.len())?;
        let length = u32::try_from(frame.bytes.len()).map_err(io::Error::other)?;
        out.reserve(HEADER + frame.bytes.len());
        out.put_u32(length);
        out.extend_from_slice(&frame.bytes);
        self.meter.sent(frame.class.name(), frame.kind, frame.bytes.len());
        Ok(())
    }
}

impl Decoder for FrameCodec {
    type Item = Bytes;
    type Error = io::Error;

    /// Leaves an incomplete frame, header included, in the buffer: the buffer is empty exactly between two frames.
    fn decode(&mut self, buffer: &mut BytesMut) -> io::Result<Option<Bytes>> {
        let Some(header) = buffer.first_chunk::<HEADER>() else {
            return Ok(None);
        };
        let length = u32::from_be_bytes(*header) as usize;
        self.check(length)?;
        let missing = (HEADER + length).saturating_sub(buffer.len());
        if missing > 0 {
            buffer.reserve(missing.min(CHUNK));
            return Ok(None);
        }
        buffer.advance(HEADER);
        self.meter.received(self.class.name(), length);
        Ok(Some(buffer.split_to(length).freeze()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codec(max: usize) -> FrameCodec {
        FrameCodec::new(Class::Vote, max, Arc::new(Meter::for_tests()))
    }

    fn frame(bytes: &'static [u8]) -> Frame {
        Frame { class: Class::Vote, kind: "test", stale_after: None, bytes: Bytes::from_static(bytes) }
    }

    #[test]
    fn frames_survive_any_cut_of_the_stream() {
        let mut codec = codec(9);
        let mut wire = BytesMut::new();
        for body in [&b"one"[..], b"", b"three"] {
            codec.encode(frame(body), &mut wire).unwrap();
        }
        for cut in 0..=wire.len() {
            let (mut buffer, mut frames) = (BytesMut::from(&wire[..cut]), Vec::new());
            while let Some(frame) = codec.decode(&mut buffer).unwrap() {
                frames.push(frame);
            }
            buffer.extend_from_slice(&wire[cut..]);
            while let Some(frame) = codec.decode(&mut buffer).unwrap() {
                frames.push(frame);
            }
            assert_eq!(frames, [&b"one"[..], b"", b"three"], "cut at {cut}");
            assert!(buffer.is_empty());
        }
    }

    #[test]
    fn a_forged_length_is_refused_with_its_number_and_allocates_nothing() {
        let mut buffer = BytesMut::from(&u32::MAX.to_be_bytes()[..]);
        let before = buffer.capacity();
        let error = codec(1024).decode(&mut buffer).unwrap_err();
        assert!(error.to_string().contains("4294967295 bytes where at most 1024"), "{error}");
        assert_eq!(buffer.capacity(), before);
    }

    #[test]
    fn memory_follows_the_bytes_that_came_not_the_bytes_announced() {
        let mut buffer = BytesMut::from(&(1u32 << 20).to_be_bytes()[..]);
        assert!(codec(1 << 20).decode(&mut buffer).unwrap().is_none());
        assert!(buffer.capacity() <= 2 * CHUNK, "{}", buffer.capacity());
    }

    #[test]
    fn the_largest_frame_fits_and_one_byte_more_does_not() {
        let mut wire = BytesMut::new();
        codec(3).encode(frame(b"abc"), &mut wire).unwrap();
        assert_eq!(codec(3).decode(&mut wire).unwrap().as_deref(), Some(&b"abc"[..]));
        assert!(codec(2).encode(frame(b"abc"), &mut wire).is_err());
    }
}
