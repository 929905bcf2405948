//! A vote under the voter's name that is no part of any certificate convicts the voter, and nothing else convicts anybody.

use super::*;
use crate::{
    Protocol,
    hotstuff::{Ballot, HotStuff},
    pbft::{self, Checkpoint, Commit, Pbft, Prepare},
    tally::{Excluded, Poll, Polled},
    test_net::genesis,
};
use quorate_crypto::{
    Statement, Symbolic,
    bls::{BlsMulti, BlsThreshold, BlsVote, Group, MinSig, Point, Variant},
    conformance,
};
use quorate_types::Digest;

type Multi = BlsMulti<MinSig>;
type Threshold = BlsThreshold<MinSig>;

const LIAR: ReplicaId = ReplicaId(1);

/// A BLS scheme of known secrets.
trait Known: Scheme<Signature = BlsVote<Self::In>> {
    type In: Group;
    fn four() -> Self;
    fn secret(&self, replica: ReplicaId) -> Self::Secret;
}

impl Known for Multi {
    type In = <MinSig as Variant>::Signature;
    fn four() -> Self {
        conformance::bls_multi(4)
    }
    fn secret(&self, replica: ReplicaId) -> Self::Secret {
        conformance::bls_multi_secret(replica)
    }
}

impl Known for Threshold {
    type In = <MinSig as Variant>::Signature;
    fn four() -> Self {
        conformance::bls_threshold(4)
    }
    fn secret(&self, replica: ReplicaId) -> Self::Secret {
        conformance::threshold_secret(self.committee(), replica)
    }
}

fn ballot(block: u8) -> Ballot {
    Ballot { view: View(5), height: Height(1), block: Digest([block; 32]) }
}

fn good<T: Promised, S: Known>(scheme: &S, signer: ReplicaId, vote: &T) -> S::Signature {
    scheme.sign(&scheme.secret(signer), vote)
}

/// The voter's name under its partial of another vote.
fn bad<T: Promised, S: Known>(scheme: &S, signer: ReplicaId, vote: &T) -> S::Signature {
    named(scheme, signer, vote, good(scheme, signer, &ballot(99)).partial)
}

fn named<T: Promised, S: Known>(scheme: &S, signer: ReplicaId, vote: &T, partial: Point<S::In>) -> S::Signature {
    BlsVote::new(scheme, &conformance::vote_secret(signer), vote, partial)
}

fn accuse<T: Promised, S: Known>(accused: ReplicaId, vote: T, signature: &S::Signature) -> Evidence {
    Evidence::bad_signature::<T, S>(accused, vote, signature)
}

fn why<P: Protocol>(evidence: &Evidence, keys: &Keys<P::Scheme>) -> String {
    evidence.verify::<P>(keys).expect_err("refused").to_string()
}

fn convicts_of_any_vote<S: Known>() {
    let scheme = S::four();
    let keys = Keys::new(scheme.clone(), &genesis(4));
    let bad_ballot = accuse::<_, S>(LIAR, ballot(1), &bad(&scheme, LIAR, &ballot(1)));
    assert_eq!(bad_ballot.verify::<HotStuff<S>>(&keys), Ok(()));
    assert_eq!(decode::<Evidence>(&encode(&bad_ballot)), Ok(bad_ballot.clone()), "it survives the disk");
    let at = pbft::Ballot { view: View(5), height: Height(2), block: Digest([1; 32]) };
    let prepare = accuse::<_, S>(LIAR, Prepare(at), &bad(&scheme, LIAR, &Prepare(at)));
    let commit = accuse::<_, S>(LIAR, Commit(at), &bad(&scheme, LIAR, &Commit(at)));
    let checkpoint = Checkpoint { height: Height(8), block: Digest([1; 32]), state_root: Digest([2; 32]) };
    let checkpoint = accuse::<_, S>(LIAR, checkpoint, &bad(&scheme, LIAR, &checkpoint));
    for evidence in [&prepare, &commit, &checkpoint] {
        assert_eq!(evidence.verify::<Pbft<S>>(&keys), Ok(()), "{}", evidence.kind);
        assert!(why::<HotStuff<S>>(evidence, &keys).contains("does not know"), "another protocol's");
    }
    assert!(why::<Pbft<S>>(&bad_ballot, &keys).contains("does not know"));
}

fn a_good_vote_convicts_nobody<S: Known>() {
    let scheme = S::four();
    let keys = Keys::new(scheme.clone(), &genesis(4));
    for signer in scheme.committee().members() {
        let framed = accuse::<_, S>(signer, ballot(1), &good(&scheme, signer, &ballot(1)));
        assert_eq!(why::<HotStuff<S>>(&framed, &keys), "bad signature: it is good", "{signer}");
    }
}

