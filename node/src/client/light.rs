//! A light client: it knows the genesis and believes nothing else.
//!
//! An answer is verified from the value up: a Merkle path to the state or payload root of a header, headers linked by
//! digest up to one that carries a commit proof, and that proof against the committee of the genesis. What it cannot see is
//! age: a node may answer with an old block. So the block's height and time are told.

use crate::{
    api::model::{StateView, TransactionView},
    exit::{Exit, Failure},
};
use quorate_crypto::Committee;
use quorate_ledger::{Genesis, StateAnswer, TransactionProof, user_key};
use quorate_types::{Digest, Header, Height, decode};
use quorate_validator::Finality;
use std::{
    fmt,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// Verifies answers against one genesis.
#[derive(Clone, Debug)]
pub struct Light {
    committee: Committee,
    genesis: Genesis,
    finality: Finality,
}

/// What a node says about a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateClaim {
    /// The value, if it says that there is one.
    pub value: Option<Vec<u8>>,
}

/// What was verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    what: String,
    height: Height,
    block: Digest,
    age: Duration,
    quorum: usize,
    size: usize,
    genesis: Digest,
    is_attributable: bool,
}

impl StateClaim {
    /// Reads the claim and checks that it does not contradict itself.
    pub fn read(view: &StateView) -> Result<Self, Failure> {
        let strange = |why: &str| Failure::failed(format!("the node contradicts itself: {why}"));
        let value =
            view.value.as_ref().map(hex::decode).transpose().map_err(|_| strange("the value is not hexadecimal"))?;
        if value.is_some() != view.found {
            return Err(strange("`found` and `value` disagree"));
        }
        Ok(Self { value })
    }
}

impl Light {
    /// A light client of the chain of `genesis`.
    pub fn new(genesis: &Genesis) -> Result<Self, Failure> {
        let committee = genesis.committee().map_err(|error| Failure::failed(format!("the genesis: {error}")))?;
        let finality = Finality::new(genesis).map_err(|error| Failure::failed(error.to_string()))?;
        Ok(Self { committee, genesis: genesis.clone(), finality })
    }

    /// Verifies presence or absence of a user's key.
    pub fn state(&self, key: &[u8], claim: &StateClaim, view: &StateView) -> Result<Verified, Failure> {
        let answer: StateAnswer = self.proof(view.proof.as_deref())?;
        answer.verify(&user_key(key), &|header, proof| self.anchor(header, proof)).map_err(|error| bad(&error))?;
        if answer.value != claim.value {
            return Err(bad(&"the proof is of another value than the one answered"));
        }
        let what = if claim.value.is_some() { "the key has this value" } else { "the key has no value" };
        Ok(self.verified(what.to_owned(), &answer.header))
    }

    /// Verifies that a transaction stands in the ledger with the outcome told.
    pub fn transaction(&self, digest: &Digest, view: &TransactionView) -> Result<Verified, Failure> {
        let proof: TransactionProof = self.proof(view.proof.as_deref())?;
        let proven = proof.verify(digest, &|header, proof| self.anchor(header, proof)).map_err(|error| bad(&error))?;
        if view.digest != *digest || view.height != proof.header.height || view.outcome != (&proven).into() {
            return Err(bad(&"the proof is of another place or outcome than the one answered"));
        }
        let what = format!("the transaction is in the ledger ({})", view.outcome.status);
        Ok(self.verified(what, &proof.header))
    }

    fn proof<T: borsh::BorshDeserialize>(&self, text: Option<&str>) -> Result<T, Failure> {
        let text = text.ok_or_else(|| bad(&"the node sent none"))?;
        let bytes = hex::decode(text).map_err(|error| bad(&error))?;
        decode(&bytes).map_err(|error| bad(&error))
    }

    /// Whether a header is final by what comes with it.
    fn anchor(&self, header: &Header, proof: &[u8]) -> Result<(), String> {
        let ours = self.genesis.chain_id();
        if header.chain != ours {
            return Err(format!("the header is of {}, and ours is {ours}", header.chain));
        }
        self.finality.check(header, proof).map_err(|error| error.to_string())
    }

    fn verified(&self, what: String, header: &Header) -> Verified {
        let then = UNIX_EPOCH + Duration::from_millis(header.timestamp);
        Verified {
            what,
            height: header.height,
            block: header.digest(),
            age: SystemTime::now().duration_since(then).unwrap_or_default(),
            quorum: self.committee.quorum(),
            size: self.committee.size(),
            genesis: self.genesis.digest(),
            is_attributable: self.genesis.scheme.is_attributable(),
        }
    }
}

impl Verified {
    /// Whether the certificate tells who signed it.
    pub fn is_attributable(&self) -> bool {
        self.is_attributable
    }
}

impl fmt::Display for Verified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "verified: {} at {}; ", self.what, self.height)?;
        if self.height == Height::GENESIS {
            return write!(f, "that is the genesis {} itself", self.genesis.short());
        }
        write!(
            f,
            "block {} (proposed {} s ago) is certified by at least {} of the {} validators of genesis {}",
            self.block.short(),
            self.age.as_secs(),
            self.quorum,
            self.size,
            self.genesis.short()
        )?;
        if self.is_attributable {
            Ok(())
        } else {
            f.write_str("; the certificate is not attributable: it does not tell which")
        }
    }
}

fn bad(why: &dyn fmt::Display) -> Failure {
    Failure::new(Exit::Failure, format!("the proof does not hold: {why}"))
        .hint("do not trust this node; ask another with --node, and check that the genesis is the right one")
}
