use super::*;
use crate::{
    hotstuff::{Ballot, HotStuff, ProposalStatement, TimeoutStatement},
    pbft::{self, Checkpoint, NewViewStatement, Pbft, ViewChangeStatement},
    test_net::genesis,
};
use proptest::prelude::*;
use quorate_crypto::{
    Ed25519List, Statement, Symbolic,
    bls::{BlsThreshold, MinSig},
    conformance,
};
use quorate_types::Digest;

const LIAR: ReplicaId = ReplicaId(3);

fn keys() -> Keys<Symbolic> {
    Keys::new(Symbolic::new(conformance::committee(4), 7), &genesis(4))
}

fn voted<T: Promised>(keys: &Keys<Symbolic>, signer: ReplicaId, statement: &T) -> Said<T> {
    let signature = keys.scheme.sign(&keys.scheme.secret(signer), statement);
    Said::voted::<Symbolic>(statement.clone(), &signature)
}

fn attested<T: Promised>(keys: &Keys<Symbolic>, signer: ReplicaId, statement: &T) -> Said<T> {
    let attestation = keys.scheme.attest(&keys.scheme.secret(signer), statement);
    Said::attested::<Symbolic>(statement.clone(), &attestation)
}

fn ballot(view: u64, block: u8) -> Ballot {
    Ballot { view: View(view), height: Height(1), block: Digest([block; 32]) }
}

fn votes(keys: &Keys<Symbolic>, first: &Ballot, second: &Ballot) -> Evidence {
    Evidence::contradiction(LIAR, voted(keys, LIAR, first), voted(keys, LIAR, second))
}

fn good() -> (Keys<Symbolic>, Evidence) {
    let keys = keys();
    let evidence = votes(&keys, &ballot(5, 1), &ballot(5, 2));
    (keys, evidence)
}

/// Why HotStuff refuses it.
fn why(evidence: &Evidence, keys: &Keys<Symbolic>) -> String {
    evidence.verify::<HotStuff<Symbolic>>(keys).expect_err("refused").to_string()
}

#[test]
fn two_statements_for_one_slot_convict_whoever_signed_both() {
    let (keys, evidence) = good();
    assert_eq!(evidence.verify::<HotStuff<Symbolic>>(&keys), Ok(()));
    assert_eq!(decode::<Evidence>(&encode(&evidence)), Ok(evidence.clone()), "it survives the disk");
    let statement = |high_qc| TimeoutStatement { view: View(5), high_qc: View(high_qc) };
    let timeouts =
        Evidence::contradiction(LIAR, attested(&keys, LIAR, &statement(1)), attested(&keys, LIAR, &statement(2)));
    assert_eq!(timeouts.verify::<HotStuff<Symbolic>>(&keys), Ok(()));
    let proposal = |block| ProposalStatement(ballot(5, block));
    let proposals =
        Evidence::contradiction(LIAR, attested(&keys, LIAR, &proposal(1)), attested(&keys, LIAR, &proposal(2)));
    assert_eq!(proposals.verify::<HotStuff<Symbolic>>(&keys), Ok(()));
}

#[test]
fn it_convicts_under_a_real_scheme_too() {
    let keys = Keys::new(Ed25519List::new(conformance::committee(4)), &genesis(4));
    let sign = |block| {
        let signature = keys.scheme.sign(&conformance::vote_secret(LIAR), &ballot(5, block));
        Said::voted::<Ed25519List>(ballot(5, block), &signature)
    };
    let evidence = Evidence::contradiction(LIAR, sign(1), sign(2));
    assert_eq!(evidence.verify::<HotStuff<Ed25519List>>(&keys), Ok(()));
    let others = Evidence { accused: ReplicaId(2), ..evidence };
    assert!(others.verify::<HotStuff<Ed25519List>>(&keys).is_err());
}

