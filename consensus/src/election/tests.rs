//! Elections over chains that are made view by view: a view whose leader is up adds a block, any other fails.

use super::{Ancestry, Election, Proposers, STABLE_VIEWS, reputation};
use crate::test_net::{child, genesis, id};
use proptest::prelude::*;
use quorate_crypto::{Committee, conformance};
use quorate_types::{Header, Height, ReplicaId, View};
use std::collections::{BTreeMap, BTreeSet};

struct Chain {
    committee: Committee,
    election: Election,
    headers: Vec<Header>,
    proposers: Proposers,
    view: View,
    failed: Vec<View>,
}

impl Chain {
    fn new(n: usize, election: Election) -> Self {
        let genesis = genesis(n);
        let proposers = Proposers::up_to(&genesis, &[]);
        let committee = conformance::committee(n);
        Self { committee, election, headers: vec![genesis], proposers, view: View::GENESIS, failed: vec![] }
    }

    fn tip(&self) -> &Header {
        self.headers.last().expect("genesis")
    }

    fn leader(&self, view: View) -> Option<ReplicaId> {
        self.leader_as(view, &self.proposers)
    }

    fn leader_as(&self, view: View, proposers: &Proposers) -> Option<ReplicaId> {
        self.election.leader(&self.committee, view, || Some(Ancestry::new(self.tip(), proposers.clone())))
    }

    /// The next view: whoever leads it proposes, if `is_up`. Says who.
    fn step(&mut self, is_up: impl Fn(ReplicaId) -> bool) -> ReplicaId {
        self.view = self.view.next();
        let leader = self.leader(self.view).expect("the chain is known from genesis");
        if is_up(leader) {
            let block = child(self.tip(), self.view, leader, vec![]);
            self.proposers.add(&block.header);
            self.headers.push(block.header);
        } else {
            self.failed.push(self.view);
        }
        leader
    }

    fn run(&mut self, views: u64, down: &[usize]) {
        let down: BTreeSet<_> = down.iter().copied().map(id).collect();
        for _ in 0..views {
            self.step(|leader| !down.contains(&leader));
        }
    }

    fn failed_since(&self, view: u64) -> usize {
        self.failed.iter().filter(|failed| failed.0 > view).count()
    }

    fn newest_first(&self) -> Vec<Header> {
        self.headers.iter().rev().cloned().collect()
    }
}

#[test]
fn in_good_times_each_leads_one_term_a_round() {
    for n in [1, 2, 4, 7, 10, 31] {
        for (election, term) in
            [(Election::RoundRobin, 1), (Election::Stable, STABLE_VIEWS), (Election::Reputation, reputation::TERM)]
        {
            let mut chain = Chain::new(n, election);
            let round = term * u64::try_from(n).expect("small");
            chain.run(round - 1, &[]);
            for _ in 0..3 {
                let mut led = BTreeMap::<ReplicaId, u64>::new();
                (0..round).for_each(|_| *led.entry(chain.step(|_| true)).or_default() += 1);
                assert_eq!(led.values().copied().collect::<Vec<_>>(), vec![term; n], "{election:?}, n = {n}");
            }
        }
    }
}

#[test]
fn neighbours_do_not_stay_neighbours() {
    let mut chain = Chain::new(7, Election::Reputation);
    let mut orders = BTreeSet::new();
    for _ in 0..50 {
        let order: Vec<_> = (0..7 * reputation::TERM).map(|_| chain.step(|_| true)).collect();
        orders.insert(order);
    }
    assert!(orders.len() > 40, "{} orders in 50 rounds", orders.len());
}

#[test]
fn a_stable_leader_keeps_its_place_until_a_view_fails_and_its_successor_keeps_the_rest() {
    let mut chain = Chain::new(4, Election::Stable);
    chain.run(5, &[]);
    assert_eq!((chain.leader(View(6)), chain.leader(View(7))), (Some(id(0)), Some(id(1))), "if view 6 fails");
    chain.run(1, &[0]);
    assert_eq!(chain.leader(View(7)), Some(id(1)));
    chain.run(STABLE_VIEWS - 7, &[]);
    assert_eq!(chain.tip().proposer, id(1), "to the end of the term");
    assert_eq!(chain.step(|_| true), id(1), "the second term begins with replica 1");
    chain.run(STABLE_VIEWS * 40, &[1]);
    assert_eq!(chain.failed.len(), 2 + 10, "one view each time its term comes");
}

