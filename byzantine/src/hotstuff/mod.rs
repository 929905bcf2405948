//! Attacks that know HotStuff's messages.

mod bad_partials;
mod equivocate;

use crate::{Known, Spoil};
use quorate_consensus::hotstuff::HotStuff;

pub(crate) fn attacks<S: Spoil>() -> Vec<Known<HotStuff<S>>> {
    vec![
        Known {
            name: "equivocate",
            breaks: "agreement: proposes one block to one half and another to the rest, and votes for both",
            make: |_, _| Box::new(equivocate::Equivocate::<S>::default()),
        },
        Known {
            name: "bad-partials",
            breaks: "certificates: votes in its own name with partials that spoil what they are combined into",
            make: |target, _| Box::new(bad_partials::BadPartials(target.clone())),
        },
    ]
}
