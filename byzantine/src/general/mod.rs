//! Attacks that know no protocol's messages.

mod batches;
mod censor;
mod corrupt;
mod crash;
mod delay;
mod desert;
mod endless_sync;
mod few;
mod flood;
mod garbage;
mod hunt;
mod kinds;
mod lying_sync;
mod replay;
mod selective;
mod silent;
mod withhold;

use crate::Known;
use delay::Delay;
use kinds::{is_certificate, is_proposal, is_vote};
use quorate_consensus::Protocol;
use withhold::Withhold;

pub(crate) fn attacks<P: Protocol>() -> Vec<Known<P>> {
    [silences(), adaptive(), delays(), noise(), data()].into_iter().flatten().collect()
}

fn silences<P: Protocol>() -> Vec<Known<P>> {
    vec![
        Known {
            name: "silent",
            breaks: "progress: says nothing, or nothing to those it is against, and looks crashed to them alone",
            make: |target, _| Box::new(silent::Silent(target.clone())),
        },
        Known {
            name: "selective",
            breaks: "progress: says nothing to f others, in each view to other ones, so that all miss something",
            make: |_, _| Box::new(selective::Selective),
        },
        Known {
            name: "crash-at-step",
            breaks: "agreement: crashes in the middle of a broadcast that a few have heard",
            make: |_, seed| Box::new(crash::Crash::new(seed)),
        },
        Known {
            name: "withhold-vote",
            breaks: "progress: does everything but vote, so that every quorum needs all the others",
            make: |target, _| Box::new(Withhold { target: target.clone(), kinds: is_vote }),
        },
        Known {
            name: "withhold-certificate",
            breaks: "progress: keeps certificates to itself and lets the slower fall behind",
            make: |target, _| Box::new(Withhold { target: target.clone(), kinds: is_certificate }),
        },
        Known {
            name: "propose-to-few",
            breaks: "delivery: proposes to as few as can certify the block, so that all others must fetch it",
            make: |_, _| Box::new(few::Few),
        },
        Known {
            name: "censor",
            breaks: "fairness: leaves every other batch out of its blocks, and never says so",
            make: |_, _| Box::new(censor::Censor),
        },
    ]
}

fn adaptive<P: Protocol>() -> Vec<Known<P>> {
    vec![
        Known {
            name: "desert",
            breaks: "progress: is silent exactly while somebody else is, when its vote would be needed",
            make: |_, _| Box::new(desert::Desert::default()),
        },
        Known {
            name: "hunt",
            breaks: "recovery: picks on whoever asks for what it missed, all attackers on the same one",
            make: |target, _| Box::new(hunt::Hunt(target.clone())),
        },
    ]
}

fn delays<P: Protocol>() -> Vec<Known<P>> {
    vec![
        Known {
            name: "late",
            breaks: "progress: says everything after half a view, when others are about to give up on it",
            make: |target, _| Box::new(Delay { target: target.clone(), kinds: |_| true, tenths: 5 }),
        },
        Known {
            name: "lazy-leader",
            breaks: "throughput: proposes when nine tenths of the view have passed, too early to be deposed for it",
            make: |target, _| Box::new(Delay { target: target.clone(), kinds: is_proposal, tenths: 9 }),
        },
        Known {
            name: "stale-proposal",
            breaks: "freshness: proposes when the view is given up, so that old blocks come among new ones",
            make: |target, _| Box::new(Delay { target: target.clone(), kinds: is_proposal, tenths: 25 }),
        },
        Known {
            name: "late-vote",
            breaks: "throughput: votes when nine tenths of the view have passed, and the quorum forms without it or late",
            make: |target, _| Box::new(Delay { target: target.clone(), kinds: is_vote, tenths: 9 }),
        },
    ]
}

fn noise<P: Protocol>() -> Vec<Known<P>> {
    vec![
        Known {
            name: "replay",
            breaks: "freshness: says again what it and others once said, as if it were of now",
            make: |target, _| Box::new(replay::Replay::new(target.clone())),
        },
        Known {
            name: "corrupt-signature",
            breaks: "checking: every message has one bit of its signature wrong",
            make: |target, _| Box::new(corrupt::Corrupt(target.clone())),
        },
        Known {
            name: "garbage",
            breaks: "decoding: sends noise, cut messages and lying lengths beside each message",
            make: |target, seed| Box::new(garbage::Garbage::new(target.clone(), seed)),
        },
        Known {
            name: "flood",
            breaks: "bounds: says everything many times and asks for batches that nobody has",
            make: |target, seed| Box::new(flood::Flood::new(target.clone(), seed)),
        },
    ]
}

fn data<P: Protocol>() -> Vec<Known<P>> {
    vec![
        Known {
            name: "withhold-batch",
            breaks: "availability: names batches in its blocks, and gives their bodies to nobody it is against",
            make: |target, _| Box::new(batches::WithholdBatches(target.clone())),
        },
        Known {
            name: "lying-sync",
            breaks: "recovery: gives whoever catches up blocks, proofs and states that are not the chain's",
            make: |target, seed| Box::new(lying_sync::LyingSync::new(target.clone(), seed)),
        },
        Known {
            name: "endless-sync",
            breaks: "recovery: gives whoever catches up one block at a time, or nothing, without ever lying",
            make: |target, _| Box::new(endless_sync::EndlessSync::new(target.clone())),
        },
    ]
}
