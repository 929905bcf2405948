//! Making a testnet's files, or finding those of an earlier run.

use super::{
    accounts,
    layout::TestnetHome,
    manifest::{Manifest, NodeEntry},
    options::Options,
    ports::{self, Addresses, Reserved},
};
use crate::{
    cli::{Choices, build_genesis, deal, make_validator, read_passphrase},
    config::{self, Config, Overrides},
    exit::Failure,
    home::{create_private_dir, file_failure, read_genesis, write_private},
    output::Output,
};
use quorate_crypto::{ClientSecret, KeyFile};
use quorate_ledger::{AppGenesis, Election, Genesis, SchemeKind};
use quorate_types::Digest;
use std::{collections::BTreeMap, fs, time::Duration};

/// A testnet that can be started.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) manifest: Manifest,
    pub(crate) genesis: Genesis,
    pub(crate) client: ClientSecret,
    /// Whether an earlier run's state goes on.
    pub(crate) resumed: bool,
    /// Its ports, as long as it runs.
    _ports: Reserved,
}

/// What lies under the home. Where the validators make their key themselves there may be no genesis yet, but drafts of it.
#[derive(Debug)]
pub(crate) struct Files {
    pub(crate) manifest: Manifest,
    resumed: bool,
    ports: Reserved,
}

/// Makes or finds the files under the home; writes each validator's settings for this run. The caller holds the lock.
pub(crate) fn files(options: &Options, output: &Output) -> Result<Files, Failure> {
    let home = &options.home;
    let mut found = Manifest::load(home)?;
    // A manifest without a genesis is what a run leaves that was interrupted while it made its files.
    let removed = found.take_if(|manifest| options.fresh || manifest.genesis == Digest::ZERO);
    if let Some(manifest) = &removed {
        for path in manifest.remove(home)? {
            output.note(format!("left {}: there are files in it that no testnet made", path.display()));
        }
    }
    let resumed = found.is_some();
    let (manifest, ports) = match found {
        Some(mut manifest) => {
            options.agree_with(&manifest)?;
            let before: Vec<Addresses> = manifest.nodes.iter().map(|node| (node.p2p, node.api)).collect();
            let ports = ports::choose(before.len(), options.base_port, &before)?;
            for (node, (p2p, api)) in manifest.nodes.iter_mut().zip(&ports.addresses) {
                (node.p2p, node.api) = (*p2p, *api);
            }
            (manifest, ports)
        }
        None => {
            create_private_dir(home.path())?;
            if removed.is_none() {
                refuse_foreign(home)?;
            }
            let ports = ports::choose(options.nodes.unwrap_or(Options::DEFAULT_NODES), options.base_port, &[])?;
            (make(options, &ports.addresses, output)?, ports)
        }
    };
    configure(home, &manifest, options)?;
    #[cfg(feature = "lab")]
    share_token(home, &manifest)?;
    Ok(Files { manifest, resumed, ports })
}

impl Files {
    /// Whether the validators have still to make their key.
    pub(crate) fn lack_a_key(&self) -> bool {
        self.manifest.dkg && self.manifest.genesis == Digest::ZERO
    }

    /// A testnet that can be started, once there is a genesis.
    pub(crate) fn complete(self, options: &Options) -> Result<Prepared, Failure> {
        let Self { mut manifest, resumed, ports } = self;
        let genesis = agreed_genesis(&options.home, &mut manifest)?;
        manifest.save(&options.home)?;
        let passphrase = options.password_file.as_deref().map(read_passphrase).transpose()?;
        let client = ClientSecret::load_with(&options.home.development_key(), passphrase.as_ref())
            .map_err(|error| Failure::environment(error.to_string()))?;
        Ok(Prepared { manifest, genesis, client, resumed, _ports: ports })
    }
}

/// The genesis that the manifest says, or that a new one shall say.
fn agreed_genesis(home: &TestnetHome, manifest: &mut Manifest) -> Result<Genesis, Failure> {
    let genesis = read_genesis(&home.genesis_file())?;
    if manifest.genesis == Digest::ZERO {
        manifest.genesis = genesis.digest();
    }
    if manifest.genesis != genesis.digest() {
        let what = format!(
            "{} has digest {}, but {} says {}",
            home.genesis_file().display(),
            genesis.digest(),
            home.manifest_file().display(),
            manifest.genesis
        );
        return Err(Failure::failed(what).hint("--fresh to begin anew, or another --home"));
    }
    Ok(genesis)
}