#[test]
fn two_threshold_votes_convict_by_their_ed25519_part() {
    let scheme = conformance::bls_threshold::<MinSig>(4);
    let secret = conformance::threshold_secret(scheme.committee(), ReplicaId(1));
    let keys = Keys::new(scheme.clone(), &genesis(4));
    let said = |block| Said::voted::<BlsThreshold<MinSig>>(ballot(5, block), &scheme.sign(&secret, &ballot(5, block)));
    let evidence = Evidence::contradiction(ReplicaId(1), said(1), said(2));
    assert_eq!(evidence.verify::<HotStuff<BlsThreshold<MinSig>>>(&keys), Ok(()));
    let framed = Evidence { accused: ReplicaId(2), ..evidence };
    assert!(framed.verify::<HotStuff<BlsThreshold<MinSig>>>(&keys).is_err());
}

#[test]
fn what_is_no_contradiction_is_refused() {
    let (keys, evidence) = good();
    let same = votes(&keys, &ballot(5, 1), &ballot(5, 1));
    assert_eq!(why(&same, &keys), "the same statement twice");
    let other_view = votes(&keys, &ballot(4, 1), &ballot(5, 2));
    assert!(why(&other_view, &keys).contains("not of the view"));
    assert!(why(&Evidence { view: View(6), ..evidence.clone() }, &keys).contains("not of the view"));
    assert!(why(&Evidence { height: Some(Height(1)), ..evidence.clone() }, &keys).contains("not of the view"));
    assert!(why(&Evidence { kind: "hotstuff/timeout".into(), ..evidence.clone() }, &keys).contains("canonical"));
    assert!(why(&Evidence { kind: "pbft/prepare".into(), ..evidence.clone() }, &keys).contains("does not know"));
    assert!(evidence.verify::<Pbft<Symbolic>>(&keys).is_err(), "another protocol's");
}

#[test]
fn nobody_is_convicted_by_what_he_did_not_sign() {
    let (keys, evidence) = good();
    assert_eq!(why(&Evidence { accused: ReplicaId(2), ..evidence.clone() }, &keys), "bad signature of replica 2");
    assert!(why(&Evidence { accused: ReplicaId(9), ..evidence.clone() }, &keys).contains("not a member"));
    let forged =
        Evidence::contradiction(LIAR, voted(&keys, LIAR, &ballot(5, 1)), voted(&keys, ReplicaId(0), &ballot(5, 2)));
    assert_eq!(why(&forged, &keys), "bad signature of replica 3");
    let unsigned = Exhibit::enclosed(&ballot(5, 2));
    assert!(why(&Evidence { second: unsigned, ..evidence.clone() }, &keys).contains("without its sender's signature"));
    let other_chain = Keys::new(Symbolic::new(conformance::committee(4), 8), &genesis(4));
    assert_eq!(why(&evidence, &other_chain), "bad signature of replica 3");
}

#[test]
fn votes_at_different_heights_of_a_view_are_pbfts_normal_case() {
    let keys = keys();
    let prepare = |height, block| {
        pbft::Prepare(pbft::Ballot { view: View(2), height: Height(height), block: Digest([block; 32]) })
    };
    let accuse = |first, second| Evidence::contradiction(LIAR, voted(&keys, LIAR, &first), voted(&keys, LIAR, &second));
    assert_eq!(accuse(prepare(1, 1), prepare(1, 2)).verify::<Pbft<Symbolic>>(&keys), Ok(()));
    assert!(accuse(prepare(1, 1), prepare(2, 2)).verify::<Pbft<Symbolic>>(&keys).is_err());
}

type Said1 = (ReplicaId, ViewChangeStatement);

/// A NEW-VIEW for view 3 over these view-changes, of which one was prepared at height 2.
fn unfounded(keys: &Keys<Symbolic>, tip: Option<u8>, signed: &[Said1], shown: &[Said1]) -> Evidence {
    let view_changes = Digest::of(quorate_types::Domain::STATEMENT, &signed.to_vec());
    let statement = NewViewStatement { view: View(3), view_changes, tip: tip.map(|tip| Digest([tip; 32])) };
    Evidence {
        accused: LIAR,
        kind: "pbft/unfounded-new-view".into(),
        view: View(3),
        height: None,
        first: attested(keys, LIAR, &statement).into_exhibit(),
        second: Exhibit::enclosed(&shown.to_vec()),
    }
}

