//! More liars than the protocol can bear: whoever can be named is, and nobody honest ever.

use super::{
    craft::*,
    net::{Msg, Net, Node, S, id},
};
use crate::{
    Action, Evidence, Exhibit, Protocol, Rejection,
    forensics::{Past, culprits},
    pbft::{
        Ballot, Certificates, Checkpoint, Commit, CommitCertificate, CommitProof, Message, Prepare, Record, Standing,
        ViewChange,
    },
    test_net::child,
};
use quorate_types::{Block, BoundedVec, Height, View, encode};
use std::collections::BTreeSet;

fn committed(net: &Net, view: u64, block: &Block, signers: &[usize]) -> CommitCertificate<S> {
    certify(net, Commit(Ballot::of(View(view), &block.header)), signers)
}

fn certificates(committed: CommitCertificate<S>) -> Msg {
    let committed = Some(committed);
    let changes = BoundedVec::default();
    Message::Certificates(Box::new(Certificates {
        new_view: None,
        committed,
        checkpoint: None,
        is_whole: false,
        changes,
    }))
}

/// A block beside the first of `chain`.
fn rival(net: &Net, view: u64) -> Block {
    child(&net.genesis, View(view), id(primary(net, view)), vec![])
}

/// Replica 0, which committed the first block of view 1 by these members' COMMITs.
fn after_commit(net: &Net, signers: &[usize]) -> Node {
    let mut node = node(net, 0);
    let blocks = chain(net, 1, 1);
    prepare_all(net, &mut node, &blocks);
    hear(net, &mut node, 1, certificates(committed(net, 1, &blocks[0], signers)));
    assert_eq!(node.root(), Height(1));
    node
}

/// Everything that a step accuses somebody of; each can be checked by anybody, and not against somebody else.
fn accused(net: &Net, heard: &Heard) -> BTreeSet<usize> {
    let mut all = BTreeSet::new();
    for action in &heard.actions {
        let Action::Accuse(evidence) = action else { continue };
        Node::verify_evidence(evidence, &net.keys).expect("evidence that anybody can check");
        for other in (0..net.nodes.len()).filter(|other| id(*other) != evidence.accused) {
            let mut moved = evidence.as_ref().clone();
            moved.accused = id(other);
            let is_guilty_too =
                heard.actions.iter().any(|action| matches!(action, Action::Accuse(e) if e.accused == id(other)));
            assert!(
                is_guilty_too || Node::verify_evidence(&moved, &net.keys).is_err(),
                "{other} in {}'s place",
                evidence.accused
            );
        }
        all.insert(evidence.accused.index());
    }
    all
}

#[test]
fn row_33_those_who_committed_and_began_a_view_without_it_are_named() {
    for (n, signers, movers, liars) in
        [(4, vec![0, 1, 2], vec![1, 2, 3], vec![1, 2]), (7, vec![0, 1, 2, 3, 4], vec![2, 3, 4, 5, 6], vec![2, 3, 4])]
    {
        let net = Net::new(n);
        let mut node = after_commit(&net, &signers);
        let changes: Vec<_> = movers.iter().map(|mover| bare(&net, *mover, 2)).collect();
        let heard = hear(&net, &mut node, 2, begin(new_view(&net, 2, &changes, None)));
        assert_eq!(accused(&net, &heard), liars.into_iter().collect(), "f+1 of {n}, before there are two ledgers");
        let theirs = committed(&net, 2, &rival(&net, 2), &movers);
        let heard = hear(&net, &mut node, 2, certificates(theirs));
        assert!(heard.actions.iter().any(|action| matches!(action, Action::Halt(_))), "and it stops");
    }
}

#[test]
fn row_33_the_other_branch_names_them_too() {
    let net = Net::new(4);
    let mut node = node(&net, 0);
    let changes: Vec<_> = [1, 2, 3].iter().map(|mover| bare(&net, *mover, 2)).collect();
    hear(&net, &mut node, 2, begin(new_view(&net, 2, &changes, None)));
    let block = rival(&net, 2);
    hear(&net, &mut node, 2, propose(&net, 2, &block));
    execute(&mut node, std::slice::from_ref(&block));
    hear(&net, &mut node, 2, certificates(committed(&net, 2, &block, &[0, 2, 3])));
    assert_eq!(node.root(), Height(1));
    let heard = hear(&net, &mut node, 1, certificates(committed(&net, 1, &chain(&net, 1, 1)[0], &[1, 2, 3])));
    assert_eq!(accused(&net, &heard), BTreeSet::from([1, 2, 3]), "each of them concealed what it had committed");
    assert!(heard.actions.iter().any(|action| matches!(action, Action::Halt(_))));
}

