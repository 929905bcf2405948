//! The task that owns the swarm. It never waits for a peer or for the node: everything that may is a task of its own.
//!
//! It counts connections per peer and tells [`PeerState`], closes connections whose pings are lost, dials when the dial
//! tasks say so, and passes sync requests and answers.
//!
//! Two facts about libp2p matter here. Its ping keeps the first failure of a row to itself, so the first one *reported*
//! is the second lost. And a peer that lost its power and comes back dials us while our end of the old connection still
//! looks alive: since a side dials only when it has no connection, a second connection *from* the same side means that
//! the first is dead, and we close it instead of waiting for pings.

use crate::{
    context::Context,
    dial::DialFailure,
    peer::PeerState,
    roster::Roster,
    swarm::{Behaviour, BehaviourEvent},
    sync::{Desk, Reply},
};
use bytes::Bytes;
use futures::StreamExt;
use libp2p::{
    Multiaddr, PeerId, Swarm,
    swarm::{
        ConnectionId, DialError, ListenError, SwarmEvent,
        dial_opts::{DialOpts, PeerCondition},
    },
};
use libp2p_allow_block_list::NotAllowed;
use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{
    select,
    sync::{mpsc, oneshot},
    time::timeout,
};
use tokio_util::sync::CancellationToken;
use tracing::{debug, error, warn};

/// How long connections may take to close when the network stops.
const GOODBYE: Duration = Duration::from_secs(1);
/// Strangers are reported once in this time, however often they knock.
const STRANGER_PAUSE: Duration = Duration::from_secs(60);

/// What other tasks ask of the swarm.
#[derive(Debug)]
pub(crate) enum Command {
    /// Dial once; the answer comes when it is decided.
    Dial { peer: PeerId, addresses: Vec<Multiaddr>, reply: oneshot::Sender<Result<(), DialFailure>> },
    /// Close all connections to a peer.
    Disconnect { peer: PeerId },
    /// A sync request.
    Request { peer: Arc<PeerState>, bytes: Bytes, reply: Reply },
}

/// The swarm and what must be remembered between its events.
pub(crate) struct Driver {
    pub(crate) swarm: Swarm<Behaviour>,
    pub(crate) context: Arc<Context>,
    pub(crate) roster: Arc<Roster>,
    pub(crate) commands: mpsc::Receiver<Command>,
    pub(crate) desk: Desk,
    dials: HashMap<ConnectionId, oneshot::Sender<Result<(), DialFailure>>>,
    /// Open connections that peers made to us.
    incoming: BTreeMap<PeerId, ConnectionId>,
    /// Why we are closing a connection, until it is closed.
    closing: HashMap<ConnectionId, &'static str>,
    stranger_seen: Option<Instant>,
}

impl Driver {
    pub(crate) fn new(
        swarm: Swarm<Behaviour>,
        context: Arc<Context>,
        roster: Arc<Roster>,
        commands: mpsc::Receiver<Command>,
        desk: Desk,
    ) -> Self {
        Self {
            swarm,
            context,
            roster,
            commands,
            desk,
            dials: HashMap::new(),
            incoming: BTreeMap::new(),
            closing: HashMap::new(),
            stranger_seen: None,
        }
    }

    /// Runs until `stop`, then closes every connection.
    pub(crate) async fn run(mut self, stop: CancellationToken) {
        loop {
            select! {
                () = stop.cancelled() => break,
                event = self.swarm.select_next_some() => self.on_event(event),
                Some(command) = self.commands.recv() => self.on_command(command),
                due = self.desk.next_due() => self.desk.on_due(&mut self.swarm.behaviour_mut().sync, due),
            }
        }
        self.close().await;
    }

    async fn close(mut self) {
        let peers: Vec<PeerId> = self.swarm.connected_peers().copied().collect();
        for peer in peers {
            let _ = self.swarm.disconnect_peer_id(peer);
        }
        let closed = async {
            while self.swarm.connected_peers().next().is_some() {
                self.swarm.select_next_some().await;
            }
        };
        let _ = timeout(GOODBYE, closed).await;
    }

    fn on_command(&mut self, command: Command) {
        match command {
            Command::Dial { peer, addresses, reply } => self.dial(peer, addresses, reply),
            Command::Disconnect { peer } => {
                let _ = self.swarm.disconnect_peer_id(peer);
            }
            Command::Request { peer, bytes, reply } => {
                self.desk.ask(&mut self.swarm.behaviour_mut().sync, &peer, bytes, reply);
            }
        }
    }

    fn dial(&mut self, peer: PeerId, addresses: Vec<Multiaddr>, reply: oneshot::Sender<Result<(), DialFailure>>) {
        let options = DialOpts::peer_id(peer)
            .condition(PeerCondition::DisconnectedAndNotDialing)
            .addresses(addresses)
            .allocate_new_port()
            .build();
        let id = options.connection_id();
        match self.swarm.dial(options) {
            Ok(()) => {
                self.dials.insert(id, reply);
            }
            // Connected or dialing already: as good as done.
            Err(DialError::DialPeerConditionFalse(_)) => {
                let _ = reply.send(Ok(()));
            }
            Err(error) => {
                let _ = reply.send(Err(describe(&error)));
            }
        }
    }