fn nobody_is_convicted_by_what_another_signed<S: Known>() {
    let scheme = S::four();
    let keys = Keys::new(scheme.clone(), &genesis(4));
    let bad_vote = bad(&scheme, LIAR, &ballot(1));
    let of = |accused, signature| why::<HotStuff<S>>(&accuse::<_, S>(accused, ballot(1), signature), &keys);
    assert_eq!(of(ReplicaId(2), &bad_vote), "bad signature of replica 2", "the liar's vote");
    assert!(of(ReplicaId(9), &bad_vote).contains("not a member"));
    // The liar puts another's partial, its own name, or half of either beside what an honest one signed.
    let honest = good(&scheme, ReplicaId(2), &ballot(1));
    let renamed = BlsVote { partial: bad_vote.partial, signature: honest.signature.clone() };
    assert_eq!(of(ReplicaId(2), &renamed), "bad signature of replica 2");
    let borrowed = named(&scheme, LIAR, &ballot(1), honest.partial);
    assert_eq!(of(ReplicaId(2), &borrowed), "bad signature of replica 2");
    let other_vote = accuse::<_, S>(ReplicaId(2), ballot(2), &honest);
    assert_eq!(why::<HotStuff<S>>(&other_vote, &keys), "bad signature of replica 2", "of another statement");
}

fn what_it_says_must_be_what_is_shown<S: Known>() {
    let scheme = S::four();
    let keys = Keys::new(scheme.clone(), &genesis(4));
    let evidence = accuse::<_, S>(LIAR, ballot(1), &bad(&scheme, LIAR, &ballot(1)));
    let why = |evidence: Evidence| why::<HotStuff<S>>(&evidence, &keys);
    assert!(why(Evidence { view: View(6), ..evidence.clone() }).contains("another view"));
    assert!(why(Evidence { height: Some(Height(1)), ..evidence.clone() }).contains("another view or height"));
    assert!(why(Evidence { second: evidence.first.clone(), ..evidence.clone() }).contains("where none belongs"));
    assert!(why(Evidence { second: Exhibit::enclosed(&7u8), ..evidence.clone() }).contains("canonical"));
    let attested = Said::attested::<S>(ballot(1), &scheme.attest(&scheme.secret(LIAR), &ballot(1))).into_exhibit();
    assert!(why(Evidence { first: attested, ..evidence.clone() }).contains("no vote"));
    assert!(why(Evidence { kind: "/bad-signature".into(), ..evidence.clone() }).contains("does not know"));
    assert!(why(Evidence { kind: Ballot::KIND.into(), ..evidence }).contains("canonical"), "nor two votes");
}

/// Four vote, the liar among the first three.
fn liars_are_caught_once_and_cost_nothing_from_then_on<S: Known>() {
    let scheme = S::four();
    let keys = Keys::new(scheme.clone(), &genesis(4));
    let mut excluded = Excluded::default();
    let mut polls = [Poll::<Ballot, S>::default(), Poll::default(), Poll::default()];
    let mut add = |poll: usize, voter: ReplicaId, excluded: &mut Excluded| {
        let vote = ballot(poll as u8);
        let signature = if voter == LIAR { bad(&scheme, voter, &vote) } else { good(&scheme, voter, &vote) };
        polls[poll].add(voter, vote, signature, &scheme, excluded)
    };
    assert_eq!(add(1, LIAR, &mut excluded), Polled::Counted, "it waits in another poll before it is caught");
    for (voter, is_last) in [(0, false), (1, false), (2, false), (3, true)] {
        let polled = add(0, ReplicaId(voter), &mut excluded);
        assert_eq!(matches!(polled, Polled::Certified(_)), is_last, "{voter}: {polled:?}");
    }
    let mut step = Step::<(), ()>::default();
    excluded.tell(&mut step);
    let mut accused = Vec::new();
    step.retain_actions(|action| {
        let Action::Accuse(evidence) = action else { return false };
        assert_eq!(evidence.verify::<HotStuff<S>>(&keys), Ok(()));
        accused.push(evidence.accused);
        true
    });
    assert_eq!(accused, [LIAR]);
    for (voter, is_last) in [(0, false), (2, false), (3, true)] {
        let polled = add(1, ReplicaId(voter), &mut excluded);
        assert_eq!(matches!(polled, Polled::Certified(_)), is_last, "what waited does not count: {polled:?}");
    }
    assert_eq!(add(2, LIAR, &mut excluded), Polled::Excluded);
    let mut step = Step::<(), ()>::default();
    excluded.tell(&mut step);
    assert!(step.is_empty(), "one piece for each liar");
}

/// Makes a test of each of these for each BLS scheme.
macro_rules! for_each_bls_scheme {
    ($($claim:ident),* $(,)?) => {
        mod multi {
            $(#[test] fn $claim() { super::$claim::<super::Multi>(); })*
        }
        mod threshold {
            $(#[test] fn $claim() { super::$claim::<super::Threshold>(); })*
        }
    };
}

for_each_bls_scheme!(
    convicts_of_any_vote,
    a_good_vote_convicts_nobody,
    nobody_is_convicted_by_what_another_signed,
    what_it_says_must_be_what_is_shown,
    liars_are_caught_once_and_cost_nothing_from_then_on,
);

#[test]
fn where_votes_are_checked_on_arrival_none_is_evidence() {
    let scheme = Symbolic::new(conformance::committee(4), 7);
    let keys = Keys::new(scheme.clone(), &genesis(4));
    for signer in [ReplicaId(1), ReplicaId(2)] {
        let signature = scheme.sign(&scheme.secret(signer), &ballot(1));
        let evidence = Evidence::bad_signature::<Ballot, Symbolic>(LIAR, ballot(1), &signature);
        assert!(evidence.verify::<HotStuff<Symbolic>>(&keys).is_err(), "{signer}");
    }
}
