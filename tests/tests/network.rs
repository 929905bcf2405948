//! Links that lose, repeat, reorder and are cut.

use quorate_sim::{Cluster, LinkSpec, SimProtocol, for_each_protocol};
use std::time::Duration;

const MS: Duration = Duration::from_millis(1);

for_each_protocol!(
    row_50_a_replica_that_can_only_send_or_only_receive_stops_nobody,
    row_50_no_half_commits_alone_and_all_go_on_after_healing,
    row_50_two_one_one_and_a_ring_of_majorities_are_safe_and_heal,
    row_50_a_partition_that_flaps_every_100_milliseconds_is_outlived,
    row_51_loss_repetition_reordering_and_a_clock_an_hour_off_lose_nothing,
    row_50_without_a_quorum_nothing_commits,
);

fn names(count: u32) -> Vec<String> {
    (0..count).map(|number| number.to_string()).collect()
}

fn row_50_a_replica_that_can_only_send_or_only_receive_stops_nobody<P: SimProtocol>() {
    for receives in [true, false] {
        let mut cluster = Cluster::of::<P>().build();
        for other in 0..3 {
            if receives { cluster.one_way(3, other) } else { cluster.one_way(other, 3) }
        }
        cluster.submit_at(0, names(10));
        cluster.run_until(|cluster| (0..3u16).all(|id| cluster.height(id).0 >= 1), 20_000 * MS);
        cluster.run_until(|cluster| cluster.effects().len() == 10, 20_000 * MS);
        cluster.settle();
        cluster.assert_agreement();
        cluster.assert_ledger(names(10));
    }
}

fn row_50_no_half_commits_alone_and_all_go_on_after_healing<P: SimProtocol>() {
    for halves in [[&[0u16, 1][..], &[2, 3]], [&[0, 2], &[1, 3]], [&[0, 3], &[1, 2]]] {
        let mut cluster = Cluster::of::<P>().build();
        cluster.submit(["before"]);
        cluster.settle();
        let before = cluster.committed();
        cluster.partition(halves);
        cluster.submit_at(halves[0][0], ["left"]);
        cluster.run_for(20_000 * MS);
        assert!(cluster.committed().0 <= before.0 + 2, "a half has no quorum");
        cluster.settle();
        cluster.assert_agreement();
        cluster.assert_ledger(["before", "left"]);
    }
}

fn row_50_two_one_one_and_a_ring_of_majorities_are_safe_and_heal<P: SimProtocol>() {
    let mut cluster = Cluster::of::<P>().build();
    cluster.partition([&[0, 1], &[2], &[3]]);
    cluster.submit_at(0, names(3));
    cluster.run_for(10_000 * MS);
    assert_eq!(cluster.committed().0, 0, "nobody has a quorum");
    cluster.settle();
    // Everybody hears both neighbours: each sees three of four, and no two the same three.
    cluster.partition([&[0, 1], &[1, 2], &[2, 3], &[3, 0]]);
    cluster.submit_at(0, ["ring"]);
    cluster.run_for(20_000 * MS);
    cluster.settle();
    cluster.assert_agreement();
    cluster.assert_ledger(["0", "1", "2", "ring"]);
}

fn row_50_a_partition_that_flaps_every_100_milliseconds_is_outlived<P: SimProtocol>() {
    let mut cluster = Cluster::of::<P>().seed(3).build();
    for round in 0..40u16 {
        let (one, other) = (round % 4, (round + 1 + round / 4 % 3) % 4);
        let rest: Vec<_> = (0..4).filter(|id| *id != one && *id != other).collect();
        cluster.partition([&[one, other], &rest]);
        cluster.run_for(50 * MS);
        cluster.heal();
        cluster.submit([round.to_string()]);
        cluster.run_for(50 * MS);
    }
    cluster.settle();
    cluster.assert_agreement();
    cluster.assert_ledger(names(40));
}

fn row_51_loss_repetition_reordering_and_a_clock_an_hour_off_lose_nothing<P: SimProtocol>() {
    for seed in 0..5 {
        let terrible =
            LinkSpec { delay: 5 * MS, jitter: 60 * MS, loss: 0.3, duplicate: 0.5, reorder: 0.5, ..LinkSpec::default() };
        let mut cluster = Cluster::of::<P>().seed(seed).links(terrible).build();
        for (round, skew) in [0i64, 3_600_000, -3_600_000, 0].into_iter().enumerate() {
            cluster.skew_clock(u16::try_from(round).expect("small"), skew);
            cluster.submit((0..5).map(|number| format!("{round}{number}")));
            cluster.run_for(3_000 * MS);
        }
        cluster.links(LinkSpec::delay(5 * MS));
        cluster.settle();
        cluster.assert_agreement();
        let all = (0..4).flat_map(|round| (0..5).map(move |number| format!("{round}{number}")));
        cluster.assert_ledger(all);
        let times: Vec<_> = (0..=cluster.committed().0).filter_map(|height| cluster.header(height)).collect();
        let steps = |pair: &[&quorate_types::Header]| pair[1].timestamp.checked_sub(pair[0].timestamp);
        assert!(
            times.windows(2).all(|pair| steps(pair).is_some_and(|step| step <= 3_600_000)),
            "time goes on in hours"
        );
    }
}

/// Not with one more than `f` down, in any committee: the quorum is as large as it says.
fn row_50_without_a_quorum_nothing_commits<P: SimProtocol>() {
    for replicas in 4..=10usize {
        let mut cluster = Cluster::of::<P>().replicas(replicas).block_interval(20 * MS).build();
        let faulty = (replicas - 1) / 3;
        let first_down = u16::try_from(replicas - faulty - 1).expect("small");
        cluster.partition([&(0..first_down).collect::<Vec<_>>()[..]]);
        cluster.submit_at(0, ["never"]);
        cluster.run_for(60_000 * MS);
        assert_eq!(cluster.committed().0, 0, "{first_down} of {replicas} committed");
        cluster.settle();
        cluster.assert_ledger(["never"]);
    }
}
