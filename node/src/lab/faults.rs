//! All that can be wrong with one validator.
//!
//! What is said is the whole: what is not named is in order again. Saying the same twice changes nothing, and what stays as it was goes
//! on undisturbed: an attack keeps its state, a disk that is filling up keeps its count.

use quorate_links::{BadSpec, LinkSpec};
use quorate_scenario::Attacker;
use quorate_types::ReplicaId;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// All that is wrong with one validator. The default: nothing.
///
/// As JSON, every member may be left out:
///
/// ```json
/// { "links": { "1": { "delay": { "secs": 0, "nanos": 40000000 }, "loss": 0.01 } },
///   "attack": { "replica": 0, "attack": "withhold-vote", "from-view": 10 },
///   "disks": { "journal": { "delay_ms": 20, "full_after": 4096, "sync_fails": true }, "blocks": {} },
///   "skew_ms": 3600000 }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NodeFaults {
    /// How its links to others behave, in the direction away from it. Links not named are perfect.
    pub links: BTreeMap<ReplicaId, LinkSpec>,
    /// How it lies. `replica` is this validator.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attack: Option<Attacker>,
    /// How its disks fail.
    pub disks: NodeDisks,
    /// Milliseconds by which its clock is ahead. It is read for the timestamps of blocks alone: timers run on the time that has passed.
    pub skew_ms: i64,
}

/// How a validator's disks fail.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NodeDisks {
    /// The vote journal's.
    pub journal: DiskFaults,
    /// The block log's.
    pub blocks: DiskFaults,
}

/// How one disk fails.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DiskFaults {
    /// Each sync takes so many milliseconds longer.
    pub delay_ms: u64,
    /// No more than so many further bytes fit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub full_after: Option<u64>,
    /// The next sync fails, and every one after it.
    pub sync_fails: bool,
}

/// Why faults make no sense for a validator.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum BadFaults {
    /// A link to nobody, or to itself.
    #[error("there is no link from {me} to {to}: the committee has {members} members")]
    NoSuchLink {
        /// This validator.
        me: ReplicaId,
        /// The other end.
        to: ReplicaId,
        /// How many there are.
        members: u16,
    },
    /// A link that cannot exist.
    #[error("the link to {to}: {why}")]
    BadLink {
        /// The other end.
        to: ReplicaId,
        /// What is wrong with it.
        why: BadSpec,
    },
    /// An attack of somebody else.
    #[error("the attack is for {asked}, and this validator is {me}")]
    OtherAttacker {
        /// This validator.
        me: ReplicaId,
        /// For whom it is.
        asked: ReplicaId,
    },
    /// An attack against nobody.
    #[error("the attack is against {victim}, and the committee has {members} members")]
    NoSuchVictim {
        /// Who is named.
        victim: ReplicaId,
        /// How many there are.
        members: u16,
    },
    /// An attack that nobody knows on this protocol.
    #[error("no attack on this protocol is called `{name}`; known are {known}")]
    NoSuchAttack {
        /// What was asked for.
        name: String,
        /// The names of those that there are.
        known: String,
    },
}

impl NodeFaults {
    /// Whether nothing is wrong.
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }

    /// Refuses what makes no sense for `me` of so many members.
    pub fn check(&self, me: ReplicaId, members: u16) -> Result<(), BadFaults> {
        for (to, spec) in &self.links {
            if *to == me || to.0 >= members {
                return Err(BadFaults::NoSuchLink { me, to: *to, members });
            }
            spec.check().map_err(|why| BadFaults::BadLink { to: *to, why })?;
        }
        let Some(attacker) = &self.attack else { return Ok(()) };
        if attacker.replica != me {
            return Err(BadFaults::OtherAttacker { me, asked: attacker.replica });
        }
        match attacker.against.iter().find(|victim| victim.0 >= members) {
            Some(victim) => Err(BadFaults::NoSuchVictim { victim: *victim, members }),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const ME: ReplicaId = ReplicaId(1);

    fn read(json: &str) -> NodeFaults {
        serde_json::from_str(json).expect("faults")
    }

    #[test]
    fn they_survive_json_and_nothing_need_be_said() {
        assert_eq!(read("{}"), NodeFaults::default());
        assert!(read(r#"{"links": {}, "disks": {"blocks": {}}, "skew_ms": 0}"#).is_none());
        let faults = read(
            r#"{"links": {"0": {"delay": {"secs": 0, "nanos": 40000000}, "loss": 0.01}},
                "attack": {"replica": 1, "attack": "withhold-vote", "from-view": 10},
                "disks": {"journal": {"delay_ms": 20, "full_after": 4096, "sync_fails": true}}, "skew_ms": -5}"#,
        );
        assert_eq!(faults.links[&ReplicaId(0)].delay, Duration::from_millis(40));
        assert_eq!(read(&serde_json::to_string(&faults).expect("JSON")), faults);
        assert_eq!(faults.check(ME, 4), Ok(()));
        assert!(serde_json::from_str::<NodeFaults>(r#"{"clock": 3}"#).is_err());
    }

    #[test]
    fn what_makes_no_sense_is_refused_by_name() {
        let refusal = |json: &str| read(json).check(ME, 4).expect_err("refused").to_string();
        assert!(refusal(r#"{"links": {"1": {}}}"#).contains("no link from replica 1 to replica 1"));
        assert!(refusal(r#"{"links": {"4": {}}}"#).contains("4 members"));
        assert!(refusal(r#"{"links": {"0": {"loss": 2.0}}}"#).contains("loss is a probability"));
        assert!(refusal(r#"{"attack": {"replica": 0, "attack": "silent"}}"#).contains("this validator is replica 1"));
        assert!(
            refusal(r#"{"attack": {"replica": 1, "attack": "silent", "against": [9]}}"#).contains("against replica 9")
        );
    }
}
