//! A stand-in for the runtime: no consensus, each submission becomes a block.

use crate::{
    api,
    client::{Api, payload},
    evidence::EvidenceStore,
    handle::{Costs, Handle, HandleParts, NodeEvent, NodeLedger, RejectCode, Role, Status, Submission, Submitted},
};
use quorate_crypto::{ClientSecret, IdentitySecret, VoteSecret, verify_transaction};
use quorate_ledger::{AppGenesis, Disk, Durability, FileDisk, Genesis, Ledger, RedbIndex, Validator};
use quorate_types::{Batch, BoundedVec, ReplicaId, Transaction, TransactionBody, View};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, RwLock},
};
use tokio::sync::{broadcast, mpsc, watch};
use tokio_util::sync::CancellationToken;

pub(super) struct TestNode {
    pub(super) api: Api,
    pub(super) genesis: Genesis,
    pub(super) client: ClientSecret,
    pub(super) status: watch::Sender<Status>,
    pub(super) evidence: Arc<EvidenceStore>,
    stop: CancellationToken,
    _dir: tempfile::TempDir,
}

impl Drop for TestNode {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

fn genesis(client: &ClientSecret) -> Genesis {
    let validator = Validator {
        name: "solo".into(),
        identity: IdentitySecret::from_seed([1; 32]).public(),
        vote: VoteSecret::from_seed([2; 32]).public(),
        bls: None,
        address: None,
    };
    let application = AppGenesis::Kv { accounts: BTreeMap::from([(client.account(), 1000)]) };
    crate::cli::build_genesis("test".into(), vec![validator], application, crate::cli::Choices::default())
        .expect("a good genesis")
}

fn first_status(ledger: &NodeLedger) -> Status {
    Status {
        replica: ReplicaId(0),
        name: "solo".into(),
        view: View(1),
        height: ledger.head().height,
        head: ledger.head().digest(),
        head_time: ledger.head().timestamp,
        leader: ReplicaId(0),
        role: Role::Leader,
        high_qc: View(0),
        locked: View(0),
        timeouts: 0,
        mempool_transactions: 0,
        mempool_batches: 0,
        mempool_bytes: 0,
        peers_connected: 0,
        not_ready: None,
        durability: Durability::Always,
        protocol: "hotstuff".into(),
        scheme: "ed25519".into(),
        stopped: None,
    }
}

impl TestNode {
    pub(super) async fn start() -> Self {
        let dir = tempfile::tempdir().expect("temporary directory");
        let client = ClientSecret::from_seed([9; 32]);
        let genesis = genesis(&client);
        let disk: Box<dyn Disk> = Box::new(FileDisk::open(dir.path().join("blocks")).expect("new directory"));
        let (index, _) = RedbIndex::open_or_recreate(&dir.path().join("index.redb")).expect("new index");
        let ledger: NodeLedger = Ledger::open(disk, index, &genesis).expect("new ledger");
        let (status, status_out) = watch::channel(first_status(&ledger));
        let (submissions, taken) = mpsc::channel(16);
        let (events, _) = broadcast::channel(16);
        let ledger = Arc::new(RwLock::new(ledger));
        tokio::spawn(commit_all(taken, Arc::clone(&ledger), events.clone()));
        let stop = CancellationToken::new();
        let evidence = EvidenceStore::open(dir.path().join("evidence"), genesis.digest(), |_| Ok(()));
        let evidence = Arc::new(evidence.expect("new directory"));
        let handle = Handle::new(HandleParts {
            submissions,
            ledger,
            status: status_out,
            events,
            peers: Arc::new(Vec::new),
            examine: Arc::new(drop),
            costs: Arc::new(Costs::default),
            rejected: Arc::default(),
            evidence: Arc::clone(&evidence),
            metrics: Arc::default(),
            stop: stop.clone(),
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let api = Api::new(&listener.local_addr().expect("bound").to_string()).expect("a good URL");
        let router = api::router(handle, genesis.clone(), 2, stop.clone());
        tokio::spawn(api::serve(listener, router, 16, stop.clone()));
        Self { api, genesis, client, status, evidence, stop, _dir: dir }
    }

    pub(super) fn put(&self, nonce: u64, key: &str, value: &str) -> Transaction {
        self.sign(nonce, payload::put(key.as_bytes(), value.as_bytes()).expect("short"))
    }

    pub(super) fn sign(&self, nonce: u64, payload: Vec<u8>) -> Transaction {
        self.client.sign(TransactionBody {
            chain: self.genesis.chain_id(),
            sender: self.client.account(),
            nonce,
            payload: BoundedVec::new(payload).expect("short"),
        })
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.api.base())
    }
}

async fn commit_all(
    mut submissions: mpsc::Receiver<Submission>,
    ledger: Arc<RwLock<NodeLedger>>,
    events: broadcast::Sender<NodeEvent>,
) {
    let events = Mutex::new(events);
    while let Some(Submission { transactions, respond, .. }) = submissions.recv().await {
        let mut ledger = ledger.write().expect("no test poisons it");
        let answers = transactions.into_iter().map(|transaction| commit(&mut ledger, transaction, &events)).collect();
        let _ = respond.send(answers);
    }
}

fn commit(
    ledger: &mut NodeLedger,
    transaction: Transaction,
    events: &Mutex<broadcast::Sender<NodeEvent>>,
) -> Submitted {
    if verify_transaction(&transaction).is_err() {
        return Submitted::Rejected { code: RejectCode::BadSignature, why: "not the sender's signature".into() };
    }
    if let Err(error) = ledger.tip().admit(&transaction) {
        return Submitted::Rejected { code: RejectCode::OldNonce, why: error.to_string() };
    }
    let digest = transaction.digest();
    let batch = Arc::new(Batch::new(vec![transaction]).expect("one fits"));
    let (parent, view) = (ledger.head().digest(), ledger.head().view.next());
    let now = ledger.head().timestamp + 1;
    let block = ledger.build(&parent, view, ReplicaId(0), vec![batch], now).expect("builds");
    ledger.commit(&block.digest(), b"no certificate".to_vec()).expect("commits");
    let header = &block.header;
    let _ = events.lock().expect("no test poisons it").send(NodeEvent::Block {
        height: header.height,
        view: header.view,
        digest: block.digest(),
        proposer: header.proposer,
        transactions: 1,
        batches: 1,
        timestamp: header.timestamp,
    });
    let record = ledger.transaction(&digest).expect("readable").expect("just committed");
    Submitted::Committed { height: record.height, outcome: record.outcome }
}
