//! One validator's side of the story, as JSON.

use crate::handle::{Examination, Rejected, Role};
use quorate_consensus::diagnosis::{Fate, Held, Proposed, Stage, Tally};
use quorate_types::{Digest, Height, ReplicaId, View};
use quorate_validator::Refusal;
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};
use utoipa::ToSchema;

/// What one validator knows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Facts {
    /// Which validator.
    #[schema(value_type = u16)]
    pub replica: ReplicaId,
    /// Digest of its genesis.
    #[schema(value_type = String)]
    pub genesis: Digest,
    /// The view that it is in, or moves to.
    #[schema(value_type = u64)]
    pub view: View,
    /// Who leads that view, if that is known.
    #[schema(value_type = Option<u16>)]
    pub leader: Option<ReplicaId>,
    /// Whether it takes part in it.
    pub stage: StageFacts,
    /// What it is doing.
    pub role: Role,
    /// The last committed block's height.
    #[schema(value_type = u64)]
    pub height: Height,
    /// Whether there is something that a block should bring forward.
    pub has_work: bool,
    /// How long there has been, without a commit.
    pub waiting_ms: Option<u64>,
    /// How long ago the last commit came, if one did since the process began.
    pub since_commit_ms: Option<u64>,
    /// How long a view may last, before any has failed.
    pub patience_ms: u64,
    /// Transactions in batches that are not committed.
    pub transactions: usize,
    /// Batches that hold up the execution of blocks: nobody has brought them.
    pub missing_batches: usize,
    /// What there is to vote on.
    pub proposal: Option<ProposalFacts>,
    /// Whom it has heard with what.
    pub tallies: Vec<TallyFacts>,
    /// The greatest certificates that it holds.
    pub certificates: Vec<CertificateFacts>,
    /// The last proposal that it refused.
    pub refused: Option<RefusalFacts>,
    /// The last message of a peer that failed the check.
    pub rejected: Option<RejectionFacts>,
    /// Validators that it is not connected to.
    pub disconnected: Vec<LinkFacts>,
    /// Faults in force that were asked for, as sentences.
    pub faults: Vec<String>,
    /// Validators to which a fault in force lets nothing through.
    #[schema(value_type = Vec<u16>)]
    pub cut: BTreeSet<ReplicaId>,
    /// Against whom it holds proof.
    #[schema(value_type = Vec<u16>)]
    pub accused: BTreeSet<ReplicaId>,
    /// Who has shown it proof that proves nothing.
    #[schema(value_type = Vec<u16>)]
    pub slanderers: BTreeSet<ReplicaId>,
}

/// Whether a validator takes part in its view.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum StageFacts {
    /// It does.
    Active,
    /// It has given the view up, and is in it until a quorum has.
    TimedOut,
    /// It has left the view before, and this one has not begun.
    Changing,
    /// It has lost its journal and signs nothing.
    Silent,
    /// It has stopped.
    Halted,
}

/// A block to vote on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProposalFacts {
    /// In which view.
    #[schema(value_type = u64)]
    pub view: View,
    /// For which height.
    #[schema(value_type = u64)]
    pub height: Height,
    /// Which.
    #[schema(value_type = String)]
    pub block: Digest,
    /// By whom.
    #[schema(value_type = u16)]
    pub proposer: ReplicaId,
    /// Whether this validator has voted for it.
    pub voted: bool,
    /// Why not, if there is a reason: the end of a sentence that begins with its name.
    pub obstacle: Option<String>,
}

/// Those who have been heard with the same thing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TallyFacts {
    /// What they said, in the plural.
    pub what: String,
    /// What a quorum of it makes.
    pub makes: String,
    /// Whether this validator holds that.
    pub is_complete: bool,
    /// Of which view, or for which.
    #[schema(value_type = u64)]
    pub view: View,
    /// For which height, where a view has several.
    #[schema(value_type = Option<u64>)]
    pub height: Option<Height>,
    /// For which block.
    #[schema(value_type = Option<String>)]
    pub block: Option<Digest>,
    /// Who.
    #[schema(value_type = Vec<u16>)]
    pub from: BTreeSet<ReplicaId>,
    /// Who alone is told, if not everybody.
    #[schema(value_type = Option<u16>)]
    pub collector: Option<ReplicaId>,
}

/// A certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CertificateFacts {
    /// Of what kind.
    pub what: String,
    /// Of which view.
    #[schema(value_type = u64)]
    pub view: View,
    /// For which height, if for one.
    #[schema(value_type = Option<u64>)]
    pub height: Option<Height>,
}

