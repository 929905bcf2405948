//! What must hold in every run, looked at all the time.
//!
//! - [`chain`]: one chain for all replicas over their whole lives, crashes included; hash links; commit proofs; every
//!   transaction takes effect at most once, in its sender's order.
//! - [`promises`]: no honest replica ever says two things in one slot, in messages or in its journal, crashes and lost disks
//!   included, and nothing leaves before it is durable.
//! - [`quorums`]: what is committed, and each certificate that an honest replica sends, rests on a quorum, counted here.
//! - [`ledgers`]: in the end, all ledgers hold that chain, and the same state and roots.
//! - [`bounds`]: buffers stay within their limits.
//!
//! The first violation ends the run.

mod bounds;
mod chain;
mod ledgers;
mod promises;
pub(crate) mod quorums;

pub(crate) use bounds::Bounds;
pub(crate) use chain::Chain;
pub(crate) use ledgers::Ledgers;
pub(crate) use promises::Promises;

use crate::{SimProtocol, node::Sight};
use quorate_crypto::Scheme;
use quorate_types::ReplicaId;
use std::{collections::BTreeSet, fmt};

/// Something happened that must not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Which rule was broken.
    pub rule: Rule,
    /// How.
    pub what: String,
}

/// What checkers check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    /// All replicas commit the same chain.
    Agreement,
    /// Each block names the one below it.
    HashChain,
    /// What is committed is proven final.
    CommitProof,
    /// A certificate rests on a quorum of different members.
    Quorum,
    /// All ledgers hold what was committed, and the same results of it.
    Ledger,
    /// A transaction takes effect once.
    AtMostOnce,
    /// A replica says one thing in a slot.
    NoDoubleVote,
    /// What leaves rests on durable bytes.
    Durability,
    /// Honest replicas make messages and evidence that verify, accuse nobody honest, and do not stop by themselves.
    Honesty,
    /// Buffers are bounded.
    Bounds,
    /// After healing everything submitted takes effect.
    Liveness,
    /// An idle cluster is quiet.
    Quiet,
}

/// In small letters with dashes, as in files and reports.
impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = format!("{self:?}");
        let dashed = name.char_indices().map(|(at, letter)| match letter.is_ascii_uppercase() {
            true if at > 0 => format!("-{}", letter.to_ascii_lowercase()),
            _ => letter.to_ascii_lowercase().to_string(),
        });
        f.write_str(&dashed.collect::<String>())
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} violated: {}", self.rule, self.what)
    }
}

impl Violation {
    pub(crate) fn new(rule: Rule, what: impl Into<String>) -> Self {
        Self { rule, what: what.into() }
    }
}

/// All of them.
pub(crate) struct Checkers {
    pub(crate) chain: Chain,
    pub(crate) promises: Promises,
    pub(crate) bounds: Bounds,
    /// Replicas whose deeds are not checked: puppets and their like.
    pub(crate) dishonest: BTreeSet<ReplicaId>,
    /// Replicas whose disk lied: they may have lost promises, as if they lied themselves. What they commit is checked.
    pub(crate) damaged: BTreeSet<ReplicaId>,
    /// Who refused what a peer showed, and why.
    pub(crate) refused: Vec<(ReplicaId, ReplicaId, String)>,
    pub(crate) accused: Vec<(ReplicaId, Box<quorate_consensus::Evidence>)>,
    /// When honest replicas commit different blocks the run goes on.
    pub(crate) may_fork: bool,
    /// The first time that they did.
    pub(crate) fork: Option<Violation>,
    /// Who committed something else than those before: what they commit from then on is compared with nothing.
    pub(crate) apart: BTreeSet<ReplicaId>,
}

impl Checkers {
    /// Whether a replica may break its promises.
    pub(crate) fn is_faulty(&self, who: ReplicaId) -> bool {
        self.dishonest.contains(&who) || self.damaged.contains(&who)
    }

    /// Looks at what a process tells. Where a fork may be, it is noted.
    pub(crate) fn see<P: SimProtocol>(
        &mut self,
        who: ReplicaId,
        sight: Sight<P>,
        keys: &crate::node::SimKeys<P>,
    ) -> Result<(), Violation> {
        let extends = matches!(sight, Sight::Opened { .. } | Sight::Committed { .. } | Sight::Installed { .. });
        if extends && self.apart.contains(&who) {
            return Ok(());
        }
        match self.look_at(who, sight, keys) {
            Err(violation) if self.may_fork && violation.rule == Rule::Agreement => {
                self.apart.insert(who);
                self.fork.get_or_insert(violation);
                Ok(())
            }
            looked => looked,
        }
    }

    fn look_at<P: SimProtocol>(
        &mut self,
        who: ReplicaId,
        sight: Sight<P>,
        keys: &crate::node::SimKeys<P>,
    ) -> Result<(), Violation> {
        match sight {
            Sight::Opened { head, journal } => {
                if !self.is_faulty(who) {
                    self.promises.read::<P>(who, &journal)?;
                }
                self.chain.opened(who, &head)
            }
            Sight::Committed { block } => self.chain.committed(who, &block),
            Sight::Installed { head } => self.chain.opened(who, &head),
            Sight::Refused { peer, why } => {
                self.refused.push((who, peer, why));
                Ok(())
            }
            Sight::Proven { header, proof } => {
                let wrong = |why: String| {
                    Violation::new(Rule::CommitProof, format!("{who} committed {} without proof: {why}", header.height))
                };
                P::verify_commit(&header, &proof, &keys.consensus).map_err(|error| wrong(error.to_string()))?;
                let scheme = &keys.consensus.scheme;
                let signers = P::signers_of_commit(&proof, scheme);
                signers.map_or(Ok(()), |signers| {
                    let what = || format!("the commit of {} by {who}", header.height);
                    quorums::check(scheme.committee().size(), &signers, what)
                })
            }
            Sight::Undurable { bytes } => Err(Violation::new(
                Rule::Durability,
                format!("messages of {who} left while {bytes} bytes of its journal were not durable"),
            )),
            Sight::Accused(evidence) => {
                let accused = evidence.accused;
                let is_honest = !self.is_faulty(accused);
                let kind = evidence.kind.clone();
                if let Err(why) = evidence.verify::<P>(&keys.consensus) {
                    let what = format!("{who} accuses {accused} of {kind} with evidence that proves nothing: {why}");
                    return Err(Violation::new(Rule::Honesty, what));
                }
                self.accused.push((who, evidence));
                if is_honest {
                    let what = format!("{who} accuses {accused}, which is honest, of two different {kind}");
                    return Err(Violation::new(Rule::Honesty, what));
                }
                Ok(())
            }
        }
    }
}
