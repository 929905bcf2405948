//! What a testnet is asked to be, and whether that fits what its home already is.

use super::{layout::TestnetHome, manifest::Manifest};
use crate::{config::DurabilityChoice, exit::Failure};
use quorate_ledger::{Election, Params, Protocol, SchemeKind};
use std::{path::PathBuf, time::Duration};

/// The flags of `quorate testnet`. What is `None` was not given.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where it lives.
    pub home: TestnetHome,
    /// How many validators; 4 unless told.
    pub nodes: Option<usize>,
    /// How they agree; HotStuff unless told.
    pub protocol: Option<Protocol>,
    /// What they sign votes with; ed25519 unless told.
    pub scheme: Option<SchemeKind>,
    /// The validators make the key of bls-threshold themselves.
    pub dkg: bool,
    /// Who cheats in that, as `quorate dkg` is told it: `3:bad-shares`.
    pub cheat: Vec<String>,
    /// Who leads; the protocol's usual rule unless told.
    pub election: Option<Election>,
    /// What the chain runs; `kv` unless told.
    pub app: Option<String>,
    /// Pace of empty blocks. Zero: none. None unless told.
    pub block_interval: Option<Duration>,
    /// Length of the first view; the usual one unless told.
    pub timeout: Option<Duration>,
    /// All of the genesis' parameters, in place of the usual ones.
    pub params: Option<Params>,
    /// The first port; free ones are found unless told.
    pub base_port: Option<u16>,
    /// Remove what an earlier run made.
    pub fresh: bool,
    /// Stop after this long.
    pub duration: Option<Duration>,
    /// Transactions a second to send.
    pub load: Option<u32>,
    /// When promises reach the disk.
    pub durability: DurabilityChoice,
    /// Holds the passphrase that key files are encrypted under.
    pub password_file: Option<PathBuf>,
}

impl Options {
    /// Validators of a new testnet.
    pub const DEFAULT_NODES: usize = 4;
    /// More processes than this on one machine help nobody.
    pub const MAX_NODES: usize = 99;

    /// The pace of empty blocks in milliseconds, if there are to be any.
    pub(crate) fn block_interval_ms(&self) -> Option<u64> {
        let interval = self.block_interval?.as_millis();
        (interval > 0).then(|| u64::try_from(interval).unwrap_or(u64::MAX))
    }

    /// The length of the first view in milliseconds, if it is not the usual one.
    pub(crate) fn timeout_ms(&self) -> Option<u64> {
        self.timeout.map(|timeout| u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX))
    }

    /// What votes are signed with on a new testnet.
    pub(crate) fn scheme(&self) -> Result<SchemeKind, Failure> {
        match (self.dkg, self.scheme) {
            (true, None | Some(SchemeKind::BlsThreshold)) => Ok(SchemeKind::BlsThreshold),
            (true, Some(other)) => Err(Failure::usage(format!("--dkg makes a key of bls-threshold, not of {other}"))),
            (false, scheme) => Ok(scheme.unwrap_or_default()),
        }
    }

    /// Refuses flags that contradict what the home was made with: state is never thrown away unasked.
    pub(crate) fn agree_with(&self, manifest: &Manifest) -> Result<(), Failure> {
        let clash = |flag: &str, asked: String, has: String| {
            let home = self.home.path().display();
            Err(Failure::usage(format!("{flag} {asked} was asked for, but the testnet in {home} has {has}"))
                .hint(format!("leave out {flag} to resume it, --fresh to begin anew, or another --home")))
        };
        match (self.nodes, &self.app, self.block_interval) {
            (Some(nodes), _, _) if nodes != manifest.nodes.len() => {
                clash("--nodes", nodes.to_string(), manifest.nodes.len().to_string())
            }
            _ if self.protocol.is_some_and(|protocol| protocol != manifest.protocol) => {
                clash("--protocol", self.protocol.unwrap_or_default().to_string(), manifest.protocol.to_string())
            }
            _ if self.scheme.is_some_and(|scheme| scheme != manifest.scheme) => {
                clash("--scheme", self.scheme.unwrap_or_default().to_string(), manifest.scheme.to_string())
            }
            _ if self.dkg && !manifest.dkg => {
                let has = if manifest.scheme.is_threshold() { "a dealt key" } else { manifest.scheme.name() };
                clash("--dkg", "(a key without a dealer)".into(), has.into())
            }
            _ if !self.cheat.is_empty() => clash("--cheat", self.cheat.join(", "), "its key already".into()),
            _ if self.election.is_some_and(|election| election != manifest.election) => {
                clash("--election", self.election.unwrap_or_default().to_string(), manifest.election.to_string())
            }
            (_, Some(app), _) if *app != manifest.app => clash("--app", app.clone(), manifest.app.clone()),
            (_, _, Some(_)) if self.block_interval_ms() != manifest.block_interval_ms => clash(
                "--block-interval",
                shown_interval(self.block_interval_ms()),
                shown_interval(manifest.block_interval_ms),
            ),
            _ if self.timeout.is_some() && self.timeout_ms() != manifest.timeout_ms => {
                let shown =
                    |timeout: Option<u64>| timeout.map_or_else(|| "the usual one".into(), |it| format!("{it}ms"));
                clash("--timeout", shown(self.timeout_ms()), shown(manifest.timeout_ms))
            }
            _ => Ok(()),
        }
    }
}

