//! Attacks that know PBFT's messages.

mod bad_partials;
mod conceal;
mod equivocate;
mod forge_claim;
mod jump;
mod new_view;

use crate::{Known, Spoil};
use new_view::{NewViewAttack, Spoiled};
use quorate_consensus::pbft::Pbft;

pub(crate) fn attacks<S: Spoil>() -> Vec<Known<Pbft<S>>> {
    vec![
        Known {
            name: "equivocate",
            breaks: "agreement: proposes one chain to one half and another to the rest, and votes for both",
            make: |_, _| Box::new(equivocate::Equivocate::<S>::default()),
        },
        Known {
            name: "bad-partials",
            breaks: "certificates: votes in its own name with partials that spoil what they are combined into",
            make: |target, _| Box::new(bad_partials::BadPartials(target.clone())),
        },
        Known {
            name: "jump",
            breaks: "the window: proposes at the high watermark at once, so that no height below can ever be filled",
            make: |_, _| Box::new(jump::Jump),
        },
        Known {
            name: "omit-prepared",
            breaks: "what is committed: begins its view without the block that was prepared, perhaps committed, before",
            make: |_, _| Box::new(NewViewAttack(Spoiled::WithoutTip)),
        },
        Known {
            name: "forged-in-new-view",
            breaks: "what is committed: denies others' certificates in the VIEW-CHANGEs that it shows",
            make: |_, _| Box::new(NewViewAttack(Spoiled::Forged)),
        },
        Known {
            name: "stale-in-new-view",
            breaks: "the quorum of a view: shows a VIEW-CHANGE for an earlier view among those for its own",
            make: |_, _| Box::new(NewViewAttack(Spoiled::Stale)),
        },
        Known {
            name: "duplicate-in-new-view",
            breaks: "the quorum of a view: counts one replica's VIEW-CHANGE twice",
            make: |_, _| Box::new(NewViewAttack(Spoiled::Duplicate)),
        },
        Known {
            name: "foreign-in-new-view",
            breaks: "the quorum of a view: shows a VIEW-CHANGE of somebody who is no member",
            make: |_, _| Box::new(NewViewAttack(Spoiled::Foreign)),
        },
        Known {
            name: "forge-claim",
            breaks: "what is committed: claims in its VIEW-CHANGE to have prepared what nobody has",
            make: |_, _| Box::new(forge_claim::ForgeClaim),
        },
        Known {
            name: "conceal",
            breaks: "what is committed: claims in its VIEW-CHANGE that it never prepared anything",
            make: |_, _| Box::new(conceal::Conceal),
        },
    ]
}
