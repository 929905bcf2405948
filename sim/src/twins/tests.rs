use super::{symmetry::Symmetry, *};
use quorate_types::ReplicaId;
use std::collections::BTreeSet;

fn shape(nodes: usize, pairs: usize, parts: usize) -> Shape {
    Shape::new(nodes, pairs, parts).expect("sound")
}

fn family(shape: Shape, views: usize, leading: Leading) -> Family {
    Family::new(shape, views, leading).expect("few views")
}

/// Burnside's lemma: the mean, over all permutations, of the scenarios that each leaves as they are.
fn orbits(shape: &Shape, views: u32) -> u64 {
    let symmetries = Symmetry::all(shape);
    let count = |number: usize| u64::try_from(number).expect("small");
    let left_alone = |symmetry: &Symmetry| {
        let leaders = (0..shape.nodes()).filter(|replica| symmetry.replica(*replica) == *replica).count();
        let partitions = shape.partitions();
        let partitions = partitions.iter().filter(|partition| symmetry.partition(partition) == **partition).count();
        count(leaders * partitions).pow(views)
    };
    symmetries.iter().map(left_alone).sum::<u64>() / count(symmetries.len())
}

#[test]
fn four_replicas_and_one_pair_make_64_settings_a_view() {
    let shape = shape(4, 1, 2);
    assert_eq!(shape.partitions().len(), 16);
    assert_eq!(Symmetry::all(&shape).len(), 12);
}

#[test]
fn the_families_are_as_large_as_they_must_be() {
    let shape = shape(4, 1, 2);
    let sizes = [(1, 15), (2, 510), (3, 25_740), (4, 1_502_936)];
    for (views, size) in sizes {
        let views_of = usize::try_from(views).expect("few");
        assert_eq!(family(shape, views_of, Leading::Anybody).count(), size, "{views} views");
        assert_eq!(orbits(&shape, views), size, "{views} views, by Burnside's lemma");
    }
    assert_eq!(family(shape, 5, Leading::RoundRobin).count(), 1_048_576);
}

#[test]
fn other_shapes_are_counted_right_as_well() {
    for (nodes, pairs, parts) in [(4, 1, 3), (4, 0, 2), (4, 2, 2), (5, 2, 2), (3, 3, 2)] {
        let shape = shape(nodes, pairs, parts);
        assert_eq!(family(shape, 2, Leading::Anybody).count(), orbits(&shape, 2), "{shape:?}");
    }
}

/// The least of all scenarios that are the same but for names, by trying all permutations.
fn least(shape: &Shape, scenario: &Scenario) -> (Vec<ReplicaId>, Vec<Partition>) {
    let image = |symmetry: &Symmetry| {
        let replica = |id: ReplicaId| ReplicaId(u16::try_from(symmetry.replica(id.index())).expect("few"));
        let leaders = scenario.0.iter().map(|round| replica(round.leader)).collect();
        (leaders, scenario.0.iter().map(|round| symmetry.partition(&round.partition)).collect())
    };
    Symmetry::all(shape).iter().map(image).min().expect("the identity is one")
}

#[test]
fn each_scenario_stands_for_those_that_are_the_same_and_no_two_for_one_another() {
    let shape = shape(4, 1, 2);
    let listed = family(shape, 2, Leading::Anybody).scenarios();
    let own =
        |scenario: &Scenario| (scenario.leaders(), scenario.0.iter().map(|round| round.partition).collect::<Vec<_>>());
    assert!(listed.iter().all(|scenario| least(&shape, scenario) == own(scenario)));
    assert_eq!(listed.iter().map(own).collect::<BTreeSet<_>>().len(), listed.len());
}