    fn on_event(&mut self, event: SwarmEvent<BehaviourEvent>) {
        match event {
            SwarmEvent::ConnectionEstablished { peer_id, connection_id, endpoint, .. } => {
                self.on_connected(peer_id, connection_id, endpoint.is_listener());
            }
            SwarmEvent::ConnectionClosed { peer_id, connection_id, cause, .. } => {
                let cause = cause.map_or_else(|| "the connection was closed".to_owned(), |cause| cause.to_string());
                self.on_closed(peer_id, connection_id, &cause);
            }
            SwarmEvent::OutgoingConnectionError { connection_id, error, .. } => {
                if let Some(reply) = self.dials.remove(&connection_id) {
                    let _ = reply.send(Err(describe(&error)));
                }
            }
            SwarmEvent::IncomingConnectionError { send_back_addr, error, .. } => {
                self.on_refused(&send_back_addr, &error)
            }
            SwarmEvent::ListenerClosed { reason, .. } => {
                error!("no longer listening, peers cannot dial us: {reason:?}")
            }
            SwarmEvent::ListenerError { error, .. } => warn!("accepting a connection failed: {error}"),
            SwarmEvent::Behaviour(BehaviourEvent::Ping(ping)) => match ping.result {
                Ok(rtt) => {
                    if let Some(peer) = self.roster.by_id(&ping.peer) {
                        peer.on_ping(rtt);
                    }
                }
                Err(_) => self.close_connection(ping.connection, "it answered no pings"),
            },
            SwarmEvent::Behaviour(BehaviourEvent::Sync(event)) => {
                if let Some(peer) = self.roster.by_id(sync_peer(&event)) {
                    self.desk.on_event(peer, event);
                }
            }
            other => debug!("{other:?}"),
        }
    }

    fn on_connected(&mut self, id: PeerId, connection: ConnectionId, incoming: bool) {
        if let Some(reply) = self.dials.remove(&connection) {
            let _ = reply.send(Ok(()));
        }
        let Some(peer) = self.roster.by_id(&id) else { return };
        peer.on_connected(&self.context.metrics);
        if incoming && let Some(dead) = self.incoming.insert(id, connection) {
            self.close_connection(dead, "the peer has replaced it by a new one");
        }
    }

    fn on_closed(&mut self, id: PeerId, connection: ConnectionId, cause: &str) {
        if self.incoming.get(&id) == Some(&connection) {
            self.incoming.remove(&id);
        }
        let cause = self.closing.remove(&connection).unwrap_or(cause);
        if let Some(peer) = self.roster.by_id(&id) {
            peer.on_disconnected(cause);
        }
    }

    fn close_connection(&mut self, connection: ConnectionId, why: &'static str) {
        if self.swarm.close_connection(connection) {
            self.closing.insert(connection, why);
        }
    }

    fn on_refused(&mut self, from: &Multiaddr, error: &ListenError) {
        let reason = match error {
            ListenError::Denied { cause } if cause.downcast_ref::<NotAllowed>().is_some() => "unknown_key",
            ListenError::Denied { .. } => "limit",
            ListenError::WrongPeerId { .. } | ListenError::LocalPeerId { .. } => "wrong_key",
            ListenError::Aborted | ListenError::Transport(_) => "handshake",
        };
        self.context.metrics.refuse(reason);
        let quiet = self.stranger_seen.is_some_and(|seen| seen.elapsed() < STRANGER_PAUSE);
        if reason != "unknown_key" || quiet {
            debug!("refused a connection from {from}: {error}");
            return;
        }
        self.stranger_seen = Some(Instant::now());
        warn!("refused a connection from {from}, whose key is not in the genesis: {error}");
    }
}

fn sync_peer(event: &crate::sync::SyncEvent) -> &PeerId {
    use libp2p::request_response::Event;
    match event {
        Event::Message { peer, .. }
        | Event::OutboundFailure { peer, .. }
        | Event::InboundFailure { peer, .. }
        | Event::ResponseSent { peer, .. } => peer,
    }
}

/// A dial's failure in a line: libp2p's own text for transport errors runs over several.
fn describe(error: &DialError) -> DialFailure {
    match error {
        DialError::WrongPeerId { obtained, address } => {
            DialFailure::WrongKey(format!("the node at {address} holds another identity key ({obtained})"))
        }
        DialError::LocalPeerId { address } => DialFailure::WrongKey(format!("{address} is ourselves")),
        DialError::Transport(tried) => {
            let tried: Vec<_> = tried.iter().map(|(address, error)| format!("{address}: {}", root(error))).collect();
            DialFailure::Unreachable(tried.join("; "))
        }
        other => DialFailure::Unreachable(other.to_string()),
    }
}

/// The innermost error: what the operating system said.
fn root(error: &dyn std::error::Error) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}
