//! The network under load: a testnet that is started for it, or validators that run already.

use super::{Wanted, gauges};
use crate::{
    api::model::{BlockView, StatusView},
    client::Api,
    config::DurabilityChoice,
    exit::Failure,
    output::Output,
    testnet::{Bed, Bedded, History, Options, TestnetHome, Verdict},
};
use quorate_bench::load::Ledgers;
use quorate_types::{ChainId, Height};
use std::time::{Duration, Instant};

/// How long an idle network is looked at.
const IDLE: Duration = Duration::from_secs(2);
/// How long a network may take to commit what waits in its mempools.
const DRAIN: Duration = Duration::from_secs(60);

/// A network that can be loaded.
pub(super) struct Field {
    pub(super) nodes: Vec<Node>,
    pub(super) chain: ChainId,
    pub(super) protocol: String,
    pub(super) scheme: String,
    pub(super) durability: DurabilityChoice,
    /// As its genesis calls it.
    pub(super) application: String,
    bed: Option<Bed>,
}

/// One validator of it.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) name: String,
    pub(super) api: Api,
    /// Its process, if that is on this machine.
    pub(super) pid: Option<u32>,
}

impl Field {
    /// Starts a testnet, or finds the validators that are there.
    pub(super) async fn prepare(wanted: &Wanted, output: Output) -> Result<Self, Failure> {
        if wanted.connect.is_empty() { Self::start(wanted, output).await } else { Self::connect(wanted).await }
    }

    async fn start(wanted: &Wanted, output: Output) -> Result<Self, Failure> {
        let application = match (wanted.application.as_str(), wanted.client_signatures) {
            ("opaque", false) => "unsigned",
            (application, true) => application,
            (application, false) => {
                return Err(Failure::usage(format!("clients of the application {application} must sign"))
                    .hint("--app opaque, or --client-signatures on"));
            }
        };
        let options = Options {
            home: TestnetHome::new(&wanted.home),
            nodes: Some(wanted.validators),
            protocol: Some(wanted.protocol),
            scheme: Some(wanted.scheme),
            dkg: false,
            cheat: Vec::new(),
            election: None,
            app: Some(application.to_owned()),
            block_interval: None,
            timeout: wanted.timeout,
            base_port: None,
            fresh: true,
            duration: None,
            load: None,
            durability: wanted.durability,
            password_file: None,
            params: None,
        };
        output.note(format!(
            "starting {} validators: {} with {}, durability {}",
            wanted.validators, wanted.protocol, wanted.scheme, wanted.durability
        ));
        let bed = Bed::start(options, &wanted.passed_on, output).await?;
        let node = |Bedded { name, api, pid }| Ok(Node { name, api: Api::new(&api)?, pid });
        Ok(Self {
            nodes: bed.validators().into_iter().map(node).collect::<Result<_, Failure>>()?,
            chain: bed.genesis().chain_id(),
            protocol: bed.genesis().protocol.to_string(),
            scheme: bed.genesis().scheme.to_string(),
            durability: wanted.durability,
            application: application.to_owned(),
            bed: Some(bed),
        })
    }

    async fn connect(wanted: &Wanted) -> Result<Self, Failure> {
        let mut found: Vec<(Node, StatusView)> = Vec::new();
        for url in &wanted.connect {
            let api = Api::new(url)?;
            let status = api.status().await.map_err(|error| api.failure(error))?;
            let is_here = ["127.0.0.1", "localhost", "[::1]"].iter().any(|host| api.base().contains(host));
            found.push((Node { name: status.name.clone(), api, pid: is_here.then_some(status.pid) }, status));
        }
        let Some((_, first)) = found.first().cloned() else {
            return Err(Failure::usage("no validator to connect to"));
        };
        if let Some((node, other)) = found.iter().find(|(_, status)| status.genesis != first.genesis) {
            let (name, base) = (&node.name, node.api.base());
            return Err(Failure::usage(format!(
                "{name} at {base} is on the chain {} and {} on {}",
                other.genesis, first.name, first.genesis
            )));
        }
        Ok(Self {
            nodes: found.into_iter().map(|(node, _)| node).collect(),
            chain: ChainId(first.genesis),
            protocol: first.protocol,
            scheme: first.scheme,
            durability: first.durability,
            application: first.application,
            bed: None,
        })
    }

