//! Attacks that know PBFT's messages.

mod bad_partials;
mod conceal;
mod equivocate;
mod forge;
mod forge_claim;
mod fork;
mod jump;
mod new_view;
mod two_faced;

use crate::{Hands, Known, Spoil, forged::Forgery};
use new_view::{NewViewAttack, Spoiled};
use quorate_consensus::pbft::Pbft;

pub(crate) fn attacks<S: Spoil>() -> Vec<Known<Pbft<S>>> {
    vec![
        Known {
            name: "equivocate",
            breaks: "agreement: proposes one chain to one half and another to the rest, and votes for both",
            make: |_, _| Box::new(equivocate::Equivocate::<S>::new(Hands::is_first_half)),
        },
        Known {
            name: "equivocate-one",
            breaks: "agreement: proposes one chain to a single replica and another to the rest, and votes for both",
            make: |_, _| Box::new(equivocate::Equivocate::<S>::new(Hands::is_first)),
        },
        Known {
            name: "two-faced",
            breaks: "agreement: votes to each for what that one votes for, and has no votes of its own",
            make: |_, _| Box::new(two_faced::TwoFaced),
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
            name: "few-in-new-view",
            breaks: "the quorum of a view: begins it with one VIEW-CHANGE fewer",
            make: |_, _| Box::new(NewViewAttack(Spoiled::Few)),
        },
        Known {
            name: "equivocate-new-view",
            breaks: "what is committed: begins its view in one way for one half and in another for the rest",
            make: |_, _| Box::new(NewViewAttack(Spoiled::Twofold)),
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
            breaks: "what is committed: proposes another block where one was decided",
            make: |_, _| Box::new(fork::Fork::default()),
        },
    ]
}
