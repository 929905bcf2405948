//! A run as a page to look at.

use super::{Held, Outcome, Plan};
use crate::story::Heading;

impl Outcome {
    /// The space-time diagram of a run that was watched for its story: one HTML page that needs nothing else.
    pub fn page(&self, plan: &Plan, title: String, about: String) -> Option<String> {
        let violation = self.violation.as_ref().map(ToString::to_string);
        let heading = Heading {
            title,
            about,
            seed: plan.seed.to_string(),
            ending: self.ending().name().to_owned(),
            violation,
            trace: self.trace.to_string(),
            expected: self.held.iter().map(expected).collect(),
            attacks: (0..plan.replicas).map(|replica| attacks(plan, replica)).collect(),
            lasted: self.lasted,
        };
        self.story.as_ref().map(|story| story.page(&heading))
    }
}

fn expected(held: &Held) -> (String, bool, String) {
    (held.expectation.to_string(), held.holds, held.figure.clone())
}

/// What a replica does at some time or other.
fn attacks(plan: &Plan, replica: usize) -> Option<String> {
    let own = plan.all_attackers().filter(|attacker| attacker.replica.index() == replica);
    let mut names: Vec<_> = own.map(|attacker| attacker.attack.as_str()).collect();
    names.dedup();
    if names.is_empty() { None } else { Some(names.join(", ")) }
}
