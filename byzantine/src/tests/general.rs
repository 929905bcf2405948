use super::{B, H, World, busy, world::BASE};
use crate::{Attacks, Target, find};
use quorate_consensus::Replica;
use quorate_crypto::Symbolic;
use quorate_types::{ReplicaId, View};
use std::collections::BTreeSet;

#[test]
fn names_are_unique_and_each_has_its_sentence() {
    fn check<P: Attacks>() {
        let known = P::attacks();
        let names: BTreeSet<_> = known.iter().map(|known| known.name).collect();
        assert_eq!(names.len(), known.len());
        assert!(known.iter().all(|known| known.breaks.contains(": ") && find::<P>(known.name).is_some()));
        assert!(find::<P>("no-such-attack").is_none());
    }
    check::<H>();
    check::<B>();
}

/// docs/attacks.md
#[test]
fn the_documentation_lists_all_attacks_and_no_other() {
    let page = include_str!("../../../docs/attacks.md");
    let listed: BTreeSet<_> = page.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect();
    let known =
        H::attacks().into_iter().map(|known| known.name).chain(B::attacks().into_iter().map(|known| known.name));
    assert_eq!(listed, known.collect());
}

#[test]
fn silent_says_nothing_to_those_it_is_against() {
    fn check<P: Attacks<Scheme = Symbolic>>() {
        let world = busy::<P>(1, "silent", &Target::default());
        assert_eq!(world.sent.iter().filter(|sent| sent.from == ReplicaId(1)).count(), 0);
        assert!(world.agreed() > 0, "the others go on");
        let world = busy::<P>(1, "silent", &Target::default().against([3]));
        let told: BTreeSet<_> =
            world.sent.iter().filter(|sent| sent.from == ReplicaId(1)).map(|sent| sent.to).collect();
        assert_eq!(told, BTreeSet::from([ReplicaId(0), ReplicaId(2)]));
        assert!(world.agreed() > 0);
    }
    check::<H>();
    check::<B>();
}

#[test]
fn before_its_view_an_attacker_is_honest() {
    let world = busy::<H>(1, "silent", &Target::from_view(9));
    let last = world.said(1, "vote").last().map(|sent| sent.at).expect("it votes at first");
    assert!(world.sent.iter().all(|sent| sent.from != ReplicaId(1) || sent.at <= last + BASE));
    assert!(world.replicas[1].view() > View(20), "the replica in it goes on");
}

#[test]
fn late_says_everything_half_a_view_later() {
    let world = busy::<B>(2, "late", &Target::default());
    let prompt: Vec<_> = world.said(3, "prepare").iter().map(|sent| sent.at).collect();
    let late: Vec<_> = world.said(2, "prepare").iter().map(|sent| sent.at).collect();
    assert!(late[0] >= prompt[0] + BASE / 2, "{:?} and {:?}", late[0], prompt[0]);
    assert!(world.agreed() > 0);
}

#[test]
fn a_lazy_leader_proposes_when_nine_tenths_have_passed_and_is_not_deposed() {
    let world = busy::<B>(1, "lazy-leader", &Target::default());
    let proposals = world.said(1, "pre_prepare");
    assert!(proposals[0].at >= BASE * 9 / 10 && proposals[0].at < BASE, "{:?}", proposals[0].at);
    let prepares = world.said(1, "commit");
    assert!(!prepares.is_empty(), "what is no proposal is prompt");
    assert!(world.agreed() > 0);
}

#[test]
fn a_stale_proposal_comes_when_its_view_is_given_up() {
    let world = busy::<B>(1, "stale-proposal", &Target::default());
    let proposals = world.said(1, "pre_prepare");
    assert!(proposals[0].at >= BASE * 2 && proposals[0].is_good, "{:?}", proposals[0].at);
    let left = world.said(2, "view_change")[0].at;
    assert!(left < proposals[0].at && world.agreed() > 0);
}

#[test]
fn late_votes_come_when_nine_tenths_have_passed_and_nothing_else_is_late() {
    fn check<P: Attacks<Scheme = Symbolic>>(vote: &str) {
        let world = busy::<P>(3, "late-vote", &Target::default());
        let prompt = world.said(2, vote)[0].at;
        let late = world.said(3, vote)[0].at;
        assert!(late >= prompt + BASE * 8 / 10, "{prompt:?} and {late:?}");
        assert!(world.agreed() > 5);
    }
    check::<H>("vote");
    check::<B>("commit");
}

