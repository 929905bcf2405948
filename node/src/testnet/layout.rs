//! What a testnet keeps where.
//!
//! ```text
//! <home>/testnet.json    what the testnet made, and where its validators listen
//! <home>/genesis.json    the chain
//! <home>/client.pem      the funded development key; the load's accounts derive from it
//! <home>/fault_token     who knows it may ask the validators to fail; a new one for each run
//! <home>/console.json    where the fault console listens, while the testnet runs
//! <home>/LOCK            held by the running testnet
//! <home>/node<i>/        a validator's home
//! <home>/node<i>.log     what it logged
//! ```

use crate::home::Home;
use std::path::{Path, PathBuf};

/// Where a testnet lives unless told.
pub const DEFAULT_HOME: &str = "quorate-testnet";

/// A testnet's home directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TestnetHome(PathBuf);

impl TestnetHome {
    /// The home at `path`, which need not exist.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// The directory itself.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// `testnet.json`.
    pub fn manifest_file(&self) -> PathBuf {
        self.0.join("testnet.json")
    }

    /// `genesis.json`.
    pub fn genesis_file(&self) -> PathBuf {
        self.0.join("genesis.json")
    }

    /// `client.pem`.
    pub fn development_key(&self) -> PathBuf {
        self.0.join("client.pem")
    }

    /// `fault_token`.
    pub fn fault_token(&self) -> PathBuf {
        self.0.join("fault_token")
    }

    /// `console.json`.
    pub fn console_file(&self) -> PathBuf {
        self.0.join("console.json")
    }

    /// `LOCK`.
    pub fn lock(&self) -> PathBuf {
        self.0.join("LOCK")
    }

    /// A validator's home.
    pub fn node(&self, name: &str) -> Home {
        Home::new(self.0.join(name))
    }

    /// What a validator logged.
    pub fn log(&self, name: &str) -> PathBuf {
        self.0.join(format!("{name}.log"))
    }
}
