//! The document that a chain begins with, and whose digest is the chain's identity.

use crate::{
    BlsKey, SchemeKind, ThresholdKey,
    app::{
        self,
        dkg::{Ceremony, MAX_MEMBERS, MAX_PHASE},
    },
    outcomes_root, state_root,
};
use borsh::{BorshDeserialize, BorshSerialize};
use quorate_crypto::{Committee, CommitteeError, IdentityKey, Member, VoteKey};
use quorate_types::{Account, Block, ChainId, Digest, Domain, Epoch, Header, Height, Payload, ReplicaId, View, limits};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt, str::FromStr};

/// How a chain begins. All validators hold the same one, but for addresses, which may change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Genesis {
    /// A name for people.
    pub chain: String,
    /// Milliseconds since the Unix epoch.
    pub time: u64,
    /// The consensus protocol.
    pub protocol: Protocol,
    /// The vote scheme.
    pub scheme: SchemeKind,
    /// Who leads.
    pub election: Election,
    /// Timing and sizes.
    pub params: Params,
    /// The committee, in the order of replica indices.
    pub validators: Vec<Validator>,
    /// The commitments of the group's key, where votes are threshold signatures.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commitments: Option<ThresholdKey>,
    /// The application and its first state.
    pub application: AppGenesis,
    /// Whether faults may be injected into nodes of this chain. Only testnets say so.
    pub fault_injection: bool,
}

/// A consensus protocol.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// Chained HotStuff.
    #[default]
    Hotstuff,
    /// PBFT over a hash chain.
    Pbft,
}

impl Protocol {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Hotstuff, Self::Pbft];

    /// The name in genesis files, on command lines and in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Hotstuff => "hotstuff",
            Self::Pbft => "pbft",
        }
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Protocol {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|protocol| protocol.name() == text);
        found.ok_or_else(|| {
            format!("no protocol is called {text:?}; there are {}", Self::ALL.map(Self::name).join(", "))
        })
    }
}

/// A rule that gives each view its leader.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Election {
    /// Replica `v mod n` leads view `v`.
    #[default]
    RoundRobin,
    /// A leader stays until its view fails: with HotStuff for 16 views at most, with PBFT until a view change.
    Stable,
    /// HotStuff: whose blocks are on the chain leads, four views each; whoever has failed of late is passed over more and more
    /// often, up to 64 rounds.
    Reputation,
}

impl Election {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::RoundRobin, Self::Stable, Self::Reputation];

    /// The one that a chain has unless told: PBFT has no other than its own.
    pub fn usual(protocol: Protocol) -> Self {
        match protocol {
            Protocol::Hotstuff => Self::RoundRobin,
            Protocol::Pbft => Self::Stable,
        }
    }

    /// The name in genesis files, on command lines and in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::RoundRobin => "round-robin",
            Self::Stable => "stable",
            Self::Reputation => "reputation",
        }
    }
}

impl fmt::Display for Election {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Election {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|election| election.name() == text);
        found.ok_or_else(|| {
            format!("no election is called {text:?}; there are {}", Self::ALL.map(Self::name).join(", "))
        })
    }
}

/// Timing and sizes that all validators share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Params {
    /// Length of the first view, milliseconds.
    pub timeout_base_ms: u64,
    /// No view lasts longer, milliseconds.
    pub timeout_max_ms: u64,
    /// Empty blocks are made this often, milliseconds; without it an idle chain is quiet.
    pub block_interval_ms: Option<u64>,
    /// Batches in one block.
    pub max_block_batches: u16,
    /// PBFT: heights between checkpoints.
    pub checkpoint_interval: u64,
}

/// The longest checkpoint interval: a replica holds up to two intervals of undecided heights.
const MAX_CHECKPOINT_INTERVAL: u64 = 65_536;

impl Default for Params {
    fn default() -> Self {
        Self {
            timeout_base_ms: 500,
            timeout_max_ms: 4000,
            block_interval_ms: None,
            max_block_batches: 64,
            checkpoint_interval: 64,
        }
    }
}

/// One member of the committee.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Validator {
    /// For people.
    pub name: String,
    /// Its libp2p key.
    pub identity: IdentityKey,
    /// Its voting key.
    pub vote: VoteKey,
    /// Its BLS key, where votes are multi-signatures.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bls: Option<BlsKey>,
    /// `host:port`, where it can be reached. Not part of the genesis digest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
}

/// The application and its first state.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub enum AppGenesis {
    /// Accounts with balances, and a key-value store.
    Kv {
        /// First balances.
        accounts: BTreeMap<Account, u64>,
    },
    /// Any bytes, ordered by client and sequence number.
    Opaque,
    /// A key generation of the committee.
    Dkg(Ceremony),
    /// As `Opaque`, of clients that do not sign: anybody may send in anybody's name. For measurements, and in testnets only.
    Unsigned,
}