#[test]
fn row_33_two_ledgers_of_one_height_are_noticed_by_whoever_asks_where_another_stands() {
    let net = Net::new(4);
    let mut node = after_commit(&net, &[0, 1, 2]);
    let ours = chain(&net, 1, 1)[0].digest();
    let mut shown = |block| {
        let standing = Standing { view: View(1), committed: Height(1), block, low: Height::GENESIS };
        let heard = hear(&net, &mut node, 3, Message::AskCertificates(standing));
        heard.said().into_iter().find_map(|message| match message {
            Message::Certificates(certificates) => Some(certificates.committed.as_ref()?.statement.0.block),
            _ => None,
        })
    };
    // Nobody is ahead: were it not shown what is committed there, the one with another block would never know.
    assert_eq!(shown(rival(&net, 1).digest()), Some(ours));
    assert_eq!(shown(ours), None, "with the same block nothing is said");
}

#[test]
fn row_33_a_stable_checkpoint_of_another_chain_stops_whoever_is_past_it() {
    let net = Net::with_checkpoints(4, 1);
    let mut node = after_commit(&net, &[0, 1, 2]);
    let theirs = Checkpoint::of(&rival(&net, 1).header);
    let heard: Vec<_> = [1, 2, 3].map(|voter| hear(&net, &mut node, voter, checkpoint(&net, voter, theirs))).into();
    let halts = |heard: &Heard| heard.actions.iter().any(|action| matches!(action, Action::Halt(_)));
    assert_eq!(heard.iter().map(halts).collect::<Vec<_>>(), [false, false, true], "with a quorum, not before");
}

#[test]
fn row_33_those_who_signed_two_blocks_of_one_place_are_named() {
    let net = Net::new(4);
    let mut node = after_commit(&net, &[0, 1, 2]);
    let heard = hear(&net, &mut node, 3, certificates(committed(&net, 1, &rival(&net, 1), &[1, 2, 3])));
    assert_eq!(accused(&net, &heard), BTreeSet::from([1, 2]));
    assert!(heard.actions.iter().any(|action| matches!(action, Action::Halt(_))));
}

#[test]
fn who_shows_what_it_committed_or_stands_above_it_is_accused_of_nothing() {
    let net = Net::new(4);
    let block = &chain(&net, 1, 1)[0];
    let shown = change(&net, 1, 2, genesis_stable(&net), Some(prepared(&net, 1, block)));
    let above = change(&net, 2, 2, stable(&net, &block.header), None);
    let never_signed = bare(&net, 3, 2);
    for innocent in [shown, above, never_signed] {
        let mut node = after_commit(&net, &[0, 1, 2]);
        let from = innocent.replica.index();
        assert_eq!(accused(&net, &hear(&net, &mut node, from, leave(innocent))), BTreeSet::new(), "{from}");
    }
}

#[test]
fn evidence_of_a_fork_that_was_made_up_is_refused() {
    let net = Net::new(4);
    let mut node = after_commit(&net, &[0, 1, 2]);
    let heard = hear(&net, &mut node, 1, leave(bare(&net, 1, 2)));
    let evidence = heard.actions.iter().find_map(|action| match action {
        Action::Accuse(evidence) => Some(evidence.as_ref().clone()),
        _ => None,
    });
    let evidence = evidence.expect("it concealed");
    let refuses = |change: &dyn Fn(&mut Evidence)| {
        let mut forged = evidence.clone();
        change(&mut forged);
        assert!(
            matches!(Node::verify_evidence(&forged, &net.keys), Err(Rejection::Malformed(_) | Rejection::Crypto(_))),
            "{forged:?}"
        );
    };
    refuses(&|evidence| evidence.view = View(3));
    refuses(&|evidence| evidence.height = Some(Height(2)));
    refuses(&|evidence| evidence.accused = id(0));
    refuses(&|evidence| std::mem::swap(&mut evidence.first, &mut evidence.second));
    let fewer = &chain(&net, 1, 1)[0];
    let mut unsigned = committed(&net, 1, fewer, &[0, 1, 2]);
    unsigned.statement.0.height = Height(2);
    refuses(&|evidence| evidence.first = Exhibit::enclosed(&unsigned));
    let honest: ViewChange<S> = change(&net, 1, 2, genesis_stable(&net), Some(prepared(&net, 1, fewer)));
    refuses(&|evidence| evidence.second = crate::pbft::evidence::Says::said(&honest).into_exhibit());
}

#[test]
fn two_certificates_for_one_block_are_no_evidence() {
    let net = Net::new(4);
    let mut node = after_commit(&net, &[0, 1, 2]);
    let theirs = committed(&net, 1, &rival(&net, 1), &[1, 2, 3]);
    let heard = hear(&net, &mut node, 3, certificates(theirs.clone()));
    let both = heard.actions.iter().find_map(|action| match action {
        Action::Accuse(evidence) => Some(evidence.as_ref().clone()),
        _ => None,
    });
    let mut evidence = both.expect("both are signed by two");
    evidence.first = Exhibit::enclosed(&theirs);
    assert!(matches!(Node::verify_evidence(&evidence, &net.keys), Err(Rejection::Malformed(_))));
}

