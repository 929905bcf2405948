//! A key generation among simulated replicas, up to f of whose members cheat: it ends with a key that all honest members
//! share, and names who cheated and nobody else.

use quorate_byzantine::{Cheat, Cheater};
use quorate_crypto::{
    Scheme,
    bls::{BlsThreshold, Commitments, MinSig, Share, ThresholdSecret},
    conformance::{Claim, identity_secret, vote_secret},
};
use quorate_ledger::app::dkg::{Board, Ceremony, Fault, Finding, Phase, Say};
use quorate_sim::{Cluster, SimProtocol, for_each_protocol};
use quorate_types::{BoundedVec, Digest, Height, ReplicaId};
use quorate_validator::dkg::{Ended, Farewell, Next, Participant};
use std::{collections::BTreeMap, time::Duration};

const MS: Duration = Duration::from_millis(1);
/// Heights of a phase: at this pace one lasts half a second, and a view 200 ms.
const PHASE: u64 = 25;

for_each_protocol!(
    without_cheats_all_deal_and_nobody_is_named,
    silent_members_are_named_and_missed_by_nobody,
    who_deals_bad_shares_to_all_is_named_and_goes,
    who_deals_good_shares_to_half_is_named_and_goes,
    who_answers_with_a_wrong_secret_is_named_and_goes,
    who_does_not_answer_is_named_and_goes,
    false_complaints_hurt_only_their_authors,
    who_deals_twice_is_named_and_goes,
    who_deals_late_has_not_dealt,
    who_waits_for_the_others_to_cancel_their_dealings_is_named_and_goes,
    an_honest_member_that_crashes_in_the_middle_goes_on,
    with_more_than_f_silent_there_is_no_key,
);

struct Member {
    voice: Cheater,
    ended: Option<Ended>,
    has_left: bool,
}

struct Run<P: SimProtocol> {
    ceremony: Ceremony,
    cluster: Cluster<P>,
    members: Vec<Member>,
}

impl<P: SimProtocol> Run<P> {
    /// Members from 1 on, `cheaters` of them, do this; the others are honest.
    fn of(n: usize, cheaters: usize, cheat: Option<Cheat>) -> Self {
        let builder = Cluster::of::<P>().replicas(n).seed(n as u64).ceremony(PHASE);
        let cluster = builder.block_interval(20 * MS).timeout(200 * MS).build();
        let ceremony = Ceremony::of(cluster.committee(), PHASE, Digest::ZERO);
        let chain = cluster.committee().chain();
        let member = |id: ReplicaId| {
            let honest = Participant::new(ceremony.clone(), chain, identity_secret(id)).expect("a member");
            let cheat = cheat.filter(|_| (1..=cheaters).contains(&id.index()));
            Member { voice: Cheater::new(honest, ceremony.clone(), cheat), ended: None, has_left: false }
        };
        let members = ceremony.ids().map(member).collect();
        Self { ceremony, cluster, members }
    }

    /// Each member looks at its own replica's ledger and hands in there what is to be said.
    fn step(&mut self) {
        self.cluster.run_for(20 * MS);
        for (id, member) in (0..).zip(&mut self.members) {
            if !self.cluster.is_running(id) {
                continue;
            }
            let (head, get) = (self.cluster.height(id), |key: &[u8]| self.cluster.state(id, key));
            if let Some(ended) = &member.ended {
                match member.voice.farewell(ended, head, get) {
                    Farewell::Wait { .. } => {}
                    Farewell::Submit(transaction) => drop(self.cluster.hand_in(id, *transaction)),
                    Farewell::Over => member.has_left = true,
                }
                continue;
            }
            match member.voice.next(head, get) {
                Next::Wait => {}
                Next::Submit(transaction) => drop(self.cluster.hand_in(id, *transaction)),
                Next::Over(ended) => member.ended = Some(*ended),
            }
        }
    }

    fn finish(mut self) -> Self {
        while self.members.iter().any(|member| !member.has_left && member.voice.cheat() != Some(Cheat::Silent)) {
            assert!(self.cluster.committed() < Height(10 * PHASE), "{}", self.cluster.report());
            self.step();
        }
        self
    }

