//! The network and its machines.

use quorate_ledger::{Election, Params, Protocol, SchemeKind};
use quorate_links::LinkSpec;
use std::time::Duration;

/// Who agrees on what, and how.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Net {
    /// How many replicas.
    pub replicas: u16,
    /// How they agree.
    pub protocol: Protocol,
    /// What votes are signed with.
    pub votes: Votes,
    /// Who leads.
    pub election: Election,
    /// The genesis' parameters.
    pub params: Params,
    /// What the chain runs.
    pub application: Application,
    /// All links at first; `None`: as whoever runs it has them.
    pub links: Option<LinkSpec>,
}

/// What votes are signed with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Votes {
    /// Where it is simulated: by something as hard to forge that costs next to nothing. Else as `ed25519`.
    #[default]
    Symbolic,
    /// By this scheme.
    Real(SchemeKind),
}

/// What the chain runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Application {
    /// Accounts and a key-value store.
    #[default]
    Kv,
    /// Bytes.
    Opaque,
}

impl Net {
    /// Four replicas of a protocol, with what a genesis has unless told.
    pub fn of(protocol: Protocol) -> Self {
        Self {
            replicas: 4,
            protocol,
            votes: Votes::default(),
            election: Election::usual(protocol),
            params: Params::default(),
            application: Application::default(),
            links: None,
        }
    }
}

impl Votes {
    /// The scheme, if it is one that is not simulated.
    pub fn real(self) -> Option<SchemeKind> {
        match self {
            Self::Symbolic => None,
            Self::Real(scheme) => Some(scheme),
        }
    }

    /// As in files.
    pub fn name(self) -> &'static str {
        self.real().map_or("symbolic", SchemeKind::name)
    }

    /// Reads a name.
    pub fn parse(name: &str) -> Result<Self, String> {
        match name {
            "symbolic" => Ok(Self::Symbolic),
            _ => name.parse().map(Self::Real).map_err(|error| format!("{error}; and symbolic")),
        }
    }
}

/// What simulated machines take their time for. Others have their own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Machine {
    /// A flush of the journal, at least and at most.
    #[serde(with = "ranges", skip_serializing_if = "Option::is_none")]
    pub flush: Option<(Duration, Duration)>,
    /// A task of the ledger, at least and at most.
    #[serde(with = "ranges", skip_serializing_if = "Option::is_none")]
    pub ledger: Option<(Duration, Duration)>,
    /// Journals are rotated after so many bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rotate_after: Option<u64>,
    /// Ledgers are made durable every so many commits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sync_every: Option<u64>,
    /// Whoever is so many blocks behind fetches a snapshot.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub snapshot_gap: Option<u64>,
}

mod ranges {
    use crate::time::range;
    use serde::{Deserializer, Serializer};
    use std::time::Duration;

    type Range = (Duration, Duration);

    #[expect(clippy::ref_option, reason = "serde calls it so")]
    pub(super) fn serialize<S: Serializer>(value: &Option<Range>, serializer: S) -> Result<S::Ok, S::Error> {
        match value {
            Some(pair) => range::serialize(pair, serializer),
            None => serializer.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Range>, D::Error> {
        range::deserialize(deserializer).map(Some)
    }
}