impl AppGenesis {
    /// Whether clients sign their transactions.
    pub fn is_signed(&self) -> bool {
        !matches!(self, Self::Unsigned)
    }
}

/// Why a genesis is not usable.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GenesisError {
    /// Not the JSON of a genesis.
    #[error("not a genesis document: {0}")]
    Json(String),
    /// Its validators make no committee.
    #[error("its validators make no committee: {0}")]
    Committee(#[from] CommitteeError),
    /// Its keys do not make the vote scheme.
    #[error("its vote keys are not usable: {0}")]
    Keys(String),
    /// No key can be generated for it.
    #[error("no draft for a key generation: {0}")]
    Draft(String),
    /// A parameter makes no sense.
    #[error("{parameter} is {value}: {why}")]
    Parameter {
        /// Which.
        parameter: &'static str,
        /// As given.
        value: String,
        /// What it must be.
        why: &'static str,
    },
}

/// What the digest covers.
#[derive(BorshSerialize)]
struct Covered<'a> {
    chain: &'a str,
    time: u64,
    protocol: Protocol,
    scheme: SchemeKind,
    election: Election,
    params: Params,
    validators: Vec<(&'a str, IdentityKey, VoteKey)>,
    application: &'a AppGenesis,
    fault_injection: bool,
}

impl Genesis {
    /// Reads the JSON form. Unknown fields are an error; the message names line and column.
    pub fn from_json(text: &str) -> Result<Self, GenesisError> {
        serde_json::from_str(text).map_err(|error| GenesisError::Json(error.to_string()))
    }

