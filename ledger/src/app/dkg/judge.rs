//! Who qualified, who cheated, and the key: a function of the board.

use super::{Board, Ceremony, Deal, box_context, proof_context};
use quorate_crypto::bls::{Commitments, MinSig, OpeningSecret, Revealed, Share, share_index};
use quorate_types::{ChainId, Digest, Domain, ReplicaId};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

/// What a finished ceremony comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// Whose dealings make up the key.
    pub qualified: BTreeSet<ReplicaId>,
    /// What members did wrong, by member.
    pub findings: Vec<Finding>,
    /// Commitments to the key, or why there is none.
    pub key: Result<Commitments<MinSig>, Unfinished>,
}

/// What a result's digest is taken in.
const RESULT: Domain = Domain("quorate/ceremony-result/v1");

impl Judgement {
    /// What members confirm.
    pub fn digest(&self) -> Digest {
        Digest::of(RESULT, &(&self.qualified, self.key.as_ref().ok()))
    }
}

/// What one member did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// Who.
    pub member: ReplicaId,
    /// What.
    pub fault: Fault,
}

/// What a member can do wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// Dealt nothing in time.
    NoDealing,
    /// Said nothing in time of the shares it got.
    NoVerdict,
    /// Left a complaint without an answer.
    NoAnswer {
        /// Whose.
        to: ReplicaId,
    },
    /// Dealt two dealings.
    DealtTwice,
    /// Dealt commitments to a secret that it did not prove to know.
    Unproven,
    /// Sealed for somebody what is not its share.
    BadShare {
        /// For whom.
        to: ReplicaId,
    },
    /// Answered a complaint with something that is not the secret of the box.
    WrongAnswer {
        /// Whose.
        to: ReplicaId,
    },
    /// Complained about a share that is good.
    FalseComplaint {
        /// About whose.
        against: ReplicaId,
    },
}

impl Fault {
    /// Whether the ledger proves ill will. The other faults are silence, which a crash explains as well.
    pub fn is_proven(self) -> bool {
        !matches!(self, Self::NoDealing | Self::NoVerdict | Self::NoAnswer { .. })
    }

    /// In words; `name` tells what other members are called.
    pub fn told(self, name: impl Fn(&ReplicaId) -> String) -> String {
        match self {
            Self::NoDealing => "dealt nothing in time".into(),
            Self::NoVerdict => "gave no verdict in time".into(),
            Self::NoAnswer { to } => format!("did not answer the complaint of {}", name(&to)),
            Self::DealtTwice => "dealt twice".into(),
            Self::Unproven => "did not prove that it knows the secret that it dealt".into(),
            Self::BadShare { to } => format!("dealt a bad share to {}", name(&to)),
            Self::WrongAnswer { to } => format!("answered the complaint of {} with a wrong secret", name(&to)),
            Self::FalseComplaint { against } => format!("complained falsely about {}", name(&against)),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.told(ToString::to_string))
    }
}

/// Why a ceremony ended without a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfinished {
    /// Among fewer there might be no honest one.
    #[error("{have} dealers qualified where {need} are needed")]
    TooFewQualified {
        /// How many did.
        have: usize,
        /// The threshold.
        need: usize,
    },
    /// No chance does this.
    #[error("the qualified dealings cancel out")]
    CancelsOut,
}

/// Judges a board on which nothing will change any more: every phase is over.
pub fn judge(ceremony: &Ceremony, chain: ChainId, board: &Board) -> Judgement {
    let mut findings = silences(ceremony, board);
    let mut qualified = BTreeMap::new();
    for (&dealer, deal) in &board.deals {
        if let Some(fault) = refused(chain, board, dealer, deal) {
            findings.push(Finding { member: dealer, fault });
            continue;
        }
        let complaints: Vec<_> = board
            .complainers(dealer)
            .map(|complainer| settle(ceremony, chain, board, (dealer, deal), complainer))
            .collect();
        findings.extend(&complaints);
        // Who gave a verdict holds its share: by its own word, or by a box that was opened before everybody.
        let is_cleared = complaints.iter().all(|finding| finding.member != dealer);
        if is_cleared && board.verdicts.len() >= ceremony.threshold() {
            qualified.insert(dealer, &deal.commitments);
        }
    }
    findings.sort_unstable();
    Judgement { key: key(ceremony, &qualified), qualified: qualified.into_keys().collect(), findings }
}

/// Why a dealing does not count, whatever its shares are.
fn refused(chain: ChainId, board: &Board, dealer: ReplicaId, deal: &Deal) -> Option<Fault> {
    if board.dealt_twice.contains(&dealer) {
        return Some(Fault::DealtTwice);
    }
    let is_proven = deal.commitments.is_proven(&proof_context(chain, dealer), &deal.proof);
    (!is_proven).then_some(Fault::Unproven)
}

fn silences(ceremony: &Ceremony, board: &Board) -> Vec<Finding> {
    let absent = |member| {
        let no_dealing = (!board.deals.contains_key(&member)).then_some(Fault::NoDealing);
        let no_verdict = (!board.verdicts.contains_key(&member)).then_some(Fault::NoVerdict);
        no_dealing.into_iter().chain(no_verdict).map(move |fault| Finding { member, fault })
    };
    ceremony.ids().flat_map(absent).collect()
}

/// One complaint: either its author or the dealer did wrong.
fn settle(
    ceremony: &Ceremony,
    chain: ChainId,
    board: &Board,
    (dealer, deal): (ReplicaId, &Deal),
    complainer: ReplicaId,
) -> Finding {
    let of_dealer = |fault| Finding { member: dealer, fault };
    let answer = board.answers.get(&dealer).and_then(|answers| answers.get(&complainer));
    let Some(&secret) = answer else {
        return of_dealer(Fault::NoAnswer { to: complainer });
    };
    let key = ceremony.members.get(complainer.index()).and_then(|key| key.sealing_key());
    let (Some(key), Some(sealed)) = (key, deal.boxes.get(complainer.index())) else {
        return of_dealer(Fault::BadShare { to: complainer });
    };
    let context = box_context(chain, dealer, complainer);
    match sealed.open_revealed(key, &context, &OpeningSecret::from_seed(secret)) {
        Err(_) => of_dealer(Fault::WrongAnswer { to: complainer }),
        Ok(Revealed::Content(content)) if deal.share_in(complainer, &content).is_some() => {
            Finding { member: complainer, fault: Fault::FalseComplaint { against: dealer } }
        }
        Ok(_) => of_dealer(Fault::BadShare { to: complainer }),
    }
}

impl Deal {
    /// The share of `member`, if that is what this box's content is. A member's verdict and the judge's are this one function.
    pub fn share_in(&self, member: ReplicaId, content: &[u8]) -> Option<Share> {
        let share = Share::from_bytes(share_index(member), content.try_into().ok()?)?;
        self.commitments.is_share(&share).then_some(share)
    }
}

fn key(
    ceremony: &Ceremony,
    qualified: &BTreeMap<ReplicaId, &Commitments<MinSig>>,
) -> Result<Commitments<MinSig>, Unfinished> {
    let (have, need) = (qualified.len(), ceremony.threshold());
    if have < need {
        return Err(Unfinished::TooFewQualified { have, need });
    }
    Commitments::sum(qualified.values().copied()).ok_or(Unfinished::CancelsOut)
}
