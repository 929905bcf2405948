//! `testnet.json`: what a testnet made, so that `--fresh` can take away exactly that.

use super::layout::TestnetHome;
use crate::{
    exit::Failure,
    home::{file_failure, write_private},
};
use quorate_ledger::{Election, Protocol, SchemeKind};
use quorate_types::Digest;
use serde::{Deserialize, Serialize};
use std::{
    fs,
    io::ErrorKind,
    net::SocketAddr,
    path::{Path, PathBuf},
};

/// The manifest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Of this file's form.
    pub version: u32,
    /// Digest of the genesis.
    pub genesis: Digest,
    /// How the validators agree.
    #[serde(default)]
    pub protocol: Protocol,
    /// What they sign votes with.
    #[serde(default)]
    pub scheme: SchemeKind,
    /// Whether the validators make their threshold key themselves. While `genesis` is zero, they have not.
    #[serde(default)]
    pub dkg: bool,
    /// Who leads.
    #[serde(default)]
    pub election: Election,
    /// What the chain runs.
    pub app: String,
    /// Pace of empty blocks; none means that an idle chain is quiet.
    pub block_interval_ms: Option<u64>,
    /// Length of the first view, if it is not the usual one.
    #[serde(default)]
    pub timeout_ms: Option<u64>,
    /// The validators, in the order of the committee.
    pub nodes: Vec<NodeEntry>,
}

/// One validator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeEntry {
    /// Its name in the genesis, and its directory's.
    pub name: String,
    /// Where other validators connect to. May differ from run to run.
    pub p2p: SocketAddr,
    /// Where clients connect to. May differ from run to run.
    pub api: SocketAddr,
}

/// The form written by this version.
const VERSION: u32 = 1;

impl Manifest {
    /// A new manifest, of a genesis that is still to be made.
    pub fn new(
        protocol: Protocol,
        election: Election,
        app: &str,
        block_interval_ms: Option<u64>,
        nodes: Vec<NodeEntry>,
    ) -> Self {
        let app = app.to_owned();
        let scheme = SchemeKind::default();
        let genesis = Digest::ZERO;
        Self {
            version: VERSION,
            genesis,
            protocol,
            scheme,
            dkg: false,
            election,
            app,
            block_interval_ms,
            timeout_ms: None,
            nodes,
        }
    }

    /// Reads a home's manifest, if it has one.
    pub fn load(home: &TestnetHome) -> Result<Option<Self>, Failure> {
        let path = home.manifest_file();
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(None),
            Err(error) => return Err(file_failure("read", &path, &error)),
        };
        let manifest: Self = serde_json::from_str(&text).map_err(|error| {
            Failure::failed(format!("{}: {error}", path.display())).hint("another --home, or remove this one by hand")
        })?;
        if manifest.version != VERSION {
            let what = format!("{} has version {}; this program reads {VERSION}", path.display(), manifest.version);
            return Err(Failure::failed(what).hint("the program that made it, or another --home"));
        }
        Ok(Some(manifest))
    }

    /// Writes it.
    pub fn save(&self, home: &TestnetHome) -> Result<(), Failure> {
        let text = serde_json::to_string_pretty(self).expect("a manifest has a JSON form");
        write_private(&home.manifest_file(), &(text + "\n"))
    }

    /// Removes what a testnet with this manifest makes, and nothing else; directories only when that leaves them empty.
    /// Gives what was left because it is somebody else's.
    pub fn remove(&self, home: &TestnetHome) -> Result<Vec<PathBuf>, Failure> {
        let mut left = Vec::new();
        for node in &self.nodes {
            let of = home.node(&node.name);
            for directory in [of.journal(), of.blocks(), of.evidence(), of.ceremony()] {
                remove(&directory, fs::remove_dir_all)?;
            }
            for file in [
                of.index(),
                of.lock(),
                of.config_file(),
                of.genesis_file(),
                of.node_key(),
                of.validator_key(),
                of.bls_key(),
                of.threshold_share(),
                of.fault_token(),
            ] {
                remove(&file, fs::remove_file)?;
            }
            remove(&home.log(&node.name), fs::remove_file)?;
            for directory in [of.config_dir(), of.data_dir(), of.path().to_owned()] {
                remove_empty(&directory, &mut left)?;
            }
        }
        // The manifest last: a removal that was interrupted can be repeated.
        for file in
            [home.genesis_file(), home.development_key(), home.fault_token(), home.console_file(), home.manifest_file()]
        {
            remove(&file, fs::remove_file)?;
        }
        Ok(left)
    }
}

fn remove(path: &Path, how: fn(PathBuf) -> std::io::Result<()>) -> Result<(), Failure> {
    match how(path.to_owned()) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(file_failure("remove", path, &error)),
        _ => Ok(()),
    }
}

fn remove_empty(path: &Path, left: &mut Vec<PathBuf>) -> Result<(), Failure> {
    match fs::remove_dir(path) {
        Err(error) if error.kind() == ErrorKind::DirectoryNotEmpty => {
            left.push(path.to_owned());
            Ok(())
        }
        Err(error) if error.kind() != ErrorKind::NotFound => Err(file_failure("remove", path, &error)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest() -> Manifest {
        let port = |port| SocketAddr::from(([127, 0, 0, 1], port));
        let node =
            |index: u16| NodeEntry { name: format!("node{index}"), p2p: port(100 + index), api: port(200 + index) };
        Manifest::new(Protocol::Pbft, Election::Stable, "kv", None, vec![node(0), node(1)])
    }

    fn write(path: &Path) {
        fs::create_dir_all(path.parent().expect("has a parent")).expect("directories");
        fs::write(path, "x").expect("new file");
    }

    #[test]
    fn it_reads_back_and_a_home_without_one_has_none() {
        let dir = tempfile::tempdir().expect("temporary directory");
        let home = TestnetHome::new(dir.path());
        assert_eq!(Manifest::load(&home), Ok(None));
        manifest().save(&home).expect("written");
        assert_eq!(Manifest::load(&home), Ok(Some(manifest())));
        fs::write(home.manifest_file(), "{}").expect("written");
        assert!(Manifest::load(&home).expect_err("no manifest").to_string().contains("testnet.json"));
    }

    #[test]
    fn removing_takes_what_was_made_and_leaves_the_rest() {
        let dir = tempfile::tempdir().expect("temporary directory");
        let home = TestnetHome::new(dir.path());
        manifest().save(&home).expect("written");
        let node = home.node("node0");
        let made = [node.journal().join("1.log"), node.blocks().join("1.log"), node.index(), node.config_file()];
        for path in made.iter().chain([&node.ceremony_result()]) {
            write(path);
        }
        let (mine, theirs) = (home.path().join("notes.txt"), node.data_dir().join("notes.txt"));
        write(&mine);
        write(&theirs);
        let left = manifest().remove(&home).expect("removed");
        assert!(mine.exists() && theirs.exists(), "somebody else's files stay");
        assert_eq!(left, vec![node.data_dir(), node.path().to_owned()]);
        assert!(!node.journal().exists() && !node.config_dir().exists() && !home.manifest_file().exists());
        assert!(!node.ceremony().exists());
    }
}
