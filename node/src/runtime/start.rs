//! Putting a validator together: disks, ledger, journal, replica, network, threads; and taking it apart again.

use super::{
    around::{Around, Plain, Speaker},
    consensus::{Consensus, Event, ROTATE_AFTER},
    costs::Meter,
    disks::{Disks, damaged, environment},
    fail::Failure,
    ingress::{self, Checker, spawn_pool},
    jobs,
    journal::JournalThread,
    ledger::{LedgerThread, Unsynced},
    metrics::Metrics,
    outbox::Outbox,
    publish::Publisher,
    standing::Standing,
    submit::{self, Intake, Waiters},
    sync::{SyncClient, SyncServer},
};
use crate::{
    evidence::EvidenceStore,
    handle::{Handle, HandleParts, NodeConfig, Role, StartError, Status},
};
use prometheus_client::registry::Registry;
use quorate_consensus::{BatchLimits, Keys, Protocol};
use quorate_crypto::{Committee, Scheme};
use quorate_network::{Hello, Libp2p, Network, Peer, Shaping};
use quorate_types::{ReplicaId, View};
use quorate_validator::{
    Core, Finality, ForProtocol, GenesisScheme, StepJournal, TransactionChecks, WireKeys, check_head, for_protocol_of,
    recover_as,
    sync::{self, CatchUp},
};
use std::{
    pin::Pin,
    sync::{
        Arc, Mutex, RwLock,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
        mpsc,
    },
    time::Instant,
};
use tokio::sync::{broadcast, mpsc as async_mpsc, watch};
use tokio_util::sync::CancellationToken;

/// Submissions that wait for the verification pool.
const SUBMISSIONS: usize = 1024;
/// Events kept for slow subscribers.
const EVENTS: usize = 4096;

fn batch_limits(config: &NodeConfig) -> BatchLimits {
    BatchLimits { close_after: config.batch_interval, bytes_per_author: config.mempool_bytes, ..BatchLimits::default() }
}

/// A replica further behind than this fetches a snapshot.
fn snapshot_gap(config: &NodeConfig) -> u64 {
    config.snapshot_gap.unwrap_or_else(|| sync::snapshot_gap(config.genesis.params.checkpoint_interval))
}

/// Starts a validator of whichever protocol its genesis names. It runs until it fails or [`Handle::shutdown`] is called.
pub async fn start(config: NodeConfig) -> Result<Handle, StartError> {
    #[cfg(feature = "lab")]
    if config.genesis.fault_injection {
        return crate::lab::start(config).await;
    }
    let genesis = config.genesis.clone();
    for_protocol_of(&genesis, Start { config }).map_err(environment)?.await
}

struct Start {
    config: NodeConfig,
}

impl ForProtocol for Start {
    type Out = Starting;

    fn run<P: Protocol<Scheme: GenesisScheme>>(self, scheme: P::Scheme) -> Self::Out {
        start_as::<P>(self.config, scheme, Arc::new(Plain))
    }
}

/// A validator that is being started.
pub(crate) type Starting = Pin<Box<dyn Future<Output = Result<Handle, StartError>> + Send>>;

/// Starts a validator that speaks `P`, on what is around it.
pub(crate) fn start_as<P: Protocol<Scheme: GenesisScheme>>(
    config: NodeConfig,
    scheme: P::Scheme,
    around: Arc<dyn Around<P>>,
) -> Starting {
    Box::pin(run::<P>(config, scheme, around))
}

