//! What is done to links.

use super::{
    At,
    grammar::{self, Cut, Ends},
};
use crate::{cli::Context, exit::Failure};
use clap::{
    Args,
    builder::{PossibleValuesParser, TypedValueParser},
};
use quorate_links::LinkSpec;
use quorate_scenario::{Action, Wan};
use std::{collections::BTreeMap, time::Duration};

/// Cut links: only members of one group hear each other, or nothing passes in one direction
///
/// `partition 0,1/2,3` makes two groups, in place of whatever was cut before; a validator that is in none is alone. `partition '0>2'` also
/// cuts one direction: quote it, or the shell writes into a file. Connections stay open, nothing passes on them. `quorate fault heal` mends all.
#[derive(Debug, Args)]
pub(in crate::cli) struct PartitionArgs {
    /// Groups such as 0,1/2,3, or directions such as '0>2'
    #[arg(required = true, value_name = "CUT", value_parser = grammar::cut)]
    cuts: Vec<Cut>,
    #[command(flatten)]
    at: At,
}

/// Mend all cuts
///
/// Links that are slow or lossy stay so: `quorate fault link all` makes them perfect.
#[derive(Debug, Args)]
pub(in crate::cli) struct HealArgs {
    #[command(flatten)]
    at: At,
}

/// Make links slow, lossy or narrow
///
/// What is not named is perfect again: `link 0-1` alone mends that link. Messages are delayed, dropped and doubled whole, where
/// they leave a validator.
#[derive(Debug, Args)]
pub(in crate::cli) struct LinkArgs {
    /// 0-1 for both directions between two, '0>1' (quoted) for one, all for every one
    #[arg(value_name = "LINK", value_parser = grammar::ends)]
    ends: Ends,
    /// Every message takes at least this long, such as 40ms
    #[arg(long, value_parser = grammar::time)]
    delay: Option<Duration>,
    /// And up to this much longer
    #[arg(long, value_parser = grammar::time)]
    jitter: Option<Duration>,
    /// So many are lost, such as 1%
    #[arg(long, value_parser = grammar::chance)]
    loss: Option<f64>,
    /// So many come twice
    #[arg(long, value_parser = grammar::chance)]
    duplicate: Option<f64>,
    /// So many are held back and overtaken
    #[arg(long, value_parser = grammar::chance)]
    reorder: Option<f64>,
    /// No more than this passes, such as 20mbit (a second); the rest waits
    #[arg(long, value_parser = grammar::bandwidth)]
    bandwidth: Option<u64>,
    #[command(flatten)]
    at: At,
}

/// Make links as long as between the regions of a cloud
///
/// Validators live in the regions in turn, in the order of the table; each direction takes half of the round trip. `quorate fault link
/// all` ends it. Commits take as long as the slowest members of the fastest quorum; with far regions, a genesis wants longer timeouts.
#[derive(Debug, Args)]
pub(in crate::cli) struct WanArgs {
    /// Whose regions
    #[arg(value_name = "NAME", value_parser = known(), required_unless_present = "list")]
    wan: Option<Wan>,
    /// Only print the tables, with their source
    #[arg(long)]
    list: bool,
    #[command(flatten)]
    at: At,
}

fn known() -> impl TypedValueParser<Value = Wan> {
    let find = |name: String| Wan::ALL.into_iter().find(|(known, _)| *known == name).map(|(_, wan)| wan);
    PossibleValuesParser::new(Wan::ALL.map(|(name, _)| name))
        .map(move |name| find(name).expect("one of the possible values"))
}

pub(super) fn wan(args: &WanArgs, context: &Context) -> Result<(), Failure> {
    match args.wan {
        Some(wan) if !args.list => args.at.order(vec![Action::Wan(wan)], context),
        _ => {
            let tables: BTreeMap<_, _> = Wan::ALL.into_iter().map(|(name, wan)| (name, wan.text())).collect();
            context.output.data(&tables, |tables| tables.values().copied().collect::<String>())
        }
    }
}

pub(super) fn partition(args: &PartitionArgs, context: &Context) -> Result<(), Failure> {
    let mut actions = Vec::new();
    for cut in &args.cuts {
        match cut {
            Cut::Groups(groups) => actions.push(Action::Partition(groups.clone())),
            Cut::OneWay(from, to) => {
                let pairs = from.iter().flat_map(|from| to.iter().map(|to| Action::OneWay(*from, *to)));
                actions.extend(pairs);
            }
        }
    }
    args.at.order(actions, context)
}

pub(super) fn heal(args: &HealArgs, context: &Context) -> Result<(), Failure> {
    args.at.order(vec![Action::Heal], context)
}

pub(super) fn link(args: &LinkArgs, context: &Context) -> Result<(), Failure> {
    let spec = LinkSpec {
        delay: args.delay.unwrap_or_default(),
        jitter: args.jitter.unwrap_or_default(),
        loss: args.loss.unwrap_or_default(),
        duplicate: args.duplicate.unwrap_or_default(),
        reorder: args.reorder.unwrap_or_default(),
        bandwidth: args.bandwidth,
        cut: false,
    };
    let actions = match args.ends {
        Ends::All => vec![Action::Links(spec)],
        Ends::OneWay(from, to) => vec![Action::Link(from, to, spec)],
        Ends::Both(a, b) => vec![Action::Link(a, b, spec), Action::Link(b, a, spec)],
    };
    args.at.order(actions, context)
}
