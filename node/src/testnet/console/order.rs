//! What is asked of the console, and what it answers.

use super::budget::Budget;
use crate::lab::NodeDisks;
use quorate_links::LinkSpec;
use quorate_scenario::{Action, Attacker};
use quorate_types::ReplicaId;
use serde::{Deserialize, Serialize};

/// `POST /v1/console`: these, in this order, as one.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Order {
    /// As in scenario files.
    pub(crate) actions: Vec<Action>,
    /// Even if more validators are faulty then than the protocol bears.
    #[serde(default)]
    pub(crate) beyond_f: bool,
}

/// What came of an order. It is in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Answer {
    /// What was done, a line each.
    pub(crate) did: Vec<String>,
    /// The fault budget now.
    pub(crate) budget: Budget,
    /// What to look at, a line each.
    pub(crate) look: Vec<String>,
}

/// `GET /v1/console`: all that is in force.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Status {
    /// How many validators are faulty, and may be.
    pub(crate) budget: Budget,
    /// The validators.
    pub(crate) nodes: Vec<NodeLine>,
    /// Nothing passes from the first to the second.
    pub(crate) cuts: Vec<(ReplicaId, ReplicaId)>,
    /// Links that are not perfect.
    pub(crate) links: Vec<LinkLine>,
}

/// One validator.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct NodeLine {
    /// Its name.
    pub(crate) name: String,
    /// What became of its process: `runs`, `paused`, `killed`, `wiped`, `ended`.
    pub(crate) process: String,
    /// The process' number, if there is one.
    pub(crate) pid: Option<u32>,
    /// It began with new disks and has not taken part since.
    pub(crate) rejoins: bool,
    /// How it lies.
    pub(crate) attack: Option<Attacker>,
    /// How often it did otherwise than an honest one.
    pub(crate) deeds: Option<u64>,
    /// How its disks fail.
    pub(crate) disks: NodeDisks,
    /// By how much its clock is ahead.
    pub(crate) skew_ms: i64,
}

/// One direction of a link.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct LinkLine {
    /// Who speaks.
    pub(crate) from: ReplicaId,
    /// Who hears.
    pub(crate) to: ReplicaId,
    /// How it is meant to behave.
    pub(crate) spec: LinkSpec,
}

/// `GET /v1/console/links`: as meant, and as measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Measured {
    /// How this direction is meant to behave.
    #[serde(flatten)]
    pub(crate) link: LinkLine,
    /// How long there and back takes as meant, without jitter; none if either direction is cut.
    pub(crate) meant_ms: Option<f64>,
    /// How long it took, as the speaker measured: half of the times were shorter.
    pub(crate) median_ms: Option<f64>,
    /// Of so many.
    pub(crate) samples: u64,
}