async fn run<P: Protocol<Scheme: GenesisScheme>>(
    config: NodeConfig,
    scheme: P::Scheme,
    around: Arc<dyn Around<P>>,
) -> Result<Handle, StartError> {
    let committee = scheme.committee().clone();
    let on = around.clone();
    let open = move || Disks::<P>::open(&config, &*on).map(|disks| (config, disks));
    let (config, disks) = tokio::task::spawn_blocking(open).await.map_err(environment)??;
    let Disks { ledger, journal, recovered } = disks;
    let secret = scheme.secret(config.me, &config.secrets).map_err(environment)?;
    let keys = Keys::new(scheme, &config.genesis.block().header);
    let replica = quorate_validator::config(&config.genesis, &ledger, config.me, &keys, secret);
    let replica = replica.map_err(damaged)?;
    check_head::<P>(&replica).map_err(damaged)?;
    let make = |config, records| around.replica(config, records);
    let mut core: Core<Speaker<P>> = recover_as::<P, _, _, _>(make, replica, batch_limits(&config), recovered, &ledger);
    let (door, shaping) = (around.door(), around.shaping());
    let tip = Arc::new(RwLock::new(ledger.tip()));
    let ledger = Arc::new(RwLock::new(ledger));

    let evidence = open_evidence::<P>(&config, &keys)?;
    evidence.proofs().for_each(|proof| core.recall(proof));

    let mut registry = Registry::default();
    let metrics = Arc::new(Metrics::register(&mut registry));
    let (network, inbound) = start_network(&config, shaping, &mut registry).await?;
    let stop = CancellationToken::new();
    let failure = Failure::new(stop.clone());
    let meter = Arc::new(Meter::<P>::new(config.me, keys.clone()));
    let outbox = Outbox::new(network.clone(), door.clone(), meter.clone());

    let (to_consensus, events_in) = mpsc::channel::<Event<P>>();
    let (to_journal, journal_in) = mpsc::channel();
    let (to_ledger, ledger_in) = mpsc::channel();
    let (to_pool, jobs) = jobs::queue(config.verify_threads);
    let (asks, asks_out) = async_mpsc::unbounded_channel();
    let (submissions, submissions_in) = async_mpsc::channel(SUBMISSIONS);
    let (events, _) = broadcast::channel(EVENTS);
    let (status, status_out) = watch::channel(first_status(&config, &committee));
    let status = Arc::new(status);
    let waiters = Arc::new(Waiters::default());
    let journal_bytes = Arc::new(AtomicU64::new(journal.bytes()));
    let connected = Arc::new(AtomicUsize::new(0));
    let syncing = Arc::new(AtomicBool::new(false));

    let ledger_thread = LedgerThread {
        ledger: ledger.clone(),
        tip: tip.clone(),
        me: config.me,
        around,
        finality: Finality::of::<P>(keys.clone()),
        tasks: ledger_in,
        consensus: to_consensus.clone(),
        waiters: waiters.clone(),
        events: events.clone(),
        metrics: metrics.clone(),
        meter: meter.clone(),
        failure: failure.clone(),
        catch_up: CatchUp::new(committee.others(config.me).collect(), snapshot_gap(&config)),
        asks,
        syncing: syncing.clone(),
        unsynced: Unsynced::default(),
    };
    let journal_thread = JournalThread {
        journal: StepJournal::new(journal, config.durability),
        work: journal_in,
        durability: config.durability,
        group_interval: config.group_interval,
        bytes: journal_bytes.clone(),
        ledger: to_ledger.clone(),
        consensus: to_consensus.clone(),
        outbox: outbox.clone(),
        evidence: evidence.clone(),
        metrics: metrics.clone(),
        meter: meter.clone(),
        failure: failure.clone(),
    };
    let consensus_thread = Consensus {
        core,
        events: events_in,
        own: to_consensus.clone(),
        runtime: tokio::runtime::Handle::current(),
        journal: to_journal,
        journal_bytes,
        ledger: to_ledger.clone(),
        outbox,
        publisher: Publisher {
            status: status.clone(),
            events: events.clone(),
            tip: tip.clone(),
            connected: connected.clone(),
            syncing,
            needed_peers: committee.quorum().saturating_sub(1),
            metrics: metrics.clone(),
            last: Instant::now(),
            last_view: View::GENESIS,
            last_failed: 0,
            standing: Standing::default(),
        },
        failure: failure.clone(),
        rotating: false,
        rotate_at: ROTATE_AFTER,
    };
    let rejected = Arc::new(Mutex::new(None));
    let transactions = TransactionChecks::of(&config.genesis);
    let checker = Checker {
        intake: Intake { tip, transactions: transactions.clone() },
        keys: WireKeys { consensus: keys, transactions },
        consensus: to_consensus.clone(),
        metrics: metrics.clone(),
        rejected: rejected.clone(),
    };
    spawn_pool(config.verify_threads, Arc::new(checker), &jobs, &failure).map_err(environment)?;
    let threads = vec![
        failure.spawn("ledger", move || ledger_thread.run()).map_err(environment)?,
        failure.spawn("journal", move || journal_thread.run()).map_err(environment)?,
        failure.spawn("consensus", move || consensus_thread.run()).map_err(environment)?,
    ];

    let sync_client = SyncClient { network: network.clone(), tasks: to_ledger, asks: asks_out };
    tokio::spawn(sync_client.run());
    tokio::spawn(submit::serve(submissions_in, to_pool.clone(), waiters, ledger.clone()));
    let (told_of_peers, asked) = (to_consensus.clone(), to_consensus.clone());
    let on_peer = move |peer: ReplicaId, up: bool| {
        if up {
            connected.fetch_add(1, Ordering::Relaxed);
            let _stopped = told_of_peers.send(Event::Connected(peer));
        } else {
            connected.fetch_sub(1, Ordering::Relaxed);
        }
        tracing::info!(%peer, "{}", if up { "connected" } else { "disconnected" });
    };
    tokio::spawn(ingress::receive(inbound, to_pool, SyncServer::new(ledger.clone(), door), on_peer));
    tokio::spawn(end(stop.clone(), failure, to_consensus, threads, network.clone(), status));

    let peers: Arc<dyn Network> = network;
    Ok(Handle::new(HandleParts {
        submissions,
        ledger,
        status: status_out,
        events,
        peers: Arc::new(move || peers.peers()),
        examine: Arc::new(move |respond| drop(asked.send(Event::Examine(respond)))),
        costs: Arc::new(move || meter.read()),
        rejected,
        evidence,
        metrics: Arc::new(Mutex::new(registry)),
        stop,
    }))
}

