//! The vote scheme that a genesis names, and the public keys it needs beside the members' ed25519 keys.
//!
//! A genesis is usable only if its keys make the scheme: proofs of possession are checked here, so that a rogue key enters no
//! chain, and commitments must be for a threshold that is the quorum. Keys that no scheme reads are refused as well.

use crate::{Genesis, GenesisError};
use borsh::{BorshDeserialize, BorshSerialize};
use quorate_crypto::bls::{BlsMulti, BlsThreshold, Commitments, MinPk, MinSig, ProvenKey, Variant};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// A vote scheme.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    BorshSerialize,
    BorshDeserialize,
    Serialize,
    Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum SchemeKind {
    /// Lists of ed25519 signatures.
    #[default]
    Ed25519,
    /// BLS multi-signatures, signatures in G1.
    BlsMulti,
    /// BLS multi-signatures, keys in G1.
    BlsMultiMinPk,
    /// BLS threshold signatures, signatures in G1.
    BlsThreshold,
    /// BLS threshold signatures, keys in G1.
    BlsThresholdMinPk,
}

impl SchemeKind {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Ed25519, Self::BlsMulti, Self::BlsMultiMinPk, Self::BlsThreshold, Self::BlsThresholdMinPk];

    /// The name in genesis files, on command lines and in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ed25519 => "ed25519",
            Self::BlsMulti => "bls-multi",
            Self::BlsMultiMinPk => "bls-multi-min-pk",
            Self::BlsThreshold => "bls-threshold",
            Self::BlsThresholdMinPk => "bls-threshold-min-pk",
        }
    }

    /// Whether members have a BLS key of their own.
    pub fn is_multi(self) -> bool {
        matches!(self, Self::BlsMulti | Self::BlsMultiMinPk)
    }

    /// Whether members have a share of one key.
    pub fn is_threshold(self) -> bool {
        matches!(self, Self::BlsThreshold | Self::BlsThresholdMinPk)
    }

    /// Whether a certificate tells who signed it.
    pub fn is_attributable(self) -> bool {
        !self.is_threshold()
    }
}

impl fmt::Display for SchemeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for SchemeKind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|scheme| scheme.name() == text);
        found.ok_or_else(|| format!("no scheme is called {text:?}; there are {}", Self::ALL.map(Self::name).join(", ")))
    }
}

/// A member's BLS key with its proof of possession.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BlsKey {
    /// In G2.
    MinSig(ProvenKey<MinSig>),
    /// In G1.
    MinPk(ProvenKey<MinPk>),
}

/// What the committee's threshold key was dealt with.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ThresholdKey {
    /// In G2.
    MinSig(Commitments<MinSig>),
    /// In G1.
    MinPk(Commitments<MinPk>),
}

/// A group assignment that a genesis can name.
pub trait GenesisVariant: Variant {
    /// The multi-signature scheme's name.
    const MULTI: SchemeKind;
    /// The threshold scheme's name.
    const THRESHOLD: SchemeKind;
    /// A key as it stands in a genesis.
    fn wrap_key(key: ProvenKey<Self>) -> BlsKey;
    /// The key, if it is of this assignment.
    fn key(key: &BlsKey) -> Option<ProvenKey<Self>>;
    /// Commitments as they stand in a genesis.
    fn wrap_commitments(commitments: Commitments<Self>) -> ThresholdKey;
    /// The commitments, if they are of this assignment.
    fn commitments(key: &ThresholdKey) -> Option<&Commitments<Self>>;
}

macro_rules! genesis_variant {
    ($variant:ident, $multi:ident, $threshold:ident) => {
        impl GenesisVariant for $variant {
            const MULTI: SchemeKind = SchemeKind::$multi;
            const THRESHOLD: SchemeKind = SchemeKind::$threshold;

            fn wrap_key(key: ProvenKey<Self>) -> BlsKey {
                BlsKey::$variant(key)
            }

            fn key(key: &BlsKey) -> Option<ProvenKey<Self>> {
                if let BlsKey::$variant(key) = key { Some(*key) } else { None }
            }

            fn wrap_commitments(commitments: Commitments<Self>) -> ThresholdKey {
                ThresholdKey::$variant(commitments)
            }

            fn commitments(key: &ThresholdKey) -> Option<&Commitments<Self>> {
                if let ThresholdKey::$variant(commitments) = key { Some(commitments) } else { None }
            }
        }
    };
}

