//! Attacks that know HotStuff's messages.

mod bad_partials;
mod conceal;
mod equivocate;
mod forge;
mod fork;

use crate::{Hands, Known, Spoil, forged::Forgery};
use quorate_consensus::hotstuff::HotStuff;

pub(crate) fn attacks<S: Spoil>() -> Vec<Known<HotStuff<S>>> {
    vec![
        Known {
            name: "equivocate",
            breaks: "agreement: proposes one block to one half and another to the rest, and votes for both",
            make: |_, _| Box::new(equivocate::Equivocate::<S>::new(Hands::is_first_half)),
        },
        Known {
            name: "equivocate-one",
            breaks: "agreement: proposes one block to a single replica and another to the rest, and votes for both",
            make: |_, _| Box::new(equivocate::Equivocate::<S>::new(Hands::is_first)),
        },
        Known {
            name: "bad-partials",
            breaks: "certificates: votes in its own name with partials that spoil what they are combined into",
            make: |target, _| Box::new(bad_partials::BadPartials(target.clone())),
        },
        Known {
            name: "forge-too-few",
            breaks: "certificates: shows some that the attackers alone signed",
            make: |target, _| Box::new(forge::Forge { target: target.clone(), forgery: Forgery::TooFew }),
        },
        Known {
            name: "forge-duplicate",
            breaks: "certificates: shows some in which one signature stands for a quorum",
            make: |target, _| Box::new(forge::Forge { target: target.clone(), forgery: Forgery::Duplicate }),
        },
        Known {
            name: "forge-foreign",
            breaks: "certificates: shows some whose signers are in part no members",
            make: |target, _| Box::new(forge::Forge { target: target.clone(), forgery: Forgery::Foreign }),
        },
        Known {
            name: "fork",
            breaks: "agreement: proposes a block on an old certificate, beside what stands on it",
            make: |_, _| Box::new(fork::Fork::<S>::new(fork::Root::Oldest)),
        },
        Known {
            name: "tail-fork",
            breaks: "throughput: proposes in place of the block of the leader before it, which is certified",
            make: |_, _| Box::new(fork::Fork::<S>::new(fork::Root::Parent)),
        },
        Known {
            name: "conceal",
            breaks: "what is committed: claims in its timeouts that it never knew of any certificate",
            make: |_, _| Box::new(conceal::Conceal),
        },
    ]
}
