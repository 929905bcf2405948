//! No honest replica says two things in one slot, ever.

use super::{Rule, Violation};
use crate::SimScheme;
use borsh::BorshSerialize;
use quorate_consensus::{
    Promised, Slot,
    hotstuff::{Ballot, Message, ProposalStatement, Record, TimeoutStatement, Vote},
};
use quorate_ledger::Entry;
use quorate_types::{Digest, Domain, ReplicaId, View, encode};
use std::collections::BTreeMap;

/// Everything that honest replicas have said, in messages and journals, over their whole lives.
#[derive(Default)]
pub(crate) struct Promises {
    said: BTreeMap<(ReplicaId, Slot, View), Digest>,
}

impl Promises {
    /// A message leaves an honest replica.
    pub(crate) fn hear<S: SimScheme>(&mut self, who: ReplicaId, message: &Message<S>) -> Result<(), Violation> {
        match message {
            Message::Proposal(proposal) => {
                self.say(who, &ProposalStatement(Ballot::of(&proposal.justified.block.header)))
            }
            Message::Vote(vote) => self.vote(who, vote),
            Message::Timeout(timeout) => {
                self.say(who, &TimeoutStatement { view: timeout.view, high_qc: timeout.high_qc.view() })?;
                timeout.vote.as_ref().map_or(Ok(()), |vote| self.vote(who, vote))
            }
            Message::Certificates(_) | Message::AskCertificates(_) | Message::AskBlock(_) | Message::Blocks { .. } => {
                Ok(())
            }
        }
    }

    fn vote<S: SimScheme>(&mut self, who: ReplicaId, vote: &Vote<S>) -> Result<(), Violation> {
        self.say(who, &vote.ballot)
    }

    fn say<T: Promised + BorshSerialize>(&mut self, who: ReplicaId, statement: &T) -> Result<(), Violation> {
        let digest = Digest::of_bytes(Domain::STATEMENT, &encode(&(T::KIND, statement)));
        self.keep(who, T::SLOT, statement.view(), digest)
    }

    fn keep(&mut self, who: ReplicaId, slot: Slot, view: View, statement: Digest) -> Result<(), Violation> {
        let earlier = *self.said.entry((who, slot, view)).or_insert(statement);
        if earlier == statement {
            return Ok(());
        }
        let what = format!("{who} said {earlier:?} and {statement:?} in slot {slot:?} of {view}");
        Err(Violation::new(Rule::NoDoubleVote, what))
    }

    /// A process reads its journal: the same as what it said, and nothing in a view that it had left.
    pub(crate) fn read<S: SimScheme>(&mut self, who: ReplicaId, journal: &[Entry<Record<S>>]) -> Result<(), Violation> {
        let mut left: Option<View> = None;
        // A rotated journal begins with the last promise of each slot, in the order of slots.
        let mut voted: BTreeMap<Slot, View> = BTreeMap::new();
        for entry in journal {
            let Entry::Record(Record::Promise(promise)) = entry else { continue };
            // What a replica that lost its disk begins with closes views and says nothing.
            if promise.statement != Digest::ZERO {
                self.keep(who, promise.slot, promise.view, promise.statement)?;
            }
            if promise.slot == Slot::Timeout {
                left = left.max(Some(promise.view));
            } else if left >= Some(promise.view) && voted.get(&promise.slot) < Some(&promise.view) {
                let what =
                    format!("{who} signed in slot {:?} of {} after it had left that view", promise.slot, promise.view);
                return Err(Violation::new(Rule::NoDoubleVote, what));
            }
            let latest = voted.entry(promise.slot).or_insert(promise.view);
            *latest = promise.view.max(*latest);
        }
        Ok(())
    }
}
