//! Ledgers that contradict each other: where, and who is to blame.

use super::OfflineLedger;
use crate::{
    evidence::{EvidenceView, parse},
    exit::Failure,
};
use quorate_consensus::{Evidence, Keys, Protocol, forensics::culprits};
use quorate_ledger::Genesis;
use quorate_types::{Digest, Header, Height};
use quorate_validator::{ForProtocol, GenesisScheme, for_protocol_of};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

/// What came of comparing ledgers.
pub(crate) struct Findings {
    /// The lowest height at which two differ.
    pub(crate) fork: Option<Fork>,
    /// Checked against the genesis; one piece for each member and kind.
    pub(crate) evidence: Vec<Evidence>,
    /// Files of evidence that prove nothing, with the reason.
    pub(crate) refused: Vec<String>,
}

/// Ledgers that differ at a height that all of them hold.
pub(crate) struct Fork {
    /// The lowest such height.
    pub(crate) height: Height,
    /// The blocks there, each with the places in the list of ledgers that hold it.
    pub(crate) branches: BTreeMap<Digest, Vec<usize>>,
}

/// Compares ledgers of one genesis, and looks for those without whom they would not differ.
pub(crate) fn investigate(ledgers: &[OfflineLedger], genesis: &Genesis) -> Result<Findings, Failure> {
    let work = Investigate { ledgers, first: genesis.block().header, genesis: genesis.digest() };
    for_protocol_of(genesis, work).map_err(|error| Failure::failed(error.to_string()))?
}

struct Investigate<'a> {
    ledgers: &'a [OfflineLedger],
    first: Header,
    genesis: Digest,
}

impl ForProtocol for Investigate<'_> {
    type Out = Result<Findings, Failure>;

    fn run<P: Protocol<Scheme: GenesisScheme>>(self, scheme: P::Scheme) -> Self::Out {
        let keys = Keys::new(scheme, &self.first);
        let (mut evidence, mut lowest) = (Vec::new(), None);
        for (index, one) in self.ledgers.iter().enumerate() {
            for other in &self.ledgers[index + 1..] {
                let Some(height) = fork_of(one, other)? else { continue };
                lowest = lowest.into_iter().chain([height]).min();
                evidence.extend(culprits::<P>(&one.past::<P>(height)?, &other.past::<P>(height)?, &keys));
            }
        }
        let (kept, refused) = self.kept::<P>(&keys);
        evidence.extend(kept);
        let mut known = BTreeSet::new();
        evidence.retain(|piece| known.insert((piece.accused, piece.kind.clone())));
        evidence.sort_by_key(|piece| (piece.accused, piece.kind.clone()));
        let fork = lowest.map(|height| self.branches(height)).transpose()?;
        Ok(Findings { fork, evidence, refused })
    }
}

impl Investigate<'_> {
    fn branches(&self, height: Height) -> Result<Fork, Failure> {
        let mut branches: BTreeMap<Digest, Vec<usize>> = BTreeMap::new();
        for (place, ledger) in self.ledgers.iter().enumerate() {
            if let Some(header) = ledger.header(height)? {
                branches.entry(header.digest()).or_default().push(place);
            }
        }
        Ok(Fork { height, branches })
    }

    /// What the validators kept while they ran, if it proves something, and why the rest does not.
    fn kept<P: Protocol>(&self, keys: &Keys<P::Scheme>) -> (Vec<Evidence>, Vec<String>) {
        let (mut evidence, mut refused) = (Vec::new(), Vec::new());
        for file in self.ledgers.iter().flat_map(OfflineLedger::evidence_files) {
            match self.piece::<P>(&file, keys) {
                Ok(piece) => evidence.push(piece),
                Err(why) => refused.push(format!("{}: {why}", file.display())),
            }
        }
        (evidence, refused)
    }

    fn piece<P: Protocol>(&self, file: &Path, keys: &Keys<P::Scheme>) -> Result<Evidence, String> {
        let (EvidenceView { genesis, .. }, evidence) = parse(file)?;
        if genesis != self.genesis {
            return Err(format!("it is of another chain, with genesis {genesis}"));
        }
        evidence.verify::<P>(keys).map_err(|error| error.to_string())?;
        Ok(evidence)
    }
}

/// The lowest height that both hold and at which they differ. Blocks name their parents, so ledgers that differ once differ from there on.
fn fork_of(one: &OfflineLedger, other: &OfflineLedger) -> Result<Option<Height>, Failure> {
    let top = one.height().min(other.height());
    let mut height = top;
    let mut fork = None;
    loop {
        let (Some(ours), Some(theirs)) = (one.header(height)?, other.header(height)?) else { return Ok(fork) };
        if ours == theirs || height == Height::GENESIS {
            return Ok(fork);
        }
        fork = Some(height);
        height = Height(height.0 - 1);
    }
}

#[cfg(test)]
mod tests;
