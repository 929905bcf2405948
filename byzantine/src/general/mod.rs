//! Attacks that know no protocol's messages.

mod censor;
mod corrupt;
mod late;
mod lazy_leader;
mod replay;
mod silent;

use crate::Known;
use quorate_consensus::Protocol;

pub(crate) fn attacks<P: Protocol>() -> Vec<Known<P>> {
    vec![
        Known {
            name: "silent",
            breaks: "progress: says nothing, or nothing to those it is against, and looks crashed to them alone",
            make: |target| Box::new(silent::Silent(target.clone())),
        },
        Known {
            name: "late",
            breaks: "progress: says everything after half a view, when others are about to give up on it",
            make: |target| Box::new(late::Late(target.clone())),
        },
        Known {
            name: "lazy-leader",
            breaks: "throughput: proposes when nine tenths of the view have passed, too early to be deposed for it",
            make: |target| Box::new(lazy_leader::LazyLeader(target.clone())),
        },
        Known {
            name: "replay",
            breaks: "freshness: says again what it and others once said, as if it were of now",
            make: |target| Box::new(replay::Replay::new(target.clone())),
        },
        Known {
            name: "corrupt-signature",
            breaks: "checking: every message has one bit of its signature wrong",
            make: |target| Box::new(corrupt::Corrupt(target.clone())),
        },
        Known {
            name: "censor",
            breaks: "fairness: leaves every other batch out of its blocks, and never says so",
            make: |_| Box::new(censor::Censor),
        },
    ]
}