genesis_variant!(MinSig, BlsMulti, BlsThreshold);
genesis_variant!(MinPk, BlsMultiMinPk, BlsThresholdMinPk);

impl Genesis {
    /// The multi-signature scheme of this committee. Checks every proof of possession.
    pub fn bls_multi<V: GenesisVariant>(&self) -> Result<BlsMulti<V>, GenesisError> {
        let key = |(index, validator): (usize, &crate::Validator)| {
            let missing = || GenesisError::Keys(format!("replica {index} has no BLS key for {}", self.scheme));
            validator.bls.as_ref().and_then(V::key).ok_or_else(missing)
        };
        let keys = self.validators.iter().enumerate().map(key).collect::<Result<Vec<_>, _>>()?;
        BlsMulti::new(self.committee()?, &keys).map_err(|error| GenesisError::Keys(error.to_string()))
    }

    /// The threshold scheme of this committee.
    pub fn bls_threshold<V: GenesisVariant>(&self) -> Result<BlsThreshold<V>, GenesisError> {
        let missing = || GenesisError::Keys(format!("there are no commitments for {}", self.scheme));
        let commitments = self.commitments.as_ref().and_then(V::commitments).ok_or_else(missing)?;
        BlsThreshold::new(self.committee()?, commitments.clone()).map_err(|error| GenesisError::Keys(error.to_string()))
    }

    /// The same genesis under the threshold scheme, with the commitments that a dealer or a ceremony came to. Another chain: the
    /// digest covers them.
    pub fn with_threshold<V: GenesisVariant>(self, commitments: Commitments<V>) -> Result<Self, GenesisError> {
        let validators = self.validators.into_iter().map(|validator| crate::Validator { bls: None, ..validator });
        let commitments = Some(V::wrap_commitments(commitments));
        let genesis = Self { scheme: V::THRESHOLD, validators: validators.collect(), commitments, ..self };
        genesis.check().map(|()| genesis)
    }

    /// Whether the keys are those that the scheme asks for, and good.
    pub(crate) fn check_vote_keys(&self) -> Result<(), GenesisError> {
        let stray = |what| Err(GenesisError::Keys(format!("{what}, which {} does not use", self.scheme)));
        if !self.scheme.is_multi() && self.validators.iter().any(|validator| validator.bls.is_some()) {
            return stray("a validator has a BLS key");
        }
        if !self.scheme.is_threshold() && self.commitments.is_some() {
            return stray("there are commitments");
        }
        match self.scheme {
            SchemeKind::Ed25519 => self.committee().map(drop).map_err(GenesisError::from),
            SchemeKind::BlsMulti => self.bls_multi::<MinSig>().map(drop),
            SchemeKind::BlsMultiMinPk => self.bls_multi::<MinPk>().map(drop),
            SchemeKind::BlsThreshold => self.bls_threshold::<MinSig>().map(drop),
            SchemeKind::BlsThresholdMinPk => self.bls_threshold::<MinPk>().map(drop),
        }
    }

    /// What the digest covers of the keys: nothing under ed25519, whose keys are the members' own.
    pub(crate) fn covered_keys(&self) -> Option<CoveredKeys<'_>> {
        (self.scheme != SchemeKind::Ed25519).then(|| CoveredKeys {
            bls: self.validators.iter().map(|validator| &validator.bls).collect(),
            commitments: &self.commitments,
        })
    }
}

