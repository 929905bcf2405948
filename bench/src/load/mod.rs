//! What a load on real validators showed: the figures, what is refused to be called a result, and how two results compare.
//!
//! Pure: no sockets, no clocks, no processes; those are the node's `bench load`. The load is an *open loop*: transactions are due
//! at fixed times whatever became of those before, and each latency runs from when its transaction was due, so that a stall counts
//! for everything that it delays (the error of timing from the send is known as coordinated omission: Tene, "How NOT to Measure
//! Latency").

mod compare;
mod figures;
mod knee;
mod latency;
mod refusal;
mod report;
mod run;
mod schedule;
mod series;
mod text;

pub use compare::{CompareError, Comparison, Document, Pair};
pub use figures::Figure;
pub use knee::{Knee, Probe, RULE, Search, judge};
pub use latency::{Latencies, Quantiles};
pub use refusal::{LATE_MS, LEAST_COMMITTED};
pub use report::{LoadReport, Setting};
pub use run::{Ledgers, NodeUse, Run};
pub use schedule::due;
pub use series::{Medians, Series};

/// The version of the files written here. One of another version is not compared with one of this.
pub const VERSION: u32 = 1;
