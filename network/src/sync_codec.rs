//! Sync messages on a stream: a big-endian `u32` length, then as many bytes, once in each direction. The length is checked
//! when it is read, and memory follows the bytes that come.

use bytes::Bytes;
use futures::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use libp2p::{StreamProtocol, request_response as rr};
use std::io;

/// A message over its limit, at either end.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("a message of {have} bytes where at most {max} are allowed")]
pub(crate) struct TooLarge {
    pub(crate) have: usize,
    pub(crate) max: usize,
}

/// The limits of both directions.
#[derive(Clone, Debug)]
pub(crate) struct Codec {
    pub(crate) request: usize,
    pub(crate) response: usize,
}

impl rr::Codec for Codec {
    type Protocol = StreamProtocol;
    type Request = Bytes;
    type Response = Bytes;

    async fn read_request<T>(&mut self, _: &StreamProtocol, io: &mut T) -> io::Result<Bytes>
    where
        T: AsyncRead + Unpin + Send,
    {
        read(io, self.request).await
    }

    async fn read_response<T>(&mut self, _: &StreamProtocol, io: &mut T) -> io::Result<Bytes>
    where
        T: AsyncRead + Unpin + Send,
    {
        read(io, self.response).await
    }

    async fn write_request<T>(&mut self, _: &StreamProtocol, io: &mut T, request: Bytes) -> io::Result<()>
    where
        T: AsyncWrite + Unpin + Send,
    {
        write(io, &request).await
    }

    async fn write_response<T>(&mut self, _: &StreamProtocol, io: &mut T, response: Bytes) -> io::Result<()>
    where
        T: AsyncWrite + Unpin + Send,
    {
        write(io, &response).await
    }
}

async fn read<T: AsyncRead + Unpin>(io: &mut T, max: usize) -> io::Result<Bytes> {
    let mut header = [0; 4];
    io.read_exact(&mut header).await?;
    let have = u32::from_be_bytes(header) as usize;
    if have > max {
        return Err(io::Error::new(io::ErrorKind::InvalidData, TooLarge { have, max }));
    }
    let mut body = Vec::new();
    io.take(have as u64).read_to_end(&mut body).await?;
    if body.len() < have {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(body.into())
}

async fn write<T: AsyncWrite + Unpin>(io: &mut T, body: &[u8]) -> io::Result<()> {
    let length = u32::try_from(body.len()).map_err(io::Error::other)?;
    io.write_all(&length.to_be_bytes()).await?;
    io.write_all(body).await?;
    io.flush().await
}