    /// The JSON form, indented.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("a genesis has string keys only")
    }

    /// Whether a chain can begin with it.
    pub fn check(&self) -> Result<(), GenesisError> {
        let bad = |parameter, value: String, why| Err(GenesisError::Parameter { parameter, value, why });
        let params = &self.params;
        if self.chain.is_empty() || self.chain.len() > 64 {
            return bad("chain", format!("{:?}", self.chain), "a name of 1 to 64 characters");
        }
        if params.timeout_base_ms == 0 {
            return bad("timeout_base_ms", "0".into(), "at least 1 millisecond");
        }
        if params.timeout_max_ms < params.timeout_base_ms {
            return bad("timeout_max_ms", params.timeout_max_ms.to_string(), "at least timeout_base_ms");
        }
        if let Some(interval) = params.block_interval_ms
            && interval >= params.timeout_base_ms
        {
            return bad("block_interval_ms", interval.to_string(), "shorter than timeout_base_ms, or views time out");
        }
        let max = usize::from(params.max_block_batches);
        if max == 0 || max > limits::BLOCK_BATCHES {
            return bad("max_block_batches", max.to_string(), "from 1 to 64");
        }
        if !(1..=MAX_CHECKPOINT_INTERVAL).contains(&params.checkpoint_interval) {
            return bad("checkpoint_interval", params.checkpoint_interval.to_string(), "from 1 to 65536 heights");
        }
        if self.protocol == Protocol::Pbft && self.election != Election::Stable {
            let why = "stable with pbft, whose primary stays until a view change";
            return bad("election", self.election.name().into(), why);
        }
        self.check_vote_keys()?;
        let committee = self.committee()?;
        match &self.application {
            AppGenesis::Dkg(ceremony) => self.check_ceremony(ceremony, &committee),
            AppGenesis::Unsigned if !self.fault_injection => {
                bad("application", "unsigned".into(), "signed by its clients, unless the chain is a testnet's")
            }
            AppGenesis::Kv { .. } | AppGenesis::Opaque | AppGenesis::Unsigned => Ok(()),
        }
    }

    fn check_ceremony(&self, ceremony: &Ceremony, committee: &Committee) -> Result<(), GenesisError> {
        let bad = |parameter, value: String, why| Err(GenesisError::Parameter { parameter, value, why });
        if !ceremony.members.iter().eq(self.validators.iter().map(|validator| &validator.identity)) {
            return bad("members", ceremony.members.len().to_string(), "the validators' identity keys, in their order");
        }
        if ceremony.members.len() > MAX_MEMBERS {
            return bad("members", ceremony.members.len().to_string(), "at most 256: a dealing is one transaction");
        }
        if ceremony.threshold() != committee.quorum() {
            return bad("threshold", ceremony.threshold.to_string(), "the committee's quorum");
        }
        if !(1..=MAX_PHASE).contains(&ceremony.phase_heights) {
            return bad("phase_heights", ceremony.phase_heights.to_string(), "from 1 to 1000000");
        }
        if self.params.block_interval_ms.is_none() {
            return bad("block_interval_ms", "absent".into(), "needed: the phases of a ceremony end at heights");
        }
        Ok(())
    }

    /// The chain on which this draft's committee makes its threshold key: the same validators and protocol, blocks at a pace, phases of
    /// so many heights.
    pub fn ceremony(&self, phase_heights: u64, pace_ms: u64) -> Result<Self, GenesisError> {
        let refused = |why| Err(GenesisError::Draft(why));
        if self.scheme != SchemeKind::Ed25519 {
            return refused(format!("its votes are signed with {} already", self.scheme));
        }
        if matches!(self.application, AppGenesis::Dkg(_)) {
            return refused("it is a key generation itself".into());
        }
        if pace_ms == 0 {
            return refused("its blocks need a pace of at least a millisecond".into());
        }
        let timeout_base_ms = self.params.timeout_base_ms.max(pace_ms.saturating_mul(2));
        let params = Params {
            block_interval_ms: Some(pace_ms),
            timeout_base_ms,
            timeout_max_ms: self.params.timeout_max_ms.max(timeout_base_ms),
            ..self.params
        };
        let application = AppGenesis::Dkg(Ceremony::of(&self.committee()?, phase_heights, self.digest()));
        let genesis = Self { chain: format!("{}/dkg", self.chain), params, application, ..self.clone() };
        genesis.check().map(|()| genesis)
    }

    /// Digest of everything but addresses.
    pub fn digest(&self) -> Digest {
        let validator = |validator: &Validator| (validator.identity, validator.vote);
        let names = self.validators.iter().map(|v| v.name.as_str());
        let covered = Covered {
            chain: &self.chain,
            time: self.time,
            protocol: self.protocol,
            scheme: self.scheme,
            election: self.election,
            params: self.params,
            validators: names.zip(self.validators.iter().map(validator)).map(|(n, (i, v))| (n, i, v)).collect(),
            application: &self.application,
            fault_injection: self.fault_injection,
        };
        // Which scheme it is comes before, so that both forms together are one encoding.
        match self.covered_keys() {
            None => Digest::of(Domain::GENESIS, &covered),
            Some(keys) => Digest::of(Domain::GENESIS, &(covered, keys)),
        }
    }

    /// The chain's identity.
    pub fn chain_id(&self) -> ChainId {
        ChainId(self.digest())
    }

    /// The validators as a committee.
    pub fn committee(&self) -> Result<Committee, CommitteeError> {
        let member = |validator: &Validator| Member { identity: validator.identity, vote: validator.vote };
        Committee::new(self.chain_id(), Epoch(0), self.validators.iter().map(member).collect())
    }

    /// The first block.
    pub fn block(&self) -> Block {
        let header = Header {
            chain: self.chain_id(),
            epoch: Epoch(0),
            height: Height::GENESIS,
            view: View::GENESIS,
            parent: Digest::ZERO,
            proposer: ReplicaId(0),
            payload_root: Block::payload_root(&[]),
            state_root: state_root(&app::first_state(&self.application).root(), &outcomes_root(&[])),
            timestamp: self.time,
        };
        Block { header, payload: Payload::default() }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use quorate_crypto::{ClientSecret, IdentitySecret, VoteSecret};

    /// A genesis of `n` validators, and one funded client.
    pub(crate) fn genesis(n: u8) -> Genesis {
        let validator = |index: u8| Validator {
            name: format!("v{index}"),
            identity: IdentitySecret::from_seed([index + 100; 32]).public(),
            vote: VoteSecret::from_seed([index; 32]).public(),
            bls: None,
            address: None,
        };
        Genesis {
            chain: "test".into(),
            time: 1_000,
            protocol: Protocol::Hotstuff,
            scheme: SchemeKind::Ed25519,
            election: Election::RoundRobin,
            params: Params::default(),
            validators: (0..n).map(validator).collect(),
            commitments: None,
            application: AppGenesis::Kv { accounts: [(ClientSecret::from_seed([9; 32]).account(), 1000)].into() },
            fault_injection: false,
        }
    }

    #[test]
    fn json_round_trips_and_addresses_do_not_count() {
        let mut genesis = genesis(4);
        assert_eq!(genesis.check(), Ok(()));
        assert_eq!(Genesis::from_json(&genesis.to_json()), Ok(genesis.clone()));
        let digest = genesis.digest();
        genesis.validators[0].address = Some("host:1".into());
        assert_eq!(genesis.digest(), digest);
        genesis.params.timeout_base_ms += 1;
        assert_ne!(genesis.digest(), digest);
    }

    /// If this fails, every chain gets another identity: raise the version in [`Domain::GENESIS`], then write down the new ones.
    #[test]
    fn the_identity_of_a_genesis_is_the_one_written_down() {
        let genesis = genesis(4);
        assert_eq!(genesis.digest().to_string(), "b04b76c1a4bb7dc7ae8cf1dbe3688da962e2fc94cf37ca2cb7f82d08ed50ecd6");
        assert_eq!(
            genesis.block().digest().to_string(),
            "dbbdbc9d1920ddf5abd1691469217da5368d38a62755df6d9c248d5c38f707ab"
        );
    }

    #[test]
    fn every_election_is_a_plain_word() {
        for election in Election::ALL {
            let genesis = Genesis { election, ..genesis(4) };
            assert_eq!(genesis.check(), Ok(()));
            let text = genesis.to_json();
            assert!(text.contains(&format!("\"election\": \"{election}\"")), "{text}");
            assert_eq!(Genesis::from_json(&text), Ok(genesis));
            assert_eq!(election.name().parse(), Ok(election));
        }
        for protocol in Protocol::ALL {
            let genesis = Genesis { protocol, election: Election::usual(protocol), ..genesis(4) };
            assert_eq!(genesis.check(), Ok(()));
        }
    }

    #[test]
    fn a_ceremony_is_that_of_its_committee() {
        let draft = genesis(4);
        let good = draft.ceremony(50, 100).expect("a draft");
        assert_eq!(good.check(), Ok(()));
        assert_eq!(Genesis::from_json(&good.to_json()), Ok(good.clone()));
        let AppGenesis::Dkg(ceremony) = good.application.clone() else { panic!("a ceremony") };
        let with = |ceremony| Genesis { application: AppGenesis::Dkg(ceremony), ..good.clone() };
        assert_ne!(draft.ceremony(51, 100).expect("a draft").digest(), good.digest());
        let other = Genesis { application: AppGenesis::Opaque, ..draft };
        assert_ne!(other.ceremony(50, 100).expect("a draft").digest(), good.digest(), "for another chain");
        let error = good.ceremony(50, 100).expect_err("no draft").to_string();
        assert!(error.contains("a key generation itself"), "{error}");
        let mut swapped = ceremony.clone();
        swapped.members.swap(0, 1);
        let changes = [
            (with(swapped), "members is 4"),
            (with(Ceremony { threshold: 2, ..ceremony.clone() }), "threshold is 2"),
            (with(Ceremony { phase_heights: 0, ..ceremony }), "phase_heights is 0"),
            (Genesis { params: Params::default(), ..good.clone() }, "block_interval_ms is absent"),
        ];
        for (genesis, message) in changes {
            let error = genesis.check().expect_err(message).to_string();
            assert!(error.contains(message), "{error}");
        }
    }

    #[test]
    fn an_unknown_field_is_refused_with_its_place() {
        let text = genesis(4).to_json().replacen("\"time\"", "\"tiem\"", 1);
        let error = Genesis::from_json(&text).expect_err("misspelt").to_string();
        assert!(error.contains("tiem") && error.contains("line 3"), "{error}");
    }

    #[test]
    fn nonsense_is_refused_and_says_what_it_must_be() {
        type Change = fn(&mut Genesis);
        let changes: [(Change, &str); 12] = [
            (|g| g.application = AppGenesis::Unsigned, "application is unsigned: signed by its clients"),
            (|g| g.protocol = Protocol::Pbft, "election is round-robin: stable with pbft"),
            (|g| (g.protocol, g.election) = (Protocol::Pbft, Election::Reputation), "election is reputation"),
            (|g| g.params.timeout_base_ms = 0, "timeout_base_ms is 0"),
            (|g| g.params.timeout_max_ms = 1, "timeout_max_ms is 1"),
            (|g| g.params.block_interval_ms = Some(500), "block_interval_ms is 500"),
            (|g| g.params.max_block_batches = 65, "max_block_batches is 65"),
            (|g| g.params.checkpoint_interval = 0, "checkpoint_interval is 0"),
            (|g| g.params.checkpoint_interval = 65_537, "checkpoint_interval is 65537"),
            (|g| g.validators.clear(), "a committee of 0 replicas"),
            (|g| g.validators[3].vote = g.validators[1].vote, "replicas 1 and 3 have the same vote key"),
            (|g| g.validators[2].vote = VoteKey([0; 32]), "the vote key of replica 2"),
        ];
        for (change, message) in changes {
            let mut genesis = genesis(4);
            change(&mut genesis);
            let error = genesis.check().expect_err(message).to_string();
            assert!(error.contains(message), "{error}");
        }
    }
}
