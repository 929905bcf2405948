//! What decisions cost this node.

use crate::handle::Costs;
use quorate_types::ReplicaId;
use quorate_validator::{Line, Tally};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// `GET /v1/costs`: what this validator has sent, signed, checked and flushed since its process began.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CostsView {
    /// The validator's index in the genesis.
    #[schema(value_type = u16)]
    pub replica: ReplicaId,
    /// `hotstuff` or `pbft`.
    pub protocol: String,
    /// What votes are signed with.
    pub scheme: String,
    /// Height of the last committed block.
    pub height: u64,
    /// What was sent, taken apart.
    pub sent: Vec<CostLine>,
    /// Views that a block of was committed.
    pub decided_views: u64,
    /// Views that it said something in and that failed.
    pub failed_views: u64,
    /// Signatures made, single and partial.
    pub signatures_made: u64,
    /// Single signatures checked, those in lists among them. Clients' are apart.
    pub signatures_checked: u64,
    /// Pairings evaluated.
    pub pairings: u64,
    /// Times that the journal was made durable.
    pub flushes: u64,
    /// Bytes that libp2p counted on its streams, outwards: the messages' with the lengths before them, greetings, pings and answers to
    /// those who catch up. Noise, yamux and TCP come on top.
    pub libp2p_bytes: u64,
}

/// Messages of one kind, in one role, sent in views that ended alike.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CostLine {
    /// The messages' name.
    pub kind: String,
    /// What they are for: `propose`, `vote`, `commit`, `view_change`, `checkpoint`, `fetch`, `dissemination` or `evidence`.
    pub phase: String,
    /// `leader` of their view, or `other`.
    pub role: String,
    /// How their view ended: `decided`, `failed`, `open`, or `none` where they belong to no view.
    pub outcome: String,
    /// Messages, one for each receiver.
    pub messages: u64,
    /// Their bytes, in the canonical encoding.
    pub bytes: u64,
    /// Signatures in them, single, partial, or one in place of many.
    pub authenticators: u64,
}

impl From<(&Line, &Tally)> for CostLine {
    fn from((line, tally): (&Line, &Tally)) -> Self {
        Self {
            kind: line.kind.to_owned(),
            phase: line.phase.name().to_owned(),
            role: line.role.name().to_owned(),
            outcome: line.outcome.name().to_owned(),
            messages: tally.messages,
            bytes: tally.bytes,
            authenticators: tally.authenticators,
        }
    }
}

impl CostsView {
    /// The account of a validator that stands at `height`.
    pub fn new(replica: ReplicaId, names: (String, String), height: u64, costs: &Costs, libp2p_bytes: u64) -> Self {
        let (protocol, scheme) = names;
        Self {
            replica,
            protocol,
            scheme,
            height,
            sent: costs.lines.iter().map(CostLine::from).collect(),
            decided_views: costs.decided_views,
            failed_views: costs.failed_views,
            signatures_made: costs.operations.work.made,
            signatures_checked: costs.operations.work.checked,
            pairings: costs.operations.work.pairings,
            flushes: costs.flushes,
            libp2p_bytes,
        }
    }
}
