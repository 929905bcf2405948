//! What a replica of PBFT has to say when somebody asks why there is no block: about the height above its last commit, the one that
//! everything else waits for.

use super::{Ballot, Pbft, Phase, log::Entry};
use crate::{
    block_tree::Execution,
    diagnosis::{Diagnosis, Fate, Held, Proposed, Stage, Tally},
    tally::Poll,
};
use quorate_crypto::Scheme;
use quorate_types::{Digest, Height, ReplicaId, View};
use std::collections::{BTreeMap, BTreeSet};

/// Those who said the same, by what they said it of.
type Voices<K> = BTreeMap<K, BTreeSet<ReplicaId>>;

impl<S: Scheme> Pbft<S> {
    pub(super) fn diagnose(&self) -> Diagnosis {
        let next = self.root().next();
        let mut tallies = Vec::new();
        if let Some(entry) = self.log.get(next) {
            tallies.extend(self.vote_tallies(next, entry));
        }
        tallies.extend(self.change_tallies());
        tallies.extend(self.checkpoint_tally());
        Diagnosis {
            view: self.view,
            leader: Some(self.primary(self.view)),
            stage: self.stage(),
            has_work: self.has_work(),
            committed: self.root(),
            proposal: self.log.get(next).and_then(|entry| self.proposed(entry)),
            tallies,
            certificates: self.held(),
            patience: self.pacemaker.retransmission(),
        }
    }

    fn stage(&self) -> Stage {
        match self.phase {
            _ if self.halted => Stage::Halted,
            _ if self.rejoin.is_some() => Stage::Silent,
            Phase::Changing => Stage::Changing,
            Phase::Active => Stage::Active,
        }
    }

    fn proposed(&self, entry: &Entry<S>) -> Option<Proposed> {
        let pre_prepare = entry.pre_prepare.as_ref()?;
        let Ballot { view, height, block } = pre_prepare.ballot();
        let fate = match self.tree.get(&block).map(|node| node.execution) {
            _ if entry.accepted.is_none() => Fate::Unfitting,
            None => Fate::LacksAncestors,
            Some(Execution::Waiting) => Fate::NotExecuted,
            Some(Execution::Invalid) => Fate::Invalid,
            Some(Execution::Valid) if entry.has_sent_prepare => Fate::Voted,
            Some(Execution::Valid) => Fate::Waits,
        };
        Some(Proposed { view, height, block, proposer: self.primary(view), fate })
    }

    fn vote_tallies(&self, height: Height, entry: &Entry<S>) -> Vec<Tally> {
        fn by_block<T: crate::Promised, S: Scheme>(poll: &Poll<T, S>, block: impl Fn(&T) -> Digest) -> Voices<Digest> {
            let mut voices = Voices::new();
            for (voter, said) in poll.said() {
                voices.entry(block(said)).or_default().insert(voter);
            }
            voices
        }
        let tally = |what, makes, is_complete, (block, from)| Tally {
            what,
            makes,
            is_complete,
            view: self.begun(),
            height: Some(height),
            block: Some(block),
            from,
            collector: None,
        };
        let prepared = entry.prepared.as_ref().map(|certificate| certificate.statement.0.block);
        let prepares = by_block(&entry.prepares, |said| said.0.block).into_iter();
        let commits = by_block(&entry.commits, |said| said.0.block).into_iter();
        let prepares = prepares
            .map(|(block, from)| tally("PREPAREs", "prepared certificate", prepared == Some(block), (block, from)));
        prepares.chain(commits.map(|said| tally("COMMITs", "commit certificate", false, said))).collect()
    }

    /// VIEW-CHANGEs for the view that it moves to, and for those that others move to already.
    fn change_tallies(&self) -> Vec<Tally> {
        let mut voices: Voices<View> = BTreeMap::new();
        for change in self.changes.values().filter(|change| change.view > self.begun()) {
            voices.entry(change.view).or_default().insert(change.replica);
        }
        let tally = |(view, from)| Tally {
            what: "VIEW-CHANGEs",
            makes: "NEW-VIEW",
            is_complete: false,
            view,
            height: None,
            block: None,
            from,
            collector: Some(self.primary(view)),
        };
        voices.into_iter().map(tally).collect()
    }

    /// CHECKPOINTs, where the window is full: nothing above it is proposed until they make the next one stable.
    fn checkpoint_tally(&self) -> Option<Tally> {
        if self.window().contains(self.root().next()) {
            return None;
        }
        let height = Height(self.low.checkpoint.height.0.saturating_add(self.interval));
        let said = self.checkpoints.get(&height).map(|poll| poll.said().map(|(voter, _)| voter).collect());
        Some(Tally {
            what: "CHECKPOINTs",
            makes: "stable checkpoint",
            is_complete: false,
            view: self.begun(),
            height: Some(height),
            block: None,
            from: said.unwrap_or_default(),
            collector: None,
        })
    }

    fn held(&self) -> Vec<Held> {
        let of = |what, ballot: &Ballot| Held { what, view: ballot.view, height: Some(ballot.height) };
        let mut held = Vec::new();
        held.extend(self.prepared.as_ref().map(|certificate| of("prepared certificate", &certificate.statement.0)));
        held.extend(self.committed.as_ref().map(|certificate| of("commit certificate", &certificate.statement.0)));
        held.extend(self.entry.as_ref().map(|entry| Held { what: "NEW-VIEW", view: entry.view, height: None }));
        held
    }
}
