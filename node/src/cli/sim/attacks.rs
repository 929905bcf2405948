//! `quorate sim attacks`.

use crate::{
    cli::{Context, genesis::protocol},
    exit::{Exit, Failure},
    table::Table,
};
use clap::Args;
use quorate_byzantine::{Attacks, Known};
use quorate_ledger::Protocol;
use quorate_sim::{SymbolicHotStuff, SymbolicPbft};
use serde::Serialize;

#[derive(Debug, Args)]
pub(in crate::cli) struct AttacksArgs {
    /// Those on this protocol alone
    #[arg(long, value_name = "PROTOCOL", value_parser = protocol())]
    protocol: Option<Protocol>,
}

#[derive(Serialize)]
struct AttackView {
    name: &'static str,
    protocols: Vec<Protocol>,
    breaks: &'static str,
}

pub(super) fn run(args: &AttacksArgs, context: &Context) -> Result<Exit, Failure> {
    list_all(args.protocol, context).map(|()| Exit::Success)
}

/// Prints those on a protocol, or on both.
pub(super) fn list_all(protocol: Option<Protocol>, context: &Context) -> Result<(), Failure> {
    let mut attacks = Vec::new();
    list::<SymbolicHotStuff>(Protocol::Hotstuff, &mut attacks);
    list::<SymbolicPbft>(Protocol::Pbft, &mut attacks);
    attacks.retain(|attack| protocol.is_none_or(|protocol| attack.protocols.contains(&protocol)));
    context.output.data(&attacks, |attacks| table(attacks))
}

/// One attack of two protocols is told once; two of one name that do different things are told apart.
fn list<P: Attacks>(protocol: Protocol, attacks: &mut Vec<AttackView>) {
    for Known { name, breaks, .. } in P::attacks() {
        match attacks.iter_mut().find(|known| (known.name, known.breaks) == (name, breaks)) {
            Some(known) => known.protocols.push(protocol),
            None => attacks.push(AttackView { name, protocols: vec![protocol], breaks }),
        }
    }
}

fn table(attacks: &[AttackView]) -> String {
    let mut table = Table::new(["attack", "on", "tries to break"]);
    for attack in attacks {
        let protocols = attack.protocols.iter().map(|protocol| protocol.name()).collect::<Vec<_>>();
        table.row([attack.name.to_owned(), protocols.join(", "), attack.breaks.to_owned()]);
    }
    table.to_string()
}