fn make(options: &Options, addresses: &[Addresses], output: &Output) -> Result<Manifest, Failure> {
    let home = &options.home;
    let app = options.app.as_deref().unwrap_or("kv");
    let entry =
        |(index, (p2p, api)): (usize, &Addresses)| NodeEntry { name: format!("node{index}"), p2p: *p2p, api: *api };
    let nodes: Vec<_> = addresses.iter().enumerate().map(entry).collect();
    let protocol = options.protocol.unwrap_or_default();
    let election = options.election.unwrap_or_else(|| Election::usual(protocol));
    let (scheme, dkg) = (options.scheme()?, options.dkg);
    let timeout_ms = options.timeout_ms();
    let manifest = Manifest {
        scheme,
        dkg,
        timeout_ms,
        ..Manifest::new(protocol, election, app, options.block_interval_ms(), nodes)
    };
    // Before anything else: what is not in a manifest, no `--fresh` will take away.
    manifest.save(home)?;

    let client = ClientSecret::generate();
    let passphrase = options.password_file.as_deref().map(read_passphrase).transpose()?;
    let passphrase = passphrase.as_ref();
    if passphrase.is_none() {
        output.note("warning: key files are not encrypted; --password-file encrypts them");
    }
    client.save_with(&home.development_key(), passphrase).map_err(|error| Failure::environment(error.to_string()))?;
    let application = match app {
        "opaque" => AppGenesis::Opaque,
        "unsigned" => AppGenesis::Unsigned,
        _ => AppGenesis::Kv { accounts: accounts::funded(&client) },
    };
    let validators =
        manifest.nodes.iter().map(|node| make_validator(&home.node(&node.name), &node.name, None, scheme, passphrase));
    let choices = Choices {
        protocol: manifest.protocol,
        scheme: if scheme.is_threshold() { SchemeKind::Ed25519 } else { scheme },
        election: Some(manifest.election),
        block_interval: manifest.block_interval_ms.map(Duration::from_millis),
        timeout: options.timeout,
        params: options.params,
        fault_injection: true,
        ..Choices::default()
    };
    let mut genesis = build_genesis("testnet".into(), validators.collect::<Result<_, _>>()?, application, choices)?;
    if scheme.is_threshold() && !dkg {
        let (dealt, shares) = deal(genesis, scheme, *output)?;
        for (node, share) in manifest.nodes.iter().zip(&shares) {
            home.node(&node.name).save_share(share, passphrase)?;
        }
        genesis = dealt;
    }
    let text = genesis.to_json();
    for node in &manifest.nodes {
        write_private(&home.node(&node.name).genesis_file(), &text)?;
    }
    // Theirs is a draft until they have made their key.
    if !dkg {
        write_private(&home.genesis_file(), &text)?;
    }
    Ok(manifest)
}

/// A directory with somebody else's files in it is not ours to fill.
fn refuse_foreign(home: &TestnetHome) -> Result<(), Failure> {
    let entries = fs::read_dir(home.path()).map_err(|error| file_failure("read", home.path(), &error))?;
    let foreign = entries.flatten().map(|entry| entry.path()).find(|path| *path != home.lock());
    match foreign {
        None => Ok(()),
        Some(path) => Err(Failure::usage(format!(
            "{} is not a testnet's home, and not empty: there is {}",
            home.path().display(),
            path.display()
        ))
        .hint("another --home")),
    }
}

/// Writes this run's addresses and durability into each validator's settings and keeps the rest of them.
fn configure(home: &TestnetHome, manifest: &Manifest, options: &Options) -> Result<(), Failure> {
    let peers: BTreeMap<_, _> = manifest.nodes.iter().map(|node| (node.name.clone(), node.p2p.to_string())).collect();
    for node in &manifest.nodes {
        let of = home.node(&node.name);
        let mut config = match of.config_file().exists() {
            true => config::load(&of, &BTreeMap::new(), &Overrides::default())?,
            false => Config::default(),
        };
        config.network.listen = node.p2p;
        config.network.peers.clone_from(&peers);
        config.api.listen = node.api;
        config.journal.durability = options.durability;
        write_private(&of.config_file(), &config.to_toml())?;
    }
    Ok(())
}

/// Gives the validators of this run what their testnet's owner will prove itself with.
#[cfg(feature = "lab")]
fn share_token(home: &TestnetHome, manifest: &Manifest) -> Result<(), Failure> {
    let token = crate::lab::FaultToken::generate()?;
    let nodes = manifest.nodes.iter().map(|node| home.node(&node.name).fault_token());
    nodes.chain([home.fault_token()]).try_for_each(|path| token.save(&path))
}
