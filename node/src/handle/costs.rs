//! What a validator's part in decisions has cost since its process began.

use quorate_crypto::Operations;
use quorate_validator::{Line, Tally};
use std::{collections::BTreeMap, sync::Arc};

/// Reads the account of a running validator.
pub type ReadCosts = Arc<dyn Fn() -> Costs + Send + Sync>;

/// The account of a running validator.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Costs {
    /// What it sent, taken apart.
    pub lines: BTreeMap<Line, Tally>,
    /// Views that a block of was committed.
    pub decided_views: u64,
    /// Views that it said something in and that failed.
    pub failed_views: u64,
    /// What was asked of its vote scheme.
    pub operations: Operations,
    /// How often its journal was made durable.
    pub flushes: u64,
}
