//! Block sync: one request, one response, each on a stream of its own (libp2p's request-response).
//!
//! Not for anything a view waits for: a new stream per request costs a round trip more than a persistent one.
//!
//! Bounds: sizes are checked at the length prefix and memory follows the bytes that come. Requests of a peer that has not
//! said a matching hello on this connection are dropped, as are more at a time than [`Limits::requests_in`]. libp2p's
//! behaviour would dial a peer that is not connected; we ask only those that are.
//!
//! Questions and answers take as long over a shaped link as frames of their size. One that is lost there ends the request a
//! second later, on either side: libp2p's own timeout, made for peers that are slow, would keep the one who asks from asking
//! others long after a cut is healed.

use crate::{
    Inbound, Limits, RequestError, Responder,
    context::Context,
    metrics::Drop,
    peer::PeerState,
    sync_codec::{Codec, TooLarge},
};
use bytes::Bytes;
use futures::{StreamExt, future::BoxFuture, stream::FuturesUnordered};
use libp2p::{
    StreamProtocol,
    request_response::{self as rr, OutboundFailure, OutboundRequestId, ResponseChannel},
};
use quorate_types::ReplicaId;
use std::{
    collections::{BTreeMap, HashMap},
    io,
    sync::Arc,
    time::Duration,
};
use tokio::{
    sync::{mpsc, oneshot},
    time::timeout,
};

/// Streams of one connection that carry sync at a time, both directions together.
const MAX_STREAMS: usize = 32;

pub(crate) type Reply = oneshot::Sender<Result<Bytes, RequestError>>;
pub(crate) type SyncEvent = rr::Event<Bytes, Bytes>;

pub(crate) fn behaviour(limits: &Limits) -> rr::Behaviour<Codec> {
    let config =
        rr::Config::default().with_request_timeout(limits.request_timeout).with_max_concurrent_streams(MAX_STREAMS);
    let codec = Codec { request: limits.request, response: limits.response };
    rr::Behaviour::with_codec(codec, [(StreamProtocol::new("/quorate/sync/1"), rr::ProtocolSupport::Full)], config)
}

/// The requests in flight, ours and theirs. Lives in the driver, which never waits.
pub(crate) struct Desk {
    context: Arc<Context>,
    asked: HashMap<OutboundRequestId, (ReplicaId, Reply)>,
    /// Both directions are counted per peer.
    out: BTreeMap<ReplicaId, usize>,
    serving: BTreeMap<ReplicaId, usize>,
    /// Answers that the node owes, and questions and answers on their way over shaped links.
    due: FuturesUnordered<BoxFuture<'static, Due>>,
    /// To the task that waits for room in the node's channel, so that the driver need not.
    forward: mpsc::Sender<Inbound>,
}

/// What may go now.
pub(crate) enum Due {
    Question(Question),
    Answer(Answer),
}

/// What the node answered to a peer's request, or why nothing goes back.
pub(crate) struct Answer {
    peer: Arc<PeerState>,
    channel: ResponseChannel<Bytes>,
    bytes: Result<Bytes, Drop>,
}

/// A question at the far end of its link, or lost on it.
pub(crate) struct Question {
    peer: Arc<PeerState>,
    bytes: Bytes,
    reply: Reply,
    has_arrived: bool,
}

impl Desk {
    pub(crate) fn new(context: Arc<Context>, forward: mpsc::Sender<Inbound>) -> Self {
        Self {
            context,
            asked: HashMap::new(),
            out: BTreeMap::new(),
            serving: BTreeMap::new(),
            due: FuturesUnordered::new(),
            forward,
        }
    }

    /// Asks `peer`, which must be connected.
    pub(crate) fn ask(&mut self, sync: &mut rr::Behaviour<Codec>, peer: &Arc<PeerState>, bytes: Bytes, reply: Reply) {
        let out = self.out.entry(peer.replica).or_default();
        if !peer.is_greeted() {
            let _ = reply.send(Err(RequestError::NotConnected(peer.replica)));
        } else if *out >= self.context.limits.requests_out {
            let _ = reply.send(Err(RequestError::Busy(peer.replica)));
        } else {
            *out += 1;
            if peer.passage.is_none() {
                return self.send(sync, peer, bytes, reply);
            }
            let (peer, deadline) = (peer.clone(), self.context.limits.request_timeout);
            self.due.push(Box::pin(async move {
                let has_arrived = carry(&peer, bytes.len(), deadline).await;
                Due::Question(Question { peer, bytes, reply, has_arrived })
            }));
        }
    }

    fn send(&mut self, sync: &mut rr::Behaviour<Codec>, peer: &PeerState, bytes: Bytes, reply: Reply) {
        peer.meter.sent("sync", "request", bytes.len());
        self.asked.insert(sync.send_request(&peer.id, bytes), (peer.replica, reply));
    }

    fn on_question(&mut self, sync: &mut rr::Behaviour<Codec>, question: Question) {
        let Question { peer, bytes, reply, has_arrived } = question;
        if !has_arrived {
            peer.meter.dropped("sync", Drop::Shaped, 1);
            self.finish(peer.replica, reply, Err(RequestError::Timeout));
        } else if !peer.is_greeted() {
            self.finish(peer.replica, reply, Err(RequestError::NotConnected(peer.replica)));
        } else {
            self.send(sync, &peer, bytes, reply);
        }
    }

