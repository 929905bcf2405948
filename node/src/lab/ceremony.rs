//! Members of a key generation that cheat on purpose, where the genesis allows faults.

use crate::{
    ceremony::{Begun, Voice},
    exit::Failure,
};
use quorate_byzantine::{Cheat, Cheater};
use quorate_types::{Height, ReplicaId};
use quorate_validator::dkg::{Ended, Farewell, Next, Participant};
use std::{fmt, str::FromStr};

/// Which member cheats, and how: `3:bad-shares`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cheating {
    member: ReplicaId,
    how: Cheat,
}

impl FromStr for Cheating {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (member, how) = text.split_once(':').ok_or("it must look like 3:bad-shares")?;
        let number = member.strip_prefix("node").unwrap_or(member).parse();
        let member = ReplicaId(number.map_err(|_| format!("{member:?} is no member's number"))?);
        let names = || Cheat::ALL.map(|(name, _)| name).join(", ");
        let how = Cheat::find(how).ok_or_else(|| format!("nobody knows how to {how:?}; one of {}", names()))?;
        Ok(Self { member, how })
    }
}

impl fmt::Display for Cheating {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = Cheat::ALL.into_iter().find(|(_, known)| *known == self.how).map_or("?", |(name, _)| name);
        write!(f, "{}:{name}", self.member.0)
    }
}

/// The member that this validator is, in a cheater's hands if one of these is it.
pub(crate) fn member(
    participant: Participant,
    begun: &Begun,
    cheating: &[Cheating],
) -> Result<Box<dyn Voice>, Failure> {
    let members = begun.ceremony.members.len();
    if let Some(stranger) = cheating.iter().find(|cheating| cheating.member.index() >= members) {
        return Err(Failure::usage(format!("--cheat {stranger}: there are {members} members, counted from 0")));
    }
    let Some(mine) = cheating.iter().find(|cheating| cheating.member == participant.me()) else {
        return Ok(Box::new(participant));
    };
    if !begun.draft.fault_injection {
        return Err(Failure::usage(format!("--cheat {mine}: the genesis does not say fault_injection = true"))
            .hint("only a network that was made for it, as a testnet is, takes faults on purpose"));
    }
    tracing::warn!(cheat = %mine, "this member cheats on purpose");
    Ok(Box::new(Cheater::new(participant, begun.ceremony.clone(), Some(mine.how))))
}

impl Voice for Cheater {
    fn next(&mut self, head: Height, get: &dyn Fn(&[u8]) -> Option<Vec<u8>>) -> Next {
        Self::next(self, head, get)
    }

    fn farewell(&self, ended: &Ended, head: Height, get: &dyn Fn(&[u8]) -> Option<Vec<u8>>) -> Farewell {
        Self::farewell(self, ended, head, get)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_is_written_as_it_is_read_and_all_that_there_is_is_told() {
        for (name, _) in Cheat::ALL {
            let text = format!("3:{name}");
            assert_eq!(text.parse::<Cheating>().expect("known").to_string(), text);
        }
        assert_eq!("node3:silent".parse::<Cheating>(), "3:silent".parse());
        for (text, why) in [("silent", "3:bad-shares"), ("x:silent", "no member's number"), ("3:x", "deal-twice")] {
            assert!(text.parse::<Cheating>().expect_err(text).contains(why), "{text}");
        }
    }
}
