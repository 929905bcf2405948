//! PBFT's primaries and backups that lie, each beside honest ones.

use quorate_consensus::{
    PoolMessage,
    pbft::{Message, StableCheckpoint, ViewChange},
};
use quorate_crypto::Symbolic;
use quorate_sim::{Cluster, Cue, Hands, SymbolicPbft as Pbft, Verdict};
use quorate_types::{Block, Header, Height, Payload, ReplicaId, View};
use quorate_validator::Wire;
use std::{collections::BTreeMap, time::Duration};

const MS: Duration = Duration::from_millis(1);
/// The primary of the first view.
const FIRST: ReplicaId = ReplicaId(1);
/// The primary of the second.
const SECOND: ReplicaId = ReplicaId(2);

fn genesis() -> Header {
    Cluster::of::<Pbft>().build().genesis().block().header
}

/// A block without transactions above `parent`.
fn empty(parent: &Header, view: View, proposer: ReplicaId, later: u64) -> Block {
    let header = Header {
        height: parent.height.next(),
        view,
        parent: parent.digest(),
        proposer,
        payload_root: Block::payload_root(&[]),
        timestamp: parent.timestamp + later,
        ..parent.clone()
    };
    Block { header, payload: Payload::default() }
}

fn views(cluster: &Cluster<Pbft>) -> Vec<View> {
    cluster.running().map(|id| cluster.view(id)).collect()
}

#[test]
fn row_1_a_primary_with_a_block_for_each_half_is_deposed_and_accused() {
    let genesis = genesis();
    let two_faced = move |hands: &mut Hands<Pbft>, cue: Cue<Pbft>| {
        if !matches!(cue, Cue::Started) {
            return;
        }
        for (to, later) in [(0, 1), (2, 2), (3, 2)] {
            let block = empty(&genesis, View(1), FIRST, later);
            hands.send(ReplicaId(to), Message::PrePrepare(Box::new(hands.pre_prepare(View(1), block))));
        }
    };
    let mut cluster = Cluster::of::<Pbft>().puppet(FIRST.0, two_faced).build();
    cluster.submit_at(0, ["a"]);
    cluster.run_until(|cluster| cluster.effects().len() == 1, 1_000 * MS);
    assert_eq!(views(&cluster), [View(2); 3], "two base timeouts are enough");
    assert!(cluster.accusations().any(|(_, evidence)| evidence.accused == FIRST), "the pair is shown");
    cluster.settle();
    cluster.assert_agreement();
}

/// What the liar makes of a quorum's VIEW-CHANGEs: nothing is proposed again, or another block than the one due.
type Lie = fn(&Hands<Pbft>, &[ViewChange<Symbolic>], &Header) -> Option<Block>;

/// The second view's primary, which begins it with a lie.
fn liar(genesis: Header, lie: Lie) -> impl FnMut(&mut Hands<Pbft>, Cue<Pbft>) {
    let mut changes: BTreeMap<ReplicaId, ViewChange<Symbolic>> = BTreeMap::new();
    move |hands, cue| {
        let Cue::Received { wire: Wire::Consensus(Message::ViewChange(change)), .. } = cue else { return };
        if change.view != View(2) || changes.contains_key(&change.replica) {
            return;
        }
        let own = hands.view_change(View(2), StableCheckpoint::genesis(&genesis), None);
        changes.insert(own.replica, own);
        changes.insert(change.replica, *change);
        if changes.len() == hands.committee().quorum() {
            let quorum: Vec<_> = changes.values().cloned().collect();
            let tip = lie(hands, &quorum, &genesis).map(|block| hands.pre_prepare(View(2), block));
            hands.broadcast(&Message::NewView(Box::new(hands.new_view(View(2), quorum, tip))));
        }
    }
}

#[test]
fn row_9_a_new_view_that_leaves_out_or_replaces_what_was_prepared_begins_nothing() {
    let lies: [Lie; 2] = [|_, _, _| None, |hands, _, genesis| Some(empty(genesis, View(2), hands.me, 7))];
    for lie in lies {
        let mut cluster = Cluster::of::<Pbft>().puppet(SECOND.0, liar(genesis(), lie)).build();
        cluster.submit_at(0, ["prepared"]);
        cluster.run_until(|cluster| (0..2u16).all(|id| cluster.height(id) >= Height(1)), 400 * MS);
        // The first primary is heard no more until its view is over.
        cluster.partition([&[0, 2, 3], &[1]]);
        cluster.submit_at(0, ["next"]);
        cluster.run_until(|cluster| cluster.accusations().count() > 0, 20_000 * MS);
        assert!(cluster.accusations().all(|(_, evidence)| evidence.accused == SECOND));
        cluster.heal();
        cluster.run_until(|cluster| cluster.is_settled(), 60_000 * MS);
        assert!(views(&cluster).iter().all(|view| *view > View(2)), "{:?}", views(&cluster));
        cluster.assert_agreement();
        cluster.assert_ledger(["prepared", "next"]);
    }
}

#[test]
fn row_11_one_replica_that_asks_for_ever_higher_views_changes_none() {
    let genesis = genesis();
    let shouter = move |hands: &mut Hands<Pbft>, cue: Cue<Pbft>| {
        let first = match cue {
            Cue::Started => 2,
            Cue::Timer(first) => first,
            Cue::Received { .. } | Cue::Asked { .. } => return,
        };
        for view in first..first + 20 {
            let change = hands.view_change(View(view), StableCheckpoint::genesis(&genesis), None);
            hands.broadcast(&Message::ViewChange(Box::new(change)));
        }
        let greatest = hands.view_change(View(u64::MAX - first), StableCheckpoint::genesis(&genesis), None);
        hands.broadcast(&Message::ViewChange(Box::new(greatest)));
        hands.set_timer(20 * MS, first + 20);
    };
    let mut cluster = Cluster::of::<Pbft>().puppet(3, shouter).build();
    for round in 0..30 {
        cluster.submit_at(0, [round.to_string()]);
        cluster.run_for(100 * MS);
    }
    cluster.run_until(|cluster| cluster.effects().len() == 30, 10_000 * MS);
    assert_eq!(views(&cluster), [View(1); 3]);
    cluster.assert_agreement();
}

/// Nothing that others pool reaches the first primary: it proposes what is handed in to it, on time, and starves all others.
#[test]
fn row_13_a_primary_that_passes_over_a_client_while_it_serves_others_is_deposed() {
    let mut cluster = Cluster::of::<Pbft>().client_retry(None).build();
    cluster.intercept(|_, to, wire| match wire {
        Wire::Pool(PoolMessage::Batch(_) | PoolMessage::Offer(_)) if to == FIRST => Verdict::Drop,
        _ => Verdict::Pass,
    });
    let starved = quorate_ledger::KvOp::Delete { key: Default::default() };
    cluster.submit_op(1, 0, &starved);
    let account = cluster.client(1);
    let is_served = move |cluster: &Cluster<Pbft>| cluster.effects().iter().any(|effect| effect.body.sender == account);
    for round in 0..400 {
        if is_served(&cluster) {
            break;
        }
        cluster.submit_at(FIRST, [format!("preferred {round}")]);
        cluster.run_for(50 * MS);
    }
    assert!(is_served(&cluster), "starved: {}", cluster.report());
    assert!(cluster.committed() > Height(20), "the primary worked all the time, but for the one client");
    assert!(views(&cluster).iter().all(|view| *view >= View(2)), "and so it was deposed");
}
