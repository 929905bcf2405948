//! Which node a client command talks to, and which genesis it trusts.

use crate::{
    client::Api,
    config::{self, Overrides},
    exit::Failure,
    home::{Home, read_genesis},
    testnet::{DEFAULT_HOME, Manifest, TestnetHome},
};
use clap::Args;
use quorate_crypto::ClientSecret;
use quorate_ledger::Genesis;
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

// Where to find a node. No doc comment: it would replace the help of each command that takes these.
#[derive(Clone, Debug, Args)]
pub(super) struct Target {
    /// A node's API address, or the number or name of a validator of the testnet at --home
    #[arg(long, value_name = "URL|NUMBER|NAME", env = "QUORATE_NODE")]
    node: Option<String>,
    /// A testnet's or a validator's home directory
    #[arg(long, value_name = "DIR", default_value = DEFAULT_HOME)]
    home: PathBuf,
}

/// A node by name.
#[derive(Clone, Debug)]
pub(super) struct NamedApi {
    pub(super) name: String,
    pub(super) api: Api,
}

impl Target {
    /// The node to talk to: the one named, or else the first of the home.
    pub(super) fn api(&self) -> Result<Api, Failure> {
        let Some(node) = &self.node else {
            let first = self.all()?.into_iter().next();
            return first.map(|node| node.api).ok_or_else(|| self.nothing_here());
        };
        if let Some(found) = self.of_testnet(node)? {
            return Ok(found);
        }
        if node.chars().all(|letter| letter.is_ascii_alphanumeric()) && !node.contains("localhost") {
            return Err(Failure::usage(format!("no validator `{node}` in {}", self.home.display()))
                .hint("--node with a URL such as http://127.0.0.1:26700, or --home with the testnet's directory"));
        }
        Api::new(node)
    }

    /// Every node of the home, or the one named.
    pub(super) fn all(&self) -> Result<Vec<NamedApi>, Failure> {
        if let Some(node) = &self.node {
            return Ok(vec![NamedApi { name: node.clone(), api: self.api()? }]);
        }
        if let Some(manifest) = self.manifest()? {
            let named = |node: &crate::testnet::NodeEntry| {
                Ok(NamedApi { name: node.name.clone(), api: Api::new(&node.api.to_string())? })
            };
            return manifest.nodes.iter().map(named).collect();
        }
        let home = Home::new(&self.home);
        if !home.config_file().exists() {
            return Err(self.nothing_here());
        }
        let config = config::load(&home, &BTreeMap::new(), &Overrides::default())?;
        Ok(vec![NamedApi { name: self.home.display().to_string(), api: Api::new(&config.api.listen.to_string())? }])
    }

    /// The genesis to verify proofs against: from the file named, or from the home; never from the node.
    pub(super) fn genesis(&self, file: Option<&Path>) -> Result<Option<Genesis>, Failure> {
        let testnet = TestnetHome::new(&self.home);
        let candidates = [testnet.genesis_file(), Home::new(&self.home).genesis_file()];
        match file.map(Path::to_owned).or_else(|| candidates.into_iter().find(|path| path.exists())) {
            Some(path) => read_genesis(&path).map(Some),
            None => Ok(None),
        }
    }

    /// The client's key: from the file named, or the testnet's development key.
    pub(super) fn key(&self, file: Option<&Path>) -> Result<ClientSecret, Failure> {
        let path = match file {
            Some(path) => path.to_owned(),
            None => TestnetHome::new(&self.home).development_key(),
        };
        ClientSecret::load(&path).map_err(|error| {
            Failure::environment(error.to_string())
                .hint("--key FILE; `quorate keygen --client FILE` makes one, and a testnet has one in its home")
        })
    }

    /// The home, taken for a testnet's.
    pub(super) fn testnet(&self) -> TestnetHome {
        TestnetHome::new(&self.home)
    }

    fn of_testnet(&self, node: &str) -> Result<Option<Api>, Failure> {
        let Some(manifest) = self.manifest()? else { return Ok(None) };
        let by_number = node.parse::<usize>().ok().and_then(|number| manifest.nodes.get(number));
        let found = by_number.or_else(|| manifest.nodes.iter().find(|entry| entry.name == node));
        found.map(|entry| Api::new(&entry.api.to_string())).transpose()
    }

    fn manifest(&self) -> Result<Option<Manifest>, Failure> {
        Manifest::load(&TestnetHome::new(&self.home))
    }

    fn nothing_here(&self) -> Failure {
        Failure::environment(format!("{} is no home of a testnet or of a validator", self.home.display()))
            .hint("quorate testnet starts one here; --node URL names a node, --home its directory")
    }
}
