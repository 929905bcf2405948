//! What a vote, a commitment or a point must not be, one test for each.

use super::{
    BlsThreshold, BlsVote, CombineError, Commitments, G1, G2, Group, MinSig, Point, PointError, Polynomial,
    SchemeError, Share, Variant, combine,
};
use crate::{
    CryptoError, Scheme, Statement,
    conformance::{bls_threshold, committee, threshold_secret, vote_secret},
};
use borsh::{BorshDeserialize, BorshSerialize};
use quorate_types::{ReplicaId, decode, encode};

type Threshold = BlsThreshold<MinSig>;
type Partial = Point<<MinSig as Variant>::Signature>;

const SIGNER: ReplicaId = ReplicaId(1);

#[derive(Clone, Debug, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
struct Prepare {
    view: u64,
    block: u8,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
struct Commit {
    view: u64,
    block: u8,
}

impl Statement for Prepare {
    const KIND: &'static str = "rejections/prepare";
}

impl Statement for Commit {
    const KIND: &'static str = "rejections/commit";
}

const SAID: Prepare = Prepare { view: 3, block: 1 };

fn sign<T: Statement>(scheme: &Threshold, signer: ReplicaId, statement: &T) -> BlsVote<G1> {
    scheme.sign(&threshold_secret(scheme.committee(), signer), statement)
}

/// Two good votes and this partial under the signer's name: the vote is admitted, the partial is not good, and combining names
/// its author alone.
fn is_refused_and_named<T: Statement>(statement: &T, partial: Partial) {
    let scheme = bls_threshold(4);
    let vote = BlsVote::new(&scheme, &vote_secret(SIGNER), statement, partial);
    assert_eq!(scheme.admit(SIGNER, statement, &vote), Ok(()), "the name is good");
    assert_eq!(scheme.verify(SIGNER, statement, &vote), Err(CryptoError::BadSignature(SIGNER)));
    let good = [ReplicaId(0), ReplicaId(2)].map(|signer| (signer, sign(&scheme, signer, statement)));
    let votes = good.into_iter().chain([(SIGNER, vote)]).collect();
    assert_eq!(scheme.combine(statement, &votes), Err(CryptoError::BadSignatures(vec![SIGNER])));
}

/// The same vote under another statement, and its partial there under a name that is good.
fn is_of_another_statement<T: Statement>(statement: &T) {
    let scheme = bls_threshold(4);
    let vote = sign(&scheme, SIGNER, &SAID);
    assert_eq!(scheme.admit(SIGNER, statement, &vote), Err(CryptoError::BadSignature(SIGNER)));
    is_refused_and_named(statement, vote.partial);
}

/// Partial signatures as if of the shares with these indices.
fn combined(indices: &[u16]) -> Result<Partial, CombineError> {
    let partial = sign(&bls_threshold(4), SIGNER, &SAID).partial;
    combine::<MinSig>(3, 4, &indices.iter().map(|&index| (index, partial)).collect::<Vec<_>>())
}

#[test]
fn a_share_of_index_zero_is_refused() {
    assert_eq!(combined(&[1, 2, 0]), Err(CombineError::Index(0)));
    assert!(Share::from_bytes(0, &[1; 32]).is_none());
    assert!(bls_threshold::<MinSig>(4).commitments().public_share(0).is_none());
}

#[test]
fn a_share_of_an_index_above_n_is_refused() {
    assert_eq!(combined(&[1, 2, 5]), Err(CombineError::Index(5)));
    let (scheme, outsider) = (bls_threshold::<MinSig>(4), ReplicaId(4));
    let vote = sign(&scheme, SIGNER, &SAID);
    assert_eq!(scheme.verify(outsider, &SAID, &vote), Err(CryptoError::UnknownSigner(outsider)));
}

#[test]
fn a_doubled_index_is_refused() {
    assert_eq!(combined(&[1, 2, 2]), Err(CombineError::Duplicate));
    assert_eq!(combined(&[1, 2, 3, 1]), Err(CombineError::Duplicate), "even where enough others are");
}

#[test]
fn a_partial_of_another_index_is_refused() {
    is_refused_and_named(&SAID, sign(&bls_threshold(4), ReplicaId(3), &SAID).partial);
}

#[test]
fn a_partial_of_another_message_is_refused() {
    is_of_another_statement(&Prepare { block: 2, ..SAID });
}

#[test]
fn a_partial_of_another_view_is_refused() {
    is_of_another_statement(&Prepare { view: 4, ..SAID });
}

#[test]
fn a_partial_of_another_phase_is_refused() {
    is_of_another_statement(&Commit { view: SAID.view, block: SAID.block });
}

#[test]
fn a_partial_under_another_tag_is_refused() {
    let scheme = bls_threshold::<MinSig>(4);
    let share = threshold_secret(scheme.committee(), SIGNER).share;
    let bytes = crate::signing_bytes(scheme.committee(), &SAID);
    let under = |tag| share.sign::<MinSig>(&bytes, tag).expect("not zero");
    assert_eq!(under(MinSig::SIGNATURE_TAG), sign(&scheme, SIGNER, &SAID).partial, "only the tag differs");
    is_refused_and_named(&SAID, under(MinSig::POSSESSION_TAG));
}

#[test]
fn commitments_of_another_length_are_refused() {
    for length in [1, 2, 4] {
        let commitments = Polynomial::derive(&[1; 32], b"", length).commitments::<MinSig>();
        let refused = BlsThreshold::new(committee(4), commitments);
        assert_eq!(refused, Err(SchemeError::Threshold { have: length, need: 3 }));
    }
    assert!(Commitments::<MinSig>::new(Vec::new()).is_none());
    assert!(decode::<Commitments<MinSig>>(&encode(&Vec::<Point<G2>>::new())).is_err(), "none are none on the wire too");
}

#[test]
fn an_identity_as_constant_term_is_refused() {
    let commitments = Polynomial::derive(&[1; 32], b"", 3).commitments::<MinSig>();
    let mut bytes = encode(&commitments);
    assert_eq!(decode(&bytes), Ok(commitments));
    let constant = 4..4 + 96;
    bytes[constant.clone()].fill(0);
    bytes[constant.start] = 0xc0;
    assert!(decode::<Commitments<MinSig>>(&bytes).is_err());
}

fn other_flags_are_refused<G: Group>() {
    let good = G::generator().encode().as_ref().to_vec();
    let sign = good[0] & 0x20;
    for flags in (0..8).map(|bits| bits << 5).filter(|flags| *flags != 0x80 | sign) {
        let mut bytes = good.clone();
        bytes[0] = bytes[0] & 0x1f | flags;
        match Point::<G>::from_bytes(&bytes) {
            Ok(point) => assert_eq!(flags, 0x80 | (sign ^ 0x20), "only the negative has another: {point}"),
            Err(error) => assert_eq!(error, PointError::Encoding, "{flags:02x}"),
        }
    }
}

#[test]
fn unknown_curve_flags_are_refused() {
    other_flags_are_refused::<G1>();
    other_flags_are_refused::<G2>();
}

/// The field's order, greatest byte first.
const P: [u8; 48] = [
    0x1a, 0x01, 0x11, 0xea, 0x39, 0x7f, 0xe6, 0x9a, 0x4b, 0x1b, 0xa7, 0xb6, 0x43, 0x4b, 0xac, 0xd7, 0x64, 0x77, 0x4b,
    0x84, 0xf3, 0x85, 0x12, 0xbf, 0x67, 0x30, 0xd2, 0xa0, 0xf6, 0xb0, 0xf6, 0x24, 0x1e, 0xab, 0xff, 0xfe, 0xb1, 0x53,
    0xff, 0xff, 0xb9, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xaa, 0xab,
];

/// A coordinate plus p, if that fits below the flags.
fn plus_p(coordinate: &[u8]) -> Option<Vec<u8>> {
    let flags = coordinate[0] & 0xe0;
    let mut sum = coordinate.to_vec();
    sum[0] &= 0x1f;
    let mut carry = 0;
    for (byte, p) in sum.iter_mut().zip(P).rev() {
        carry += u16::from(*byte) + u16::from(p);
        *byte = carry.to_le_bytes()[0];
        carry >>= 8;
    }
    (carry == 0 && sum[0] & 0xe0 == 0).then(|| {
        sum[0] |= flags;
        sum
    })
}

/// Points whose x, plus p, has an encoding still: of the same point, were it reduced.
fn greater_coordinates_are_refused<G: Group>() {
    let mut tried = 0;
    let mut multiple = G::generator();
    for _ in 0..40 {
        multiple = G::sum(&[multiple, G::generator()]);
        let bytes = multiple.encode().as_ref().to_vec();
        for start in (0..bytes.len()).step_by(48) {
            let Some(greater) = plus_p(&bytes[start..start + 48]) else { continue };
            let mut changed = bytes.clone();
            changed[start..start + 48].copy_from_slice(&greater);
            assert_eq!(Point::<G>::from_bytes(&changed), Err(PointError::Encoding), "at {start}");
            tried += 1;
        }
    }
    assert!(tried >= 5, "about a quarter of them can be tried: {tried}");
}

#[test]
fn a_coordinate_not_below_p_is_refused() {
    greater_coordinates_are_refused::<G1>();
    greater_coordinates_are_refused::<G2>();
}

#[test]
fn a_point_outside_the_subgroup_is_refused() {
    // (0, 2) is on the curve, and of order 3.
    let mut bytes = [0; 48];
    bytes[0] = 0x80;
    assert_eq!(Point::<G1>::from_bytes(&bytes), Err(PointError::NotInGroup));
}
