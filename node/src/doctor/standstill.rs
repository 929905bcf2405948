//! Which step of the protocol it is that does not happen.
//!
//! The question is always about the furthest view: nobody has a certificate that ends it, or somebody would have left it.

use super::{
    Case, Facts, Report, StageFacts, TallyFacts,
    words::{and, time, verb},
};
use quorate_types::{Digest, Height, ReplicaId, View};
use std::collections::{BTreeMap, BTreeSet};

/// Refusals of so many lengths of a view ago still count.
const RECENT_VIEWS: u64 = 16;

pub(super) fn explain(case: &Case, report: &mut Report) {
    views(case, report);
    leader(case, report);
    proposals(case, report);
    refusals(case, report);
    for said in gathered(case) {
        said.tell(case, report);
    }
}

fn views(case: &Case, report: &mut Report) {
    let mut views: BTreeMap<View, Vec<ReplicaId>> = BTreeMap::new();
    for facts in case.facts() {
        views.entry(facts.view).or_default().push(facts.replica);
    }
    let each = views.iter().rev().map(|(view, members)| {
        format!("{} {} in {view}", case.list(members.iter().copied()), verb(members.len(), "is", "are"))
    });
    let each: Vec<_> = each.collect();
    report.note("views", format!("{}.", and(&each)));
}

/// Those in the furthest view.
fn ahead(case: &Case) -> impl Iterator<Item = &Facts> {
    let furthest = case.furthest();
    case.facts().filter(move |facts| facts.view == furthest)
}

/// Whatever comes next waits until a view is given up whose leader does not answer, or whose votes go to one that does not.
pub(super) fn silent_leader(case: &Case, report: &mut Report) {
    let view = case.furthest();
    let waits = "and does not answer: what comes next waits until that view is given up";
    if let Some(leader) = ahead(case).find_map(|facts| facts.leader).filter(|leader| case.is_silent(*leader)) {
        report.ill("leader", format!("{} leads {view}, {waits}.", case.name(leader)));
    }
    let votes = ahead(case).flat_map(|facts| &facts.tallies).filter(|tally| tally.view == view && !tally.is_complete);
    let lost = votes.filter(|tally| tally.block.is_some() && !tally.from.is_empty());
    if let Some((tally, collector)) =
        lost.filter_map(|tally| tally.collector.map(|to| (tally, to))).find(|(_, to)| case.is_silent(*to))
    {
        report.ill(
            "collector",
            format!("{} alone is told the {} for {view}, {waits}.", case.name(collector), tally.what),
        );
    }
}

fn leader(case: &Case, report: &mut Report) {
    let view = case.furthest();
    let Some(leader) = ahead(case).find_map(|facts| facts.leader) else {
        return report.note("leader", format!("Nobody can tell yet who leads {view}: blocks below it are missing."));
    };
    let name = case.name(leader);
    match case.of(leader) {
        None if case.is_silent(leader) => report.ill("leader", format!("{name} leads {view}, and does not answer.")),
        Some(facts) if facts.view < view => {
            report.ill("leader", format!("{name} leads {view}, but is in {} itself.", facts.view));
        }
        Some(facts) if facts.stage == StageFacts::Silent => {
            report.ill("leader", format!("{name} leads {view}, and has lost its journal."));
        }
        Some(_) | None => report.note("leader", format!("{name} leads {view}.")),
    }
}

fn proposals(case: &Case, report: &mut Report) {
    let begun = || ahead(case).filter(|facts| matches!(facts.stage, StageFacts::Active | StageFacts::TimedOut));
    let has = |facts: &&Facts| facts.proposal.as_ref().is_some_and(|proposal| proposal.view == facts.view);
    let (with, without): (Vec<_>, Vec<_>) = begun().partition(has);
    let view = case.furthest();
    if with.is_empty() && !without.is_empty() {
        report.ill("no-proposal", format!("Nobody has a proposal of {view}."));
    } else if !without.is_empty() {
        let (some, others) =
            (case.list(with.iter().map(|facts| facts.replica)), case.list(without.iter().map(|facts| facts.replica)));
        let verb = verb(with.len(), "has", "have");
        report.ill("proposal-missing", format!("{some} {verb} the proposal of {view}, and {others} not."));
    }
    for facts in with {
        if let Some(proposal) = &facts.proposal
            && let Some(obstacle) = &proposal.obstacle
        {
            let (name, proposer) = (case.name(facts.replica), case.name(proposal.proposer));
            let what = format!("{name} {obstacle}: the block of {proposer} for {} in {view}.", proposal.height);
            report.ill("obstacle", what);
        }
    }
    for facts in case.facts().filter(|facts| facts.missing_batches > 0) {
        let (name, count) = (case.name(facts.replica), facts.missing_batches);
        let batches = verb(count, "batch", "batches");
        report.ill(
            "batches",
            format!("{name} lacks {count} {batches} of transactions that it needs to execute a block."),
        );
    }
}

fn refusals(case: &Case, report: &mut Report) {
    for facts in case.facts() {
        let Some(refused) = &facts.refused else { continue };
        let longest = facts.waiting_ms.unwrap_or_default().max(facts.patience_ms.saturating_mul(RECENT_VIEWS));
        if refused.ago_ms <= longest {
            let (name, proposer) = (case.name(facts.replica), case.name(refused.proposer));
            let what = format!("the block of {proposer} for {} in {}", refused.height, refused.view);
            report.ill("refused", format!("{name} refused {what}, {} ago: {}.", time(refused.ago_ms), refused.why));
        }
    }
}

