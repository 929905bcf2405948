//! A validator's settings: defaults, then `config.toml`, then the environment, then flags.
//!
//! Only what may differ from machine to machine stands here; what must be the same everywhere is in the genesis. Every
//! key can be given as an environment variable `QUORATE_<SECTION>_<KEY>`, such as `QUORATE_API_LISTEN`.

mod merge;

pub use merge::{Overrides, load};

use crate::logs::LogFormat;
use clap::ValueEnum;
use quorate_ledger::Durability;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt, net::SocketAddr};

/// All settings.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Connections to other validators.
    pub network: NetworkConfig,
    /// The HTTP API.
    pub api: ApiConfig,
    /// When promises reach the disk.
    pub journal: JournalConfig,
    /// Transactions waiting.
    pub mempool: MempoolConfig,
    /// Catching up.
    pub sync: SyncConfig,
    /// Checking signatures.
    pub verify: VerifyConfig,
    /// What is logged.
    pub log: LogConfig,
}

/// Connections to other validators.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NetworkConfig {
    /// Where other validators connect to.
    pub listen: SocketAddr,
    /// Where other validators are, by name, as `host:port`. What is missing here is taken from the genesis.
    pub peers: BTreeMap<String, String>,
}

/// The HTTP API.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ApiConfig {
    /// Where clients connect to.
    pub listen: SocketAddr,
    /// Allow `listen` to be reachable from other machines. The API has no authentication and no TLS.
    pub expose: bool,
    /// Connections at once; more wait to be accepted.
    pub max_connections: usize,
    /// Readers of `/v1/events` at once; more are refused.
    pub max_subscribers: usize,
}

/// When promises reach the disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct JournalConfig {
    /// `always`, `group` or `none`.
    pub durability: DurabilityChoice,
    /// With `group`: at most how long promises are gathered before one flush.
    pub group_interval_ms: u64,
}

/// Transactions waiting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MempoolConfig {
    /// A batch closes this long after its first transaction.
    pub batch_interval_ms: u64,
    /// Bytes held before the node answers that it is busy.
    pub max_bytes: usize,
}

/// Catching up.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SyncConfig {
    /// More blocks behind than this, a validator fetches the state of a checkpoint and begins its ledger there, without the
    /// blocks below. 0 means the larger of 2048 and two checkpoint intervals.
    pub snapshot_behind: u64,
}

/// Checking signatures.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct VerifyConfig {
    /// Threads; 0 means as many as the machine has processors, at most 8.
    pub threads: usize,
}

/// What is logged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogConfig {
    /// In the syntax of `RUST_LOG`.
    pub filter: String,
    /// `text` or `json`.
    pub format: LogFormat,
}

/// When the journal reaches the disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DurabilityChoice {
    /// Before anything that rests on it leaves the process.
    #[default]
    Always,
    /// The same, but flushes are gathered for a few milliseconds.
    Group,
    /// Never asked for: a power failure may make this validator contradict itself. For measurements.
    None,
}

impl Default for NetworkConfig {
    fn default() -> Self {
        Self { listen: SocketAddr::from(([127, 0, 0, 1], 26600)), peers: BTreeMap::new() }
    }
}

impl Default for ApiConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 26700)),
            expose: false,
            max_connections: 1024,
            max_subscribers: 64,
        }
    }
}

impl Default for JournalConfig {
    fn default() -> Self {
        Self { durability: DurabilityChoice::Always, group_interval_ms: 5 }
    }
}

impl Default for MempoolConfig {
    fn default() -> Self {
        Self { batch_interval_ms: 5, max_bytes: 64 * 1024 * 1024 }
    }
}

impl Default for LogConfig {
    fn default() -> Self {
        Self { filter: "info".into(), format: LogFormat::Text }
    }
}

impl Config {
    /// The file's text, with every key.
    pub fn to_toml(&self) -> String {
        toml::to_string_pretty(self).expect("every setting has a TOML form")
    }
}

impl VerifyConfig {
    /// `threads`, with 0 resolved.
    pub fn resolved(&self) -> usize {
        match self.threads {
            0 => std::thread::available_parallelism().map_or(2, usize::from).min(8),
            threads => threads,
        }
    }
}

impl From<DurabilityChoice> for Durability {
    fn from(choice: DurabilityChoice) -> Self {
        match choice {
            DurabilityChoice::Always => Self::Always,
            DurabilityChoice::Group => Self::Group,
            DurabilityChoice::None => Self::None,
        }
    }
}

impl From<Durability> for DurabilityChoice {
    fn from(durability: Durability) -> Self {
        match durability {
            Durability::Always => Self::Always,
            Durability::Group => Self::Group,
            Durability::None => Self::None,
        }
    }
}

impl fmt::Display for DurabilityChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Always => "always",
            Self::Group => "group",
            Self::None => "none",
        })
    }
}
