//! Keeping one connection to a peer, for ever.
//!
//! **Who dials.** When both sides dial at once they end up with two connections, and a limit of one per peer would close
//! both, again and again. So the side with the lower peer id dials, at once; the other only when nothing has come for a
//! grace period (the lower side may be behind a firewall, or not know our address yet).
//!
//! **When.** After a loss: 100 ms * 2^k with full jitter, capped. Only a session in which a hello passed resets k: a peer
//! that accepts connections and refuses us is not hammered.
//!
//! **Where.** The host name is resolved at each dial: containers and cloud machines come back at other addresses.

use crate::{
    context::Context,
    driver::Command,
    peer::{Link, PeerState, Standing},
};
use libp2p::{Multiaddr, multiaddr::Protocol};
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::{net::lookup_host, sync::oneshot, time::timeout};

/// A name may resolve to many addresses; we try so many.
const MAX_ADDRESSES: usize = 8;
/// Failures in a row before we complain: validators that start together find each other within a few dials.
const PATIENCE: u32 = 3;

/// Pauses that double, with full jitter.
#[derive(Debug)]
pub(crate) struct Backoff {
    min: Duration,
    max: Duration,
    failures: u32,
}

impl Backoff {
    pub(crate) fn new(min: Duration, max: Duration) -> Self {
        Self { min, max, failures: 0 }
    }

    pub(crate) fn reset(&mut self) {
        self.failures = 0;
    }

    /// The longest that the next pause may be.
    fn ceiling(&self) -> Duration {
        self.min.saturating_mul(1 << self.failures.min(16)).min(self.max)
    }

    /// A random pause up to the ceiling, which then doubles.
    pub(crate) fn next(&mut self) -> Duration {
        let ceiling = self.ceiling();
        self.failures = self.failures.saturating_add(1);
        // Without randomness the pause is the longest allowed: no reason to stop.
        let random = getrandom::u32().unwrap_or(u32::MAX);
        ceiling.mul_f64(f64::from(random) / f64::from(u32::MAX))
    }
}

/// Why a dial did not end in a connection.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum DialFailure {
    /// Nobody there, or not willing, or not now.
    #[error("{0}")]
    Unreachable(String),
    /// Somebody else is there.
    #[error("{0}; check the address and the identity key in the genesis")]
    WrongKey(String),
}

/// Dials `peer` whenever it is not connected. Ends with the network.
pub(crate) async fn keep_connected(context: Arc<Context>, peer: Arc<PeerState>, dials_first: bool) {
    let limits = &context.limits;
    let mut link = peer.watch_link();
    let mut backoff = Backoff::new(limits.reconnect_min, limits.reconnect_max);
    let grace = if dials_first { Duration::ZERO } else { limits.dial_grace };
    loop {
        let mut pause = backoff.next().max(grace);
        while timeout(pause, link.wait_for(Link::is_open)).await.is_err() {
            if let Err(failure) = dial(&context, &peer).await {
                on_failure(&context, &peer, &failure, backoff.failures);
            }
            pause = backoff.next();
        }
        let _ = link.wait_for(|link| !link.is_open()).await;
        if peer.take_good_session() {
            backoff.reset();
        }
    }
}

fn on_failure(context: &Context, peer: &PeerState, failure: &DialFailure, failures: u32) {
    context.metrics.failed_dials.inc();
    let why = failure.to_string();
    match failure {
        DialFailure::WrongKey(_) => peer.enter(Standing::Refused, &why),
        DialFailure::Unreachable(_) if failures < PATIENCE => peer.on_early_failure(&why),
        DialFailure::Unreachable(_) => peer.enter(Standing::Unreachable, &why),
    }
}

/// Resolves and dials once. A connection that comes shows in the peer's link.
async fn dial(context: &Context, peer: &PeerState) -> Result<(), DialFailure> {
    let stopping = || DialFailure::Unreachable("the network is shutting down".to_owned());
    let addresses = resolve(&peer.address, context.limits.dial_timeout).await.map_err(DialFailure::Unreachable)?;
    let (reply, result) = oneshot::channel();
    let command = Command::Dial { peer: peer.id, addresses, reply };
    context.commands.send(command).await.map_err(|_| stopping())?;
    result.await.map_err(|_| stopping())?
}

async fn resolve(address: &str, deadline: Duration) -> Result<Vec<Multiaddr>, String> {
    let found = timeout(deadline, lookup_host(address))
        .await
        .map_err(|_| format!("resolving {address} took longer than {deadline:?}"))?
        .map_err(|error| format!("cannot resolve {address}: {error}"))?;
    let addresses: Vec<_> = found.take(MAX_ADDRESSES).map(multiaddr).collect();
    if addresses.is_empty() {
        return Err(format!("{address} resolves to no address"));
    }
    Ok(addresses)
}

/// libp2p's name for a TCP socket address.
pub(crate) fn multiaddr(address: SocketAddr) -> Multiaddr {
    Multiaddr::from(address.ip()).with(Protocol::Tcp(address.port()))
}

/// The socket address in libp2p's name for it.
pub(crate) fn socket_addr(address: &Multiaddr) -> Option<SocketAddr> {
    let mut parts = address.iter();
    let ip = match parts.next()? {
        Protocol::Ip4(ip) => ip.into(),
        Protocol::Ip6(ip) => ip.into(),
        _ => return None,
    };
    match parts.next()? {
        Protocol::Tcp(port) => Some(SocketAddr::new(ip, port)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_cap_and_never_overflow() {
        let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(5));
        let mut ceilings = Vec::new();
        for _ in 0..100 {
            let ceiling = backoff.ceiling();
            ceilings.push(ceiling.as_millis());
            assert!(backoff.next() <= ceiling);
        }
        assert_eq!(ceilings[..8], [100, 200, 400, 800, 1600, 3200, 5000, 5000]);
        assert_eq!(ceilings[99], 5000);
        backoff.reset();
        assert_eq!(backoff.ceiling().as_millis(), 100);
    }

    #[test]
    fn socket_addresses_survive_being_multiaddresses() {
        for address in ["127.0.0.1:9000", "[::1]:1"] {
            let address: SocketAddr = address.parse().unwrap();
            assert_eq!(socket_addr(&multiaddr(address)), Some(address));
        }
        assert_eq!(socket_addr(&"/dns/example.org/tcp/1".parse().unwrap()), None);
    }

    #[tokio::test]
    async fn a_name_that_does_not_resolve_is_an_error_that_names_it() {
        let error = resolve("no.such.host.invalid:1", Duration::from_secs(30)).await.unwrap_err();
        assert!(error.contains("no.such.host.invalid:1"), "{error}");
    }
}