fn change(replica: u16, prepared: Option<(u64, u64, u8)>) -> Said1 {
    let checkpoint = Checkpoint { height: Height(0), block: Digest::ZERO, state_root: Digest::ZERO };
    let ballot =
        |(view, height, block)| pbft::Ballot { view: View(view), height: Height(height), block: Digest([block; 32]) };
    let statement = ViewChangeStatement { view: View(3), checkpoint, prepared: prepared.map(ballot) };
    (ReplicaId(replica), statement)
}

#[test]
fn a_new_view_that_omits_what_was_prepared_convicts_its_primary() {
    let keys = keys();
    let said = [change(0, Some((1, 2, 7))), change(1, Some((2, 1, 8))), change(2, None)];
    let verify = |evidence: Evidence| evidence.verify::<Pbft<Symbolic>>(&keys);
    for tip in [None, Some(7), Some(9)] {
        assert_eq!(verify(unfounded(&keys, tip, &said, &said)), Ok(()), "{tip:?}");
    }
    let founded = verify(unfounded(&keys, Some(8), &said, &said)).expect_err("the greatest view's block is due");
    assert!(founded.to_string().contains("it follows"), "{founded}");
    let others = verify(unfounded(&keys, Some(8), &said, &said[2..])).expect_err("not what it signed");
    assert!(others.to_string().contains("not the view-changes that were signed"), "{others}");
    let nothing = [change(0, None), change(1, None), change(2, None)];
    assert_eq!(verify(unfounded(&keys, Some(1), &nothing, &nothing)), Ok(()));
    assert!(verify(unfounded(&keys, None, &nothing, &nothing)).is_err());
}

#[test]
fn one_accusation_for_each_member_kind_and_view() {
    let (keys, evidence) = good();
    let mut accusations = Accusations::default();
    let mut left = |evidence: &Evidence| {
        let mut step = Step::<u8, u8>::default();
        step.broadcast(9);
        step.act(Action::Accuse(Box::new(evidence.clone())));
        accusations.keep_news(&mut step);
        step.retain_actions(|action| matches!(action, Action::Accuse(_)));
        usize::from(!step.is_empty())
    };
    assert_eq!((left(&evidence), left(&evidence)), (1, 0));
    assert_eq!(left(&votes(&keys, &ballot(5, 1), &ballot(5, 3))), 0, "another pair of the same view");
    assert_eq!(left(&votes(&keys, &ballot(6, 1), &ballot(6, 3))), 1, "a later view");
    assert_eq!(left(&votes(&keys, &ballot(5, 1), &ballot(5, 3))), 0, "an earlier one");
    assert_eq!(left(&Evidence { kind: ProposalStatement::KIND.into(), ..evidence.clone() }), 1, "another kind");
    assert_eq!(left(&Evidence { accused: ReplicaId(1), ..evidence }), 1, "another member");
}

fn exhibit() -> impl Strategy<Value = Exhibit> {
    let blob = || prop::collection::vec(any::<u8>(), 0..96);
    (blob(), blob(), 0usize..3).prop_map(|(content, signature, form)| {
        let signature = BoundedVec::new(signature).expect("short");
        let proof = [Proof::Vote(signature.clone()), Proof::Attestation(signature), Proof::Enclosed];
        Exhibit { content: BoundedVec::new(content).expect("short"), proof: proof[form].clone() }
    })
}

proptest! {
    #[test]
    fn garbage_is_refused_without_a_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..256),
        (first, second) in (exhibit(), exhibit()),
        kind in prop::sample::select(vec![
            "hotstuff/vote", "hotstuff/fork", "pbft/prepare", "pbft/checkpoint", "pbft/unfounded-new-view", "x",
        ]),
    ) {
        let keys = keys();
        if let Ok(evidence) = decode::<Evidence>(&bytes) {
            prop_assert!(evidence.verify::<HotStuff<Symbolic>>(&keys).is_err());
        }
        let evidence = Evidence { accused: LIAR, kind: kind.into(), view: View(1), height: None, first, second };
        prop_assert!(evidence.verify::<HotStuff<Symbolic>>(&keys).is_err());
        prop_assert!(evidence.verify::<Pbft<Symbolic>>(&keys).is_err());
    }
}
