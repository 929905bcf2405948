//! What the formulas say of a case over a range of decisions.

use super::{
    case::Case,
    row::{Fault, Theory},
    theory,
};
use quorate_ledger::{Protocol, SchemeKind};

/// Of so many decisions under this protocol and scheme. There are formulas for what goes on without a fault, and for PBFT's view change.
pub(super) fn theory(case: &Case, (protocol, scheme): (Protocol, SchemeKind), decisions: u64) -> Theory {
    let n = case.n as u64;
    let signatures = theory::signatures(scheme, n);
    let (messages, authenticators, formula) = match protocol {
        Protocol::Pbft => {
            (theory::pbft::block(n), theory::pbft::block_authenticators(n, signatures), "2n(n-1) a block")
        }
        Protocol::Hotstuff => (
            theory::hotstuff::view(n),
            theory::hotstuff::view_authenticators(n, signatures),
            "2(n-1) a view, and a view a block",
        ),
    };
    match case.fault {
        Fault::None => Theory {
            messages: Some(messages * decisions),
            authenticators: Some(authenticators * decisions),
            formula: formula.to_owned(),
        },
        Fault::SilentLeader if protocol == Protocol::Pbft => Theory {
            messages: Some(messages * decisions + theory::pbft::silent_primary(n)),
            authenticators: Some(
                authenticators * decisions + theory::pbft::silent_primary_authenticators(n, signatures),
            ),
            formula: "2n(n-1) a block, and 3n(n-1) + f for the view change".to_owned(),
        },
        Fault::SilentLeader | Fault::EquivocatingLeader | Fault::FSilent | Fault::Partition => {
            Theory { messages: None, authenticators: None, formula: format!("{formula}, and what the fault costs") }
        }
    }
}
