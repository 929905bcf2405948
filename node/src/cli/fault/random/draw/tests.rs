use super::*;
use std::collections::BTreeSet;

fn wish(nodes: u16) -> Wish {
    Wish {
        nodes,
        steps: 200,
        over: Duration::from_secs(1200),
        kinds: Kind::value_variants().to_vec(),
        attacks: vec!["silent".into(), "equivocate".into()],
        liars: Vec::new(),
    }
}

/// Who is faulty after each event, and who lied at all.
fn played(events: &[Event]) -> (Vec<BTreeSet<ReplicaId>>, BTreeSet<ReplicaId>) {
    let (mut down, mut lying, mut lied) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    let mut faulty = Vec::new();
    for event in events {
        for action in event.ends.iter().chain(&event.begins) {
            match action {
                Action::Crash(who) | Action::Pause(who) => {
                    assert!(who.of(0).into_iter().all(|id| down.insert(id)), "{event:?}");
                }
                Action::Restart(who) | Action::Resume(who) => {
                    assert!(who.of(0).iter().all(|id| down.remove(id)), "{event:?}");
                }
                Action::Attack(attacker) => {
                    assert!(lying.insert(attacker.replica), "{event:?}");
                    lied.insert(attacker.replica);
                }
                Action::StopAttack(id) => assert!(lying.remove(id), "{event:?}"),
                _ => {}
            }
        }
        faulty.push(&down | &lying);
    }
    (faulty, lied)
}

#[test]
fn the_same_seed_draws_the_same_and_another_something_else() {
    assert_eq!(draw(&wish(4), 7), draw(&wish(4), 7));
    assert_ne!(draw(&wish(4), 7), draw(&wish(4), 8));
}

#[test]
fn never_are_more_faulty_than_f_and_the_same_f_lie() {
    for (nodes, seed) in [(4, 1), (4, 2), (7, 3), (10, 4)] {
        let f = usize::from((nodes - 1) / 3);
        let (faulty, lied) = played(&draw(&wish(nodes), seed));
        assert!(faulty.iter().all(|who| who.len() <= f));
        // By its length a fault may overlap with the next one, and not with the one after that.
        assert!(faulty.iter().any(|who| who.len() == f.min(2)), "the budget is used");
        assert!(lied.len() <= f, "{lied:?}");
    }
}

#[test]
fn who_lied_before_lies_again_and_nobody_else() {
    for liar in (0..4).map(ReplicaId) {
        let (_, lied) = played(&draw(&Wish { liars: vec![liar], ..wish(4) }, 5));
        assert_eq!(lied, [liar].into());
    }
}

#[test]
fn every_step_is_there_in_order_and_every_kind_comes() {
    let events = draw(&wish(4), 9);
    assert!(events.is_sorted_by_key(|event| event.at));
    let steps: Vec<_> = events.iter().filter_map(|event| event.step).collect();
    assert!(steps.iter().map(|(step, _)| *step).eq(1..=200));
    let kinds: BTreeSet<_> = steps.iter().map(|(_, kind)| *kind).collect();
    assert_eq!(kinds.len(), Kind::value_variants().len());
}

#[test]
fn few_validators_bear_few_kinds() {
    let fitting = |nodes| Kind::value_variants().iter().filter(|kind| kind.fits(nodes)).copied().collect::<Vec<_>>();
    assert_eq!(fitting(1), [Kind::SlowDisk]);
    assert_eq!(fitting(3), [Kind::Partition, Kind::OneWay, Kind::SlowDisk, Kind::Link]);
    let two = Wish { kinds: fitting(2), ..wish(2) };
    assert_eq!(draw(&two, 1).iter().filter(|event| event.step.is_some()).count(), 200);
}
