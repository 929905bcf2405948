//! Block sync as the node sees it: asking ends in bytes or a [`RequestError`], being asked comes with a [`Responder`].

use bytes::Bytes;
use quorate_types::ReplicaId;
use tokio::sync::oneshot;

/// Why a request has no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// Not in the committee, or ourselves.
    #[error("there is no peer with the index of {0}")]
    UnknownPeer(ReplicaId),
    /// No connection, or no matching hello yet. Ask another peer.
    #[error("{0} is not connected")]
    NotConnected(ReplicaId),
    /// [`Limits::requests_out`](crate::Limits::requests_out) requests to it are in flight already.
    #[error("too many requests to {0} are in flight")]
    Busy(ReplicaId),
    /// Our own request is over [`Limits::request`](crate::Limits::request).
    #[error("a request of {have} bytes where at most {max} are allowed")]
    RequestTooLarge {
        /// Bytes offered.
        have: usize,
        /// Bytes allowed.
        max: usize,
    },
    /// The peer announces more than [`Limits::response`](crate::Limits::response).
    #[error("a response of {have} bytes where at most {max} are allowed")]
    ResponseTooLarge {
        /// Bytes announced.
        have: usize,
        /// Bytes allowed.
        max: usize,
    },
    /// Nothing complete within [`Limits::request_timeout`](crate::Limits::request_timeout).
    #[error("no answer in time")]
    Timeout,
    /// The peer closed the stream unanswered: it does not have what we want, or serves too many of our requests.
    #[error("the peer has no answer")]
    NoAnswer,
    /// The connection or stream broke.
    #[error("the connection broke: {0}")]
    Broken(String),
    /// The network is shutting down.
    #[error("the network is shutting down")]
    Stopped,
}

/// Where the answer to a peer's request goes. Dropping it tells the peer that there is none.
#[derive(Debug)]
pub struct Responder {
    sender: oneshot::Sender<Bytes>,
    max: usize,
}

/// An answer over [`Limits::response`](crate::Limits::response); the peer would refuse it. Answer with less.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an answer of {have} bytes where at most {max} are allowed")]
pub struct ResponseTooLarge {
    /// Bytes offered.
    pub have: usize,
    /// Bytes allowed.
    pub max: usize,
}

impl Responder {
    /// Sends the answer. The peer may be gone by now; then it goes nowhere.
    pub fn respond(self, bytes: Bytes) -> Result<(), ResponseTooLarge> {
        if bytes.len() > self.max {
            return Err(ResponseTooLarge { have: bytes.len(), max: self.max });
        }
        let _ = self.sender.send(bytes);
        Ok(())
    }

    /// A responder and the place where its answer arrives, for testing whoever answers.
    pub fn pair(max: usize) -> (Self, oneshot::Receiver<Bytes>) {
        let (sender, receiver) = oneshot::channel();
        (Self { sender, max }, receiver)
    }
}
