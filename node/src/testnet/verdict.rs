//! Whether all ledgers agree.

use super::{layout::TestnetHome, manifest::Manifest};
use crate::{
    api::model::BlockView,
    client::Api,
    exit::{Exit, Failure},
    lock::DataLock,
    offline::OfflineLedger,
};
use quorate_ledger::Genesis;
use quorate_types::Digest;
use serde::Serialize;
use std::collections::BTreeMap;

/// What comparing the ledgers showed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "verdict", rename_all = "kebab-case")]
pub(crate) enum Verdict {
    /// Each block digest is the same on all of them, up to the height that all have.
    Agree { ledgers: usize, height: u64 },
    /// They differ, first at this height.
    Differ { height: u64, blocks: BTreeMap<String, Digest> },
    /// Some could not be read; the others agree.
    Unread { errors: BTreeMap<String, String> },
}

/// The block digests of one ledger, from height 0 up, or why there are none.
pub(crate) type Digests = Result<Vec<Digest>, String>;

/// Compares the ledgers on disk. One that is in use (a validator that was restarted by hand) is asked over its API.
pub(crate) async fn compare(home: &TestnetHome, manifest: &Manifest, genesis: &Genesis) -> Verdict {
    let mut ledgers = BTreeMap::new();
    let mut reading = Vec::new();
    for node in &manifest.nodes {
        let of = home.node(&node.name);
        if DataLock::is_taken(&of) {
            ledgers.insert(node.name.clone(), ask(&node.api.to_string()).await);
            continue;
        }
        let genesis = genesis.clone();
        let read = tokio::task::spawn_blocking(move || {
            let ledger = OfflineLedger::open(&of, genesis)?;
            ledger.blocks().map(|block| block.map(|block| block.digest)).collect::<Result<Vec<_>, Failure>>()
        });
        reading.push((node.name.clone(), read));
    }
    for (name, read) in reading {
        let digests = match read.await {
            Ok(digests) => digests.map_err(|failure| failure.what),
            Err(error) => Err(error.to_string()),
        };
        ledgers.insert(name, digests);
    }
    judge(&ledgers)
}

/// Digests over the API: only the newest is asked, because each block names its parent; those below it follow.
async fn ask(api: &str) -> Digests {
    let failure = |error: &dyn std::fmt::Display| format!("in use, and its API did not answer: {error}");
    let api = Api::new(api).map_err(|error| failure(&error))?;
    let latest: BlockView = api.get("/v1/blocks/latest").await.map_err(|error| failure(&error))?;
    let mut digests = Vec::new();
    for height in 0..=latest.header.height.0 {
        let block: BlockView = api.get(&format!("/v1/blocks/{height}")).await.map_err(|error| failure(&error))?;
        digests.push(block.digest);
    }
    Ok(digests)
}

/// The verdict on ledgers by name.
pub(crate) fn judge(ledgers: &BTreeMap<String, Digests>) -> Verdict {
    let read: BTreeMap<_, _> =
        ledgers.iter().filter_map(|(name, digests)| Some((name, digests.as_ref().ok()?))).collect();
    let common = read.values().map(|digests| digests.len()).min().unwrap_or(0);
    let longest = read.values().map(|digests| digests.len()).max().unwrap_or(0);
    for height in 0..longest {
        let blocks: BTreeMap<_, _> =
            read.iter().filter_map(|(name, digests)| Some(((*name).clone(), *digests.get(height)?))).collect();
        let mut distinct: Vec<_> = blocks.values().collect();
        distinct.sort_unstable();
        distinct.dedup();
        if distinct.len() > 1 {
            return Verdict::Differ { height: height as u64, blocks };
        }
    }
    let errors: BTreeMap<_, _> =
        ledgers.iter().filter_map(|(name, digests)| Some((name.clone(), digests.as_ref().err()?.clone()))).collect();
    match errors.is_empty() {
        true => Verdict::Agree { ledgers: ledgers.len(), height: common.saturating_sub(1) as u64 },
        false => Verdict::Unread { errors },
    }
}

impl Verdict {
    /// The exit code it calls for.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Agree { .. } => Exit::Success,
            Self::Differ { .. } => Exit::Diverged,
            Self::Unread { .. } => Exit::Failure,
        }
    }

    /// For people.
    pub(crate) fn text(&self) -> String {
        match self {
            Self::Agree { ledgers, height } => format!("all {ledgers} ledgers agree up to height {height}"),
            Self::Differ { height, blocks } => {
                let lines: Vec<_> = blocks.iter().map(|(name, digest)| format!("  {name}  {digest}")).collect();
                format!("SAFETY VIOLATION: the ledgers differ at height {height}\n{}", lines.join("\n"))
            }
            Self::Unread { errors } => {
                let lines: Vec<_> = errors.iter().map(|(name, why)| format!("  {name}  {why}")).collect();
                format!("not all ledgers could be compared\n{}", lines.join("\n"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ledgers(of: &[&[u8]]) -> BTreeMap<String, Digests> {
        let digests = |bytes: &&[u8]| Ok(bytes.iter().map(|byte| Digest([*byte; 32])).collect());
        of.iter().enumerate().map(|(index, bytes)| (format!("node{index}"), digests(bytes))).collect()
    }

    #[test]
    fn equal_prefixes_agree_up_to_the_shortest() {
        let verdict = judge(&ledgers(&[&[1, 2, 3], &[1, 2], &[1, 2, 3, 4]]));
        assert_eq!(verdict, Verdict::Agree { ledgers: 3, height: 1 });
        assert_eq!(verdict.text(), "all 3 ledgers agree up to height 1");
        assert_eq!(verdict.exit(), Exit::Success);
    }

    #[test]
    fn the_first_difference_is_named_even_above_the_shortest() {
        let verdict = judge(&ledgers(&[&[1, 2, 3, 4], &[1], &[1, 2, 9, 8]]));
        assert!(matches!(&verdict, Verdict::Differ { height: 2, blocks } if blocks.len() == 2), "{verdict:?}");
        assert_eq!(verdict.exit(), Exit::Diverged);
        assert!(verdict.text().contains("height 2"));
    }

    #[test]
    fn an_unreadable_ledger_is_no_agreement_and_hides_no_difference() {
        let mut some = ledgers(&[&[1, 2], &[1, 2]]);
        some.insert("node2".into(), Err("gone".into()));
        assert_eq!(judge(&some).exit(), Exit::Failure);
        some.insert("node3".into(), Ok(vec![Digest([7; 32])]));
        assert_eq!(judge(&some).exit(), Exit::Diverged);
    }
}
