//! A scenario on processes as it is told: like a simulated one, as far as there is the same to tell.

use super::drive::Played;
use crate::{
    testnet::children::{Died, shown},
    verdict::{HeldView, table},
};
use quorate_scenario::{Ending, Held, Scenario, Votes};
use quorate_sim::campaign::Plan;
use serde::Serialize;

/// A run as JSON tells it.
#[derive(Serialize)]
pub(super) struct Told {
    scenario: String,
    protocol: &'static str,
    scheme: &'static str,
    n: usize,
    ending: &'static str,
    expected: Vec<HeldView>,
    /// A validator that ended with an error that nothing explains.
    ended: Option<String>,
    #[serde(flatten)]
    played: serde_json::Value,
    #[serde(skip)]
    height: u64,
    #[serde(skip)]
    seconds: f64,
}

impl Told {
    pub(super) fn new(
        scenario: &Scenario,
        plan: &Plan,
        (ending, held): (Ending, &[Held]),
        played: &Played,
        ended: Option<&Died>,
    ) -> Self {
        Self {
            scenario: scenario.name.clone(),
            protocol: plan.protocol.name(),
            scheme: scheme(scenario.net.votes),
            n: plan.replicas,
            ending: ending.name(),
            expected: held.iter().map(HeldView::from).collect(),
            ended: ended.map(|died| format!("{} ended with {}:\n{}", died.name, shown(died.status), died.log_tail)),
            height: played.heights.last().map_or(0, |(_, height)| *height),
            seconds: played.until.as_secs_f64(),
            played: played.json(),
        }
    }
}

/// What votes are signed with: processes have nothing symbolic.
fn scheme(votes: Votes) -> &'static str {
    votes.real().unwrap_or_default().name()
}

/// In words.
pub(super) fn text(told: &Told) -> String {
    let Told { scenario, protocol, scheme, n, ending, .. } = told;
    let mut text = format!("{scenario}: {protocol}, {scheme}, n={n}, processes: {ending}\n");
    if let Some(ended) = &told.ended {
        text += &format!("{ended}\n");
    }
    if !told.expected.is_empty() {
        text += &format!("\n{}\n", table(&told.expected));
    }
    text + &format!("height {} after {:.3} s\n", told.height, told.seconds)
}
