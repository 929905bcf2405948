//! What can be done to a network.

use crate::{Attacker, Wan, time::exact};
use quorate_links::LinkSpec;
use quorate_types::ReplicaId;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};
use std::time::Duration;

/// Something that goes wrong, or right again.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Power fails.
    Crash(Who),
    /// Power fails after so many more things that the replica does.
    CrashAfter(ReplicaId, u32),
    /// Starts from its disks.
    Restart(Who),
    /// Loses its disks and is down.
    Wipe(Who),
    /// Loses its disks and starts with new ones.
    ReplaceDisks(Who),
    /// A disk fails.
    Disk(ReplicaId, DiskOf, DiskFault),
    /// Stands still; everything waits for it.
    Pause(Who),
    /// Goes on.
    Resume(Who),
    /// Only members of one group hear each other.
    Partition(Vec<Vec<ReplicaId>>),
    /// Nothing passes from the one to the other.
    OneWay(ReplicaId, ReplicaId),
    /// All cuts are mended. Links stay as they are.
    Heal,
    /// All links behave like this.
    Links(LinkSpec),
    /// One direction of one link behaves like this.
    Link(ReplicaId, ReplicaId, LinkSpec),
    /// All links are as long as those of this network.
    Wan(Wan),
    /// A clock is wrong by so many milliseconds.
    Skew(ReplicaId, i64),
    /// A replica lies from now on.
    Attack(Attacker),
    /// It is honest again.
    StopAttack(ReplicaId),
}

/// Some replicas, or all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Who {
    /// Everybody.
    All,
    /// These.
    These(Vec<ReplicaId>),
}

impl Who {
    /// One.
    pub fn one(replica: ReplicaId) -> Self {
        Self::These(vec![replica])
    }

    /// Of so many, those.
    pub fn of(&self, replicas: u16) -> Vec<ReplicaId> {
        match self {
            Self::All => (0..replicas).map(ReplicaId).collect(),
            Self::These(these) => these.clone(),
        }
    }
}

impl Serialize for Who {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::All => serializer.serialize_str("all"),
            Self::These(these) => match these.as_slice() {
                [one] => one.serialize(serializer),
                these => these.serialize(serializer),
            },
        }
    }
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "a replica's number, a list of them, or \"all\"")]
enum Written {
    One(ReplicaId),
    Many(Vec<ReplicaId>),
    Word(String),
}

impl<'de> Deserialize<'de> for Who {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Written::deserialize(deserializer)? {
            Written::One(replica) => Ok(Self::one(replica)),
            Written::Many(these) => Ok(Self::These(these)),
            Written::Word(word) if word == "all" => Ok(Self::All),
            Written::Word(word) => Err(D::Error::custom(format!("`{word}` is neither a number nor \"all\""))),
        }
    }
}

/// One of a replica's disks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DiskOf {
    /// The vote journal's.
    Journal,
    /// The block log's.
    Blocks,
}

/// How a disk fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DiskFault {
    /// The next sync fails, and every one after it.
    SyncFails,
    /// No more than this many further bytes fit.
    FullAfter(u64),
    /// Everything fails from before the n-th change from now on.
    PowerFailsBefore(u32),
    /// A synced sector holds what it held before.
    StaleSector(u32),
    /// What was meant for the one sector went to the other.
    MisdirectedSector(u32, u32),
    /// Whatever is made durable takes so much longer; nothing: as long as it takes.
    Slow(#[serde(with = "exact")] Duration),
}
