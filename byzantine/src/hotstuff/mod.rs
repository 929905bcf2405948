//! Attacks that know HotStuff's messages.

mod equivocate;

use crate::Known;
use quorate_consensus::hotstuff::HotStuff;
use quorate_crypto::Scheme;

pub(crate) fn attacks<S: Scheme>() -> Vec<Known<HotStuff<S>>> {
    vec![Known {
        name: "equivocate",
        breaks: "agreement: proposes one block to one half and another to the rest, and votes for both",
        make: |_, _| Box::new(equivocate::Equivocate::<S>::default()),
    }]
}