    pub(super) fn is_started(&self) -> bool {
        self.bed.is_some()
    }

    /// Waits until a validator that was started ends, which none may.
    pub(super) async fn broken(&mut self) -> Failure {
        match &mut self.bed {
            Some(bed) => bed.broken().await,
            None => std::future::pending().await,
        }
    }

    /// Percent of a processor that each validator uses while nothing is asked of it.
    pub(super) async fn idle(&self) -> Result<Vec<Option<f64>>, Failure> {
        let before: Vec<_> = self.nodes.iter().map(|node| gauges::cpu(node.pid)).collect();
        let began = Instant::now();
        tokio::time::sleep(IDLE).await;
        let percent = |(node, before): (&Node, Option<f64>)| {
            let used = gauges::cpu(node.pid).zip(before).map(|(after, before)| after - before);
            used.map(|used| 100.0 * used / began.elapsed().as_secs_f64())
        };
        Ok(self.nodes.iter().zip(before).map(percent).collect())
    }

    /// Waits until nothing waits in any mempool. Whether that came.
    pub(super) async fn drain(&self) -> Result<bool, Failure> {
        let began = Instant::now();
        loop {
            let mut waiting = 0;
            for node in &self.nodes {
                waiting += node.api.status().await.map_err(|error| node.api.failure(error))?.mempool.transactions;
            }
            if waiting == 0 || began.elapsed() > DRAIN {
                return Ok(waiting == 0);
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    /// Ends what was started, and compares the ledgers. Gives also how many of the reported transactions are lost. What was made on the
    /// disk goes, if there is nothing to look at.
    pub(super) async fn judge(self, history: History) -> Result<(Ledgers, u64), Failure> {
        let Some(mut bed) = self.bed else { return Ok((compare(&self.nodes).await?, 0)) };
        let judged = bed.stop(history).await;
        let ledgers = match &judged.verdict {
            Verdict::Agree { height, .. } => Ledgers::Agree { height: *height },
            verdict @ Verdict::Differ { .. } => Ledgers::Differ { how: verdict.text() },
            verdict @ Verdict::Unread { .. } => Ledgers::Unread { why: verdict.text() },
        };
        if matches!(ledgers, Ledgers::Agree { .. }) && judged.lost == 0 {
            bed.remove()?;
        }
        Ok((ledgers, judged.lost))
    }

    /// Ends what was started.
    pub(super) async fn abandon(self) {
        if let Some(mut bed) = self.bed {
            bed.abandon().await;
        }
    }
}

/// Compares the block at the height that all have: it names its parent, and so all below.
async fn compare(nodes: &[Node]) -> Result<Ledgers, Failure> {
    let mut height = Height(u64::MAX);
    for node in nodes {
        let status = node.api.status().await.map_err(|error| node.api.failure(error))?;
        height = height.min(status.height);
    }
    let mut blocks = Vec::new();
    for node in nodes {
        let block = node.api.get::<BlockView>(&format!("/v1/blocks/{}", height.0)).await;
        blocks.push((&node.name, block.map_err(|error| node.api.failure(error))?.digest));
    }
    match blocks.iter().find(|(_, digest)| *digest != blocks[0].1) {
        None => Ok(Ledgers::Agree { height: height.0 }),
        Some((name, digest)) => {
            let (first, other) = &blocks[0];
            Ok(Ledgers::Differ { how: format!("at height {}, {first} has {other} and {name} has {digest}", height.0) })
        }
    }
}
