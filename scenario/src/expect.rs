//! What must hold in the end.

use crate::time;
use quorate_types::ReplicaId;
use std::{fmt, time::Duration};

/// What must hold in the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expectation {
    /// All honest ledgers hold the same chain, and no rule was broken on the way.
    Agree,
    /// When everything has happened and then been put right, everything submitted takes effect everywhere.
    Recovers,
    /// And then hardly anybody says anything.
    Quiet,
    /// How many blocks the honest have committed by then.
    Commits {
        /// How the figure compares.
        comparison: Comparison,
        /// With what.
        blocks: u64,
        /// By when; `None`: when everything has happened.
        within: Option<Duration>,
    },
    /// Somebody honest holds evidence against this one.
    Evidence(ReplicaId),
    /// Nobody holds evidence against anybody.
    NoEvidence,
    /// More than f lie and fork the chain: every honest replica notices, and stops by itself.
    Stops,
    /// From what the honest have on their disks this one is convicted, and nobody who is honest.
    Convicts(ReplicaId),
}

/// How a figure compares with another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// `>=`
    AtLeast,
    /// `<=`
    AtMost,
    /// `==`
    Exactly,
}

impl Comparison {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text {
            ">=" => Some(Self::AtLeast),
            "<=" => Some(Self::AtMost),
            "==" => Some(Self::Exactly),
            _ => None,
        }
    }

    /// Whether it holds between these.
    pub fn holds(self, figure: u64, bound: u64) -> bool {
        match self {
            Self::AtLeast => figure >= bound,
            Self::AtMost => figure <= bound,
            Self::Exactly => figure == bound,
        }
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AtLeast => ">=",
            Self::AtMost => "<=",
            Self::Exactly => "==",
        })
    }
}

impl Expectation {
    /// Whether it asks for what comes of a fork. A run that would end with the fork goes on for it.
    pub fn looks_beyond_a_fork(&self) -> bool {
        matches!(self, Self::Stops | Self::Convicts(_))
    }

    /// Reads a line.
    pub fn parse(text: &str) -> Result<Self, String> {
        let bad = || {
            format!(
                "`{text}` is nothing that can be expected; there are `agree`, `recovers`, `quiet`, `commits >= 10`, \
                 `commits <= 3 within \"5s\"`, `evidence names 3`, `no evidence`, `forensics names 3`, and with more than f \
                 liars `stops`"
            )
        };
        let words: Vec<_> = text.split_whitespace().collect();
        let commits = |comparison, blocks: &str, within| {
            let comparison = Comparison::parse(comparison).ok_or_else(bad)?;
            Ok(Self::Commits { comparison, blocks: blocks.parse().map_err(|_| bad())?, within })
        };
        match words[..] {
            ["agree"] => Ok(Self::Agree),
            ["recovers"] => Ok(Self::Recovers),
            ["quiet"] => Ok(Self::Quiet),
            ["no", "evidence"] => Ok(Self::NoEvidence),
            ["stops"] => Ok(Self::Stops),
            ["forensics", "names", replica] => replica.parse().map(ReplicaId).map(Self::Convicts).map_err(|_| bad()),
            ["evidence", "names", replica] => replica.parse().map(ReplicaId).map(Self::Evidence).map_err(|_| bad()),
            ["commits", comparison, blocks] => commits(comparison, blocks, None),
            ["commits", comparison, blocks, "within", limit] => {
                commits(comparison, blocks, Some(time::parse(limit.trim_matches('"'))?))
            }
            _ => Err(bad()),
        }
    }
}

impl fmt::Display for Expectation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Agree => f.write_str("agree"),
            Self::Recovers => f.write_str("recovers"),
            Self::Quiet => f.write_str("quiet"),
            Self::Commits { comparison, blocks, within: None } => write!(f, "commits {comparison} {blocks}"),
            Self::Commits { comparison, blocks, within: Some(limit) } => {
                write!(f, "commits {comparison} {blocks} within \"{}\"", time::show(*limit))
            }
            Self::Evidence(replica) => write!(f, "evidence names {}", replica.0),
            Self::NoEvidence => f.write_str("no evidence"),
            Self::Stops => f.write_str("stops"),
            Self::Convicts(replica) => write!(f, "forensics names {}", replica.0),
        }
    }
}
