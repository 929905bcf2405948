//! Reading a node's server-sent events.

use super::{Unanswered, http::innermost};
use quorate_types::{Digest, Height};
use serde::Deserialize;
use std::collections::VecDeque;

/// A line that is longer is no event of ours.
const MAX_LINE: usize = 64 * 1024 * 1024;

/// The events of one node.
#[derive(Debug)]
pub struct Events {
    response: reqwest::Response,
    lines: Lines,
}

/// What an event tells, of those that measurements need.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Told {
    /// A block was committed.
    Block {
        /// Its height.
        height: Height,
        /// How many transactions it holds.
        transactions: u64,
        /// In how many batches.
        batches: u64,
        /// Milliseconds since the Unix epoch, by the proposer's clock.
        timestamp: u64,
    },
    /// These took effect in the block at this height.
    Transactions {
        /// The height.
        height: Height,
        /// Their names.
        digests: Vec<Digest>,
    },
    /// We were too slow, and so many events are lost.
    Missed {
        /// How many.
        count: u64,
    },
    /// Anything else.
    #[serde(other)]
    Other,
}

impl Events {
    pub(super) fn new(response: reqwest::Response) -> Self {
        Self { response, lines: Lines::default() }
    }

    /// The next event. None: the node has ended the stream.
    pub async fn next(&mut self) -> Result<Option<Told>, Unanswered> {
        loop {
            if let Some(data) = self.lines.next() {
                let told = serde_json::from_str(&data);
                return told.map(Some).map_err(|error| Unanswered::Nonsense(format!("an event with {error}")));
            }
            let unreachable = |error: reqwest::Error| Unanswered::Unreachable(innermost(&error));
            match self.response.chunk().await.map_err(unreachable)? {
                Some(bytes) if self.lines.take(&bytes) => {}
                Some(_) => return Err(Unanswered::Nonsense(format!("an event of more than {MAX_LINE} bytes"))),
                None => return Ok(None),
            }
        }
    }
}

/// The `data` of events, out of pieces of any length. Comments and names are skipped: our data says what it is.
#[derive(Debug, Default)]
struct Lines {
    begun: Vec<u8>,
    complete: VecDeque<String>,
}

impl Lines {
    fn next(&mut self) -> Option<String> {
        self.complete.pop_front()
    }

    /// Takes a piece. False: what has begun is too long for an event.
    fn take(&mut self, bytes: &[u8]) -> bool {
        let mut rest = bytes;
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            self.begun.extend(&rest[..end]);
            let line = String::from_utf8_lossy(&self.begun);
            self.complete.extend(line.trim_end().strip_prefix("data:").map(|data| data.trim_start().to_owned()));
            self.begun.clear();
            rest = &rest[end + 1..];
        }
        self.begun.extend(rest);
        self.begun.len() <= MAX_LINE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_come_whole_out_of_pieces_and_comments_are_nothing() {
        let stream = ":\n\nevent: block\ndata: {\"event\":\"block\",\"height\":7,\"view\":9,\"digest\":\"\",\"proposer\":1,\
            \"transactions\":3,\"batches\":2,\"timestamp\":5}\n\nevent: missed\ndata: {\"event\":\"missed\",\"count\":4}\n\n\
            data: {\"event\":\"commit\",\"height\":7,\"transactions\":3}\n\n";
        for piece in [1, 7, stream.len()] {
            let mut lines = Lines::default();
            assert!(stream.as_bytes().chunks(piece).all(|bytes| lines.take(bytes)));
            let told: Vec<Told> =
                std::iter::from_fn(|| lines.next()).map(|data| serde_json::from_str(&data).expect("JSON")).collect();
            let block = Told::Block { height: Height(7), transactions: 3, batches: 2, timestamp: 5 };
            assert_eq!(told, [block, Told::Missed { count: 4 }, Told::Other]);
        }
    }
}
