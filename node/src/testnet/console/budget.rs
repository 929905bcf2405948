//! The fault budget: how many validators are faulty, and how many may be.
//!
//! With `n` validators both protocols promise agreement and progress as long as at most `f = (n-1)/3` are faulty at a time. Down,
//! standing still, with a lost or a failing disk, lying: each is one. Links, cuts and clocks are not validators: agreement never rests
//! on them, and whoever cuts them knows what stops.
//!
//! Liars count twice over. What a validator signed as a liar stays signed when it is honest again, and may be shown later; so no more
//! than `f` may ever lie in one run, one after the other too.

use super::wanted::{NodeWanted, Process, Wanted};
use quorate_types::ReplicaId;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How many validators are faulty, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Budget {
    /// How many.
    pub(crate) used: usize,
    /// How many may be.
    pub(crate) f: usize,
    /// Who, and why.
    pub(crate) faulty: BTreeMap<String, String>,
    /// Who lied before and does not now.
    pub(crate) lied_before: Vec<String>,
}

/// Too many.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Exceeded {
    /// At one time.
    #[error("{faulty} faulty validators are more than f = {f}: {who}")]
    Faulty { faulty: usize, f: usize, who: String },
    /// One after the other.
    #[error(
        "{liars} validators that have lied are more than f = {f} ({who}): what a liar signed stays signed when it is honest again"
    )]
    Liars { liars: usize, f: usize, who: String },
}

fn fault(node: &NodeWanted) -> Option<&'static str> {
    let failing = |disk: &crate::lab::DiskFaults| disk.sync_fails || disk.full_after.is_some();
    match node.process {
        _ if node.attack.is_some() => Some("lies"),
        Process::Paused => Some("paused"),
        Process::Killed => Some("killed"),
        Process::Wiped => Some("lost its disks"),
        Process::Ended => Some("ended by itself"),
        Process::Runs if failing(&node.disks.journal) || failing(&node.disks.blocks) => Some("its disk fails"),
        Process::Runs if node.rejoins => Some("lost its disks, has not taken part since"),
        Process::Runs => None,
    }
}

fn faulty(wanted: &Wanted) -> Vec<(ReplicaId, &'static str)> {
    wanted.members().filter_map(|id| Some((id, fault(wanted.node(id))?))).collect()
}

fn liars(wanted: &Wanted) -> Vec<ReplicaId> {
    wanted.members().filter(|id| wanted.node(*id).has_lied).collect()
}

pub(super) fn most(nodes: usize) -> usize {
    nodes.saturating_sub(1) / 3
}

impl Budget {
    pub(super) fn of(wanted: &Wanted, names: &[String]) -> Self {
        let name = |id: ReplicaId| names[id.index()].clone();
        let faulty: BTreeMap<_, _> = faulty(wanted).into_iter().map(|(id, why)| (name(id), why.to_owned())).collect();
        let reformed = liars(wanted).into_iter().filter(|id| wanted.node(*id).attack.is_none());
        Self { used: faulty.len(), f: most(wanted.nodes.len()), faulty, lied_before: reformed.map(name).collect() }
    }

    /// In a line.
    pub(crate) fn text(&self) -> String {
        let who: Vec<_> = self.faulty.iter().map(|(name, why)| format!("{name}: {why}")).collect();
        let who = if who.is_empty() { String::new() } else { format!(" ({})", who.join(", ")) };
        let beyond = if self.used > self.f { ", beyond what the protocol bears" } else { "" };
        format!("fault budget: {} of f = {} used{who}{beyond}", self.used, self.f)
    }
}

/// Refuses more than may be, unless it was as much before.
pub(super) fn check(before: &Wanted, after: &Wanted, names: &[String]) -> Result<(), Exceeded> {
    let f = most(after.nodes.len());
    let list = |ids: Vec<ReplicaId>| ids.into_iter().map(|id| names[id.index()].clone()).collect::<Vec<_>>().join(", ");
    let (was, is) = (faulty(before), faulty(after));
    let is_new = |(id, _): &(ReplicaId, _)| was.iter().all(|(faulty, _)| faulty != id);
    if is.len() > f && is.iter().any(is_new) {
        let who = is.iter().map(|(id, why)| format!("{} {why}", names[id.index()])).collect::<Vec<_>>().join(", ");
        return Err(Exceeded::Faulty { faulty: is.len(), f, who });
    }
    let (lied, liars) = (liars(before), liars(after));
    if liars.len() > f && liars.len() > lied.len() {
        return Err(Exceeded::Liars { liars: liars.len(), f, who: list(liars) });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use quorate_scenario::{Action, Attacker, Who};

    fn names() -> Vec<String> {
        (0..4).map(|index| format!("node{index}")).collect()
    }

    fn lie(replica: u16) -> Action {
        let (replica, attack) = (ReplicaId(replica), "silent".to_owned());
        Action::Attack(Attacker { replica, attack, from_view: 0, until_view: None, against: [].into() })
    }

    fn kill(replica: u16) -> Action {
        Action::Crash(Who::one(ReplicaId(replica)))
    }

    fn after(wanted: &Wanted, actions: &[Action]) -> Wanted {
        let mut after = wanted.clone();
        actions.iter().for_each(|action| drop(after.change(action).expect("it makes sense")));
        after
    }

    fn allowed(wanted: &Wanted, actions: &[Action]) -> Result<(), Exceeded> {
        check(wanted, &after(wanted, actions), &names())
    }

    #[test]
    fn f_may_be_faulty_and_one_more_may_not_whatever_the_fault() {
        let one = after(&Wanted::new(4), &[kill(3)]);
        assert_eq!(Budget::of(&one, &names()).text(), "fault budget: 1 of f = 1 used (node3: killed)");
        for more in [kill(0), lie(1), Action::Pause(Who::one(ReplicaId(2))), Action::Wipe(Who::one(ReplicaId(2)))] {
            assert!(matches!(allowed(&one, &[more]), Err(Exceeded::Faulty { faulty: 2, f: 1, .. })));
        }
        assert_eq!(allowed(&one, &[lie(3)]), Ok(()), "it is the same one");
        assert_eq!(allowed(&one, &[Action::Restart(Who::All), kill(0)]), Ok(()));
        assert_eq!(allowed(&one, &[Action::Partition(vec![])]), Ok(()), "a cut is no validator");
    }

    #[test]
    fn whoever_is_beyond_may_come_back_step_by_step() {
        let beyond = after(&Wanted::new(4), &[Action::Crash(Who::All)]);
        assert_eq!(allowed(&beyond, &[Action::Restart(Who::one(ReplicaId(0)))]), Ok(()));
        assert!(Budget::of(&beyond, &names()).text().ends_with(", beyond what the protocol bears"));
    }

    #[test]
    fn a_second_liar_is_one_too_many_even_after_the_first_has_stopped() {
        let reformed = after(&Wanted::new(4), &[lie(3), Action::StopAttack(ReplicaId(3))]);
        assert_eq!(Budget::of(&reformed, &names()).lied_before, ["node3"]);
        assert!(matches!(allowed(&reformed, &[lie(0)]), Err(Exceeded::Liars { liars: 2, f: 1, .. })));
        assert_eq!(allowed(&reformed, &[lie(3)]), Ok(()));
        assert_eq!(allowed(&reformed, &[kill(0)]), Ok(()), "it only crashes");
    }
}