    fn honest(&self) -> impl Iterator<Item = (ReplicaId, &Ended)> {
        let honest = self.members.iter().filter(|member| member.voice.cheat().is_none());
        honest.map(|member| (member.voice.me(), member.ended.as_ref().expect("finished")))
    }

    /// All honest members agree, each one's share is good, and whichever quorum of them signs, the group has signed.
    fn assert_key(&self, unqualified: &[u16]) -> Vec<Finding> {
        let mut shares = BTreeMap::new();
        let (_, first) = self.honest().next().expect("somebody is honest");
        let key: &Commitments<MinSig> = first.judgement.key.as_ref().expect("a key");
        let scheme = BlsThreshold::new(self.cluster.committee().clone(), key.clone()).expect("the threshold is right");
        for (id, ended) in self.honest() {
            assert_eq!(ended.judgement, first.judgement, "{id}");
            let share: Share = ended.share.clone().expect("a share");
            assert!(scheme.is_share_of(id, &share), "{id}");
            shares.insert(id, ThresholdSecret { share, vote: vote_secret(id) });
        }
        let expected = (0..self.members.len() as u16).filter(|id| !unqualified.contains(id)).map(ReplicaId);
        assert!(first.judgement.qualified.iter().copied().eq(expected), "{:?}", first.judgement.qualified);
        let quorum = self.cluster.committee().quorum();
        let votes: Vec<_> = shares.iter().map(|(id, secret)| (*id, scheme.sign(secret, &Claim { view: 1 }))).collect();
        for quorum in votes.windows(quorum) {
            let proof = scheme.combine(&Claim { view: 1 }, &quorum.iter().cloned().collect()).expect("a quorum");
            assert_eq!(scheme.verify_proof(&Claim { view: 1 }, &proof), Ok(()));
        }
        first.judgement.findings.clone()
    }
}

/// With f that do this among 4, 7 and 10: the key is there, and the findings are exactly these.
fn survives<P: SimProtocol>(
    cheat: impl Into<Option<Cheat>>,
    is_out: bool,
    faults: impl Fn(ReplicaId, u16) -> Vec<Fault>,
) {
    let cheat = cheat.into();
    for (n, f) in [(4, 1), (7, 2), (10, 3)] {
        let run = Run::<P>::of(n, usize::from(f), cheat).finish();
        let cheaters: Vec<u16> = (1..=f).collect();
        let findings = run.assert_key(if is_out { &cheaters } else { &[] });
        let of = |id: &u16| {
            let member = ReplicaId(*id);
            faults(member, n as u16).into_iter().map(move |fault| Finding { member, fault })
        };
        assert_eq!(findings, cheaters.iter().flat_map(of).collect::<Vec<_>>(), "{n} members");
    }
}

fn without_cheats_all_deal_and_nobody_is_named<P: SimProtocol>() {
    survives::<P>(None, false, |_, _| Vec::new());
}

fn silent_members_are_named_and_missed_by_nobody<P: SimProtocol>() {
    survives::<P>(Cheat::Silent, true, |_, _| vec![Fault::NoDealing, Fault::NoVerdict]);
}

fn bad_shares(to: impl Iterator<Item = u16>) -> Vec<Fault> {
    to.map(|to| Fault::BadShare { to: ReplicaId(to) }).collect()
}

fn who_deals_bad_shares_to_all_is_named_and_goes<P: SimProtocol>() {
    survives::<P>(Cheat::BadShares, true, |me, n| bad_shares((0..n).filter(|to| *to != me.0)));
}

fn who_deals_good_shares_to_half_is_named_and_goes<P: SimProtocol>() {
    survives::<P>(Cheat::BadSharesToHalf, true, |me, n| bad_shares((0..n).step_by(2).filter(|to| *to != me.0)));
}

fn who_answers_with_a_wrong_secret_is_named_and_goes<P: SimProtocol>() {
    survives::<P>(Cheat::WrongAnswer, true, |_, _| vec![Fault::WrongAnswer { to: ReplicaId(0) }]);
}

fn who_does_not_answer_is_named_and_goes<P: SimProtocol>() {
    survives::<P>(Cheat::NoAnswer, true, |_, _| vec![Fault::NoAnswer { to: ReplicaId(0) }]);
}

