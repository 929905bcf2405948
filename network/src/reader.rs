//! The receiving half: accept streams, check the hello, hand frames to the node.
//!
//! libp2p-stream gives new streams through a channel without capacity and drops, silently, what is not fetched at once.
//! So the accept loop only spawns; the hello on every stream makes the opener notice a dropped one and try again.
//!
//! **Fairness.** A reader holds one frame and waits with it for room in the bounded inbound channel, which serves waiting
//! readers in turn (tokio's semaphore is first come, first served). A peer that floods therefore fills its own streams'
//! windows and then its own sockets; another peer's frame waits for at most the channel and one frame per other stream.
//!
//! **Windows.** A peer's stream is read on only while the node is at fewer of its bytes than the class allows: what a peer sends
//! faster than it can be checked waits on the peer's side, and delays nobody else's. The window is the peer's, whichever stream it
//! opens.
//!
//! **Bounds.** One reader per peer and purpose: a new stream ends the older. A few hellos in progress per peer. A frame
//! over its class's limit, or one that stops half-way, ends that stream and nothing else.

use crate::{
    Class, Inbound, codec::FrameCodec, context::Context, hello, opener, peer::PeerState, roster::Roster, shape::echo,
    swarm::Purpose,
};
use bytes::Bytes;
use futures::StreamExt;
use libp2p_stream::IncomingStreams;
use std::{io, sync::Arc};
use tokio::{io::AsyncRead, time::timeout};
use tokio_util::{codec::FramedRead, compat::FuturesAsyncReadCompatExt, sync::CancellationToken, task::TaskTracker};
use tracing::{debug, warn};

/// Accepts the streams of one purpose, from everybody, until the network stops.
pub(crate) async fn accept(
    context: Arc<Context>,
    roster: Arc<Roster>,
    purpose: Purpose,
    mut incoming: IncomingStreams,
    tasks: TaskTracker,
    stop: CancellationToken,
) {
    while let Some((id, stream)) = incoming.next().await {
        // The allow-list knows the same peers; a stranger cannot get here.
        let Some(peer) = roster.by_id(&id).cloned() else { continue };
        let Ok(permit) = peer.handshakes.clone().try_acquire_owned() else {
            context.metrics.refuse("too_many_streams");
            continue;
        };
        let (context, stop) = (context.clone(), stop.child_token());
        tasks.spawn(stop.clone().run_until_cancelled_owned(async move {
            let mut stream = stream.compat();
            let limit = context.limits.handshake_timeout;
            let hello = hello::answer(&mut stream, &context.hello, peer.replica, || peer.on_greeted());
            let verdict = timeout(limit, hello).await.unwrap_or(Err(hello::HandshakeError::Timeout(limit)));
            match verdict {
                Ok(()) => {
                    drop(permit);
                    peer.replace_reader(purpose, stop);
                    match purpose {
                        Purpose::Frames(class) => read_frames(&context, &peer, class, stream).await,
                        Purpose::Echo => read_echoes(&peer, stream).await,
                    }
                }
                Err(error) => opener::on_failed_handshake(&context, &peer, error).await,
            }
        }));
    }
}

async fn read_echoes(peer: &PeerState, stream: impl AsyncRead + Unpin) {
    let Some(passage) = &peer.passage else { return };
    let end = echo::read(passage, stream).await;
    debug!(peer = peer.replica.0, "echo stream ended: {end:?}");
}

/// Why a stream is not read any longer.
#[derive(Debug, thiserror::Error)]
enum End {
    #[error("the peer closed it")]
    Closed,
    #[error("it stopped in the middle of a frame")]
    Stalled,
    #[error("{0}")]
    Io(#[from] io::Error),
}

async fn read_frames(context: &Context, peer: &PeerState, class: Class, stream: impl AsyncRead + Unpin) {
    let codec = FrameCodec::new(class, context.limits.class(class).frame, peer.meter.clone());
    let mut frames = FramedRead::new(stream, codec);
    let end = loop {
        match next(context, &mut frames).await {
            Ok(bytes) => {
                let slot = peer.windows[class.index()].room_for(bytes.len()).await;
                context.deliver(Inbound::Frame { from: peer.replica, class, bytes, slot }).await;
            }
            Err(end) => break end,
        }
    };
    match end {
        End::Io(error) if error.kind() == io::ErrorKind::InvalidData => {
            context.metrics.refuse("oversized_frame");
            warn!(peer = peer.replica.0, "closing a stream: {error}");
        }
        End::Stalled => {
            context.metrics.refuse("stalled_frame");
            warn!(peer = peer.replica.0, class = class.name(), "closing a stream: {end}");
        }
        End::Closed | End::Io(_) => debug!(peer = peer.replica.0, class = class.name(), "stream ended: {end}"),
    }
}

/// The next frame. Between frames a stream may be silent as long as it likes: pings tell whether the peer is alive.
async fn next<S: AsyncRead + Unpin>(context: &Context, frames: &mut FramedRead<S, FrameCodec>) -> Result<Bytes, End> {
    let mut had = 0;
    loop {
        match timeout(context.limits.read_timeout, frames.next()).await {
            Ok(Some(frame)) => return Ok(frame?),
            Ok(None) => return Err(End::Closed),
            Err(_) => {}
        }
        let have = frames.read_buffer().len();
        if have > 0 && have == had {
            return Err(End::Stalled);
        }
        had = have;
    }
}
