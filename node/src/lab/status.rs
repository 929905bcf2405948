//! What is wrong with a validator now, and what came of it.

use super::NodeFaults;
use quorate_types::{ReplicaId, View};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The answer of `GET` and `PUT /v1/faults`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultStatus {
    /// Which validator.
    pub replica: ReplicaId,
    /// The view that it is in.
    pub view: View,
    /// All that is wrong with it.
    pub in_force: NodeFaults,
    /// What the attack has done, while there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attack: Option<AttackStatus>,
    /// How often it did otherwise than an honest replica, under whatever attack, since its process started.
    pub deeds: u64,
    /// How its disks fare.
    pub disks: DiskStatuses,
    /// What its clock says: milliseconds since the Unix epoch.
    pub clock_ms: u64,
    /// How long messages take to others and back, measured.
    pub round_trips: BTreeMap<ReplicaId, RoundTripStatus>,
}

/// An attack that was begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AttackStatus {
    /// Whether it is on in this view.
    pub is_on: bool,
    /// How often it did otherwise than an honest replica.
    pub deeds: u64,
}

/// How a validator's disks fare.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DiskStatuses {
    /// The vote journal's.
    pub journal: DiskStatus,
    /// The block log's.
    pub blocks: DiskStatus,
}

/// How one disk fares, since the process started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DiskStatus {
    /// Syncs done.
    pub syncs: u64,
    /// How many milliseconds the last one took.
    pub last_sync_ms: f64,
    /// Bytes that still fit, where that is limited.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub room: Option<u64>,
    /// Writes and syncs that were made to fail.
    pub failed: u64,
}

/// What was measured of one link.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoundTripStatus {
    /// Half of them were shorter, in milliseconds.
    pub median_ms: f64,
    /// Of so many.
    pub samples: u64,
}
