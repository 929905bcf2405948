//! Round trips as the links are: small frames of our own go to the peer and back, on a stream that exists only between
//! replicas whose links are shaped. libp2p's pings will not do, they pass below the shaping.
//!
//! An echo is nine bytes: what it is, and when it left on its sender's clock, which alone looks at it. So nobody remembers what he sent,
//! and a peer that lies deceives nobody but whoever reads how far away it is.
//!
//! Bounds: a few echoes wait for the wire, more are not sent; a peer's are read one in a millisecond.

use super::{Passage, flight::Flight};
use crate::{ClassLimits, context::Context, opener::Opener, peer::PeerState};
use libp2p_stream::Control;
use std::{
    collections::VecDeque,
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    select,
    sync::Notify,
    time::{MissedTickBehavior, interval, sleep, timeout},
};

/// How often a peer is asked.
const EVERY: Duration = Duration::from_millis(250);
/// The least time between two echoes of a peer.
const PACE: Duration = Duration::from_millis(1);
const BYTES: usize = 9;
/// Waiting for the wire, and on their way.
const WAITING: usize = 16;
const FLYING: ClassLimits = ClassLimits { frame: BYTES, queue_frames: 1024, queue_bytes: 1024 * BYTES, window: 0 };

/// One echo, with the time at which it left whoever asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Echo {
    Question(u64),
    Answer(u64),
}

impl Echo {
    fn encode(self) -> [u8; BYTES] {
        let (kind, stamp) = match self {
            Self::Question(stamp) => (0, stamp),
            Self::Answer(stamp) => (1, stamp),
        };
        let mut bytes = [kind; BYTES];
        bytes[1..].copy_from_slice(&stamp.to_be_bytes());
        bytes
    }

    fn decode(bytes: [u8; BYTES]) -> Option<Self> {
        let [kind, stamp @ ..] = bytes;
        let stamp = u64::from_be_bytes(stamp);
        match kind {
            0 => Some(Self::Question(stamp)),
            1 => Some(Self::Answer(stamp)),
            _ => None,
        }
    }
}

/// Echoes that wait for one peer's wire.
#[derive(Debug, Default)]
pub(crate) struct Echoes {
    waiting: Mutex<VecDeque<Echo>>,
    ready: Notify,
}

impl Echoes {
    /// One too many is forgotten.
    fn push(&self, echo: Echo) {
        let mut waiting = self.lock();
        if waiting.len() < WAITING {
            waiting.push_back(echo);
            self.ready.notify_one();
        }
    }

    /// What a stream that is gone left behind: its peer may have begun anew, with another clock.
    fn clear(&self) {
        self.lock().clear();
    }

    fn take(&self) -> Option<Echo> {
        self.lock().pop_front()
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Echo>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Asks `peer` for echoes and sends back its own whenever it is connected. Ends with the network.
pub(crate) async fn run(context: Arc<Context>, peer: Arc<PeerState>, control: Control) {
    let Some(passage) = &peer.passage else { return };
    let mut opener = Opener::new(context.clone(), peer.clone(), crate::swarm::Purpose::Echo, control);
    while let Some((stream, gone)) = opener.next().await {
        let end = select! {
            end = write(&context, passage, stream) => end,
            () = gone => Ok(()),
        };
        tracing::debug!(peer = peer.replica.0, "echo stream ended: {end:?}");
    }
}

async fn write(
    context: &Context,
    passage: &Passage,
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
) -> io::Result<()> {
    let wire = &passage.wire;
    let mut changes = wire.changes();
    let mut flight = Flight::new(&FLYING);
    passage.echoes.clear();
    let mut tick = interval(EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        flight.follow(wire.change());
        let until = depart(passage, &mut flight);
        while let Some(echo) = flight.arrived(wire.now()) {
            if !wire.is_cut() {
                timeout(context.limits.write_timeout, stream.write_all(&echo)).await??;
            }
        }
        timeout(context.limits.write_timeout, stream.flush()).await??;
        let mut byte = [0];
        select! {
            _ = tick.tick() => passage.echoes.push(Echo::Question(stamp(wire.now()))),
            () = passage.echoes.ready.notified() => {}
            () = wire.reaches(until) => {}
            _ = changes.changed() => {}
            // The peer never writes on this stream.
            _ = stream.read(&mut byte) => return Ok(()),
        }
    }
}

/// Puts on the wire what it takes, and tells when to look again.
fn depart(passage: &Passage, flight: &mut Flight<[u8; BYTES]>) -> Option<Duration> {
    loop {
        let now = passage.wire.now();
        if !flight.has_room() {
            return flight.next_at();
        }
        if let Some(free) = passage.wire.busy_until(now) {
            return Some(flight.next_at().map_or(free, |arrival| arrival.min(free)));
        }
        let Some(echo) = passage.echoes.take() else { return flight.next_at() };
        for arrives in passage.wire.send(now, BYTES).iter() {
            flight.push(arrives, BYTES, echo.encode());
        }
    }
}

/// Reads what a peer sends on its echo stream.
pub(crate) async fn read(passage: &Passage, mut stream: impl AsyncRead + Unpin) -> io::Result<()> {
    loop {
        let mut bytes = [0; BYTES];
        stream.read_exact(&mut bytes).await?;
        match Echo::decode(bytes).ok_or(io::ErrorKind::InvalidData)? {
            Echo::Question(stamp) => passage.echoes.push(Echo::Answer(stamp)),
            Echo::Answer(stamp) => passage.wire.on_echo(Duration::from_nanos(stamp)),
        }
        sleep(PACE).await;
    }
}

fn stamp(now: Duration) -> u64 {
    u64::try_from(now.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn echoes_survive_the_wire_and_nonsense_does_not() {
        for echo in [Echo::Question(7), Echo::Answer(u64::MAX)] {
            assert_eq!(Echo::decode(echo.encode()), Some(echo));
        }
        assert_eq!(Echo::decode([2; BYTES]), None);
    }

    #[test]
    fn a_flood_of_questions_is_forgotten() {
        let echoes = Echoes::default();
        (0..1000).for_each(|stamp| echoes.push(Echo::Answer(stamp)));
        let kept: Vec<_> = std::iter::from_fn(|| echoes.take()).collect();
        assert_eq!(kept.len(), WAITING);
        assert_eq!(kept[0], Echo::Answer(0));
    }
}
