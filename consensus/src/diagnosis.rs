//! What a replica sees of its own view, for whoever asks why there is no block.
//!
//! In words that are the same for every protocol: how far the proposal has come here, who has been heard with what, and which
//! certificates are held. It is made when somebody asks and costs nothing until then. One replica's is half a truth: only those of
//! several laid side by side tell what is missing everywhere.

use quorate_types::{Digest, Height, ReplicaId, View};
use std::{collections::BTreeSet, time::Duration};

/// One replica's side of the story.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnosis {
    /// The view that it is in, or moves to.
    pub view: View,
    /// Who leads it, if that is known.
    pub leader: Option<ReplicaId>,
    /// Whether it takes part.
    pub stage: Stage,
    /// Whether there is something that a block should bring forward. Without it nothing is wrong with a chain that rests.
    pub has_work: bool,
    /// The last commit.
    pub committed: Height,
    /// What there is to vote on.
    pub proposal: Option<Proposed>,
    /// Whom it has heard with what.
    pub tallies: Vec<Tally>,
    /// The greatest certificates that it holds.
    pub certificates: Vec<Held>,
    /// How long a view may last, before any has failed.
    pub patience: Duration,
}

/// Whether a replica takes part in its view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// It does.
    Active,
    /// It has given the view up, and is in it until a quorum has.
    TimedOut,
    /// It has left the view before, and this one has not begun.
    Changing,
    /// It has lost its journal and signs nothing.
    Silent,
    /// It has stopped: safety is lost, or its own state is wrong.
    Halted,
}

/// A block to vote on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Proposed {
    /// In which view.
    pub view: View,
    /// For which height.
    pub height: Height,
    /// Which.
    pub block: Digest,
    /// By whom.
    pub proposer: ReplicaId,
    /// How far it has come here.
    pub fate: Fate,
}

/// How far a proposal has come at one replica.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Its ancestors are being fetched.
    LacksAncestors,
    /// The host lacks batches of it or is executing it.
    NotExecuted,
    /// Executing it gives another result than it claims.
    Invalid,
    /// A rule forbids to vote for it.
    Unsafe,
    /// It does not follow the block below it.
    Unfitting,
    /// Nothing forbids it, but the replica waits for the height below, or takes no part.
    Waits,
    /// Voted for.
    Voted,
}

/// Those who have been heard with the same thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tally {
    /// What they said, in the plural.
    pub what: &'static str,
    /// What a quorum of it makes.
    pub makes: &'static str,
    /// Whether this replica holds that.
    pub is_complete: bool,
    /// Of which view, or for which.
    pub view: View,
    /// For which height, where a view has several.
    pub height: Option<Height>,
    /// For which block.
    pub block: Option<Digest>,
    /// Who.
    pub from: BTreeSet<ReplicaId>,
    /// Who alone is told, if not everybody.
    pub collector: Option<ReplicaId>,
}

/// A certificate that a replica holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// Of what kind.
    pub what: &'static str,
    /// Of which view.
    pub view: View,
    /// For which height, if for one.
    pub height: Option<Height>,
}