/// What the digest covers of a BLS scheme's keys.
#[derive(BorshSerialize)]
pub(crate) struct CoveredKeys<'a> {
    bls: Vec<&'a Option<BlsKey>>,
    commitments: &'a Option<ThresholdKey>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::genesis::tests::genesis;
    use quorate_crypto::bls::{BlsSecret, deal_from};

    fn multi<V: GenesisVariant>(n: u8) -> Genesis {
        let mut genesis = Genesis { scheme: V::MULTI, ..genesis(n) };
        for (index, validator) in (0..n).zip(&mut genesis.validators) {
            validator.bls = Some(V::wrap_key(BlsSecret::<V>::from_seed(&[index + 1; 32]).prove()));
        }
        genesis
    }

    fn threshold<V: GenesisVariant>(n: usize, threshold: usize) -> Result<Genesis, GenesisError> {
        let draft = genesis(u8::try_from(n).expect("small"));
        draft.with_threshold(deal_from::<V>(&[7; 32], n, threshold).commitments)
    }

    fn round_trips(genesis: &Genesis) {
        assert_eq!(genesis.check(), Ok(()));
        assert_eq!(Genesis::from_json(&genesis.to_json()).as_ref(), Ok(genesis));
    }

    #[test]
    fn a_genesis_of_each_scheme_is_usable_and_round_trips() {
        let all = [
            genesis(4),
            multi::<MinSig>(4),
            multi::<MinPk>(4),
            threshold::<MinSig>(4, 3).expect("the quorum"),
            threshold::<MinPk>(4, 3).expect("the quorum"),
        ];
        for (genesis, scheme) in all.iter().zip(SchemeKind::ALL) {
            assert_eq!(genesis.scheme, scheme);
            assert_eq!(scheme.name().parse(), Ok(scheme));
            assert!(genesis.to_json().contains(&format!("\"scheme\": \"{scheme}\"")));
            round_trips(genesis);
        }
    }

    #[test]
    fn the_digest_covers_bls_keys_and_commitments() {
        let mut one = multi::<MinSig>(4);
        let before = one.digest();
        one.validators[0].bls = Some(MinSig::wrap_key(BlsSecret::from_seed(&[99; 32]).prove()));
        assert_ne!(one.digest(), before);
        let other = genesis(4).with_threshold(deal_from::<MinSig>(&[8; 32], 4, 3).commitments).expect("the quorum");
        assert_ne!(other.digest(), threshold::<MinSig>(4, 3).expect("the quorum").digest());
    }

    #[test]
    fn a_rogue_key_does_not_pass_the_check_of_a_genesis() {
        let mut genesis = multi::<MinSig>(4);
        let borrowed = BlsSecret::<MinSig>::from_seed(&[50; 32]).prove().proof_of_possession;
        let mine = BlsSecret::<MinSig>::from_seed(&[51; 32]).prove();
        let rogue = ProvenKey { proof_of_possession: borrowed, ..mine };
        genesis.validators[3].bls = Some(MinSig::wrap_key(rogue));
        let error = genesis.check().expect_err("unproven").to_string();
        assert!(error.contains("without a valid proof of possession"), "{error}");
    }

    #[test]
    fn a_threshold_other_than_the_quorum_is_refused() {
        for wrong in [1, 2, 4] {
            let error = threshold::<MinSig>(4, wrong).expect_err("not the quorum").to_string();
            assert!(error.contains(&format!("a threshold of {wrong} where a quorum is 3")), "{error}");
        }
    }

    #[test]
    fn missing_foreign_and_stray_keys_are_refused() {
        type Change = fn(&mut Genesis);
        let refused = |mut genesis: Genesis, change: Change, message: &str| {
            change(&mut genesis);
            let error = genesis.check().expect_err(message).to_string();
            assert!(error.contains(message), "{error}");
        };
        let no_key: Change = |genesis| genesis.validators[1].bls = None;
        refused(multi::<MinSig>(4), no_key, "replica 1 has no BLS key for bls-multi");
        refused(multi::<MinPk>(4), |genesis| genesis.scheme = SchemeKind::BlsMulti, "replica 0 has no BLS key");
        refused(multi::<MinSig>(4), |genesis| genesis.scheme = SchemeKind::Ed25519, "a validator has a BLS key");
        let sound = || threshold::<MinSig>(4, 3).expect("the quorum");
        refused(sound(), |genesis| genesis.commitments = None, "no commitments for bls-threshold");
        refused(sound(), |genesis| genesis.scheme = SchemeKind::Ed25519, "there are commitments");
        refused(sound(), |genesis| genesis.scheme = SchemeKind::BlsThresholdMinPk, "no commitments");
        let equal: Change = |genesis| genesis.validators[2].bls = genesis.validators[0].bls.clone();
        refused(multi::<MinSig>(4), equal, "equal or opposite");
    }

    #[test]
    fn no_commitments_and_an_identity_constant_term_are_not_read() {
        let text = threshold::<MinSig>(4, 3).expect("the quorum").to_json();
        let mut document: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        document["commitments"]["min-sig"] = serde_json::json!([]);
        assert!(matches!(Genesis::from_json(&document.to_string()), Err(GenesisError::Json(_))));
        let identity = format!("c0{}", "00".repeat(95));
        let mut document: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        document["commitments"]["min-sig"][0] = serde_json::json!(identity);
        let error = Genesis::from_json(&document.to_string()).expect_err("the identity").to_string();
        assert!(error.contains("identity"), "{error}");
    }
}
