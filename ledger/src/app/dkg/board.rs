//! Where the state keeps what members say, and reading it again.

use super::{Ceremony, Deal, Phase, Say};
use crate::{FailCode, State};
use quorate_types::{Digest, ReplicaId, decode, encode};
use std::collections::{BTreeMap, BTreeSet};

/// All that was said in time and in form.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Board {
    /// Who dealt what.
    pub deals: BTreeMap<ReplicaId, Deal>,
    /// Who dealt a second, different dealing.
    pub dealt_twice: BTreeSet<ReplicaId>,
    /// Whose dealings each member complains about.
    pub verdicts: BTreeMap<ReplicaId, BTreeSet<ReplicaId>>,
    /// The secrets that each dealer reveals, by complainer.
    pub answers: BTreeMap<ReplicaId, BTreeMap<ReplicaId, [u8; 32]>>,
    /// Which result each member knows. The result does not depend on it.
    pub confirmations: BTreeMap<ReplicaId, Digest>,
}

const DEAL: &[u8] = b"d/deal/";
const TWICE: &[u8] = b"d/twice/";
const VERDICT: &[u8] = b"d/verdict/";
const ANSWER: &[u8] = b"d/answer/";
const CONFIRM: &[u8] = b"d/confirm/";

fn key(table: &[u8], member: ReplicaId) -> Vec<u8> {
    [table, &member.0.to_be_bytes()].concat()
}

fn table(phase: Phase) -> Option<&'static [u8]> {
    match phase {
        Phase::Dealing => Some(DEAL),
        Phase::Verdicts => Some(VERDICT),
        Phase::Answers => Some(ANSWER),
        Phase::Confirmations => Some(CONFIRM),
        Phase::Over => None,
    }
}

/// Keeps what is said first. That somebody dealt again, and otherwise, is kept too: honest members cannot.
pub(super) fn keep(state: &mut State, member: ReplicaId, say: &Say) -> Result<(), FailCode> {
    let table = table(say.phase()).ok_or(FailCode::WrongPhase)?;
    let (at, bytes) = (key(table, member), encode(say));
    match state.get(&at) {
        None => state.insert(at, bytes),
        Some(first) if matches!(say, Say::Deal(_)) && first != bytes => state.insert(key(TWICE, member), vec![1]),
        Some(_) => return Err(FailCode::SaidBefore),
    }
    Ok(())
}

impl Board {
    /// Reads the board with `get`, which looks up keys of the state.
    pub fn read(ceremony: &Ceremony, get: impl Fn(&[u8]) -> Option<Vec<u8>>) -> Self {
        let mut board = Self::default();
        for member in ceremony.ids() {
            for table in [DEAL, VERDICT, ANSWER, CONFIRM] {
                let said = get(&key(table, member)).and_then(|bytes| decode(&bytes).ok());
                said.into_iter().for_each(|say| board.add(member, say));
            }
            if get(&key(TWICE, member)).is_some() {
                board.dealt_twice.insert(member);
            }
        }
        board
    }

    /// Whether a member has said what belongs into this phase.
    pub fn has_said(phase: Phase, member: ReplicaId, get: impl Fn(&[u8]) -> Option<Vec<u8>>) -> bool {
        table(phase).is_some_and(|table| get(&key(table, member)).is_some())
    }

    fn add(&mut self, member: ReplicaId, say: Say) {
        match say {
            Say::Deal(deal) => {
                self.deals.insert(member, deal);
            }
            Say::Verdict(against) => {
                self.verdicts.insert(member, against.iter().copied().collect());
            }
            Say::Answer(answers) => {
                self.answers.insert(member, answers.iter().copied().collect());
            }
            Say::Confirm(result) => {
                self.confirmations.insert(member, result);
            }
        }
    }

    /// Who complains about a dealer.
    pub fn complainers(&self, dealer: ReplicaId) -> impl Iterator<Item = ReplicaId> + '_ {
        self.verdicts.iter().filter(move |(_, against)| against.contains(&dealer)).map(|(member, _)| *member)
    }
}
