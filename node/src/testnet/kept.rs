//! Whether every ledger holds what was reported committed, where it was reported.

use super::{layout::TestnetHome, load::History, manifest::Manifest};
use crate::{exit::Failure, offline::OfflineLedger};
use quorate_ledger::Genesis;
use quorate_types::{Digest, Height};
use serde::Serialize;
use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
};

/// What was reported committed, by height.
type Reports = [(Height, Digest)];

/// What the ledgers say of the reports.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Kept {
    /// Reports that were remembered.
    pub(crate) reported: u64,
    /// Older ones, which were not.
    pub(crate) forgotten: u64,
    /// On every ledger, at the height that was reported.
    pub(crate) everywhere: u64,
    /// What is not found on a ledger, by its name. Those that are complete are left out.
    pub(crate) missing: BTreeMap<String, Missing>,
}

/// What one ledger lacks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Missing {
    /// It ends below: this validator has not learned of it yet.
    pub(crate) above: u64,
    /// It began from the state of a later block, and never held it.
    pub(crate) below: u64,
    /// It has another block, or this one without it. Nothing is worse.
    pub(crate) lost: u64,
    /// One that is lost.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) example: Option<(Height, Digest)>,
    /// Why nothing could be looked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) unread: Option<String>,
}

/// What became of one report on one ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Found,
    Above,
    Below,
    Lost,
}

/// Looks for every report on every ledger.
pub(crate) async fn look(home: &TestnetHome, manifest: &Manifest, genesis: &Genesis, history: History) -> Kept {
    let (reports, forgotten) = history.finish();
    let reports = Arc::new(reports);
    let mut ledgers = BTreeMap::new();
    // One after another: a ledger that is open holds the application's state.
    for node in &manifest.nodes {
        let (of, genesis, reports) = (home.node(&node.name), genesis.clone(), Arc::clone(&reports));
        let read = tokio::task::spawn_blocking(move || {
            let ledger = OfflineLedger::open(&of, genesis)?;
            let blocks = ledger.blocks().map(|block| block.map(|block| (block.height, block.transactions().collect())));
            places(&reports, ledger.height(), blocks)
        });
        let places = match read.await {
            Ok(places) => places.map_err(|failure| failure.what),
            Err(error) => Err(error.to_string()),
        };
        ledgers.insert(node.name.clone(), places);
    }
    judge(&reports, forgotten, ledgers)
}

/// Where each report is, on a ledger of these blocks. Both come by height.
fn places(
    reports: &Reports,
    last: Height,
    blocks: impl Iterator<Item = Result<(Height, HashSet<Digest>), Failure>>,
) -> Result<Vec<Place>, Failure> {
    let mut places = Vec::with_capacity(reports.len());
    for block in blocks {
        let (height, held) = block?;
        let below = reports[places.len()..].iter().take_while(|(reported, _)| *reported < height).count();
        places.extend(std::iter::repeat_n(Place::Below, below));
        let here = reports[places.len()..].iter().take_while(|(reported, _)| *reported == height);
        places.extend(here.map(|(_, digest)| if held.contains(digest) { Place::Found } else { Place::Lost }));
    }
    places.extend(reports[places.len()..].iter().map(|(height, _)| match *height > last {
        true => Place::Above,
        false => Place::Lost,
    }));
    Ok(places)
}

fn judge(reports: &Reports, forgotten: u64, ledgers: BTreeMap<String, Result<Vec<Place>, String>>) -> Kept {
    let found = |index: usize| ledgers.values().all(|places| places.as_ref().is_ok_and(|of| of[index] == Place::Found));
    let everywhere = (0..reports.len()).filter(|index| found(*index)).count() as u64;
    let missing = ledgers.iter().map(|(name, places)| (name.clone(), missing(reports, places)));
    let missing = missing.filter(|(_, missing)| *missing != Missing::default()).collect();
    Kept { reported: reports.len() as u64, forgotten, everywhere, missing }
}

fn missing(reports: &Reports, places: &Result<Vec<Place>, String>) -> Missing {
    let places = match places {
        Ok(places) => places,
        Err(why) => return Missing { unread: Some(why.clone()), ..Missing::default() },
    };
    let count = |place| places.iter().filter(|of| **of == place).count() as u64;
    let example = reports.iter().zip(places).find(|(_, place)| **place == Place::Lost).map(|(report, _)| *report);
    let (above, below, lost) = (count(Place::Above), count(Place::Below), count(Place::Lost));
    Missing { above, below, lost, example, unread: None }
}

