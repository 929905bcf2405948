//! What a decision costs in messages, counted in the simulator's network and compared with theory: to the message.

use quorate_consensus::pbft::Message;
use quorate_sim::{Cluster, LinkSpec, SimProtocol, SymbolicHotStuff, SymbolicPbft, Verdict};
use quorate_types::{Height, View};
use quorate_validator::Wire;
use std::time::Duration;

const MS: Duration = Duration::from_millis(1);
const SIZES: [usize; 4] = [4, 7, 10, 31];

/// Nothing is lost, nothing is late, and no checkpoint comes between.
fn calm<P: SimProtocol>(n: usize) -> Cluster<P> {
    let links = LinkSpec { delay: 2 * MS, ..LinkSpec::default() };
    Cluster::of::<P>().replicas(n).links(links).timeout(2_000 * MS).checkpoint_interval(1_000).build()
}

/// One block after the other, each when the one before is committed everywhere.
fn decide<P: SimProtocol>(cluster: &mut Cluster<P>, blocks: u64) {
    for height in 1..=blocks {
        cluster.submit_at(0, [format!("{height}")]);
        cluster.run_until_height(height);
        cluster.run_for(100 * MS);
    }
    assert_eq!(cluster.committed(), Height(blocks));
}

/// Castro & Liskov (OSDI 1999): n-1 PRE-PREPAREs, n-1 backups' PREPAREs and n COMMITs to everybody else. The primary's PREPARE travels in
/// its PRE-PREPARE. 2n(n-1) in all.
#[test]
fn a_pbft_decision_takes_2n_times_n_minus_1_messages() {
    for n in SIZES {
        let mut cluster = calm::<SymbolicPbft>(n);
        decide(&mut cluster, 5);
        let n = n as u64;
        let counted = ["pre_prepare", "prepare", "commit"].map(|kind| cluster.messages(kind));
        assert_eq!(counted, [5 * (n - 1), 5 * (n - 1) * (n - 1), 5 * n * (n - 1)], "n={n}");
        assert_eq!(counted.iter().sum::<u64>(), 5 * 2 * n * (n - 1), "n={n}");
        for kind in ["view_change", "new_view", "checkpoint", "certificates", "ask_block"] {
            assert_eq!(cluster.messages(kind), 0, "n={n}: {kind}");
        }
    }
}

/// Everybody tells everybody else that it leaves, and the next primary tells them how its view begins.
#[test]
fn a_pbft_view_change_takes_n_times_n_minus_1_view_changes_and_n_minus_1_new_views() {
    for n in SIZES {
        let mut cluster = calm::<SymbolicPbft>(n);
        decide(&mut cluster, 1);
        cluster.intercept(|_, _, wire| match wire {
            Wire::Consensus(Message::PrePrepare(said)) if said.view == View(1) => Verdict::Drop,
            _ => Verdict::Pass,
        });
        cluster.submit_at(0, ["a"]);
        cluster.run_until_height(2);
        cluster.run_for(500 * MS);
        assert!(cluster.running().all(|id| cluster.view(id) == View(2)));
        let n = n as u64;
        assert_eq!((cluster.messages("view_change"), cluster.messages("new_view")), (n * (n - 1), n - 1), "n={n}");
    }
}

/// Yin et al. (PODC 2019): a leader tells everybody else, and everybody else tells the next leader. The three-chain pipelines these, so each
/// view costs 2(n-1) and decides one block while there is load; whatever more views it takes to decide the last one cost the same.
#[test]
fn a_hotstuff_view_takes_2_times_n_minus_1_messages() {
    for n in SIZES {
        let mut cluster = calm::<SymbolicHotStuff>(n);
        for round in 0..20 {
            cluster.submit_at(0, [format!("{round}")]);
            cluster.run_for(10 * MS);
        }
        cluster.settle();
        cluster.run_for(1_000 * MS);
        // The last view is open: its leader has nothing to propose, and everybody voted for the block of the view before.
        let views = cluster.running().map(|id| cluster.view(id).0).max().expect("all run") - 1;
        let n = n as u64;
        let counted = ["proposal", "vote"].map(|kind| cluster.messages(kind));
        assert_eq!(counted, [views * (n - 1), views * (n - 1)], "n={n}");
        assert_eq!(cluster.messages("timeout"), 0, "n={n}");
    }
}
