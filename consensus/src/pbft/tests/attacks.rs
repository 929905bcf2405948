//! A Byzantine primary in each of its arts: safety, and a commit within two further views.

use super::{
    craft::*,
    net::{BASE, Msg, Net, batch, id},
    puppet::{Puppet, publish},
};
use crate::{
    Replica,
    pbft::{Message, Phase},
};
use quorate_types::{Digest, Height, View};
use std::{collections::BTreeSet, time::Duration};

const MS: Duration = Duration::from_millis(1);

fn batches(net: &Net, index: usize) -> BTreeSet<Digest> {
    net.committed[index].iter().flat_map(|digest| net.blocks[digest].payload.iter().copied()).collect()
}

/// These have all committed the batch, in a view not above `view`.
fn assert_done(net: &Net, who: &[usize], name: u8, view: u64) {
    net.assert_agreement();
    for index in who {
        let node = net.node(*index);
        assert!(batches(net, *index).contains(&batch(name)), "replica {index} in {}", node.view());
        assert!(node.view() <= View(view), "replica {index} went on to {}", node.view());
    }
}

#[test]
fn acceptance_1_a_primary_that_equivocates_to_two_halves_is_caught_and_replaced() {
    for n in [4, 5, 6, 7] {
        let mut net = Net::new(n);
        let d = Puppet::replace(&mut net, 1);
        let others: Vec<_> = (0..n).filter(|index| *index != 1).collect();
        let (left, right) = others.split_at(others.len() / 2);
        net.submit(1);
        let [one, two] = [8, 9].map(|name| block(&net, &net.genesis, 1, &[batch(name)]));
        for (half, block) in [(left, &one), (right, &two)] {
            publish(&mut net, block);
            d.tell(&mut net, half, |net| propose(net, 1, block));
            d.support(&mut net, half, 1, block);
        }
        net.run(BASE * 20);
        assert_done(&net, &others, 1, 3);
        assert!(net.accused.contains(&id(1)), "n = {n}: each half shows the other its own");
        assert!(net.accused.iter().all(|accused| *accused == id(1)));
    }
}

/// What a quorum of 2f + 1 would allow where n = 3f + 2: two sets of three that share the Byzantine replica only.
#[test]
fn row_11_two_sets_of_two_f_plus_one_are_no_quorums_of_five() {
    let mut net = Net::new(5);
    let d = Puppet::replace(&mut net, 1);
    let halves = [[0, 2], [3, 4]];
    d.lose(|from, to, _| (from.0 < 3) != (to.0 < 3));
    for (half, name) in halves.iter().zip([8, 9]) {
        let block = block(&net, &net.genesis, 1, &[batch(name)]);
        publish(&mut net, &block);
        d.tell(&mut net, half, |net| propose(net, 1, &block));
        d.support(&mut net, half, 1, &block);
    }
    net.run(BASE * 5);
    net.assert_agreement();
    for index in [0, 2, 3, 4] {
        assert_eq!(net.committed[index], [], "replica {index} took three of five for a quorum");
        assert_eq!(net.node(index).prepared, None);
    }
}

/// The primary of view 1 is never heard; D leads view 2, and may make of the others' VIEW-CHANGEs what it likes.
fn bad_new_view(make: impl FnOnce(&Net, Vec<crate::pbft::ViewChange<super::net::S>>) -> Msg) -> Net {
    let mut net = Net::new(4);
    let d = Puppet::replace(&mut net, 2);
    d.lose(|from, _, message| from == id(1) && matches!(message, Message::PrePrepare(_)));
    net.submit(1);
    net.run(BASE + MS * 10);
    let changes: Vec<_> = d.changes(2).into_values().collect();
    assert_eq!(changes.len(), 3);
    d.tell(&mut net, &[0, 1, 3], |net| make(net, changes));
    net.run(MS);
    for index in [0, 1, 3] {
        let node = net.node(index);
        assert_eq!((node.view(), node.phase, &node.entry), (View(2), Phase::Changing, &None), "replica {index}");
    }
    net.run(BASE * 8);
    assert_done(&net, &[0, 1, 3], 1, 4);
    net
}

#[test]
fn row_4_a_new_view_with_a_forged_view_change_begins_nothing() {
    bad_new_view(|net, mut changes| {
        changes[1].attestation = sign(net, 2, &changes[1].statement());
        begin(new_view(net, 2, &changes, None))
    });
}

#[test]
fn row_4_a_new_view_with_a_stale_view_change_begins_nothing() {
    bad_new_view(|net, mut changes| {
        changes[1] = bare(net, 1, 1);
        begin(new_view(net, 2, &changes, None))
    });
}

#[test]
fn row_8_a_new_view_with_two_view_changes_of_one_replica_begins_nothing() {
    bad_new_view(|net, mut changes| {
        changes[1] = changes[0].clone();
        begin(new_view(net, 2, &changes, None))
    });
}

#[test]
fn row_4_a_new_view_with_a_foreign_view_change_begins_nothing() {
    bad_new_view(|net, mut changes| {
        // Of a replica of a larger committee.
        let larger = Net::new(7);
        changes[2] = bare(&larger, 6, 2);
        begin(new_view(net, 2, &changes, None))
    });
}

