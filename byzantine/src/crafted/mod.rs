//! Attacks that change and sign messages of either protocol, and know only what these have in common ([`Craft`]).

mod block;
mod craft;
mod double_vote;
mod elsewhere;
mod future_votes;
mod hotstuff;
mod invalid_transaction;
mod leave;
mod oversized;
mod pbft;
mod selective_fetch;

pub use craft::Craft;

use crate::{Dice, Known};
use block::WrongBlock;
use leave::Leave;

/// Views ahead that nobody reaches in any run.
const FAR: u64 = 1_000_000;

pub(crate) fn attacks<P: Craft>() -> Vec<Known<P>> {
    [votes(), blocks(), answers()].into_iter().flatten().collect()
}

fn votes<P: Craft>() -> Vec<Known<P>> {
    vec![
        Known {
            name: "double-vote",
            breaks: "agreement: votes for its leader's block, and for another one in the same place",
            make: |target, seed| Box::new(double_vote::DoubleVote::new(target.clone(), seed)),
        },
        Known {
            name: "far-future-votes",
            breaks: "bounds: votes for blocks that nobody has proposed, in views up to the last that there is",
            make: |target, seed| Box::new(future_votes::FutureVotes::new(target.clone(), seed)),
        },
        Known {
            name: "timeout-spam",
            breaks: "progress: says beside each message that it has left the view, with which nothing is wrong",
            make: |target, _| Box::new(Leave { target: target.clone(), ahead: 0 }),
        },
        Known {
            name: "view-inflation",
            breaks: "progress: says that it has left views that nobody reaches, so that others follow it there",
            make: |target, _| Box::new(Leave { target: target.clone(), ahead: FAR }),
        },
    ]
}

fn blocks<P: Craft>() -> Vec<Known<P>> {
    vec![
        Known {
            name: "wrong-root",
            breaks: "execution: proposes blocks that claim another state than their transactions lead to",
            make: |target, seed| {
                Box::new(WrongBlock { target: target.clone(), dice: Dice::new(seed), spoil: block::another_state })
            },
        },
        Known {
            name: "unknown-batches",
            breaks: "availability: proposes blocks full of batches that nobody has, so that all wait for them",
            make: |target, seed| {
                Box::new(WrongBlock { target: target.clone(), dice: Dice::new(seed), spoil: block::unknown_batches })
            },
        },
        Known {
            name: "oversized-block",
            breaks: "bounds: proposes blocks of one batch more than fits, as bytes",
            make: |target, seed| Box::new(oversized::Oversized::new(target.clone(), seed)),
        },
        Known {
            name: "invalid-transaction",
            breaks: "validity: shares batches that no client signed, and names them in its blocks",
            make: |target, _| Box::new(invalid_transaction::InvalidTransaction::new(target.clone())),
        },
    ]
}

fn answers<P: Craft>() -> Vec<Known<P>> {
    vec![
        Known {
            name: "other-chain",
            breaks: "checking: says beside each message the same as signed for another chain and epoch",
            make: |target, _| Box::new(elsewhere::Elsewhere(target.clone())),
        },
        Known {
            name: "selective-fetch",
            breaks: "delivery: gives blocks to one half of those who ask for them, and has nothing for the rest",
            make: |target, _| Box::new(selective_fetch::SelectiveFetch(target.clone())),
        },
    ]
}
