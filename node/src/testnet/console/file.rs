//! `console.json`: where the console of a running testnet listens.

use crate::{
    exit::Failure,
    home::{file_failure, write_private},
    testnet::TestnetHome,
};
use serde::{Deserialize, Serialize};
use std::{fs, io::ErrorKind, net::SocketAddr};

/// The file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConsoleFile {
    /// Loopback.
    pub(crate) address: SocketAddr,
    /// The testnet's process.
    pub(crate) pid: u32,
}

impl ConsoleFile {
    /// Reads it, if it is there.
    pub(crate) fn load(home: &TestnetHome) -> Result<Option<Self>, Failure> {
        let path = home.console_file();
        match fs::read_to_string(&path) {
            Ok(text) => serde_json::from_str(&text)
                .map(Some)
                .map_err(|error| Failure::failed(format!("{}: {error}", path.display()))),
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
            Err(error) => Err(file_failure("read", &path, &error)),
        }
    }

    pub(super) fn save(&self, home: &TestnetHome) -> Result<(), Failure> {
        let text = serde_json::to_string_pretty(self).expect("an address and a number have a JSON form");
        write_private(&home.console_file(), &(text + "\n"))
    }

    /// A testnet that has ended has no console.
    pub(super) fn remove(home: &TestnetHome) {
        let _ = fs::remove_file(home.console_file());
    }
}
