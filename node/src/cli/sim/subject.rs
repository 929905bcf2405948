//! What is simulated: the arguments that several commands share.

use crate::cli::genesis::protocol;
use clap::{
    Args,
    builder::{PossibleValuesParser, TypedValueParser},
};
use quorate_ledger::{Protocol, SchemeKind};
use quorate_scenario::Votes;
use quorate_sim::campaign::{Runner, watch_plan};
use std::ops::Range;

// Protocol, scheme and size of a committee. No doc comment: it would replace the help of each command that takes these.
#[derive(Clone, Copy, Debug, Args)]
pub(super) struct Subject {
    /// How the replicas agree
    #[arg(long, value_name = "PROTOCOL", default_value_t, value_parser = protocol())]
    pub(super) protocol: Protocol,
    /// What votes are signed with. `symbolic` is as hard to forge in a simulation, and costs next to nothing
    #[arg(long, value_name = "SCHEME", default_value = Votes::Symbolic.name(), value_parser = scheme())]
    pub(super) scheme: Votes,
    /// How many replicas
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=100))]
    pub(super) n: u16,
}

/// Who runs plans under a scheme.
pub(super) fn runner(votes: Votes) -> Runner {
    match votes {
        Votes::Symbolic => watch_plan,
        Votes::Real(scheme) => quorate_sim_real::runner(scheme),
    }
}

fn scheme() -> impl TypedValueParser<Value = Votes> {
    let names = [Votes::Symbolic.name()].into_iter().chain(SchemeKind::ALL.map(SchemeKind::name));
    PossibleValuesParser::new(names).try_map(|name| Votes::parse(&name))
}

/// Reads `A..B`, all from A to before B.
pub(super) fn seeds(text: &str) -> Result<Range<u64>, String> {
    let bad = || format!("`{text}` is not a range of seeds such as 0..1000, the last not included");
    let (from, to) = text.split_once("..").ok_or_else(bad)?;
    let range = from.parse().map_err(|_| bad())?..to.parse().map_err(|_| bad())?;
    if range.is_empty() { Err(bad()) } else { Ok(range) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_are_a_range_that_is_not_empty() {
        assert_eq!(seeds("5..8"), Ok(5..8));
        for bad in ["", "5", "..", "5..", "..8", "8..8", "8..5", "5..=8", "-1..2", "0..18446744073709551616"] {
            assert!(seeds(bad).is_err(), "{bad}");
        }
    }
}
