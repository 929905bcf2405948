//! Streams of one kind to one peer, one after the other, for ever: opened whenever the peer is connected, past the hello.

use crate::{
    context::Context,
    dial::Backoff,
    driver::Command,
    hello::{self, HandshakeError},
    peer::{Link, PeerState},
    swarm::Purpose,
};
use futures::{FutureExt, future::BoxFuture};
use libp2p_stream::Control;
use std::{io, sync::Arc, time::Duration};
use tokio::{
    select,
    sync::watch,
    time::{sleep, timeout},
};
use tokio_util::compat::{Compat, FuturesAsyncReadCompatExt};

/// After a refusal the connection stays open so long, so that the other side can read why.
const LINGER: Duration = Duration::from_millis(500);

pub(crate) struct Opener {
    context: Arc<Context>,
    peer: Arc<PeerState>,
    purpose: Purpose,
    control: Control,
    link: watch::Receiver<Link>,
    backoff: Backoff,
    /// How many connections there had been when a stream was last tried.
    tried: Option<u64>,
}

impl Opener {
    pub(crate) fn new(context: Arc<Context>, peer: Arc<PeerState>, purpose: Purpose, control: Control) -> Self {
        let link = peer.watch_link();
        let backoff = Backoff::new(context.limits.reconnect_min, context.limits.reconnect_max);
        Self { context, peer, purpose, control, link, backoff, tried: None }
    }

    /// The next stream, and the end of its connection: libp2p does not say on which of two a stream is, so should either close,
    /// we begin anew. `None`: the network is gone.
    pub(crate) async fn next(&mut self) -> Option<(Compat<libp2p::Stream>, BoxFuture<'static, ()>)> {
        loop {
            self.pause().await;
            let Link { total, closed, .. } = *self.link.wait_for(Link::is_open).await.ok()?;
            let mut watch = self.link.clone();
            let mut gone = async move { drop(watch.wait_for(|link| link.closed != closed).await) }.boxed();
            let limit = self.context.limits.handshake_timeout;
            let opened = select! {
                opened = timeout(limit, self.open()) => opened.unwrap_or(Err(HandshakeError::Timeout(limit))),
                () = &mut gone => continue,
            };
            self.tried = Some(total);
            match opened {
                Ok(stream) => {
                    self.backoff.reset();
                    return Some((stream, gone));
                }
                Err(error) => on_failed_handshake(&self.context, &self.peer, error).await,
            }
        }
    }

    /// After a stream or an attempt. A new connection is worth a try at once.
    async fn pause(&mut self) {
        let Some(tried) = self.tried.take() else { return };
        select! {
            () = sleep(self.backoff.next()) => {}
            _ = self.link.wait_for(|link| link.total != tried) => {}
        }
    }

    /// Opens a stream and exchanges hellos on it.
    async fn open(&mut self) -> Result<Compat<libp2p::Stream>, HandshakeError> {
        let stream = self.control.open_stream(self.peer.id, self.purpose.protocol()).await.map_err(io::Error::other)?;
        let mut stream = stream.compat();
        hello::greet(&mut stream, &self.context.hello, self.peer.replica).await?;
        self.peer.on_greeted();
        Ok(stream)
    }
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
