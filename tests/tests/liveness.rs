//! Blocks keep coming.

use quorate_sim::{Cluster, Cue, Hands, SimProtocol, for_each_protocol};
use quorate_types::Height;
use std::time::Duration;

const MS: Duration = Duration::from_millis(1);

for_each_protocol!(row_30_thousands_of_blocks_under_load_without_a_stall_at_any_height);

#[test]
fn row_19_with_one_of_four_crashed_for_ever_a_block_commits_at_least_every_2n_views() {
    for dead in 0..4u16 {
        let mut cluster = Cluster::new().seed(u64::from(dead)).block_interval(20 * MS).build();
        cluster.crash(dead);
        cluster.run_until(|cluster| cluster.committed() >= Height(60), 600_000 * MS);
        let views: Vec<_> = (1..=60).filter_map(|height| cluster.header(height)).map(|header| header.view.0).collect();
        let gap = views.windows(2).map(|pair| pair[1] - pair[0]).max();
        assert!(gap <= Some(8), "{dead} dead: views {views:?}");
    }
}

#[test]
fn row_21_votes_that_went_to_a_silent_leader_are_not_lost() {
    for silent in 0..4u16 {
        let mut cluster = Cluster::new().puppet(silent, |_: &mut Hands, _: Cue| {}).build();
        for round in 0..20 {
            cluster.submit_at((silent + 1) % 4, [round.to_string()]);
            cluster.run_for(50 * MS);
        }
        cluster.run_until(Cluster::is_settled, 120_000 * MS);
        cluster.assert_agreement();
        cluster.assert_ledger((0..20).map(|round| round.to_string()));
    }
}

/// Half an hour of load, shortened: a few thousand blocks, crashes between, and never a second of virtual time without one.
fn row_30_thousands_of_blocks_under_load_without_a_stall_at_any_height<P: SimProtocol>() {
    let mut cluster = Cluster::of::<P>().seed(30).rotate_after(16 * 1024).build();
    let mut height = Height(0);
    for second in 0..90 {
        for part in 0..20u16 {
            cluster.submit_at(part % 4, [format!("{second}/{part}")]);
            cluster.run_for(50 * MS);
        }
        assert!(cluster.committed() > height, "nothing in second {second} above {height}");
        height = cluster.committed();
    }
    assert!(height.0 >= 1_500, "{height} blocks only");
    cluster.settle();
    cluster.assert_agreement();
    assert_eq!(cluster.effects().len(), 90 * 20);
}
