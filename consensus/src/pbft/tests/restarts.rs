//! What a replica that restarts within a view still knows of it.

use super::{
    craft::*,
    net::{Net, Node, batch, id},
};
use crate::{
    Event, Protocol, Replica,
    pbft::{Ballot, Message},
    test_net::child,
};
use quorate_types::{Block, BoundedVec, Digest, View};

/// Replica 3 crashes between NEW-VIEW, which it filed, and the execution of the tip, which it never held before.
fn restarted_in_view_2(net: &Net, tip: &Block) -> Node {
    let certificate = prepared(net, 1, tip);
    let changes: Vec<_> = [0, 1, 2].map(|it| change(net, it, 2, genesis_stable(net), Some(certificate.clone()))).into();
    let mut before = node(net, 3);
    let heard = hear(net, &mut before, 2, begin(new_view(net, 2, &changes, Some(tip))));
    assert!(!heard.says("prepare"), "it is not executed yet");
    let mut after = Node::recover(net.config(3), heard.records);
    let _started = handle(&mut after, Event::Started);
    assert_eq!(after.view(), View(2));
    after
}

#[test]
fn who_restarts_before_the_tip_is_executed_prepares_it_then() {
    let net = Net::new(4);
    let tip = block(&net, &net.genesis, 1, &[batch(1)]);
    let heard = execute(&mut restarted_in_view_2(&net, &tip), std::slice::from_ref(&tip));
    assert!(heard[0].says("prepare"), "with f others down nobody prepares the tip in this view");
}

#[test]
fn who_restarts_prepares_nothing_but_the_tip_where_the_tip_stands() {
    let net = Net::new(4);
    let tip = block(&net, &net.genesis, 1, &[batch(1)]);
    let mut after = restarted_in_view_2(&net, &tip);
    let other = block(&net, &net.genesis, 2, &[batch(2)]);
    hear(&net, &mut after, 2, propose(&net, 2, &other));
    let heard = execute(&mut after, std::slice::from_ref(&other));
    assert!(!heard[0].says("prepare"), "PREPARE(2, 1) for another block than the NEW-VIEW's tip");
}

/// It has seen a quorum prepare a block that its primary did not show it, and commits that; after a crash the primary shows it the other.
#[test]
fn who_has_committed_one_block_prepares_no_other_in_its_place_after_a_restart() {
    let net = Net::new(4);
    let below = child(&net.genesis, View(1), id(1), vec![]);
    let [one, other] =
        [vec![batch(1)], vec![batch(2)]].map(|payload: Vec<Digest>| block(&net, &below.header, 1, &payload));
    let mut before = node(&net, 0);
    let mut records = vec![];
    let ballot = Ballot::of(View(1), &one.header);
    for voter in 1..4 {
        records.extend(hear(&net, &mut before, voter, prepare(&net, voter, ballot)).records);
    }
    let blocks = BoundedVec::new(vec![one.clone(), below.clone()]).expect("two");
    records.extend(hear(&net, &mut before, 1, Message::Blocks { wanted: one.digest(), blocks }).records);
    let heard = execute(&mut before, &[below.clone(), one.clone()]);
    assert!(heard[1].says("commit") && !heard[1].says("prepare"), "the block below is not prepared in this view");
    records.extend(heard.into_iter().flat_map(|heard| heard.records));

    let mut after = Node::recover(net.config(0), records);
    let _started = handle(&mut after, Event::Started);
    hear(&net, &mut after, 1, propose(&net, 1, &below));
    let mut heard = execute(&mut after, std::slice::from_ref(&below));
    for voter in 2..4 {
        heard.push(hear(&net, &mut after, voter, prepare(&net, voter, Ballot::of(View(1), &below.header))));
    }
    heard.push(hear(&net, &mut after, 1, propose(&net, 1, &other)));
    heard.extend(execute(&mut after, std::slice::from_ref(&other)));
    let other = Ballot::of(View(1), &other.header);
    let said = heard.iter().flat_map(|heard| heard.said());
    let is_of_other = |message: &&_| matches!(message, Message::Prepare(vote) if vote.statement.0 == other);
    assert_eq!(said.filter(is_of_other).count(), 0);
}

/// Whoever lies here is a quorum: it prepares what the primary did not propose, and the primary commits that.
#[test]
fn a_primary_that_has_committed_what_it_did_not_propose_proposes_nothing_in_its_place_after_a_restart() {
    let net = Net::new(4);
    let two_above = |name| {
        let low = block(&net, &net.genesis, 1, &[batch(name)]);
        let high = block(&net, &low.header, 1, &[batch(name + 1)]);
        [low, high]
    };
    let [theirs, own] = [10, 20].map(two_above);
    let mut before = node(&net, 1);
    let mut records = vec![];
    for voter in [0, 2, 3] {
        let ballot = Ballot::of(View(1), &theirs[1].header);
        records.extend(hear(&net, &mut before, voter, prepare(&net, voter, ballot)).records);
    }
    let blocks = BoundedVec::new(theirs.iter().rev().cloned().collect()).expect("two");
    records.extend(hear(&net, &mut before, 2, Message::Blocks { wanted: theirs[1].digest(), blocks }).records);
    let heard = execute(&mut before, &theirs);
    assert!(heard[1].says("commit") && !heard[1].says("prepare"), "the block below is not prepared in this view");
    records.extend(heard.into_iter().flat_map(|heard| heard.records));

    let mut after = Node::recover(net.config(1), records);
    let _started = handle(&mut after, Event::Started);
    let mut propose = |block: &Block| {
        let _asks = handle(&mut after, Event::BatchReady(block.payload[0]));
        handle(&mut after, Event::Built(block.clone()))
    };
    assert!(propose(&own[0]).says("pre_prepare"), "it has said nothing there");
    assert!(!propose(&own[1]).says("pre_prepare"), "its name would stand under both blocks");
}
