//! The sending half of one class to one peer: open a stream, say hello, send what the queue gives, for ever.
//!
//! Each class has a task and a stream of its own, so a batch that waits for a slow peer's flow control stands in no
//! vote's way; the queue sees to it that no new batch starts while a vote waits. Frames are gathered and flushed when the
//! queue has no more. The peer never sends on this stream after its hello; the end of its half is how an idle writer
//! learns that the stream is gone, before it has lost a frame to it.

use crate::{
    Class, Inbound,
    codec::FrameCodec,
    context::Context,
    dial::Backoff,
    driver::Command,
    hello::{self, HandshakeError},
    metrics::Drop,
    peer::{Link, PeerState, Standing},
    swarm,
};
use futures::SinkExt;
use libp2p_stream::Control;
use std::{io, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite},
    select,
    time::{error::Elapsed, sleep, timeout},
};
use tokio_util::{codec::FramedWrite, compat::FuturesAsyncReadCompatExt};

/// After a refusal the connection stays open so long, so that the other side can read why.
pub(crate) const LINGER: Duration = Duration::from_millis(500);

/// Writes `class` to `peer` whenever it is connected. Ends with the network.
pub(crate) async fn run(context: Arc<Context>, peer: Arc<PeerState>, class: Class, mut control: Control) {
    let limits = &context.limits;
    let mut link = peer.watch_link();
    let mut backoff = Backoff::new(limits.reconnect_min, limits.reconnect_max);
    loop {
        let Ok(&Link { total, closed, .. }) = link.wait_for(Link::is_open).await.as_deref() else { return };
        // libp2p does not say on which connection a stream is. Should one of two close, we begin anew.
        let mut watch = link.clone();
        let gone = async move { drop(watch.wait_for(|link| link.closed != closed).await) };
        tokio::pin!(gone);
        let opened = select! {
            opened = timeout(limits.handshake_timeout, open(&context, &peer, class, &mut control)) => opened,
            () = &mut gone => continue,
        };
        match opened.unwrap_or(Err(HandshakeError::Timeout(limits.handshake_timeout))) {
            Ok(stream) => {
                backoff.reset();
                session(&context, &peer, class, stream, gone).await;
            }
            Err(error) => on_failed_handshake(&context, &peer, error).await,
        }
        // A new connection is worth a try at once.
        select! {
            () = sleep(backoff.next()) => {}
            _ = link.wait_for(|link| link.total != total) => {}
        }
    }
}

/// Opens a stream and exchanges hellos on it.
async fn open(
    context: &Context,
    peer: &PeerState,
    class: Class,
    control: &mut Control,
) -> Result<impl AsyncRead + AsyncWrite + Unpin + use<>, HandshakeError> {
    let stream = control.open_stream(peer.id, swarm::protocol(class)).await.map_err(io::Error::other)?;
    let mut stream = stream.compat();
    hello::greet(&mut stream, &context.hello, peer.replica).await?;
    peer.on_greeted();
    Ok(stream)
}

/// A stream's life after its hello, until its connection is `gone` at the latest. The vote stream is the one that makes a
/// peer count as up.
async fn session(
    context: &Context,
    peer: &PeerState,
    class: Class,
    stream: impl AsyncRead + AsyncWrite + Unpin,
    gone: impl Future<Output = ()>,
) {
    let life = async {
        select! {
            end = write_frames(context, peer, class, stream) => end,
            () = gone => End::Disconnected,
        }
    };
    if class != Class::Vote {
        let end = life.await;
        tracing::debug!(peer = peer.replica.0, class = class.name(), "stream ended: {end}");
        return;
    }
    peer.enter(Standing::Up, "");
    context.metrics.connected.inc();
    context.deliver(Inbound::PeerUp(peer.replica)).await;
    let end = life.await;
    // If the connection went, the driver knows better why.
    if !matches!(end, End::Disconnected) {
        peer.enter(Standing::Lost, &format!("vote stream: {end}"));
    }
    context.metrics.connected.dec();
    context.deliver(Inbound::PeerDown(peer.replica)).await;
}

/// Why a stream ended.
#[derive(Debug, thiserror::Error)]
enum End {
    #[error("the peer closed it")]
    Closed,
    #[error("the connection was closed")]
    Disconnected,
    #[error("the peer accepted nothing for too long ({0})")]
    Stuck(#[from] Elapsed),
    #[error("{0}")]
    Io(#[from] io::Error),
}

async fn write_frames(
    context: &Context,
    peer: &PeerState,
    class: Class,
    stream: impl AsyncRead + AsyncWrite + Unpin,
) -> End {
    let codec = FrameCodec::new(class, context.limits.class(class).frame, peer.meter.clone());
    let mut sink = FramedWrite::new(stream, codec);
    loop {
        if let Err(end) = write_waiting(context, peer, class, &mut sink).await {
            return end;
        }
        let mut byte = [0];
        select! {
            () = peer.queue.wait(class) => {}
            _ = sink.get_mut().read(&mut byte) => return End::Closed,
        }
    }
}

/// Sends what the queue gives now.
async fn write_waiting<S: AsyncWrite + Unpin>(
    context: &Context,
    peer: &PeerState,
    class: Class,
    sink: &mut FramedWrite<S, FrameCodec>,
) -> Result<(), End> {
    let deadline = context.limits.write_timeout;
    let mut unflushed = false;
    loop {
        let taken = peer.queue.take(class, context.view.view());
        peer.meter.dropped(class.name(), Drop::Stale, taken.stale);
        let Some(frame) = taken.frame else { break };
        timeout(deadline, sink.feed(frame)).await??;
        unflushed = true;
    }
    if unflushed {
        timeout(deadline, sink.flush()).await??;
    }
    Ok(())
}

/// A mismatch closes the connection, after a moment in which the other side can read our hello; anything else only
/// costs this attempt.
pub(crate) async fn on_failed_handshake(context: &Context, peer: &PeerState, error: HandshakeError) {
    match error {
        HandshakeError::Mismatch(_) | HandshakeError::Malformed(_) => {
            context.metrics.refuse("hello");
            peer.on_refused(&error.to_string());
            sleep(LINGER).await;
            let _ = context.commands.send(Command::Disconnect { peer: peer.id }).await;
        }
        HandshakeError::Timeout(_) | HandshakeError::Io(_) => {
            tracing::debug!(peer = peer.replica.0, "no stream: {error}");
        }
    }
}