#[test]
fn row_4_a_new_view_of_nothing_begins_nothing() {
    bad_new_view(|net, _| begin(new_view(net, 2, &[], None)));
}

#[test]
fn row_4_a_new_view_that_is_not_of_the_views_primary_begins_nothing() {
    bad_new_view(|net, changes| {
        let mut new_view = new_view(net, 2, &changes, None);
        new_view.attestation = sign(net, 3, &new_view.statement());
        begin(new_view)
    });
}

/// Everybody prepared a block in view 1 and replica 0 committed it; D leads view 2.
fn beginning_against_the_prepared_block(make: impl FnOnce(&Net, &[crate::pbft::ViewChange<super::net::S>]) -> Msg) {
    let mut net = Net::new(4);
    let d = Puppet::replace(&mut net, 2);
    d.lose(|from, to, message| {
        let keeps_quiet = from == id(0) && matches!(message, Message::Certificates(_));
        keeps_quiet || (to != id(0) && matches!(message, Message::Commit(_)))
    });
    net.submit(1);
    net.run(MS * 10);
    assert_eq!((net.committed[0].len(), net.committed[1].len()), (1, 0));
    let first = net.committed[0].clone();
    net.run(BASE);
    let changes: Vec<_> = d.changes(2).into_values().collect();
    assert!(changes.len() >= 2, "two of them wait for the commit");
    let mut changes = changes;
    changes.push(bare(&net, 2, 2));
    changes.sort_by_key(|change| change.replica);
    changes.dedup_by_key(|change| change.replica);
    d.tell(&mut net, &[0, 1, 3], |net| make(net, &changes));
    net.run(MS * 3);
    assert!(net.accused.contains(&id(2)), "its own view-changes refute it");
    assert!([1, 3].iter().all(|index| net.node(*index).view() == View(3)), "nobody waits for a timer");
    d.lose_nothing();
    net.submit(2);
    net.run(BASE * 8);
    assert_done(&net, &[0, 1, 3], 2, 4);
    assert!([0, 1, 3].iter().all(|index| net.committed[*index].starts_with(&first)), "what was committed survives");
}

#[test]
fn acceptance_9_and_row_6_a_new_view_that_omits_the_prepared_block_is_evidence_and_the_block_survives() {
    beginning_against_the_prepared_block(|net, changes| begin(new_view(net, 2, changes, None)));
}

#[test]
fn acceptance_9_and_row_5_a_new_view_that_proposes_another_block_again_is_evidence_and_the_block_survives() {
    beginning_against_the_prepared_block(|net, changes| {
        let other = block(net, &net.genesis, 1, &[batch(9)]);
        begin(new_view(net, 2, changes, Some(&other)))
    });
}

#[test]
fn row_16_a_primary_that_jumps_to_the_high_watermark_gains_nothing_and_is_replaced() {
    let mut net = Net::with_checkpoints(4, 4);
    let d = Puppet::replace(&mut net, 1);
    net.submit(1);
    let blocks = chain(&net, 1, 9);
    for height in [8, 9] {
        d.tell(&mut net, &[0, 2, 3], |net| propose(net, 1, &blocks[height - 1]));
        d.support(&mut net, &[0, 2, 3], 1, &blocks[height - 1]);
    }
    net.run(MS * 20);
    for index in [0, 2, 3] {
        let node = net.node(index);
        assert_eq!(node.log.accepted(Height(8)), None, "what lies below is missing");
        assert!(node.log.get(Height(9)).is_none(), "beyond the window");
        assert_eq!(node.safety.latest(crate::Slot::Prepare), None);
    }
    net.run(BASE * 8);
    assert_done(&net, &[0, 2, 3], 1, 3);
}

/// Every block comes at nine tenths of a timeout, and never contains the one batch.
#[test]
fn acceptance_13_and_row_19_a_primary_just_under_the_timeout_makes_progress_and_may_not_starve_a_batch() {
    let mut net = Net::new(4);
    let d = Puppet::replace(&mut net, 1);
    [0, 2, 3].iter().for_each(|index| net.offer(*index, 250));
    let mut parent = net.genesis.clone();
    let mut blocks = 0;
    while !batches(&net, 0).contains(&batch(250)) {
        blocks += 1;
        assert!(blocks < 60, "starved in {}", net.node(0).view());
        let name = u8::try_from(blocks).expect("few");
        net.submit(name);
        net.run(BASE * 9 / 10 - MS * 4);
        if net.node(0).view() == View(1) {
            let block = block(&net, &parent, 1, &[batch(name)]);
            publish(&mut net, &block);
            parent = block.header.clone();
            d.tell(&mut net, &[0, 2, 3], |net| propose(net, 1, &block));
            net.run(MS * 4);
            assert_eq!(net.committed[0].last(), Some(&block.digest()), "slow, but every block is committed");
        }
    }
    assert!(blocks > 5, "it lasted while the batch could be an unlucky one");
    net.run(BASE);
    assert_done(&net, &[0, 2, 3], 250, 3);
}
