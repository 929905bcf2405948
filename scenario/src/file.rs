//! The file as it is written, before anybody asks whether it makes sense.

use crate::{
    Application, Attacker, DiskFault, DiskOf, Machine, Recorded, Wan, Who,
    time::{self, optional},
};
use quorate_ledger::{Election, Protocol};
use quorate_types::ReplicaId;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use toml::Spanned;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct File {
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) about: String,
    #[serde(default)]
    pub(crate) seed: Seed,
    #[serde(deserialize_with = "time::deserialize")]
    pub(crate) lasts: Duration,
    #[serde(default)]
    pub(crate) expect: Vec<Spanned<String>>,
    pub(crate) net: Option<Spanned<FileNet>>,
    #[serde(default)]
    pub(crate) machine: Machine,
    #[serde(default)]
    pub(crate) attacker: Vec<Spanned<Attacker>>,
    #[serde(default)]
    pub(crate) step: Vec<Spanned<FileStep>>,
    #[serde(default)]
    pub(crate) load: Vec<Spanned<FileLoad>>,
    pub(crate) recorded: Option<Recorded>,
}

/// TOML's numbers end at 2^63: greater seeds are text.
#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged, expecting = "a number, or one as text if it is 2^63 or more")]
pub(crate) enum Seed {
    Number(u64),
    Text(String),
}

impl Default for Seed {
    fn default() -> Self {
        Self::Number(0)
    }
}

/// A probability that is nothing and a link that is not cut need not be said.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(crate) struct FileLinks {
    #[serde(with = "optional", skip_serializing_if = "Option::is_none")]
    pub(crate) delay: Option<Duration>,
    #[serde(with = "optional", skip_serializing_if = "Option::is_none")]
    pub(crate) jitter: Option<Duration>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) loss: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) duplicate: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reorder: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) bandwidth: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cut: Option<bool>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(crate) struct FileNet {
    pub(crate) replicas: Option<u16>,
    pub(crate) protocol: Protocol,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) scheme: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) election: Option<Election>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) application: Option<Application>,
    #[serde(with = "optional", skip_serializing_if = "Option::is_none")]
    pub(crate) timeout: Option<Duration>,
    #[serde(with = "optional", skip_serializing_if = "Option::is_none")]
    pub(crate) timeout_max: Option<Duration>,
    #[serde(with = "optional", skip_serializing_if = "Option::is_none")]
    pub(crate) block_interval: Option<Duration>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) max_block_batches: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) checkpoint_interval: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) links: Option<FileLinks>,
}

/// One of `at` and `when`, and one of all others.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
#[rustfmt::skip]
pub(crate) struct FileStep {
    #[serde(with = "optional", skip_serializing_if = "Option::is_none")] pub(crate) at: Option<Duration>,
    #[serde(skip_serializing_if = "Option::is_none")] pub(crate) when: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")] pub(crate) crash: Option<Who>,
    #[serde(skip_serializing_if = "Option::is_none")] pub(crate) crash_after: Option<FileCrashAfter>,
    #[serde(skip_serializing_if = "Option::is_none")] pub(crate) restart: Option<Who>,
    #[serde(skip_serializing_if = "Option::is_none")] pub(crate) wipe: Option<Who>,
    #[serde(skip_serializing_if = "Option::is_none")] pub(crate) replace_disks: Option<Who>,
    #[serde(skip_serializing_if = "Option::is_none")] pub(crate) disk: Option<FileDisk>,
    #[serde(skip_serializing_if = "Option::is_none")] pub(crate) pause: Option<Who>,
    #[serde(skip_serializing_if = "Option::is_none")] pub(crate) resume: Option<Who>,
    #[serde(skip_serializing_if = "Option::is_none")] pub(crate) partition: Option<Vec<Vec<ReplicaId>>>,
    #[serde(skip_serializing_if = "Option::is_none")] pub(crate) one_way: Option<FilePair>,
    #[serde(skip_serializing_if = "Option::is_none")] pub(crate) heal: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")] pub(crate) links: Option<FileLinks>,
    #[serde(skip_serializing_if = "Option::is_none")] pub(crate) link: Option<FileLink>,
    #[serde(skip_serializing_if = "Option::is_none")] pub(crate) wan: Option<Wan>,
    #[serde(skip_serializing_if = "Option::is_none")] pub(crate) skew: Option<FileSkew>,
    #[serde(skip_serializing_if = "Option::is_none")] pub(crate) attack: Option<Attacker>,
    #[serde(skip_serializing_if = "Option::is_none")] pub(crate) stop_attack: Option<ReplicaId>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FileCrashAfter {
    pub(crate) replica: ReplicaId,
    pub(crate) actions: u32,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FileDisk {
    pub(crate) replica: ReplicaId,
    pub(crate) of: DiskOf,
    pub(crate) fault: DiskFault,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FilePair {
    pub(crate) from: ReplicaId,
    pub(crate) to: ReplicaId,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FileLink {
    pub(crate) from: ReplicaId,
    pub(crate) to: ReplicaId,
    pub(crate) is: FileLinks,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FileSkew {
    pub(crate) replica: ReplicaId,
    pub(crate) ms: i64,
}

/// `at` and what one client does, or `every` and `until`.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(crate) struct FileLoad {
    #[serde(with = "optional", skip_serializing_if = "Option::is_none")]
    pub(crate) at: Option<Duration>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) client: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) replica: Option<ReplicaId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) also: Option<ReplicaId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) double_spend: Option<ReplicaId>,
    #[serde(with = "optional", skip_serializing_if = "Option::is_none")]
    pub(crate) every: Option<Duration>,
    #[serde(with = "optional", skip_serializing_if = "Option::is_none")]
    pub(crate) until: Option<Duration>,
}