/// An interval for people.
pub(crate) fn shown_interval(milliseconds: Option<u64>) -> String {
    milliseconds
        .map_or_else(|| "0ms (none: an idle chain is quiet)".to_owned(), |milliseconds| format!("{milliseconds}ms"))
}

#[cfg(test)]
pub(crate) fn options(home: &std::path::Path) -> Options {
    Options {
        home: TestnetHome::new(home),
        nodes: None,
        protocol: None,
        scheme: None,
        dkg: false,
        cheat: Vec::new(),
        election: None,
        app: None,
        block_interval: None,
        timeout: None,
        params: None,
        base_port: None,
        fresh: false,
        duration: None,
        load: None,
        durability: DurabilityChoice::Always,
        password_file: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testnet::NodeEntry;
    use std::{net::SocketAddr, path::Path};

    #[test]
    fn contradictions_name_both_values_and_the_way_out() {
        let address = SocketAddr::from(([127, 0, 0, 1], 1));
        let node = NodeEntry { name: "node0".into(), p2p: address, api: address };
        let manifest = Manifest::new(Protocol::Hotstuff, Election::RoundRobin, "kv", Some(500), vec![node]);
        let base = options(Path::new("h"));
        assert_eq!(base.agree_with(&manifest), Ok(()));
        let same = Options { nodes: Some(1), app: Some("kv".into()), ..base.clone() };
        assert_eq!(same.agree_with(&manifest), Ok(()));
        let contradictions = [
            (Options { nodes: Some(7), ..base.clone() }, "--nodes 7", "has 1"),
            (Options { app: Some("opaque".into()), ..base.clone() }, "--app opaque", "has kv"),
            (Options { protocol: Some(Protocol::Pbft), ..base.clone() }, "--protocol pbft", "has hotstuff"),
            (Options { scheme: Some(SchemeKind::BlsMulti), ..base.clone() }, "--scheme bls-multi", "has ed25519"),
            (Options { dkg: true, ..base.clone() }, "--dkg", "has ed25519"),
            (Options { cheat: vec!["3:silent".into()], ..base.clone() }, "--cheat 3:silent", "has its key already"),
            (Options { election: Some(Election::Stable), ..base.clone() }, "--election stable", "has round-robin"),
            (
                Options { timeout: Some(Duration::from_secs(1)), ..base.clone() },
                "--timeout 1000ms",
                "has the usual one",
            ),
            (Options { block_interval: Some(Duration::ZERO), ..base }, "--block-interval 0ms", "has 500ms"),
        ];
        for (options, asked, has) in contradictions {
            let text = options.agree_with(&manifest).expect_err("contradiction").to_string();
            assert!(text.contains(asked) && text.contains(has) && text.contains("--fresh"), "{text}");
        }
    }
}
