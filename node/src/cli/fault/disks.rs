//! What is done to disks and clocks.

use super::{At, How, grammar};
use crate::{cli::Context, exit::Failure};
use clap::Args;
use quorate_scenario::{Action, DiskFault, DiskOf};
use quorate_types::ReplicaId;
use std::time::Duration;

/// Make a validator's disks slow
///
/// Each sync of the vote journal and of the block log takes so much longer; 0s ends it.
#[derive(Debug, Args)]
pub(in crate::cli) struct SlowDiskArgs {
    /// Which, such as 3 or node3
    #[arg(value_name = "VALIDATOR", value_parser = grammar::member)]
    node: ReplicaId,
    /// So much longer, such as 20ms
    #[arg(value_name = "TIME", value_parser = grammar::time)]
    by: Duration,
    #[command(flatten)]
    at: At,
}

/// Make a validator's disks full
///
/// Nothing more fits. It stops by itself before it promises what it cannot keep; `quorate fault restart` frees the disks and starts it.
#[derive(Debug, Args)]
pub(in crate::cli) struct DiskFullArgs {
    /// Which, such as 3 or node3
    #[arg(value_name = "VALIDATOR", value_parser = grammar::member)]
    node: ReplicaId,
    /// So many bytes still fit on each of them
    #[arg(long, value_name = "BYTES", default_value_t = 0)]
    after: u64,
    #[command(flatten)]
    how: How,
}

/// Make a validator's clock wrong
///
/// Fast by so much, or slow with a minus: 1h, -30s; 0s ends it. Blocks that it proposes bear that time. Timers do not read clocks.
#[derive(Debug, Args)]
pub(in crate::cli) struct SkewArgs {
    /// Which, such as 3 or node3
    #[arg(value_name = "VALIDATOR", value_parser = grammar::member)]
    node: ReplicaId,
    /// By how much, such as 1h or -30s
    #[arg(value_name = "TIME", allow_hyphen_values = true, value_parser = grammar::signed)]
    by: i64,
    #[command(flatten)]
    at: At,
}

fn both(node: ReplicaId, fault: DiskFault) -> Vec<Action> {
    [DiskOf::Journal, DiskOf::Blocks].into_iter().map(|of| Action::Disk(node, of, fault)).collect()
}

pub(super) fn slow(args: &SlowDiskArgs, context: &Context) -> Result<(), Failure> {
    args.at.order(both(args.node, DiskFault::Slow(args.by)), context)
}

pub(super) fn full(args: &DiskFullArgs, context: &Context) -> Result<(), Failure> {
    args.how.order(both(args.node, DiskFault::FullAfter(args.after)), context)
}

pub(super) fn skew(args: &SkewArgs, context: &Context) -> Result<(), Failure> {
    args.at.order(vec![Action::Skew(args.node, args.by)], context)
}
