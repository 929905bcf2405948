//! Starting and stopping the network, and the [`Network`] that the node holds.

use crate::{
    Class, Config, Frame, Inbound, Limits, Network, NetworkError, PeerStatus, RequestError,
    context::{Context, Progress},
    dial,
    driver::{Command, Driver},
    metrics::{Drop, Metrics},
    peer::PeerState,
    reader,
    roster::Roster,
    shape::echo,
    swarm::{self, Purpose},
    sync::{Desk, Reply},
    writer,
};
use bytes::Bytes;
use libp2p_stream::Control;
use prometheus_client::registry::Registry;
use quorate_types::{ReplicaId, View};
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    sync::{
        mpsc::{self, error::TrySendError},
        oneshot,
    },
    time::{sleep, timeout},
};
use tokio_util::{
    sync::{CancellationToken, DropGuard},
    task::TaskTracker,
};

/// Commands to the driver that may wait. Dial tasks have one each at most; requests over it are refused.
const COMMANDS: usize = 1024;
/// When stopping, frames for connected peers may take so long to leave. Who stops over a fork has proof of it among them.
const DRAIN: Duration = Duration::from_secs(1);
/// When stopping, tasks may take so long to end.
const STOP: Duration = Duration::from_secs(2);

/// The real network. Dropping it stops it abruptly; [`shutdown`](Self::shutdown) says goodbye first.
#[derive(Debug)]
pub struct Libp2p {
    limits: Limits,
    view: Arc<Progress>,
    commands: mpsc::Sender<Command>,
    roster: Arc<Roster>,
    tasks: TaskTracker,
    stop: CancellationToken,
    _stop_on_drop: DropGuard,
}

/// Listens, and begins to connect to every peer. Must be called inside a tokio runtime.
///
/// Returns the network, what arrives from it (bounded: a slow reader slows its peers down, fairly), and the address that
/// it listens on. Metrics go into `registry` under `quorate_p2p_`.
pub async fn start(
    config: Config,
    registry: &mut Registry,
) -> Result<(Libp2p, mpsc::Receiver<Inbound>, SocketAddr), NetworkError> {
    check(&config)?;
    let registry = registry.sub_registry_with_prefix("quorate_p2p");
    let metrics = Arc::new(Metrics::register(registry));
    let (inbound, receiver) = mpsc::channel(config.limits.inbound);
    let (commands, command_receiver) = mpsc::channel(COMMANDS);
    let view = Arc::new(Progress::default());
    let context = Arc::new(Context {
        hello: config.hello.clone(),
        limits: config.limits.clone(),
        shaping: config.shaping.clone(),
        metrics,
        inbound,
        commands: commands.clone(),
        view: view.clone(),
    });
    let roster = Arc::new(Roster::new(&config, &context)?);
    let mut swarm = swarm::build(&config.identity, &roster, &config.limits, registry)?;
    let mut control = swarm.behaviour().streams.new_control();
    let mut incoming = Vec::new();
    let echo = config.shaping.is_some().then_some(Purpose::Echo);
    for purpose in Class::ALL.map(Purpose::Frames).into_iter().chain(echo) {
        let streams = control.accept(purpose.protocol()).expect("each purpose has a protocol of its own");
        incoming.push((purpose, streams));
    }
    let bound = swarm::listen(&mut swarm, config.listen).await?;
    let our_id = *swarm.local_peer_id();

    let stop = CancellationToken::new();
    let tasks = TaskTracker::new();
    let spawn = Spawn { tasks: &tasks, stop: &stop };
    for (purpose, streams) in incoming {
        let (context, roster) = (context.clone(), roster.clone());
        spawn.task(reader::accept(context, roster, purpose, streams, tasks.clone(), stop.clone()));
    }
    for peer in roster.iter() {
        spawn.peer(&context, peer, &control, our_id < peer.id);
    }
    let (forward, forwarded) = mpsc::channel((config.limits.requests_in * roster.len()).max(1));
    spawn.task(forward_requests(context.clone(), forwarded));
    let desk = Desk::new(context.clone(), forward);
    tasks.spawn(Driver::new(swarm, context, roster.clone(), command_receiver, desk).run(stop.clone()));
    tasks.close();
    tracing::info!(address = %bound, replica = config.me.0, peers = roster.len(), "listening for peers");
    let limits = config.limits;
    let network = Libp2p { limits, view, commands, roster, tasks, _stop_on_drop: stop.clone().drop_guard(), stop };
    Ok((network, receiver, bound))
}