/// What a replica leaves behind that committed one block.
fn past(net: &Net, view: u64, block: &Block, signers: &[usize], records: Vec<Record<S>>) -> Past<Record<S>> {
    let proof = encode(&CommitProof::Commit(committed(net, view, block, signers)));
    Past { committed: vec![(block.clone(), Some(proof))], records }
}

fn named(net: &Net, one: &Past<Record<S>>, other: &Past<Record<S>>) -> BTreeSet<usize> {
    culprits::<Node>(one, other, &net.keys).iter().map(|piece| piece.accused.index()).collect()
}

#[test]
fn two_pasts_name_those_who_began_a_view_without_what_they_had_committed() {
    let net = Net::new(4);
    let changes: Vec<_> = [1, 2, 3].iter().map(|mover| bare(&net, *mover, 2)).collect();
    let began = Record::NewView(Box::new(new_view(&net, 2, &changes, None)));
    let ours = past(&net, 1, &chain(&net, 1, 1)[0], &[0, 1, 2], vec![]);
    let theirs = past(&net, 2, &rival(&net, 2), &[1, 2, 3], vec![began]);
    assert_eq!(named(&net, &ours, &theirs), BTreeSet::from([1, 2]));
    assert_eq!(named(&net, &theirs, &ours), BTreeSet::from([1, 2]), "whichever comes first");
    let unknown = past(&net, 2, &rival(&net, 2), &[1, 2, 3], vec![]);
    assert_eq!(named(&net, &ours, &unknown), BTreeSet::new(), "how the view began is not known");
    assert_eq!(named(&net, &ours, &ours), BTreeSet::new());
}

#[test]
fn two_pasts_name_those_who_signed_two_blocks_of_one_place() {
    let net = Net::new(4);
    let ours = past(&net, 1, &chain(&net, 1, 1)[0], &[0, 1, 2], vec![]);
    let theirs = past(&net, 1, &rival(&net, 1), &[1, 2, 3], vec![]);
    assert_eq!(named(&net, &ours, &theirs), BTreeSet::from([1, 2]));
}

/// 7 replicas, of which 1 to 4 lie (2f), and 0, 5 and 6 are honest. The primary shows 0 another block than the others. 0 prepares
/// that, and then sees a quorum prepare the other one. Were it to COMMIT what it did not prepare, its name would stand under both
/// blocks when the fork is found.
#[test]
fn who_prepared_one_block_does_not_commit_another_in_its_place_and_is_accused_of_no_fork() {
    let net = Net::new(7);
    let (one, other) = (chain(&net, 1, 1).remove(0), rival(&net, 1));
    let [first, second] = [&one, &other].map(|block| Ballot::of(View(1), &block.header));
    let mut honest = node(&net, 0);
    hear(&net, &mut honest, 1, propose(&net, 1, &one));
    assert!(execute(&mut honest, std::slice::from_ref(&one))[0].says("prepare"), "what its primary shows it");
    for voter in [2, 3, 4, 5, 6] {
        hear(&net, &mut honest, voter, prepare(&net, voter, second));
    }
    let blocks = BoundedVec::new(vec![other.clone()]).expect("one");
    hear(&net, &mut honest, 6, Message::Blocks { wanted: other.digest(), blocks });
    let heard = execute(&mut honest, std::slice::from_ref(&other)).remove(0);
    assert_eq!(honest.prepared.as_ref().map(|prepared| prepared.statement.0), Some(second), "a quorum did");
    assert!(!heard.says("commit"), "it commits what it did not prepare");
    // It learns what the others make of it.
    let signers = [1, 2, 3, 4, 6];
    hear(&net, &mut honest, 6, certificates(committed(&net, 1, &other, &signers)));
    assert_eq!(honest.tree.root_digest(), other.digest());

    let mut witness = node(&net, 5);
    let shown = certify(&net, Prepare(first), &[0, 1, 2, 3, 4]);
    let show = |it| change(&net, it, 2, genesis_stable(&net), (it < 5).then(|| shown.clone()));
    let changes: Vec<_> = [1, 2, 3, 4, 5].map(show).into();
    hear(&net, &mut witness, 2, begin(new_view(&net, 2, &changes, Some(&one))));
    execute(&mut witness, std::slice::from_ref(&one));
    hear(&net, &mut witness, 2, certificates(committed(&net, 2, &one, &[1, 2, 3, 4, 5])));
    assert_eq!(witness.root(), Height(1));
    let heard = hear(&net, &mut witness, 2, certificates(committed(&net, 1, &other, &signers)));
    assert_eq!(accused(&net, &heard), BTreeSet::from([1, 2, 3, 4]), "all liars, and nobody honest");
}