    pub(crate) fn on_event(&mut self, peer: &Arc<PeerState>, event: SyncEvent) {
        match event {
            rr::Event::Message { message: rr::Message::Request { request, channel, .. }, .. } => {
                self.on_request(peer, request, channel);
            }
            rr::Event::Message { message: rr::Message::Response { request_id, response }, .. } => {
                peer.meter.received("response", response.len());
                self.settle(request_id, Ok(response));
            }
            rr::Event::OutboundFailure { request_id, error, .. } => {
                self.settle(request_id, Err(failure(peer.replica, error)));
            }
            rr::Event::InboundFailure { error, .. } => {
                tracing::debug!(peer = peer.replica.0, "a sync request of the peer failed: {error}");
            }
            rr::Event::ResponseSent { .. } => {}
        }
    }

    fn settle(&mut self, id: OutboundRequestId, result: Result<Bytes, RequestError>) {
        if let Some((replica, reply)) = self.asked.remove(&id) {
            self.finish(replica, reply, result);
        }
    }

    fn finish(&mut self, replica: ReplicaId, reply: Reply, result: Result<Bytes, RequestError>) {
        if let Some(out) = self.out.get_mut(&replica) {
            *out = out.saturating_sub(1);
        }
        let _ = reply.send(result);
    }

    fn on_request(&mut self, peer: &Arc<PeerState>, bytes: Bytes, channel: ResponseChannel<Bytes>) {
        peer.meter.received("request", bytes.len());
        let serving = self.serving.entry(peer.replica).or_default();
        if !peer.is_greeted() || *serving >= self.context.limits.requests_in {
            peer.meter.dropped("sync", Drop::TooManyRequests, 1);
            return;
        }
        let (respond, answer) = Responder::pair(self.context.limits.response);
        let request = Inbound::Request { from: peer.replica, bytes, respond };
        if self.forward.try_send(request).is_err() {
            peer.meter.dropped("sync", Drop::TooManyRequests, 1);
            return;
        }
        *serving += 1;
        let (peer, deadline) = (peer.clone(), self.context.limits.request_timeout);
        self.due.push(Box::pin(async move {
            let bytes = timeout(deadline, answer).await.ok().and_then(Result::ok).ok_or(Drop::NoAnswer);
            // That there is none is an answer too, of no length.
            let has_arrived = carry(&peer, bytes.as_ref().map_or(0, Bytes::len), deadline).await;
            Due::Answer(Answer { peer, channel, bytes: if has_arrived { bytes } else { Err(Drop::Shaped) } })
        }));
    }

    /// The next question or answer that may go; waits for ever when there is none to wait for.
    pub(crate) async fn next_due(&mut self) -> Due {
        match self.due.next().await {
            Some(due) => due,
            None => std::future::pending().await,
        }
    }

    pub(crate) fn on_due(&mut self, sync: &mut rr::Behaviour<Codec>, due: Due) {
        match due {
            Due::Question(question) => self.on_question(sync, question),
            Due::Answer(answer) => self.on_answer(sync, answer),
        }
    }

    fn on_answer(&mut self, sync: &mut rr::Behaviour<Codec>, answer: Answer) {
        if let Some(serving) = self.serving.get_mut(&answer.peer.replica) {
            *serving = serving.saturating_sub(1);
        }
        let bytes = match answer.bytes {
            Ok(bytes) => bytes,
            Err(reason) => return answer.peer.meter.dropped("sync", reason, 1),
        };
        let size = bytes.len();
        if sync.send_response(answer.channel, bytes).is_ok() {
            answer.peer.meter.sent("sync", "response", size);
        }
    }
}

/// Waits as long as so many bytes take to the peer, and tells whether they arrive: at once if our links are not shaped.
async fn carry(peer: &PeerState, bytes: usize, deadline: Duration) -> bool {
    match &peer.passage {
        Some(passage) => timeout(deadline, passage.wire.carry(bytes)).await.unwrap_or(false),
        None => true,
    }
}

fn failure(peer: ReplicaId, failure: OutboundFailure) -> RequestError {
    match failure {
        OutboundFailure::DialFailure => RequestError::NotConnected(peer),
        OutboundFailure::Timeout => RequestError::Timeout,
        OutboundFailure::ConnectionClosed => RequestError::Broken("connection closed".to_owned()),
        OutboundFailure::UnsupportedProtocols => RequestError::Broken("the peer knows no sync".to_owned()),
        OutboundFailure::Io(error) if error.kind() == io::ErrorKind::UnexpectedEof => RequestError::NoAnswer,
        OutboundFailure::Io(error) => match error.get_ref().and_then(|inner| inner.downcast_ref::<TooLarge>()) {
            Some(&TooLarge { have, max }) => RequestError::ResponseTooLarge { have, max },
            None => RequestError::Broken(error.to_string()),
        },
    }
}