/// What nobody but the attacker keeps to itself.
fn withheld<P: Attacks<Scheme = Symbolic>>(attack: &str, kinds: &[&str]) {
    let world = busy::<P>(1, attack, &Target::default());
    for kind in kinds {
        assert_eq!(world.said(1, kind).len(), 0, "{attack}: {kind}");
        let others: usize = [0, 2, 3].into_iter().map(|other| world.said(other, kind).len()).sum();
        assert!(others > 0, "{attack}: others do say {kind}");
    }
    assert!(world.sent.iter().any(|sent| sent.from == ReplicaId(1)), "it says other things");
    assert!(world.agreed() > 5, "{attack}");
}

#[test]
fn what_is_withheld_is_told_to_nobody() {
    withheld::<H>("withhold-vote", &["vote"]);
    withheld::<B>("withhold-vote", &["prepare", "commit"]);
    withheld::<B>("withhold-certificate", &["checkpoint"]);
}

#[test]
fn selective_leaves_out_another_one_in_each_view() {
    let mut world = World::<H>::new(4, 1, "selective", &Target::default());
    world.busy(0..50);
    let timeouts_and_votes = world.sent.iter().filter(|sent| sent.from == ReplicaId(1));
    let told: BTreeSet<_> = timeouts_and_votes.map(|sent| sent.to).collect();
    assert_eq!(told.len(), 3, "nobody is left out always");
    for proposal in world.said(1, "proposal") {
        let same = world.said(1, "proposal").iter().filter(|other| other.at == proposal.at).count();
        assert_eq!(same, 2, "of three others one is left out");
    }
    assert!(world.agreed() > 5);
}

#[test]
fn propose_to_few_tells_no_more_than_a_quorum_with_itself() {
    fn check<P: Attacks<Scheme = Symbolic>>(kind: &str) {
        let world = busy::<P>(1, "propose-to-few", &Target::default());
        let told: BTreeSet<_> = world.said(1, kind).iter().map(|sent| sent.to).collect();
        assert_eq!(told, BTreeSet::from([ReplicaId(0), ReplicaId(2)]));
        assert!(world.agreed() > 5);
    }
    check::<H>("proposal");
    check::<B>("pre_prepare");
}

#[test]
fn crash_at_step_ends_in_the_middle_of_a_broadcast_and_says_nothing_more() {
    fn check<P: Attacks<Scheme = Symbolic>>() {
        let world = busy::<P>(1, "crash-at-step", &Target::default());
        let said: Vec<_> = world.sent.iter().filter(|sent| sent.from == ReplicaId(1)).collect();
        let last = said.last().expect("it lived for a while");
        let heard: BTreeSet<_> = said.iter().filter(|sent| sent.at == last.at).map(|sent| sent.to).collect();
        assert!((1..3).contains(&heard.len()), "some have heard its last words: {heard:?}");
        assert!(world.agreed() > 5, "the others go on");
    }
    check::<H>();
    check::<B>();
}

#[test]
fn an_attack_ends_with_its_last_view_or_when_it_is_stopped() {
    let world = busy::<H>(1, "silent", &Target::from_view(3).until_view(9));
    let votes: Vec<_> = world.said(1, "vote").iter().map(|sent| sent.at).collect();
    let pause = votes.windows(2).map(|pair| pair[1] - pair[0]).max().expect("it votes before and after");
    assert!(pause > BASE / 2, "in between it does not: {pause:?}");
    assert!(world.agreed() > 5);

    let mut world = World::<H>::new(4, 1, "silent", &Target::default());
    world.busy(0..20);
    assert_eq!(world.said(1, "vote").len(), 0);
    assert!(world.replicas[1].grip().is_attacking());
    world.replicas[1].grip().reform();
    world.busy(20..40);
    assert!(!world.replicas[1].grip().is_attacking() && !world.said(1, "vote").is_empty());
}

#[test]
fn a_censor_proposes_no_odd_batch() {
    let world = busy::<B>(1, "censor", &Target::default());
    let by_censor = world.blocks.values().filter(|block| block.header.proposer == ReplicaId(1));
    let batches: Vec<_> = by_censor.flat_map(|block| block.payload.iter().map(|batch| batch.0[0])).collect();
    assert!(!batches.is_empty() && batches.iter().all(|name| name % 2 == 0), "{batches:?}");
    let committed: BTreeSet<_> = world.committed[0]
        .iter()
        .flat_map(|block| world.blocks[block].payload.iter().map(|batch| batch.0[0]))
        .collect();
    assert_eq!(committed.len(), 50, "and in the end another primary does");
}
