//! Whether all ledgers agree.

use super::{layout::TestnetHome, manifest::Manifest};
use crate::{
    api::model::BlockView,
    client::{Api, Unanswered},
    exit::{Exit, Failure},
    lock::DataLock,
    offline::OfflineLedger,
};
use quorate_ledger::Genesis;
use quorate_types::{Digest, Height};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

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

/// The block digests of one ledger by height, or why there are none. A ledger that began from a snapshot lacks those below.
pub(crate) type Digests = Result<BTreeMap<Height, Digest>, String>;

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
            ledger.blocks().map(|block| block.map(|block| (block.height, block.digest))).collect::<Result<_, Failure>>()
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
    let mut digests = BTreeMap::new();
    for height in (0..=latest.header.height.0).map(Height) {
        match api.get::<BlockView>(&format!("/v1/blocks/{}", height.0)).await {
            Ok(block) => drop(digests.insert(height, block.digest)),
            Err(Unanswered::Problem(problem)) if problem.code == "not-held" => {}
            Err(error) => return Err(failure(&error)),
        }
    }
    Ok(digests)
}

/// The verdict on ledgers by name.
pub(crate) fn judge(ledgers: &BTreeMap<String, Digests>) -> Verdict {
    let read: BTreeMap<_, _> =
        ledgers.iter().filter_map(|(name, digests)| Some((name, digests.as_ref().ok()?))).collect();
    let last = |digests: &BTreeMap<Height, Digest>| digests.keys().next_back().copied().unwrap_or_default();
    let common = read.values().map(|digests| last(digests)).min().unwrap_or_default();
    let heights: BTreeSet<_> = read.values().flat_map(|digests| digests.keys().copied()).collect();
    for height in heights {
        let blocks: BTreeMap<_, _> =
            read.iter().filter_map(|(name, digests)| Some(((*name).clone(), *digests.get(&height)?))).collect();
        let mut distinct: Vec<_> = blocks.values().collect();
        distinct.sort_unstable();
        distinct.dedup();
        if distinct.len() > 1 {
            return Verdict::Differ { height: height.0, blocks };
        }
    }
    let errors: BTreeMap<_, _> =
        ledgers.iter().filter_map(|(name, digests)| Some((name.clone(), digests.as_ref().err()?.clone()))).collect();
    match errors.is_empty() {
        true => Verdict::Agree { ledgers: ledgers.len(), height: common.0 },
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

    fn chain(first: u64, bytes: &[u8]) -> BTreeMap<Height, Digest> {
        (first..).map(Height).zip(bytes.iter().map(|byte| Digest([*byte; 32]))).collect()
    }

    fn ledgers(of: &[&[u8]]) -> BTreeMap<String, Digests> {
        let digests = |bytes: &&[u8]| Ok(chain(0, bytes));
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
    fn a_ledger_that_began_from_a_snapshot_is_compared_at_the_heights_that_it_holds() {
        let mut some = ledgers(&[&[1, 2, 3, 4, 5], &[1, 2, 3, 4, 5]]);
        some.insert("node2".into(), Ok(chain(3, &[4, 5])));
        assert_eq!(judge(&some), Verdict::Agree { ledgers: 3, height: 4 });
        some.insert("node2".into(), Ok(chain(3, &[4, 9])));
        assert!(matches!(judge(&some), Verdict::Differ { height: 4, .. }));
    }

    #[test]
    fn an_unreadable_ledger_is_no_agreement_and_hides_no_difference() {
        let mut some = ledgers(&[&[1, 2], &[1, 2]]);
        some.insert("node2".into(), Err("gone".into()));
        assert_eq!(judge(&some).exit(), Exit::Failure);
        some.insert("node3".into(), Ok(chain(0, &[7])));
        assert_eq!(judge(&some).exit(), Exit::Diverged);
    }
}
