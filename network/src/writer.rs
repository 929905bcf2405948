//! The sending half of one class to one peer: open a stream, say hello, send what the queue gives, for ever.
//!
//! Each class has a task and a stream of its own, so a batch that waits for a slow peer's flow control stands in no
//! vote's way; the queue sees to it that no new batch starts while a vote waits. Between queue and stream lies the link's shaping,
//! if it has any. Frames are gathered and flushed when there is no more to write. The peer never sends on this stream after its hello; the end of its half is how an idle writer
//! learns that the stream is gone, before it has lost a frame to it.

use crate::{
    Class, Inbound,
    codec::FrameCodec,
    context::Context,
    metrics::Drop,
    opener::Opener,
    peer::{PeerState, Standing},
    shape::{Next, Passage},
    swarm::Purpose,
};
use futures::SinkExt;
use libp2p_stream::Control;
use std::{io, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite},
    select,
    sync::watch,
    time::{error::Elapsed, timeout},
};
use tokio_util::codec::FramedWrite;

/// Writes `class` to `peer` whenever it is connected. Ends with the network.
pub(crate) async fn run(context: Arc<Context>, peer: Arc<PeerState>, class: Class, control: Control) {
    let mut opener = Opener::new(context.clone(), peer.clone(), Purpose::Frames(class), control);
    while let Some((stream, gone)) = opener.next().await {
        session(&context, &peer, class, stream, gone).await;
    }
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
    let mut timer = Timer::begin(peer, class);
    loop {
        let until = match write_waiting(context, peer, class, &mut sink).await {
            Ok(until) => until,
            Err(end) => return end,
        };
        let mut byte = [0];
        select! {
            () = peer.queue.wait(class) => {}
            () = timer.reaches(until) => {}
            _ = sink.get_mut().read(&mut byte) => return End::Closed,
        }
    }
}

/// What a shaped link is waited for with: a time, or a change of it.
struct Timer<'a>(Option<(&'a Passage, watch::Receiver<()>)>);

impl<'a> Timer<'a> {
    fn begin(peer: &'a PeerState, class: Class) -> Self {
        Self(peer.passage.as_ref().map(|passage| {
            passage.begin(class, &peer.meter);
            (passage, passage.wire.changes())
        }))
    }

    async fn reaches(&mut self, until: Option<Duration>) {
        match &mut self.0 {
            None => std::future::pending().await,
            Some((passage, changes)) => select! {
                () = passage.wire.reaches(until) => {}
                _ = changes.changed() => {}
            },
        }
    }
}

/// Sends what queue and link give now, and tells when the link gives more.
async fn write_waiting<S: AsyncWrite + Unpin>(
    context: &Context,
    peer: &PeerState,
    class: Class,
    sink: &mut FramedWrite<S, FrameCodec>,
) -> Result<Option<Duration>, End> {
    let _until_flushed = peer.writing();
    let deadline = context.limits.write_timeout;
    let mut unflushed = false;
    let until = loop {
        match next(context, peer, class) {
            Next::Frame(frame) => timeout(deadline, sink.feed(frame)).await??,
            Next::Nothing { until } => break until,
        }
        unflushed = true;
    };
    if unflushed {
        timeout(deadline, sink.flush()).await??;
    }
    Ok(until)
}

fn next(context: &Context, peer: &PeerState, class: Class) -> Next {
    let view = context.view.view();
    if let Some(passage) = &peer.passage {
        return passage.next(class, &peer.queue, &peer.meter, view);
    }
    let taken = peer.queue.take(class, view);
    peer.meter.dropped(class.name(), Drop::Stale, taken.stale);
    taken.frame.map_or(Next::Nothing { until: None }, Next::Frame)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Frame, Hello, Limits, Peer, metrics::Metrics};
    use bytes::Bytes;
    use futures::FutureExt;
    use prometheus_client::registry::Registry;
    use quorate_crypto::IdentitySecret;
    use quorate_types::{Digest, ReplicaId};
    use tokio::sync::mpsc;

    fn context() -> Context {
        let hello = Hello {
            version: crate::VERSION,
            chain: "test".to_owned(),
            genesis: Digest([7; 32]),
            replica: ReplicaId(0),
        };
        Context {
            hello,
            limits: Limits::default(),
            shaping: None,
            metrics: Arc::new(Metrics::register(&mut Registry::default())),
            inbound: mpsc::channel(1).0,
            commands: mpsc::channel(1).0,
            view: Arc::default(),
        }
    }

    #[tokio::test]
    async fn a_frame_that_is_not_flushed_counts_as_not_sent() {
        let context = context();
        let identity = IdentitySecret::from_seed([1; 32]).public();
        let peer = Peer { replica: ReplicaId(1), identity, address: String::new(), name: String::new() };
        let peer = PeerState::new(&peer, libp2p::PeerId::random(), &context);
        assert!(peer.is_drained());
        peer.queue.push(Frame {
            class: Class::Vote,
            kind: "test",
            stale_after: None,
            bytes: Bytes::from_static(b"a last word"),
        });
        let (stream, mut other_end) = tokio::io::duplex(1);
        let writer = write_frames(&context, &peer, Class::Vote, stream).fuse();
        futures::pin_mut!(writer);
        assert!(writer.as_mut().now_or_never().is_none(), "the pipe holds one byte only");
        assert_eq!(peer.queue.status(), [crate::QueueStatus::default(); 3]);
        assert!(!peer.is_drained());

        let mut received = [0; 15];
        select! {
            end = writer.as_mut() => panic!("{end}"),
            read = other_end.read_exact(&mut received) => assert_eq!(read.expect("all of it"), received.len()),
        }
        assert!(writer.as_mut().now_or_never().is_none(), "it waits for more");
        assert!(peer.is_drained());
    }
}