/// Views that fail: one each in rounds 1, 2, 4 ... since its last block, and then every 64.
#[test]
fn a_crashed_replica_costs_fewer_and_fewer_views() {
    for dead in 0..4 {
        let mut chain = Chain::new(4, Election::Reputation);
        chain.run(160, &[]);
        chain.run(64 * 16, &[dead]);
        let first = chain.failed.len();
        assert!((6..=8).contains(&first), "dead {dead}: {:?}", chain.failed);
        chain.run(64 * 16, &[dead]);
        assert!(chain.failed.len() - first <= 2, "dead {dead}: {:?}", chain.failed);
        let round_robin = 64 * 16 * 2 / 4;
        assert!(chain.failed.len() * 50 < round_robin);
    }
}

#[test]
fn f_crashed_replicas_cost_little_each() {
    for (n, down) in [(7, vec![2, 5]), (10, vec![0, 1, 2]), (31, (3..13).collect()), (100, (60..93).collect())] {
        let mut chain = Chain::new(n, Election::Reputation);
        let round = reputation::TERM * u64::try_from(n).expect("small");
        chain.run(2 * round, &[]);
        chain.run(16 * round, &down);
        // Rounds 1, 2, 4, 8 and 16, or where memory is shorter every fourth; a view more where the next one is down as well.
        assert!(chain.failed.len() <= 8 * down.len(), "n = {n}: {} views failed", chain.failed.len());
        chain.run(16 * round, &down);
        let late = chain.failed_since(18 * round);
        assert!(late <= 5 * down.len(), "n = {n}: {late} views failed in the second half");
    }
}

#[test]
fn a_replica_that_comes_back_leads_again_within_its_age_and_then_every_round() {
    for rounds in [1u64, 3, 10, 40, 100, 500] {
        let mut chain = Chain::new(4, Election::Reputation);
        chain.run(160, &[]);
        chain.run(rounds * 16, &[2]);
        let back = chain.view;
        let leads = (0..).map(|_| chain.step(|_| true)).position(|leader| leader == id(2)).expect("some day");
        let limit = (rounds + 1).next_power_of_two().min(64) * 16 + 16;
        assert!(leads as u64 <= limit, "after {rounds} rounds down: {leads} views after {back}");
        chain.run(16, &[]);
        for _ in 0..5 {
            let leaders: Vec<_> = (0..32).map(|_| chain.step(|_| true)).collect();
            assert!(leaders.contains(&id(2)), "{leaders:?}");
        }
    }
}

/// The last view of each term of an honest replica is dropped by the Byzantine one that leads next, and all of those lead one
/// view of their own terms only.
#[test]
fn forking_and_idle_leaders_push_no_honest_replica_out() {
    let byzantine = |replica: ReplicaId| replica.0 < 3;
    let mut chain = Chain::new(10, Election::Reputation);
    let mut led = BTreeMap::<ReplicaId, u64>::new();
    for view in 1..=4000u64 {
        let next = chain.view.next();
        let leader = chain.leader(next).expect("known");
        let again = chain.leader(View(next.0 + 1));
        let has_led = chain.tip().proposer == leader && chain.tip().view.0 + 1 == view;
        let is_forked = !byzantine(leader) && next.0 % reputation::TERM == 3 && again.is_some_and(byzantine);
        let is_idle = byzantine(leader) && has_led;
        chain.step(|_| !is_forked && !is_idle);
        *led.entry(leader).or_default() += 1;
    }
    let least = (3..10).map(|index| led[&id(index)]).min().expect("seven");
    assert!(least >= 4000 / 10, "honest replicas lead at least their share: {led:?}");
}

#[test]
fn when_everything_fails_all_have_their_turn() {
    let mut chain = Chain::new(7, Election::Reputation);
    chain.run(300, &[0, 1]);
    let leaders: BTreeSet<_> = (0..30).map(|_| chain.step(|_| false)).collect();
    assert_eq!(leaders.len(), 7, "{leaders:?}");
    // Those with standing die, and those that were away come back.
    let mut chain = Chain::new(7, Election::Reputation);
    chain.run(300, &[0, 1]);
    let before = chain.view.0;
    chain.run(300, &[5, 6]);
    assert!(chain.failed_since(before) <= 20, "{:?}", chain.failed);
}