fn false_complaints_hurt_only_their_authors<P: SimProtocol>() {
    survives::<P>(Cheat::FalseComplaint, false, |_, _| vec![Fault::FalseComplaint { against: ReplicaId(0) }]);
}

fn who_deals_twice_is_named_and_goes<P: SimProtocol>() {
    survives::<P>(Cheat::DealTwice, true, |_, _| vec![Fault::DealtTwice]);
}

fn who_deals_late_has_not_dealt<P: SimProtocol>() {
    survives::<P>(Cheat::DealLate, true, |_, _| vec![Fault::NoDealing]);
}

fn who_waits_for_the_others_to_cancel_their_dealings_is_named_and_goes<P: SimProtocol>() {
    survives::<P>(Cheat::Cancel, true, |_, _| vec![Fault::Unproven]);
}

fn an_honest_member_that_crashes_in_the_middle_goes_on<P: SimProtocol>() {
    for crash_at in [0, PHASE / 2, PHASE, 3 * PHASE / 2, 2 * PHASE] {
        let mut run = Run::<P>::of(4, 1, Some(Cheat::FalseComplaint));
        while run.cluster.height(0) < Height(crash_at) {
            run.step();
        }
        run.cluster.crash(0);
        (0..10).for_each(|_| run.step());
        run.cluster.restart(0);
        let findings = run.finish().assert_key(&[]);
        let liar = Finding { member: ReplicaId(1), fault: Fault::FalseComplaint { against: ReplicaId(0) } };
        assert_eq!(findings, [liar], "crashed at {crash_at}");
    }
}

fn with_more_than_f_silent_there_is_no_key<P: SimProtocol>() {
    let run = Run::<P>::of(4, 2, Some(Cheat::Silent)).finish();
    for (_, ended) in run.honest() {
        let refused = ended.judgement.key.as_ref().expect_err("two of four").to_string();
        assert_eq!(refused, "0 dealers qualified where 3 are needed");
        assert!(ended.share.is_none());
    }
}

#[test]
fn what_comes_in_the_wrong_phase_or_from_outside_fails_and_says_why() {
    use quorate_ledger::{FailCode, Outcome};
    let mut run = Run::<quorate_sim::SymbolicPbft>::of(4, 0, None);
    let member = Participant::new(run.ceremony.clone(), run.cluster.committee().chain(), identity_secret(ReplicaId(2)));
    let member = member.expect("a member");
    let short = BoundedVec::new(member.deal().boxes.iter().skip(1).cloned().collect()).expect("three");
    let mut ill = member.deal();
    ill.boxes = short;
    let early = Say::Verdict(BoundedVec::default());
    assert_eq!(early.phase(), Phase::Verdicts);
    let says = [early, Say::Deal(ill), Say::Deal(member.deal()), Say::Deal(member.deal())];
    let mut sent: Vec<_> = (0..).zip(&says).map(|(nonce, say)| member.sign(nonce, say)).collect();
    let stranger = quorate_crypto::ClientSecret::from_seed([9; 32]);
    let body = quorate_types::TransactionBody { sender: stranger.account(), nonce: 0, ..sent[0].body.clone() };
    sent.push(stranger.sign(body));
    for transaction in &sent {
        run.cluster.hand_in(2, transaction.clone()).expect("taken");
    }
    run.cluster.run_for(1000 * MS);
    let failed = |code| Some(Outcome::Failed(code));
    let outcomes: Vec<_> = sent.iter().map(|transaction| run.cluster.outcome(&transaction.digest())).collect();
    let expected = [
        failed(FailCode::WrongPhase),
        failed(FailCode::IllFormed),
        Some(Outcome::Applied),
        failed(FailCode::SaidBefore),
        failed(FailCode::NotAMember),
    ];
    assert_eq!(outcomes, expected);
    let committee = run.cluster.committee();
    let board = Board::read(&Ceremony::of(committee, PHASE, Digest::ZERO), |key| run.cluster.state(0, key));
    assert_eq!(board.deals.keys().collect::<Vec<_>>(), [&ReplicaId(2)]);
}
