use super::{B, H, busy, world::World};
use crate::{
    Attacks, Target,
    mutate::{Coverage, Mutations, Mutator, Resign},
};
use quorate_consensus::{hotstuff, pbft};
use quorate_crypto::Symbolic;
use quorate_types::ReplicaId;

/// A message that replica 1 said, with one field changed, and whether a receiver lets that in.
fn mutant<P: Attacks<Scheme = Symbolic> + Resign>(path: &str, mutator: Mutator) -> (P::Message, P::Message, bool) {
    let world = busy::<P>(1, "silent", &Target::from_view(1000));
    let kind = path.split('.').next().expect("a kind");
    let said = world.said(1, kind)[1].message.clone();
    let mut mutations = Mutations::<P>::new(1);
    world.sent.iter().for_each(|sent| mutations.learn(sent.from, &sent.message));
    let changed = mutations.mutate(&said, path, mutator, &world.replicas[1].grip().mind().hands);
    let changed = changed.expect("it has that field");
    let is_good = world.lets_in(ReplicaId(1), &changed);
    (said, changed, is_good)
}

#[test]
fn a_mutant_differs_in_one_field_and_is_signed_again() {
    let (said, changed, is_good) = mutant::<H>("vote.ballot.view", Mutator::Up);
    let (hotstuff::Message::Vote(said), hotstuff::Message::Vote(changed)) = (said, changed) else { panic!("votes") };
    assert_eq!(changed.ballot.view, said.ballot.view.next());
    assert_eq!((changed.ballot.height, changed.ballot.block), (said.ballot.height, said.ballot.block));
    assert!(is_good && changed.signature != said.signature);

    let (said, changed, is_good) = mutant::<B>("commit.statement.height", Mutator::Earlier);
    let (pbft::Message::Commit(said), pbft::Message::Commit(changed)) = (said, changed) else { panic!("commits") };
    assert!(changed.statement.0.height != said.statement.0.height && is_good);
}

#[test]
fn a_block_with_another_payload_names_it() {
    let (_, changed, is_good) = mutant::<H>("proposal.justified.block.payload#", Mutator::Zero);
    let hotstuff::Message::Proposal(proposal) = changed else { panic!("a proposal") };
    assert!(is_good && proposal.justified.block.payload.is_empty());
}

#[test]
fn what_is_not_its_own_to_sign_stays_as_it_was_made() {
    assert!(!mutant::<H>("vote.signature", Mutator::Up).2);
    assert!(!mutant::<H>("proposal.justified.justify.ballot.block", Mutator::Random).2);
    assert!(!mutant::<B>("pre_prepare.attestation", Mutator::Zero).2);
}

#[test]
fn mutate_tries_what_was_not_tried_and_the_others_go_on() {
    fn check<P: Attacks<Scheme = Symbolic> + Resign>() {
        let coverage = Coverage::of::<P>();
        let all = coverage.missing().len();
        let mut world = World::<P>::new(4, 1, "silent", &Target::default());
        world.replicas[1].corrupt(coverage.attack(&Target::default(), 1), Target::default());
        world.busy(0..50);
        let tried = all - coverage.missing().len();
        assert!(tried > 50, "{tried} of {all}");
        assert!(world.agreed() > 5);
        assert!(world.accused.iter().all(|accused| *accused == ReplicaId(1)));
        let lines = coverage.to_string().lines().count();
        assert_eq!(lines, 1 + all / Mutator::ALL.len(), "a line for each field");
    }
    check::<H>();
    check::<B>();
}
