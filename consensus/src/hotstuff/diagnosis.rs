//! What a replica of HotStuff has to say when somebody asks why there is no block.

use super::{Ballot, HotStuff, rules};
use crate::{
    block_tree::Execution,
    diagnosis::{Diagnosis, Fate, Held, Proposed, Stage, Tally},
};
use quorate_crypto::Scheme;
use quorate_types::ReplicaId;
use std::collections::{BTreeMap, BTreeSet};

impl<S: Scheme> HotStuff<S> {
    pub(super) fn diagnose(&self) -> Diagnosis {
        Diagnosis {
            view: self.view,
            leader: self.leader_now(),
            stage: self.stage(),
            has_work: self.has_work(),
            committed: self.tree.root().height,
            proposal: self.proposed(),
            tallies: self.vote_tallies().chain([self.timeout_tally()]).collect(),
            certificates: self.held(),
            patience: self.pacemaker.retransmission(),
        }
    }

    fn stage(&self) -> Stage {
        match () {
            () if self.halted => Stage::Halted,
            () if self.rejoin.is_some() => Stage::Silent,
            () if self.has_left(self.view) => Stage::TimedOut,
            () => Stage::Active,
        }
    }

    fn proposed(&self) -> Option<Proposed> {
        let proposal = self.pending.as_ref()?;
        let header = &proposal.justified.block.header;
        let Ballot { view, height, block } = Ballot::of(header);
        let fate = match self.tree.get(&block).map(|node| node.execution) {
            None => Fate::LacksAncestors,
            Some(Execution::Waiting) => Fate::NotExecuted,
            Some(Execution::Invalid) => Fate::Invalid,
            Some(Execution::Valid) if self.has_voted_for(&Ballot::of(header)) => Fate::Voted,
            Some(Execution::Valid) if rules::is_safe(proposal, &self.locked_qc, &self.tree).is_err() => Fate::Unsafe,
            Some(Execution::Valid) => Fate::Waits,
        };
        Some(Proposed { view, height, block, proposer: header.proposer, fate })
    }

    fn has_voted_for(&self, ballot: &Ballot) -> bool {
        self.last_vote.as_ref().is_some_and(|vote| vote.ballot == *ballot)
    }

    /// The votes of this view, the own one among them: it goes to one leader alone.
    fn vote_tallies(&self) -> impl Iterator<Item = Tally> {
        let mut voters: BTreeMap<Ballot, BTreeSet<ReplicaId>> = BTreeMap::new();
        let own = self.last_vote.iter().filter(|vote| vote.ballot.view == self.view);
        let own = own.map(|vote| (vote.voter, &vote.ballot));
        for (voter, ballot) in self.votes.of(self.view).chain(own) {
            voters.entry(*ballot).or_default().insert(voter);
        }
        voters.into_iter().map(|(ballot, from)| Tally {
            what: "votes",
            makes: "quorum certificate",
            is_complete: self.high_qc.ballot == ballot,
            view: ballot.view,
            height: Some(ballot.height),
            block: Some(ballot.block),
            from,
            collector: self.leader(ballot.view.next(), &ballot.block),
        })
    }

    fn timeout_tally(&self) -> Tally {
        Tally {
            what: "timeouts",
            makes: "timeout certificate",
            is_complete: false,
            view: self.view,
            height: None,
            block: None,
            from: self.timeouts.of(self.view).collect(),
            collector: None,
        }
    }

    fn held(&self) -> Vec<Held> {
        let certificate = |what, view, height| Held { what, view, height };
        let highest = &self.high_qc.ballot;
        let mut held = vec![certificate("quorum certificate", highest.view, Some(highest.height))];
        held.extend(self.entry.as_ref().map(|entry| certificate("timeout certificate", entry.view, None)));
        held
    }
}
