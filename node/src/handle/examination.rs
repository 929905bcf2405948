//! What a validator has to say when somebody asks why there is no block.

use quorate_consensus::diagnosis::Diagnosis;
use quorate_types::ReplicaId;
use quorate_validator::{Charge, Refusal};
use std::time::{Duration, Instant};

/// Made by the consensus thread when it is asked, and not before.
#[derive(Clone, Debug)]
pub struct Examination {
    /// The replica's side of the story.
    pub diagnosis: Diagnosis,
    /// The last proposal that it refused, and how long ago.
    pub refusal: Option<(Refusal, Duration)>,
    /// How long there has been work without a commit.
    pub waiting: Option<Duration>,
    /// How long ago the last commit came, if one has come since the process began.
    pub since_commit: Option<Duration>,
    /// Transactions in batches that are not committed.
    pub transactions: usize,
    /// Batches that hold up the execution of blocks: nobody has brought them.
    pub missing_batches: usize,
    /// What is proven against others.
    pub charges: Vec<Charge>,
    /// Who has shown proof that proves nothing.
    pub slanderers: Vec<ReplicaId>,
}

/// A message that failed the check at the door.
#[derive(Clone, Debug)]
pub struct Rejected {
    /// Whose.
    pub from: ReplicaId,
    /// Of what kind, if it was a message at all.
    pub kind: Option<&'static str>,
    /// What was wrong with it.
    pub why: String,
    /// When it came.
    pub at: Instant,
}
