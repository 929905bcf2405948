//! libp2p, put together: TCP, Noise, Yamux, and the behaviours that limit, admit, ping, stream and sync.
//!
//! Traps that decided something here:
//! - libp2p's listeners set `SO_REUSEPORT`, so a second validator of the same user would *share* the port, silently, and
//!   get half of the connections. We look for a listener with a plain socket first.
//! - Its dials reuse the listening port by default; a restarted validator would meet its own `TIME_WAIT`. We do not.
//! - The allow-list answers only after the Noise handshake: strangers are kept few by the limits on pending connections.
//! - One connection per peer would be refused on both sides when both dial; the limit is two.
//! - Streams are negotiated lazily (V1Lazy): one round trip less on a wide-area link.

use crate::{
    Class, Limits, NetworkError,
    dial::{multiaddr, socket_addr},
    gate::Gate,
    roster::{self, Roster},
    sync, sync_codec,
};
use futures::StreamExt;
use libp2p::{
    StreamProtocol, Swarm, SwarmBuilder,
    core::upgrade::Version,
    noise, ping, request_response as rr,
    swarm::{NetworkBehaviour, SwarmEvent},
    tcp, yamux,
};
use libp2p_allow_block_list as allow_list;
use libp2p_connection_limits as connection_limits;
use prometheus_client::registry::Registry;
use quorate_crypto::IdentitySecret;
use std::{io, net::SocketAddr, time::Duration};
use tokio::time::timeout;

/// A connection without streams lives so long; ours have some within seconds, or are closed.
const IDLE: Duration = Duration::from_secs(60);
/// Per connection: three classes each way, echoes, pings, sync, and streams being replaced.
const MAX_STREAMS: usize = 128;
const MAX_NEGOTIATING: usize = 32;

/// The protocols on one connection. Those that deny come first.
#[derive(NetworkBehaviour)]
pub(crate) struct Behaviour {
    gate: Gate,
    limits: connection_limits::Behaviour,
    allow: allow_list::Behaviour<allow_list::AllowedPeers>,
    ping: ping::Behaviour,
    pub(crate) streams: libp2p_stream::Behaviour,
    pub(crate) sync: rr::Behaviour<sync_codec::Codec>,
}

/// What a stream is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// The frames of one class.
    Frames(Class),
    /// Measuring shaped links. Without shaping nobody opens or accepts it.
    Echo,
}

impl Purpose {
    pub(crate) const COUNT: usize = 4;

    /// The protocol of such streams.
    pub(crate) fn protocol(self) -> StreamProtocol {
        match self {
            Self::Frames(Class::Vote) => StreamProtocol::new("/quorate/vote/1"),
            Self::Frames(Class::Proposal) => StreamProtocol::new("/quorate/proposal/1"),
            Self::Frames(Class::Batch) => StreamProtocol::new("/quorate/batch/1"),
            Self::Echo => StreamProtocol::new("/quorate/echo/1"),
        }
    }

    pub(crate) fn index(self) -> usize {
        match self {
            Self::Frames(class) => class.index(),
            Self::Echo => 3,
        }
    }
}

/// Builds the swarm. It does not listen yet.
pub(crate) fn build(
    identity: &IdentitySecret,
    roster: &Roster,
    limits: &Limits,
    registry: &mut Registry,
) -> Result<Swarm<Behaviour>, NetworkError> {
    let mut yamux = yamux::Config::default();
    yamux.set_max_num_streams(MAX_STREAMS);
    let swarm = SwarmBuilder::with_existing_identity(roster::keypair(identity))
        .with_tokio()
        .with_tcp(tcp::Config::default().nodelay(true), noise::Config::new, move || yamux.clone())
        .map_err(|error| NetworkError::Settings(format!("cannot set up Noise: {error}")))?
        .with_bandwidth_metrics(registry)
        .with_behaviour(|_| behaviour(roster, limits))
        .unwrap_or_else(|never| match never {})
        .with_swarm_config(|config| {
            config
                .with_idle_connection_timeout(IDLE)
                .with_max_negotiating_inbound_streams(MAX_NEGOTIATING)
                .with_substream_upgrade_protocol_override(Version::V1Lazy)
        })
        .with_connection_timeout(limits.dial_timeout)
        .build();
    Ok(swarm)
}

fn behaviour(roster: &Roster, limits: &Limits) -> Behaviour {
    let two_each = u32::try_from(2 * roster.len()).unwrap_or(u32::MAX);
    let connections = connection_limits::ConnectionLimits::default()
        .with_max_pending_incoming(Some(limits.pending_incoming))
        .with_max_established_incoming(Some(two_each))
        .with_max_established_per_peer(Some(2));
    let mut allow = allow_list::Behaviour::<allow_list::AllowedPeers>::default();
    for peer in roster.iter() {
        allow.allow_peer(peer.id);
    }
    Behaviour {
        gate: Gate::new(limits.pending_per_address),
        limits: connection_limits::Behaviour::new(connections),
        allow,
        ping: ping::Behaviour::new(
            ping::Config::new().with_interval(limits.ping_interval).with_timeout(limits.ping_timeout),
        ),
        streams: libp2p_stream::Behaviour::new(),
        sync: sync::behaviour(limits),
    }
}

/// Listens, and returns the address with the port that it really is.
pub(crate) async fn listen(swarm: &mut Swarm<Behaviour>, address: SocketAddr) -> Result<SocketAddr, NetworkError> {
    if address.port() != 0 {
        std::net::TcpListener::bind(address).map_err(|source| cannot_listen(address, source))?;
    }
    let failed = |error: libp2p::TransportError<io::Error>| match error {
        libp2p::TransportError::Other(source) => cannot_listen(address, source),
        libp2p::TransportError::MultiaddrNotSupported(_) => cannot_listen(address, io::ErrorKind::Unsupported.into()),
    };
    swarm.listen_on(multiaddr(address)).map_err(failed)?;
    let bound = async {
        loop {
            if let SwarmEvent::NewListenAddr { address: bound, .. } = swarm.select_next_some().await
                && let Some(bound) = socket_addr(&bound)
            {
                return SocketAddr::new(address.ip(), bound.port());
            }
        }
    };
    timeout(Duration::from_secs(10), bound).await.map_err(|_| cannot_listen(address, io::ErrorKind::TimedOut.into()))
}

fn cannot_listen(address: SocketAddr, source: io::Error) -> NetworkError {
    match source.kind() {
        io::ErrorKind::AddrInUse => NetworkError::PortInUse { address },
        _ => NetworkError::CannotListen { address, source },
    }
}