fn open_evidence<P: Protocol>(config: &NodeConfig, keys: &Keys<P::Scheme>) -> Result<Arc<EvidenceStore>, StartError> {
    let directory = config.data_dir.join("evidence");
    let store = EvidenceStore::open(directory, config.genesis.digest(), |evidence| evidence.verify::<P>(keys));
    store.map(Arc::new).map_err(environment)
}

async fn start_network(
    config: &NodeConfig,
    shaping: Option<Shaping>,
    registry: &mut Registry,
) -> Result<(Arc<Libp2p>, async_mpsc::Receiver<quorate_network::Inbound>), StartError> {
    let members = config.genesis.validators.iter().zip(&config.peers);
    let peer = |(index, (validator, address)): (usize, (&quorate_ledger::Validator, &String))| Peer {
        replica: ReplicaId(u16::try_from(index).expect("a committee has at most 1024 members")),
        identity: validator.identity,
        address: address.clone(),
        name: validator.name.clone(),
    };
    let network = quorate_network::Config {
        me: config.me,
        identity: config.identity.clone(),
        listen: config.listen,
        peers: members.enumerate().map(peer).collect(),
        hello: Hello {
            version: quorate_network::VERSION,
            chain: config.genesis.chain.clone(),
            genesis: config.genesis.digest(),
            replica: config.me,
        },
        limits: quorate_network::Limits::default(),
        shaping,
    };
    let (network, inbound, address) = quorate_network::start(network, registry).await.map_err(environment)?;
    tracing::info!(%address, "listening for validators");
    Ok((Arc::new(network), inbound))
}

fn first_status(config: &NodeConfig, committee: &Committee) -> Status {
    let genesis = config.genesis.block().header;
    Status {
        replica: config.me,
        name: config.genesis.validators.get(config.me.index()).map(|own| own.name.clone()).unwrap_or_default(),
        view: View::GENESIS,
        height: genesis.height,
        head: genesis.digest(),
        head_time: genesis.timestamp,
        leader: ReplicaId(0),
        role: Role::Follower,
        high_qc: View::GENESIS,
        locked: View::GENESIS,
        timeouts: 0,
        mempool_transactions: 0,
        mempool_batches: 0,
        mempool_bytes: 0,
        peers_connected: 0,
        not_ready: (committee.size() > 1).then(|| "starting".to_owned()),
        durability: config.durability,
        protocol: config.genesis.protocol.to_string(),
        scheme: config.genesis.scheme.to_string(),
        stopped: None,
    }
}

/// Waits for the signal to stop, then ends the threads in the order of their work, and tells why.
async fn end<P: Protocol>(
    stop: CancellationToken,
    failure: Failure,
    consensus: mpsc::Sender<Event<P>>,
    threads: Vec<std::thread::JoinHandle<()>>,
    network: Arc<Libp2p>,
    status: Arc<watch::Sender<Status>>,
) {
    stop.cancelled().await;
    let _ended = consensus.send(Event::Stop);
    let joined = tokio::task::spawn_blocking(move || threads.into_iter().for_each(|thread| drop(thread.join())));
    let _always = joined.await;
    network.shutdown().await;
    status.send_modify(|status| status.stopped = Some(failure.stopped()));
}
