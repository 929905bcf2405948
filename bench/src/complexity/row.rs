//! What one configuration costs: the nouns that measurement, theory and report share.

use serde::{Deserialize, Serialize};
use std::{fmt, ops, str::FromStr};

/// What was counted, in all, over a range of decisions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Costs {
    /// Messages, one for each receiver.
    pub messages: u64,
    /// Their bytes on our wire, without framing and encryption.
    pub bytes: u64,
    /// Signatures, partial or combined, in messages received (Yin et al. 2019, section 2, "authenticator complexity"): a certificate that
    /// lists its signatures counts as many as it holds, a BLS one counts 1.
    pub authenticators: u64,
    /// Signatures made.
    pub signatures_made: u64,
    /// Verifications of single ed25519 signatures, those in a list among them.
    pub signatures_checked: u64,
    /// Pairings evaluated (Miller loops).
    pub pairings: u64,
    /// Flushes of journals (fsync).
    pub flushes: u64,
}

impl ops::Add for Costs {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            messages: self.messages + other.messages,
            bytes: self.bytes + other.bytes,
            authenticators: self.authenticators + other.authenticators,
            signatures_made: self.signatures_made + other.signatures_made,
            signatures_checked: self.signatures_checked + other.signatures_checked,
            pairings: self.pairings + other.pairings,
            flushes: self.flushes + other.flushes,
        }
    }
}

/// What the formulas say of the same range; `None` where there is none.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Theory {
    /// Messages.
    pub messages: Option<u64>,
    /// Authenticators.
    pub authenticators: Option<u64>,
    /// How it reads: `2n(n-1) a block`.
    pub formula: String,
}

/// What goes wrong in a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fault {
    /// Nothing.
    None,
    /// One leader says nothing in its view.
    SilentLeader,
    /// One leader proposes two blocks in its view.
    EquivocatingLeader,
    /// As many replicas as may be faulty say nothing at all.
    FSilent,
    /// Links are cut so that no side has a quorum, then healed.
    Partition,
}

impl Fault {
    /// All, in the order in which reports list them.
    pub const ALL: [Self; 5] =
        [Self::None, Self::SilentLeader, Self::EquivocatingLeader, Self::FSilent, Self::Partition];

    /// As in flags and files.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::SilentLeader => "silent-leader",
            Self::EquivocatingLeader => "equivocating-leader",
            Self::FSilent => "f-silent",
            Self::Partition => "partition",
        }
    }
}

/// Where a configuration ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Backend {
    /// The simulator: virtual time, links and disks.
    Sim,
    /// Processes and sockets on this machine.
    Testnet,
}

impl Backend {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Sim, Self::Testnet];

    /// As in flags and files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sim => "sim",
            Self::Testnet => "testnet",
        }
    }
}

/// A name that is none of those that there are.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no {what} is called {name:?}; there are {known}")]
pub struct UnknownName {
    what: &'static str,
    name: String,
    known: String,
}

impl UnknownName {
    /// `name` is no `what`, whose names are `known`.
    pub fn new(what: &'static str, name: &str, known: &[&str]) -> Self {
        Self { what, name: name.to_owned(), known: known.join(", ") }
    }
}

impl FromStr for Fault {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, UnknownName> {
        let found = Self::ALL.into_iter().find(|fault| fault.name() == name);
        found.ok_or_else(|| UnknownName::new("fault", name, &Self::ALL.map(Self::name)))
    }
}

impl FromStr for Backend {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, UnknownName> {
        let found = Self::ALL.into_iter().find(|backend| backend.name() == name);
        found.ok_or_else(|| UnknownName::new("backend", name, &Self::ALL.map(Self::name)))
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl fmt::Display for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// One line of the account: messages of one kind in one role, sent in views that ended alike.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Kinds {
    /// The message's name.
    pub kind: String,
    /// What it is for: `propose`, `vote`, ...
    pub phase: String,
    /// Its sender: `leader` of the view, or `other`.
    pub role: String,
    /// How its view ended: `decided`, `failed`, `open` if that is not known yet, or `none` if it belongs to no view.
    pub outcome: String,
    /// Messages, one for each receiver.
    pub messages: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Their authenticators.
    pub authenticators: u64,
}

/// How pieces of a range compare with the formula: each from one moment at which nobody has anything to say to the next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stretches {
    /// All.
    pub of: u64,
    /// Those in which messages and authenticators of ordering were the formula's, to the last one.
    pub exact: u64,
    /// Those in which agreement took more, questions of those who lag and answers to them apart.
    pub above: u64,
}

impl ops::AddAssign for Stretches {
    fn add_assign(&mut self, other: Self) {
        self.of += other.of;
        self.exact += other.exact;
        self.above += other.above;
    }
}

/// What only real processes show.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Real {
    /// How stretches compare with the formula.
    pub stretches: Stretches,
    /// Bytes that libp2p sent on its streams, all validators together: ours, with lengths before them, and pings.
    pub libp2p_bytes: u64,
    /// Median, from handing in a transaction to the answer that it is committed, in milliseconds.
    pub commit_millis: f64,
}

/// One configuration, measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// `pbft` or `hotstuff`.
    pub protocol: String,
    /// The vote scheme; a symbolic one says as which: `symbolic as ed25519`.
    pub scheme: String,
    /// Replicas.
    pub n: usize,
    /// What went wrong.
    pub fault: Fault,
    /// Where it ran.
    pub backend: Backend,
    /// Blocks decided in the range; costs of a pipelined protocol are amortised over them.
    pub decisions: u64,
    /// Views in the range.
    pub views: u64,
    /// Those of them that decided nothing.
    pub failed_views: u64,
    /// Agreement: everything but dissemination.
    pub ordering: Costs,
    /// Batches, offers, and asking for them.
    pub dissemination: Costs,
    /// Of `ordering`.
    pub theory: Theory,
    /// `ordering` and `dissemination` taken apart.
    pub kinds: Vec<Kinds>,
    /// Median, from a block's proposal to its commit at the first replica, in network delays; simulator only.
    pub latency_delays: Option<f64>,
    /// A quorum certificate's bytes.
    pub certificate_bytes: u64,
    /// Cryptography's CPU per decision, all replicas, in microseconds: counted operations x measured cost of each.
    pub cpu_micros: Option<f64>,
    /// Everything that chance decided followed from this; 0 on a testnet, whose keys are drawn anew.
    pub seed: u64,
    /// What only real processes show; `None` in the simulator.
    #[serde(default)]
    pub real: Option<Real>,
    /// Wall time that the measurement took, in milliseconds.
    pub millis: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_as_they_are_written() {
        for fault in Fault::ALL {
            assert_eq!(fault.to_string().parse(), Ok(fault));
            assert_eq!(serde_json::to_value(fault).expect("a name"), fault.name());
        }
        for backend in Backend::ALL {
            assert_eq!(backend.to_string().parse(), Ok(backend));
        }
        let refused = "quiet".parse::<Fault>().expect_err("no such fault");
        assert!(refused.to_string().contains("silent-leader"), "{refused}");
    }
}