impl Kept {
    /// How many reports some ledger contradicts.
    pub(crate) fn lost(&self) -> u64 {
        self.missing.values().map(|missing| missing.lost).max().unwrap_or(0)
    }

    /// For people.
    pub(crate) fn text(&self) -> String {
        let mut text = format!(
            "history: {} transactions reported committed, {} of them on every ledger at the height reported",
            self.reported, self.everywhere
        );
        if self.forgotten > 0 {
            text.push_str(&format!("; {} older ones were not remembered", self.forgotten));
        }
        for (name, missing) in &self.missing {
            text.push_str(&format!("\n  {name}  {}", missing.text()));
        }
        text
    }
}

impl Missing {
    fn text(&self) -> String {
        let mut words = Vec::new();
        words.extend(
            self.example.map(|(height, digest)| format!("LOST {}, such as {digest}, reported at {height}", self.lost)),
        );
        words.extend((self.above > 0).then(|| format!("{} are above its last height", self.above)));
        words.extend((self.below > 0).then(|| format!("{} are below the state that it began from", self.below)));
        words.extend(self.unread.as_ref().map(|why| format!("not read: {why}")));
        words.join("; ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(byte: u8) -> Digest {
        Digest([byte; 32])
    }

    /// A ledger from height `first` up, of blocks with these transactions.
    fn ledger(reports: &Reports, first: u64, blocks: &[&[u8]]) -> Result<Vec<Place>, String> {
        let last = Height(first + blocks.len() as u64 - 1);
        let block = |(height, held): (u64, &&[u8])| Ok((Height(height), held.iter().copied().map(digest).collect()));
        places(reports, last, (first..).zip(blocks).map(block)).map_err(|failure| failure.what)
    }

    fn judged(ledgers: &[(u64, &[&[u8]])]) -> Kept {
        let reports = [(Height(1), digest(1)), (Height(2), digest(2)), (Height(2), digest(3)), (Height(4), digest(4))];
        let ledgers = ledgers.iter().enumerate();
        let read = |(index, (first, blocks)): (usize, &(u64, &[&[u8]]))| {
            (format!("node{index}"), ledger(&reports, *first, blocks))
        };
        judge(&reports, 0, ledgers.map(read).collect())
    }

    #[test]
    fn what_is_on_every_ledger_at_its_height_is_kept() {
        let full: (u64, &[&[u8]]) = (0, &[&[], &[1], &[3, 2], &[9], &[4]]);
        let kept = judged(&[full, full]);
        assert_eq!(kept, Kept { reported: 4, forgotten: 0, everywhere: 4, missing: BTreeMap::new() });
        assert_eq!(kept.lost(), 0);
    }

    #[test]
    fn a_transaction_at_another_height_or_nowhere_is_lost_even_if_the_ledgers_agree() {
        let other: (u64, &[&[u8]]) = (0, &[&[], &[1], &[2], &[3], &[4]]);
        let kept = judged(&[other, other]);
        assert_eq!((kept.everywhere, kept.lost()), (3, 1));
        assert_eq!(kept.missing["node1"].example, Some((Height(2), digest(3))));
        assert!(kept.text().contains("LOST 1"), "{}", kept.text());
    }

    #[test]
    fn a_ledger_that_ends_early_or_began_late_has_lost_nothing() {
        let kept = judged(&[(0, &[&[], &[1], &[2, 3]]), (2, &[&[2, 3], &[], &[4]])]);
        assert_eq!((kept.everywhere, kept.lost()), (2, 0));
        assert_eq!((kept.missing["node0"].above, kept.missing["node1"].below), (1, 1));
    }

    #[test]
    fn what_was_not_read_is_found_nowhere() {
        let kept = judge(&[(Height(1), digest(1))], 0, [("node0".to_owned(), Err("in use".to_owned()))].into());
        assert_eq!((kept.everywhere, kept.lost()), (0, 0));
        assert!(kept.text().contains("not read: in use"));
    }
}
