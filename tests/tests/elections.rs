//! What leaders cost who are not there, under each election; `docs/elections.md` has the numbers. To see them:
//! `cargo test -p quorate-tests --test elections -- --nocapture`.

use quorate_consensus::hotstuff::Message;
use quorate_ledger::Election;
use quorate_sim::{Cluster, Verdict};
use quorate_types::{Height, ReplicaId};
use quorate_validator::Wire;
use std::{collections::BTreeSet, fmt, time::Duration};

const MS: Duration = Duration::from_millis(1);
const BLOCKS: u64 = 400;

/// What so many blocks took.
#[derive(Clone, Copy, Debug)]
struct Cost {
    /// Views without a block.
    failed: u64,
    /// Timeouts sent, per replica that is up.
    timeouts: u64,
    /// Virtual time for one block.
    block: Duration,
}

impl fmt::Display for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:>4} views failed, {:>4} timeouts, {:>5.1} ms a block",
            self.failed,
            self.timeouts,
            self.block.as_secs_f64() * 1000.0
        )
    }
}

fn cluster(replicas: usize, election: Election) -> Cluster {
    let interval = 20 * MS;
    Cluster::new().replicas(replicas).election(election).block_interval(interval).timeout(200 * MS).seed(19).build()
}

/// The next blocks.
fn measure(cluster: &mut Cluster) -> Cost {
    let view = |cluster: &Cluster| cluster.header(cluster.committed().0).map_or(0, |header| header.view.0);
    let timeouts = |cluster: &Cluster| {
        let (peers, running) = (cluster.committee().size() - 1, cluster.running().count());
        cluster.messages("timeout") / u64::try_from(peers * running).expect("small")
    };
    let before = (cluster.now(), cluster.committed().0, view(cluster), timeouts(cluster));
    cluster.run_until(|cluster| cluster.committed().0 >= before.1 + BLOCKS, 600_000 * MS);
    let blocks = cluster.committed().0 - before.1;
    Cost {
        failed: view(cluster) - before.2 - blocks,
        timeouts: timeouts(cluster) - before.3,
        block: (cluster.now() - before.0) / u32::try_from(blocks).expect("few"),
    }
}

/// The first blocks after some have crashed, as many after those, and as many again.
fn with_dead(replicas: usize, dead: &[u16], election: Election) -> [Cost; 3] {
    let mut cluster = cluster(replicas, election);
    cluster.run_until_height(60);
    dead.iter().for_each(|replica| cluster.crash(*replica));
    let costs = [(); 3].map(|()| measure(&mut cluster));
    for (third, cost) in costs.iter().enumerate() {
        println!("{} of {replicas} dead, {election}, {}: {cost}", dead.len(), third + 1);
    }
    cluster.assert_agreement();
    costs
}

#[test]
fn with_nobody_dead_no_election_costs_a_view() {
    for election in Election::ALL {
        for replicas in [4, 7] {
            let [first, ..] = with_dead(replicas, &[], election);
            assert_eq!((first.failed, first.timeouts), (0, 0), "{election}");
        }
    }
}

#[test]
fn dead_replicas_cost_fewer_and_fewer_views_under_reputation_and_ever_the_same_under_round_robin() {
    for (replicas, dead) in [(4, &[2][..]), (7, &[2, 3]), (7, &[1, 5])] {
        let [round_robin, stable, reputation] = Election::ALL.map(|election| with_dead(replicas, dead, election));
        let gone = u64::try_from(dead.len()).expect("few");
        for third in round_robin {
            assert!(third.failed >= BLOCKS / 4, "round robin: {third}");
        }
        for third in stable {
            let terms = BLOCKS / 16 + 2;
            assert!(third.failed <= terms, "one view a term at most: {third}");
        }
        assert!(reputation[0].failed <= 8 * gone, "rounds 1, 2, 4, 8 ...: {}", reputation[0]);
        assert!(reputation[1].failed + reputation[2].failed <= reputation[0].failed, "{reputation:?}");
        assert!(reputation[2].failed <= 2 * gone, "hardly any more: {}", reputation[2]);
        assert!(reputation[2].block * 2 < round_robin[2].block, "{} against {}", reputation[2], round_robin[2]);
    }
}

#[test]
fn who_comes_back_leads_again() {
    for election in Election::ALL {
        let mut cluster = cluster(4, election);
        cluster.run_until_height(30);
        cluster.crash(1);
        cluster.run_until(|cluster| cluster.committed() >= Height(300), 600_000 * MS);
        cluster.restart(1);
        let back = cluster.committed();
        let has_led = |cluster: &Cluster| {
            let new = (back.0 + 1..=cluster.committed().0).filter_map(|height| cluster.header(height));
            new.into_iter().any(|header| header.proposer == ReplicaId(1))
        };
        cluster.run_until(has_led, 120_000 * MS);
        let rounds = (cluster.committed().0 - back.0) / 16;
        println!("{election}: replica 1 leads again {rounds} rounds of 16 views after it came back");
        assert!(rounds <= 64);
        // From now on it has its turn like everybody else.
        let height = cluster.committed().0;
        cluster.run_until(|cluster| cluster.committed() >= Height(height + 150), 120_000 * MS);
        let proposers: BTreeSet<_> = (height + 64..height + 150)
            .filter_map(|height| cluster.header(height))
            .map(|header| header.proposer)
            .collect();
        assert_eq!(proposers.len(), 4, "{election}: {proposers:?}");
    }
}

/// It makes the first block of each of its terms and no other, so that it never loses its standing.
#[test]
fn a_leader_that_stops_in_the_middle_costs_one_view_a_term_and_pushes_nobody_out() {
    let mut cluster = cluster(4, Election::Reputation);
    cluster.intercept(|from, _, wire| match wire {
        Wire::Consensus(Message::Proposal(proposal))
            if from == ReplicaId(3) && proposal.justified.block.header.view.0 % 4 != 0 =>
        {
            Verdict::Drop
        }
        _ => Verdict::Pass,
    });
    cluster.run_until_height(20);
    let begin = cluster.committed().0;
    let cost = measure(&mut cluster);
    println!("a leader that stops: {cost}");
    assert!(cost.failed <= BLOCKS / 8, "{cost}");
    let led = |replica: u16| {
        let blocks = (begin..begin + BLOCKS).filter_map(|height| cluster.header(height));
        blocks.filter(|header| header.proposer == ReplicaId(replica)).count()
    };
    for honest in 0..3 {
        assert!(led(honest) >= 100, "replica {honest} made {} of {BLOCKS} blocks", led(honest));
    }
}