fn check(config: &Config) -> Result<(), NetworkError> {
    let wrong = |what: String| Err(NetworkError::Settings(what));
    if config.hello.replica != config.me {
        return wrong(format!("we are {} but our hello says {}", config.me, config.hello.replica));
    }
    if !config.hello.fits() {
        return wrong(format!("the chain name {:?} is too long for a hello", config.hello.chain));
    }
    let limits = &config.limits;
    if limits.inbound == 0 || limits.pending_incoming == 0 || limits.pending_per_address == 0 {
        return wrong("the limits inbound, pending_incoming and pending_per_address must be at least 1".to_owned());
    }
    Ok(())
}

/// Starts tasks that end with the network.
struct Spawn<'a> {
    tasks: &'a TaskTracker,
    stop: &'a CancellationToken,
}

impl Spawn<'_> {
    fn task(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn(self.stop.clone().run_until_cancelled_owned(task));
    }

    fn peer(&self, context: &Arc<Context>, peer: &Arc<PeerState>, control: &Control, dials_first: bool) {
        self.task(dial::keep_connected(context.clone(), peer.clone(), dials_first));
        for class in Class::ALL {
            self.task(writer::run(context.clone(), peer.clone(), class, control.clone()));
        }
        if peer.passage.is_some() {
            self.task(echo::run(context.clone(), peer.clone(), control.clone()));
        }
    }
}

/// Waits for room in the node's channel on behalf of the driver.
async fn forward_requests(context: Arc<Context>, mut requests: mpsc::Receiver<Inbound>) {
    while let Some(request) = requests.recv().await {
        context.deliver(request).await;
    }
}

impl Libp2p {
    /// Lets what is queued for connected peers leave, for a moment; then closes all connections and ends all tasks.
    pub async fn shutdown(&self) {
        let drained = async {
            while self.roster.iter().any(|peer| peer.is_greeted() && !peer.is_drained()) {
                sleep(Duration::from_millis(10)).await;
            }
        };
        let _ = timeout(DRAIN, drained).await;
        self.stop.cancel();
        if timeout(STOP, self.tasks.wait()).await.is_err() {
            tracing::warn!("network tasks did not end within {STOP:?}; leaving them behind");
        }
    }

    fn push(&self, peer: &PeerState, frame: Frame) {
        let class = frame.class;
        let max = self.limits.class(class).frame;
        if frame.bytes.len() > max {
            peer.meter.dropped(class.name(), Drop::Oversized, 1);
            tracing::error!(kind = frame.kind, "not sent: {} bytes where at most {max} are allowed", frame.bytes.len());
            return;
        }
        let dropped = peer.queue.push(frame);
        peer.meter.dropped(class.name(), Drop::QueueFull, dropped);
    }

    fn ask(&self, to: ReplicaId, bytes: Bytes, reply: Reply) {
        let max = self.limits.request;
        let Some(peer) = self.roster.get(to) else {
            let _ = reply.send(Err(RequestError::UnknownPeer(to)));
            return;
        };
        if bytes.len() > max {
            let _ = reply.send(Err(RequestError::RequestTooLarge { have: bytes.len(), max }));
            return;
        }
        let refused = match self.commands.try_send(Command::Request { peer: peer.clone(), bytes, reply }) {
            Err(TrySendError::Full(command)) => Some((command, RequestError::Busy(to))),
            Err(TrySendError::Closed(command)) => Some((command, RequestError::Stopped)),
            Ok(()) => None,
        };
        if let Some((Command::Request { reply, .. }, error)) = refused {
            let _ = reply.send(Err(error));
        }
    }
}

impl Network for Libp2p {
    fn send(&self, to: ReplicaId, frame: Frame) {
        match self.roster.get(to) {
            Some(peer) => self.push(peer, frame),
            None => tracing::debug!(kind = frame.kind, "not sent: {to} is not a peer"),
        }
    }

    fn broadcast(&self, frame: Frame) {
        for peer in self.roster.iter() {
            self.push(peer, frame.clone());
        }
    }

    fn set_view(&self, view: View) {
        self.view.reach(view);
    }

    fn request(&self, to: ReplicaId, bytes: Bytes) -> oneshot::Receiver<Result<Bytes, RequestError>> {
        let (reply, answer) = oneshot::channel();
        self.ask(to, bytes, reply);
        answer
    }

    fn peers(&self) -> Vec<PeerStatus> {
        self.roster.iter().map(|peer| peer.status()).collect()
    }
}