/// A proposal that was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RefusalFacts {
    /// In which view it was proposed.
    #[schema(value_type = u64)]
    pub view: View,
    /// For which height.
    #[schema(value_type = u64)]
    pub height: Height,
    /// By whom.
    #[schema(value_type = u16)]
    pub proposer: ReplicaId,
    /// What forbade it.
    pub why: String,
    /// How long ago.
    pub ago_ms: u64,
}

/// A message that failed the check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RejectionFacts {
    /// Whose.
    #[schema(value_type = u16)]
    pub from: ReplicaId,
    /// Of what kind, if it was a message at all.
    pub kind: Option<String>,
    /// What was wrong with it.
    pub why: String,
    /// How long ago.
    pub ago_ms: u64,
}

/// A validator that is not connected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LinkFacts {
    /// Which.
    #[schema(value_type = u16)]
    pub replica: ReplicaId,
    /// Why, as far as the network knows.
    pub why: Option<String>,
}

/// What the surroundings of a replica know of it.
#[derive(Clone, Debug)]
pub(crate) struct Surroundings {
    pub(crate) replica: ReplicaId,
    pub(crate) genesis: Digest,
    pub(crate) role: Role,
    pub(crate) height: Height,
    pub(crate) rejected: Option<Rejected>,
    pub(crate) disconnected: Vec<LinkFacts>,
}

impl Facts {
    pub(crate) fn new(examined: Examination, around: Surroundings) -> Self {
        let Examination { diagnosis, refusal, .. } = examined;
        Self {
            replica: around.replica,
            genesis: around.genesis,
            view: diagnosis.view,
            leader: diagnosis.leader,
            stage: diagnosis.stage.into(),
            role: around.role,
            height: around.height.max(diagnosis.committed),
            has_work: diagnosis.has_work,
            waiting_ms: examined.waiting.map(ms),
            since_commit_ms: examined.since_commit.map(ms),
            patience_ms: ms(diagnosis.patience),
            transactions: examined.transactions,
            missing_batches: examined.missing_batches,
            proposal: diagnosis.proposal.map(ProposalFacts::from),
            tallies: diagnosis.tallies.into_iter().map(TallyFacts::from).collect(),
            certificates: diagnosis.certificates.into_iter().map(CertificateFacts::from).collect(),
            refused: refusal.map(|(refusal, ago)| RefusalFacts::new(&refusal, ago)),
            rejected: around.rejected.map(RejectionFacts::from),
            disconnected: around.disconnected,
            faults: Vec::new(),
            cut: BTreeSet::new(),
            accused: examined.charges.into_iter().map(|charge| charge.accused).collect(),
            slanderers: examined.slanderers.into_iter().collect(),
        }
    }
}

fn ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

impl From<Stage> for StageFacts {
    fn from(stage: Stage) -> Self {
        match stage {
            Stage::Active => Self::Active,
            Stage::TimedOut => Self::TimedOut,
            Stage::Changing => Self::Changing,
            Stage::Silent => Self::Silent,
            Stage::Halted => Self::Halted,
        }
    }
}

impl From<Proposed> for ProposalFacts {
    fn from(proposed: Proposed) -> Self {
        let Proposed { view, height, block, proposer, fate } = proposed;
        let obstacle = match fate {
            Fate::Voted | Fate::Waits => None,
            Fate::LacksAncestors => Some("lacks blocks below it"),
            Fate::NotExecuted => Some("has not executed it yet"),
            Fate::Invalid => Some("gets another result than it claims when executing it"),
            Fate::Unsafe => Some("may not vote for it: it does not extend what this validator is locked on"),
            Fate::Unfitting => Some("has another block below it, or none"),
        };
        Self { view, height, block, proposer, voted: fate == Fate::Voted, obstacle: obstacle.map(str::to_owned) }
    }
}

impl From<Tally> for TallyFacts {
    fn from(tally: Tally) -> Self {
        let Tally { what, makes, is_complete, view, height, block, from, collector } = tally;
        Self { what: what.to_owned(), makes: makes.to_owned(), is_complete, view, height, block, from, collector }
    }
}

impl From<Held> for CertificateFacts {
    fn from(held: Held) -> Self {
        Self { what: held.what.to_owned(), view: held.view, height: held.height }
    }
}

impl RefusalFacts {
    fn new(refusal: &Refusal, ago: Duration) -> Self {
        let proposal = refusal.proposal;
        Self {
            view: proposal.view,
            height: proposal.height,
            proposer: proposal.proposer,
            why: refusal.why.to_string(),
            ago_ms: ms(ago),
        }
    }
}

impl From<Rejected> for RejectionFacts {
    fn from(rejected: Rejected) -> Self {
        let ago_ms = ms(Instant::now().saturating_duration_since(rejected.at));
        Self { from: rejected.from, kind: rejected.kind.map(str::to_owned), why: rejected.why, ago_ms }
    }
}
