//! From a [`Builder`] to a running cluster: genesis, keys, journals, first start.

use super::{Cluster, builder::Builder, clients::Clients, meter::Meter};
use crate::{
    Rng, SimProtocol, SimScheme,
    attackers::Backing,
    checker::{Bounds, Chain, Checkers, Promises},
    network::Network,
    node::{Disks, Life, Node, Setup},
    queue::Queue,
    story::Story,
    trace::Trace,
};
use quorate_consensus::Keys;
use quorate_crypto::{Committee, Scheme, Symbolic, conformance};
use quorate_ledger::{AppGenesis, Genesis, SchemeKind, Validator, app::dkg::Ceremony};
use quorate_types::{Digest, ReplicaId};
use quorate_validator::{TransactionChecks, WireKeys};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

impl<P: SimProtocol> Builder<P> {
    fn genesis(&self) -> Genesis {
        let committee = conformance::committee(self.replicas);
        let members = committee.members().filter_map(|replica| committee.member(replica));
        let validator = |(index, member): (usize, &quorate_crypto::Member)| Validator {
            name: format!("replica {index}"),
            identity: member.identity,
            vote: member.vote,
            bls: None,
            address: None,
        };
        Genesis {
            chain: "simulated".to_owned(),
            time: 1_700_000_000_000,
            protocol: P::KIND,
            scheme: SchemeKind::Ed25519,
            election: self.election,
            params: self.params,
            validators: members.enumerate().map(validator).collect(),
            commitments: None,
            application: self.application(&committee),
            fault_injection: true,
        }
    }

    fn application(&self, committee: &Committee) -> AppGenesis {
        match self.ceremony {
            Some(phase_heights) => AppGenesis::Dkg(Ceremony::of(committee, phase_heights, Digest::ZERO)),
            None if self.is_kv => AppGenesis::Kv { accounts: Clients::accounts() },
            None => AppGenesis::Opaque,
        }
    }

    fn configuration(&self) -> String {
        format!(
            "replicas {}, {}, {}, scheme {}, {}, {:?}, {:?}, {:?}, durability {}, rotate after {} B, sync every {}, snapshots {} behind, puppets {:?}, attackers {:?}",
            self.replicas,
            P::KIND,
            self.election,
            P::Scheme::NAME,
            match self.ceremony {
                Some(heights) => format!("ceremony with phases of {heights} heights"),
                None if self.is_kv => "kv".to_owned(),
                None => "opaque".to_owned(),
            },
            self.params,
            self.links,
            self.timing,
            self.durability,
            self.rotate_after,
            self.sync_every,
            self.snapshot_gap,
            self.puppets.keys().collect::<Vec<_>>(),
            self.attackers.keys().collect::<Vec<_>>(),
        )
    }

    /// Makes keys and journals, and starts everybody.
    ///
    /// # Panics
    /// If the parameters make no genesis.
    pub fn build(self) -> Cluster<P> {
        let genesis = self.genesis();
        // Its keys are those of the genesis, and have been checked.
        let committee = conformance::committee_on(genesis.chain_id(), genesis.block().header.epoch, self.replicas);
        let scheme = (self.scheme)(committee, self.seed);
        let first = genesis.block().header;
        let transactions = TransactionChecks::of(&genesis);
        let keys = WireKeys { consensus: Keys::new(scheme.clone(), &first), transactions };
        let own = |_| {
            let consensus = Keys::new(scheme.apart(), &first);
            Arc::new(WireKeys { consensus, transactions: keys.transactions.clone() })
        };
        let own = if self.counts { scheme.committee().members().map(own).collect() } else { Vec::new() };
        let backing = (!self.attackers.is_empty()).then(|| Backing::new(&scheme, self.seed));
        let mut rng = Rng::new(self.seed);
        let node = |index: usize, rng: &mut Rng| Node {
            id: ReplicaId(u16::try_from(index).expect("at most 1024")),
            disks: Disks::default(),
            life: None,
            lives: 0,
            death: None,
            skew: 0,
            rng: rng.fork(),
            ledger_free_at: Duration::ZERO,
            fuse: None,
        };
        let nodes: Vec<_> = (0..self.replicas).map(|index| node(index, &mut rng)).collect();
        let mut cluster = Cluster {
            seed: self.seed,
            configuration: self.configuration(),
            queue: Queue::new(),
            network: Network::new(self.replicas, self.links, rng.fork()),
            clients: Clients::new(keys.transactions.clone(), P::Scheme::NAME == Symbolic::NAME, self.is_kv),
            checkers: Checkers {
                chain: Chain::new(first),
                promises: Promises::default(),
                bounds: Bounds { limits: self.limits, replicas: self.replicas },
                dishonest: self.puppets.keys().chain(self.attackers.keys()).copied().collect::<BTreeSet<_>>(),
                damaged: BTreeSet::new(),
                refused: Vec::new(),
                accused: Vec::new(),
                may_fork: self.may_fork,
                fork: None,
                apart: BTreeSet::new(),
            },
            setup: Setup {
                genesis,
                scheme,
                keys: Arc::new(keys),
                own,
                limits: self.limits,
                durability: self.durability,
                rotate_after: self.rotate_after,
                sync_every: self.sync_every,
                attackers: self.attackers,
                backing,
                snapshot_gap: self.snapshot_gap,
            },
            nodes,
            puppets: self.puppets,
            intercept: None,
            corrupt: None,
            trace: Trace::new(),
            story: self.is_told.then(|| Story::new(self.replicas)),
            meter: self.counts.then(Meter::default),
            commits: vec![Vec::new(); self.replicas],
            paused: BTreeMap::new(),
            rng,
            timing: self.timing,
            counts: BTreeMap::new(),
            rejected: 0,
            violation: None,
            panics: self.panics,
        };
        cluster.first_start();
        cluster
    }
}

impl<P: SimProtocol> Cluster<P> {
    fn first_start(&mut self) {
        for index in 0..self.nodes.len() {
            let id = self.nodes[index].id;
            if self.puppets.contains_key(&id) {
                self.cue(id, crate::puppet::Cue::Started);
            } else {
                Life::<P>::keygen(&self.nodes[index].disks).expect("a new disk works");
                self.start(id);
            }
        }
        if let Some(retry) = self.timing.retry {
            self.queue.post(retry, super::events::Event::ClientsRetry);
        }
    }
}
