//! How the validators are doing, for the live table and its machine-readable twin.

use super::{children::Children, manifest::Manifest};
use crate::{api::model::StatusView, client::Api, exit::Failure, table::Table};
use futures::future::join_all;
use quorate_types::Height;
use serde::Serialize;
use std::time::{Duration, Instant};

/// A validator that answers slower than this is shown as silent.
const PATIENCE: Duration = Duration::from_millis(900);

/// One validator's line.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Line {
    validator: String,
    pid: Option<u32>,
    /// `ready`, why not, or `no answer`.
    state: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    view: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    height: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    peers: Option<String>,
    /// Milliseconds since its height was last seen to grow.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_commit_ms: Option<u64>,
}

/// Asks all validators again and again.
pub(crate) struct Watch {
    nodes: Vec<Watched>,
}

struct Watched {
    name: String,
    api: Api,
    pid: Option<u32>,
    status: Option<StatusView>,
    /// The greatest height seen, and when it was first seen.
    grew: Option<(Height, Instant)>,
}

impl Watch {
    pub(crate) fn new(manifest: &Manifest, children: &Children) -> Result<Self, Failure> {
        let watched = |node: &super::NodeEntry| {
            let (api, pid) = (Api::new(&node.api.to_string())?, children.pid(&node.name));
            Ok(Watched { name: node.name.clone(), api, pid, status: None, grew: None })
        };
        Ok(Self { nodes: manifest.nodes.iter().map(watched).collect::<Result<_, _>>()? })
    }

    /// Asks each validator for its status.
    pub(crate) async fn refresh(&mut self) {
        let ask = |node: &Watched| {
            let api = node.api.clone();
            async move { tokio::time::timeout(PATIENCE, api.status()).await.ok().and_then(Result::ok) }
        };
        let answers = join_all(self.nodes.iter().map(ask)).await;
        for (node, status) in self.nodes.iter_mut().zip(answers) {
            if let Some(status) = &status {
                node.pid = Some(status.pid);
                if node.grew.is_none_or(|(height, _)| status.height > height) {
                    node.grew = Some((status.height, Instant::now()));
                }
            }
            node.status = status;
        }
    }

    /// Whether every validator says that it is ready.
    pub(crate) fn all_ready(&self) -> bool {
        self.nodes.iter().all(|node| node.status.as_ref().is_some_and(|status| status.ready))
    }

    /// Whether nothing waits in any mempool.
    pub(crate) fn idle(&self) -> bool {
        let mut answers = self.nodes.iter().filter_map(|node| node.status.as_ref());
        answers.all(|status| status.mempool.transactions == 0)
    }

    /// The sum of all heights: as long as it grows, somebody commits.
    pub(crate) fn heights(&self) -> u64 {
        self.nodes.iter().filter_map(|node| node.grew).map(|(height, _)| height.0).sum()
    }

    /// What is still missing, in words.
    pub(crate) fn missing(&self) -> String {
        let lines = self.lines();
        let missing = lines.iter().filter(|line| line.state != "ready");
        missing.map(|line| format!("{}: {}", line.validator, line.state)).collect::<Vec<_>>().join("; ")
    }

    /// One line for each validator.
    pub(crate) fn lines(&self) -> Vec<Line> {
        self.nodes.iter().map(Watched::line).collect()
    }
}

impl Watched {
    fn line(&self) -> Line {
        let status = self.status.as_ref();
        let state = match status {
            None => "no answer".to_owned(),
            Some(status) => status.not_ready.clone().unwrap_or_else(|| "ready".to_owned()),
        };
        let since = |(_, seen): (Height, Instant)| u64::try_from(seen.elapsed().as_millis()).unwrap_or(u64::MAX);
        Line {
            validator: self.name.clone(),
            pid: self.pid,
            state,
            view: status.map(|status| status.view.0),
            height: self.grew.map(|(height, _)| height.0),
            role: status.map(|status| format!("{:?}", status.role).to_lowercase()),
            peers: status.map(|status| format!("{}/{}", status.peers_connected, status.peers_total)),
            last_commit_ms: self.grew.map(since),
        }
    }
}

/// The lines as a table.
pub(crate) fn table(lines: &[Line]) -> String {
    let mut table = Table::new(["validator", "view", "height", "role", "peers", "last commit", "pid", "state"]);
    let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    for line in lines {
        let ago = line.last_commit_ms.map(|milliseconds| format!("{:.1} s ago", milliseconds as f64 / 1000.0));
        table.row([
            line.validator.clone(),
            or_dash(line.view.map(|view| view.to_string())),
            or_dash(line.height.map(|height| height.to_string())),
            or_dash(line.role.clone()),
            or_dash(line.peers.clone()),
            or_dash(ago),
            or_dash(line.pid.map(|pid| pid.to_string())),
            line.state.clone(),
        ]);
    }
    table.to_string()
}