#[test]
fn far_views_overflow_nothing() {
    for election in [Election::RoundRobin, Election::Stable, Election::Reputation] {
        let chain = Chain::new(7, election);
        for view in [0, 1, u64::MAX - 1, u64::MAX] {
            assert!(chain.leader(View(view)).is_some());
        }
    }
}

#[test]
fn whoever_knows_too_little_knows_no_leader_until_the_gap_is_forgotten() {
    let mut chain = Chain::new(4, Election::Reputation);
    chain.run(3000, &[1]);
    let mut newcomer = Proposers::up_to(chain.tip(), &[]);
    let mut unknown = 0;
    for _ in 0..Election::Reputation.memory(&chain.committee) {
        match chain.leader_as(chain.view.next(), &newcomer) {
            None => unknown += 1,
            known => assert_eq!(known, chain.leader(chain.view.next()), "what it knows is right"),
        }
        let made = chain.headers.len();
        chain.step(|leader| leader != id(1));
        chain.headers[made..].iter().for_each(|header| newcomer.add(header));
    }
    assert!(unknown > 0, "it does not guess");
    for _ in 0..2000 {
        assert_eq!(chain.leader_as(chain.view.next(), &newcomer), chain.leader(chain.view.next()));
        let made = chain.headers.len();
        chain.step(|leader| leader != id(1));
        chain.headers[made..].iter().for_each(|header| newcomer.add(header));
    }
}

#[test]
fn headers_that_do_not_link_are_not_believed() {
    let mut chain = Chain::new(4, Election::Reputation);
    chain.run(40, &[]);
    let mut recent = chain.newest_first();
    let honest = Proposers::up_to(chain.tip(), &recent);
    assert_eq!(honest, Proposers::up_to(chain.tip(), &recent[1..]), "with the head or without");
    for header in &mut recent[10..20] {
        header.proposer = id(3);
    }
    assert_eq!(Proposers::up_to(chain.tip(), &recent), Proposers::up_to(chain.tip(), &recent[..10]));
}

proptest! {
    /// One that saw every block, one that starts again with as much as its host gives it, and one that block sync brought here in two
    /// strides elect the same leader, whoever was down when.
    #[test]
    fn all_who_know_enough_agree(
        n in 1usize..14,
        downs in proptest::collection::vec((1u64..400, 0usize..14, 0usize..14), 1..12),
        stride in 1usize..300,
    ) {
        let mut chain = Chain::new(n, Election::Reputation);
        for (views, one, other) in downs {
            let down: Vec<_> = [one, other].into_iter().filter(|index| *index < (n - 1) / 3).collect();
            chain.run(views, &down);
        }
        let memory = Election::Reputation.memory(&chain.committee);
        let head = chain.tip().clone();
        let is_needed = |header: &&Header| header.view.0 + memory > head.view.0;
        let enough = chain.newest_first().iter().take_while(is_needed).count() + 1;
        let recent: Vec<_> = chain.newest_first().into_iter().take(enough).collect();
        let restarted = Proposers::up_to(&head, &recent);
        let upper = chain.headers.len().saturating_sub(stride);
        let mut synced = Proposers::up_to(&chain.headers[0], &[]);
        for part in [&chain.headers[..upper], &chain.headers[upper..]] {
            let newest_first: Vec<_> = part.iter().rev().cloned().collect();
            if let Some(head) = newest_first.first().filter(|head| head.height > Height::GENESIS) {
                synced.advance(head, &newest_first);
            }
        }
        prop_assert_eq!(&synced, &chain.proposers);
        for view in head.view.0 + 1..head.view.0 + 300 {
            // As if the tip were of the view before: after failed views all have their turn.
            let leader = |proposers: &Proposers| {
                let known = Ancestry { tip: View(view - 1), ..Ancestry::new(&head, proposers.clone()) };
                chain.election.leader(&chain.committee, View(view), || Some(known))
            };
            prop_assert!(leader(&restarted).is_some());
            prop_assert_eq!(leader(&chain.proposers), leader(&restarted), "view {}", view);
        }
    }
}
