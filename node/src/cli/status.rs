//! `quorate status`.

use super::{Context, target::Target};
use crate::{
    api::model::StatusView,
    exit::{Exit, Failure},
    table::Table,
};
use clap::Args;
use futures::future::join_all;
use serde::Serialize;

/// Tell how validators are
///
/// One node, or all nodes of a testnet.
#[derive(Debug, Args)]
pub(super) struct StatusArgs {
    #[command(flatten)]
    target: Target,
}

#[derive(Serialize)]
struct Line {
    node: String,
    url: String,
    #[serde(flatten)]
    status: Option<StatusView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

pub(super) fn run(args: &StatusArgs, context: &Context) -> Result<(), Failure> {
    context.block_on(async {
        let nodes = args.target.all()?;
        let answers = join_all(nodes.iter().map(|node| node.api.status())).await;
        let single = nodes.len() == 1;
        let mut lines = Vec::new();
        for (node, answer) in nodes.into_iter().zip(answers) {
            let url = node.api.base().to_owned();
            lines.push(match answer {
                Ok(status) => Line { node: node.name, url, status: Some(status), error: None },
                Err(error) if single => return Err(node.api.failure(error)),
                Err(error) => Line { node: node.name, url, status: None, error: Some(error.to_string()) },
            });
        }
        context.output.data(&lines, |lines| text(lines))?;
        if lines.iter().all(|line| line.status.is_none()) {
            return Err(Failure::new(Exit::Environment, "no node answers").hint("quorate testnet starts a testnet"));
        }
        Ok(())
    })
}

fn text(lines: &[Line]) -> String {
    let mut table = Table::new([
        "validator",
        "protocol",
        "scheme",
        "certificates",
        "view",
        "height",
        "head",
        "role",
        "peers",
        "mempool",
        "evidence",
        "pid",
        "state",
    ]);
    for line in lines {
        table.row(match &line.status {
            Some(status) => [
                line.node.clone(),
                status.protocol.clone(),
                status.scheme.clone(),
                if status.attributable { "attributable" } else { "not attributable" }.to_owned(),
                status.view.0.to_string(),
                status.height.0.to_string(),
                status.head.short(),
                format!("{:?}", status.role).to_lowercase(),
                format!("{}/{}", status.peers_connected, status.peers_total),
                status.mempool.transactions.to_string(),
                status.evidence.to_string(),
                status.pid.to_string(),
                status.not_ready.clone().unwrap_or_else(|| "ready".into()),
            ],
            None => {
                let mut cells = [const { String::new() }; 13];
                cells[0].clone_from(&line.node);
                cells[12] = line.error.clone().unwrap_or_default();
                cells
            }
        });
    }
    table.to_string()
}