/// What was said in one place of the protocol, by all that anybody has heard of it.
struct Said<'a> {
    /// One of the tallies, for what they have in common.
    sample: &'a TallyFacts,
    /// Who said it of which block.
    from: BTreeMap<Option<Digest>, BTreeSet<ReplicaId>>,
    /// Who holds what a quorum of it makes.
    holders: Vec<ReplicaId>,
}

/// Where something was said: the later comes last.
type Place = (View, Option<Height>);

/// Of each kind of statement those of the last place, in the order in which the protocol needs them.
fn gathered(case: &Case) -> Vec<Said<'_>> {
    let begun = case.facts().filter(|facts| facts.stage != StageFacts::Changing).map(|facts| facts.view).max();
    let since = begun.unwrap_or_else(|| case.furthest());
    let mut kinds: Vec<&str> = Vec::new();
    let mut places: BTreeMap<&str, (Place, Said<'_>)> = BTreeMap::new();
    for facts in case.facts() {
        for tally in facts.tallies.iter().filter(|tally| tally.view >= since) {
            if !kinds.contains(&tally.what.as_str()) {
                kinds.push(&tally.what);
            }
            let place = (tally.view, tally.height);
            let new = || (place, Said { sample: tally, from: BTreeMap::new(), holders: Vec::new() });
            let (known, said) = places.entry(&tally.what).or_insert_with(new);
            if *known < place {
                (*known, *said) = new();
            }
            if *known == place {
                said.from.entry(tally.block).or_default().extend(&tally.from);
                said.holders.extend(tally.is_complete.then_some(facts.replica));
            }
        }
    }
    kinds.iter().filter_map(|kind| places.remove(kind)).map(|(_, said)| said).filter(Said::is_something).collect()
}

impl Said<'_> {
    fn is_something(&self) -> bool {
        self.from.values().any(|from| !from.is_empty())
    }

    fn everybody(&self) -> BTreeSet<ReplicaId> {
        self.from.values().flatten().copied().collect()
    }

    /// `votes for height 3 in view 7`.
    fn title(&self) -> String {
        let TallyFacts { what, view, height, .. } = self.sample;
        match height {
            Some(height) => format!("{what} for {height} in {view}"),
            None => format!("{what} for {view}"),
        }
    }

    fn tell(&self, case: &Case, report: &mut Report) {
        let (title, makes) = (self.title(), &self.sample.makes);
        if !self.holders.is_empty() {
            let holders = case.list(self.holders.iter().copied());
            let verb = verb(self.holders.len(), "holds", "hold");
            return report.note("held", format!("{holders} {verb} the {makes} that the {title} make."));
        }
        if self.from.len() > 1 {
            let sides = self.from.iter().map(|(block, from)| {
                let block = block.map(|block| block.short()).unwrap_or_default();
                format!("{} for {block}", case.list(from.iter().copied()))
            });
            report.ill("split", format!("The {title} are for different blocks: {}.", and(&sides.collect::<Vec<_>>())));
        }
        let said = self.everybody();
        let most = self.from.values().map(BTreeSet::len).max().unwrap_or_default();
        if most >= case.quorum {
            return report.ill("unheard", self.unheard(case));
        }
        let missing = case.members().filter(|member| !said.contains(member));
        let missing: Vec<_> =
            missing.map(|member| format!("{}{}", case.name(member), self.reason(case, member))).collect();
        let so_far = format!("{} of them, of {}", said.len(), case.list(said.iter().copied()));
        let takes = format!("a {makes} takes {}, and nobody holds one", case.quorum);
        let what = format!(
            "Missing are the {title} of {}. There {} {so_far}; {takes}.",
            and(&missing),
            verb(said.len(), "is", "are")
        );
        report.ill("missing", what);
    }

    /// Enough have said it, and yet nobody has put it together.
    fn unheard(&self, case: &Case) -> String {
        let (title, makes) = (self.title(), &self.sample.makes);
        let said = case.list(self.everybody());
        let why = match self.sample.collector {
            Some(collector) if case.is_silent(collector) => {
                format!("they go to {}, which does not answer", case.name(collector))
            }
            Some(collector) => format!("they go to {}, which has not heard them all", case.name(collector)),
            None => "nobody has heard all of them".to_owned(),
        };
        format!("There are enough {title}, of {said}, but nobody holds the {makes}: {why}.")
    }

    /// Why a member is not among those who have said it.
    fn reason(&self, case: &Case, member: ReplicaId) -> String {
        let because = |why: String| format!(" ({why})");
        if case.is_silent(member) {
            return because("does not answer".into());
        }
        let Some(facts) = case.of(member) else {
            let is_unconnected = |facts: &Facts| facts.disconnected.iter().any(|link| link.replica == member);
            return if case.facts().all(is_unconnected) { because("not connected".into()) } else { String::new() };
        };
        match facts.stage {
            StageFacts::Silent => return because("has lost its journal".into()),
            StageFacts::Halted => return because("has stopped".into()),
            StageFacts::Active | StageFacts::TimedOut | StageFacts::Changing => {}
        }
        if facts.view != self.sample.view {
            return because(format!("is in {}", facts.view));
        }
        match &facts.proposal {
            _ if self.sample.block.is_none() => String::new(),
            None => because("has no proposal".into()),
            Some(proposal) => proposal.obstacle.clone().map(because).unwrap_or_default(),
        }
    }
}
