//! Leaders that lie: what they propose gets no honest vote, and blocks still commit.

use quorate_consensus::hotstuff::{
    Ballot, Certificates, JustifiedBlock, Message, Proposal, QuorumCertificate, TimeoutCertificate, TimeoutShare,
    TimeoutStatement, Vote,
};
use quorate_crypto::{Scheme, Symbolic};
use quorate_sim::{Cluster, Cue, Hands, Puppet, SimScheme, Verdict};
use quorate_types::{Block, BoundedVec, Digest, Header, Height, Payload, ReplicaId, View};
use quorate_validator::Wire;
use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
    time::Duration,
};

type S = Symbolic;

const MS: Duration = Duration::from_millis(1);
const TICK: Duration = Duration::from_millis(10);

type Shared<T> = Rc<RefCell<T>>;

/// A block without transactions on what `justify` certifies; all else as in `like`.
fn empty(like: &Header, justify: &QuorumCertificate<S>, view: View, proposer: ReplicaId) -> Block {
    let (height, parent, payload_root) = (justify.height().next(), justify.block(), Block::payload_root(&[]));
    let header = Header { height, view, parent, proposer, payload_root, ..like.clone() };
    Block { header, payload: Payload::default() }
}

/// What honest replicas vote for, wherever the vote goes.
fn watch_votes(cluster: &mut Cluster) -> Shared<BTreeSet<Digest>> {
    let voted = Shared::<BTreeSet<Digest>>::default();
    let seen = voted.clone();
    cluster.intercept(move |_, _, wire| {
        match wire {
            Wire::Consensus(Message::Vote(vote)) => drop(seen.borrow_mut().insert(vote.ballot.block)),
            Wire::Consensus(Message::Timeout(timeout)) => {
                seen.borrow_mut().extend(timeout.vote.as_ref().map(|vote| vote.ballot.block));
            }
            _ => {}
        }
        Verdict::Pass
    });
    voted
}

/// A leader that follows the others, and in its own views proposes what `lie` makes of what it knows.
struct Liar<F> {
    newest: Option<Proposal<S>>,
    votes: BTreeMap<Digest, BTreeMap<ReplicaId, <S as Scheme>::Signature>>,
    lie: F,
    lies: Shared<BTreeSet<Digest>>,
}

impl<F> Liar<F> {
    fn new(lie: F) -> (Self, Shared<BTreeSet<Digest>>) {
        let lies = Shared::<BTreeSet<Digest>>::default();
        (Self { newest: None, votes: BTreeMap::new(), lie, lies: lies.clone() }, lies)
    }

    /// The certificate of the newest block, which the votes sent to this leader make.
    fn certificate(&self, scheme: &S) -> Option<QuorumCertificate<S>> {
        let ballot = Ballot::of(&self.newest.as_ref()?.justified.block.header);
        let proof = scheme.combine(&ballot, self.votes.get(&ballot.block)?).ok()?;
        Some(QuorumCertificate { ballot, proof: Some(proof) })
    }
}

impl<F> Puppet for Liar<F>
where
    F: FnMut(&Header, &QuorumCertificate<S>, Option<&QuorumCertificate<S>>, ReplicaId) -> Option<JustifiedBlock<S>>
        + 'static,
{
    fn act(&mut self, hands: &mut Hands, cue: Cue) {
        match cue {
            Cue::Started => hands.set_timer(TICK, 0),
            Cue::Received { wire: Wire::Consensus(Message::Proposal(proposal)), .. } => {
                let view = |proposal: &Proposal<S>| proposal.justified.block.header.view;
                if self.newest.as_ref().is_none_or(|newest| view(newest) < view(&proposal)) {
                    self.newest = Some(*proposal);
                }
            }
            Cue::Received { wire: Wire::Consensus(Message::Vote(vote)), .. } => {
                self.votes.entry(vote.ballot.block).or_default().insert(vote.voter, vote.signature);
            }
            Cue::Timer(_) => {
                hands.set_timer(TICK, 0);
                let Some(newest) = &self.newest else { return };
                let header = &newest.justified.block.header;
                if hands.leader(header.view.next()) != hands.me {
                    return;
                }
                let certificate = self.certificate(&hands.scheme);
                if let Some(lie) = (self.lie)(header, &newest.justified.justify, certificate.as_ref(), hands.me) {
                    self.lies.borrow_mut().insert(lie.block.digest());
                    hands.broadcast(&Message::Proposal(Box::new(hands.proposal(lie, None))));
                }
            }
            Cue::Received { .. } | Cue::Asked { .. } => {}
        }
    }
}

#[test]
fn row_22_a_leader_that_extends_an_older_certificate_gets_no_vote_and_blocks_still_commit() {
    let (forker, forks) = Liar::new(|newest: &Header, older: &QuorumCertificate<S>, _: Option<&_>, me| {
        Some(JustifiedBlock { block: empty(newest, older, newest.view.next(), me), justify: older.clone() })
    });
    let mut cluster = Cluster::new().block_interval(20 * MS).puppet(1, forker).build();
    let voted = watch_votes(&mut cluster);
    cluster.run_until(|cluster| cluster.committed() >= Height(30), 300_000 * MS);
    assert!(forks.borrow().len() > 3, "it tried");
    assert!(voted.borrow().is_disjoint(&forks.borrow()), "somebody voted for the fork");
}

#[test]
fn row_32_a_block_with_a_wrong_time_state_or_height_gets_no_vote_and_blocks_still_commit() {
    const HOUR: u64 = 3_600_000;
    let changes: [fn(&mut Header, &Header); 5] = [
        |header, parent| header.timestamp = parent.timestamp + HOUR + 1,
        |header, parent| header.timestamp = parent.timestamp - 1,
        |header, _| header.timestamp = u64::MAX,
        |header, _| header.state_root = Digest([7; 32]),
        |header, _| header.height = header.height.next(),
    ];
    for change in changes {
        let (liar, lies) =
            Liar::new(move |newest: &Header, _: &QuorumCertificate<S>, qc: Option<&QuorumCertificate<S>>, me| {
                let mut block = empty(newest, qc?, newest.view.next(), me);
                change(&mut block.header, newest);
                Some(JustifiedBlock { block, justify: qc?.clone() })
            });
        let mut cluster = Cluster::new().block_interval(20 * MS).puppet(1, liar).build();
        let voted = watch_votes(&mut cluster);
        cluster.run_until(|cluster| cluster.committed() >= Height(20), 300_000 * MS);
        assert!(!lies.borrow().is_empty(), "it tried");
        assert!(voted.borrow().is_disjoint(&lies.borrow()), "somebody voted for it");
        assert!((1..=20).filter_map(|height| cluster.header(height)).all(|header| header.proposer != ReplicaId(1)));
    }
}

/// The same leader with nothing wrong in its blocks: the lies above are what costs it the votes.
#[test]
fn row_32_and_without_the_lie_it_gets_them() {
    let (leader, blocks) =
        Liar::new(|newest: &Header, _: &QuorumCertificate<S>, qc: Option<&QuorumCertificate<S>>, me| {
            Some(JustifiedBlock { block: empty(newest, qc?, newest.view.next(), me), justify: qc?.clone() })
        });
    let mut cluster = Cluster::new().block_interval(20 * MS).puppet(1, leader).build();
    let voted = watch_votes(&mut cluster);
    cluster.run_until(|cluster| cluster.committed() >= Height(20), 300_000 * MS);
    assert!(!voted.borrow().is_disjoint(&blocks.borrow()));
}

/// Votes, timeouts and proposals of views that nobody can know, again and again.
#[test]
fn row_23_views_far_ahead_without_a_certificate_are_ignored() {
    let mut known: Option<Proposal<S>> = None;
    let inflater = move |hands: &mut Hands, cue: Cue| match cue {
        Cue::Started => hands.set_timer(TICK, 0),
        Cue::Received { wire: Wire::Consensus(Message::Proposal(proposal)), .. } => known = Some(*proposal),
        Cue::Timer(turn) => {
            hands.set_timer(TICK, turn + 1);
            let Some(known) = &known else { return };
            let justify = known.justified.justify.clone();
            for view in [justify.view().0 + 1_000_000_001 + 4 * turn, u64::MAX - 2].map(View) {
                let ballot = Ballot { view, ..justify.ballot };
                hands.broadcast(&Message::Vote(hands.vote(ballot)));
                hands.broadcast(&Message::Timeout(Box::new(hands.timeout(view, justify.clone(), None))));
                let block = empty(&known.justified.block.header, &justify, view, hands.me);
                let justified = JustifiedBlock { block, justify: justify.clone() };
                hands.broadcast(&Message::Proposal(Box::new(hands.proposal(justified, None))));
                hands.broadcast(&Message::AskCertificates(view));
            }
        }
        Cue::Received { .. } | Cue::Asked { .. } => {}
    };
    let mut cluster = Cluster::new().block_interval(20 * MS).puppet(1, inflater).build();
    cluster.run_until(|cluster| cluster.committed() >= Height(30), 300_000 * MS);
    assert!(cluster.running().all(|id| cluster.view(id) < View(1_000)), "views move by certificates only");
    assert!(cluster.running().all(|id| cluster.status(id).is_some_and(|status| status.uncommitted_blocks < 20)));
}

/// Old votes, two votes in a view, and bad signatures in bulk. That nobody honest is blamed, the checkers see to.
#[test]
fn row_31_two_votes_are_evidence_old_ones_and_forged_ones_are_nothing() {
    let mut votes: Vec<Vote<S>> = Vec::new();
    let voter = move |hands: &mut Hands, cue: Cue| {
        let Cue::Received { wire: Wire::Consensus(Message::Proposal(proposal)), .. } = cue else { return };
        let ballot = Ballot::of(&proposal.justified.block.header);
        let other = Ballot { block: Digest([9; 32]), ..ballot };
        votes.push(hands.vote(ballot));
        for vote in votes.iter().rev().take(20).cloned().chain([hands.vote(other)]) {
            hands.broadcast(&Message::Vote(vote));
        }
        for _ in 0..50 {
            hands.broadcast(&Message::Vote(Vote { ballot: other, ..hands.vote(ballot) }));
        }
    };
    let mut cluster = Cluster::new().block_interval(20 * MS).puppet(2, voter).build();
    cluster.run_until(|cluster| cluster.committed() >= Height(20), 300_000 * MS);
    assert!(cluster.rejected() > 500, "forged votes do not pass the check");
    assert!(cluster.accusations().count() > 3, "two votes in one view are evidence");
    assert!(cluster.accusations().all(|(_, evidence)| evidence.accused == ReplicaId(2)));
}

/// Two liars of four, which is one too many: replica 0 locks on a block that replica 1 never saw certified, and the liars and
/// replica 1 leave view after view until a liar may lead again, with a timeout certificate that allows genesis.
#[derive(Default)]
struct Plot {
    first: Option<Proposal<S>>,
    genesis: Option<QuorumCertificate<S>>,
    fork: Option<Digest>,
    told: BTreeSet<View>,
    fork_votes: usize,
}

const LOCKED: ReplicaId = ReplicaId(0);
const DARK: ReplicaId = ReplicaId(1);
const LIARS: [ReplicaId; 2] = [ReplicaId(2), ReplicaId(3)];

impl Plot {
    fn act(&mut self, hands: &mut Hands, cue: Cue) {
        match cue {
            Cue::Received { wire: Wire::Consensus(Message::Proposal(proposal)), .. }
                if proposal.justified.block.header.view == View(1) =>
            {
                self.genesis = Some(proposal.justified.justify.clone());
                self.first = Some(*proposal);
            }
            Cue::Received { from: LOCKED, wire: Wire::Consensus(Message::Vote(vote)) } => self.extend(hands, vote),
            Cue::Received { from: DARK, wire: Wire::Consensus(Message::Timeout(timeout)) } => {
                let dark = timeout.high_qc.view() == View::GENESIS;
                if hands.me == LIARS[0] && dark && self.told.insert(timeout.view) {
                    self.leave(hands, timeout.view, timeout.attestation);
                }
            }
            _ => {}
        }
    }

    /// The locked replica's vote and those of the liars certify its block; a liar proposes the next one to it alone.
    fn extend(&mut self, hands: &mut Hands, vote: Vote<S>) {
        if Some(vote.ballot.block) == self.fork {
            self.fork_votes += 1;
        }
        let (Some(first), ballot) = (&self.first, vote.ballot) else { return };
        if hands.leader(ballot.view.next()) != hands.me || ballot.view > View(2) {
            return;
        }
        let mut signatures = BTreeMap::from([(LOCKED, vote.signature)]);
        for liar in LIARS {
            signatures.insert(liar, hands.scheme.sign(&hands.scheme.secret_of(liar), &ballot));
        }
        let proof = hands.scheme.combine(&ballot, &signatures).expect("three of four");
        let justify = QuorumCertificate { ballot, proof: Some(proof) };
        let block = empty(&first.justified.block.header, &justify, ballot.view.next(), hands.me);
        let proposal = hands.proposal(JustifiedBlock { block, justify }, None);
        hands.send(LOCKED, Message::Proposal(Box::new(proposal)));
    }

    /// The view is left with nothing but genesis known; from view 6 on, the liar leads.
    fn leave(&mut self, hands: &mut Hands, view: View, attestation: <S as Scheme>::Attestation) {
        let (Some(first), Some(genesis)) = (&self.first, self.genesis.clone()) else { return };
        let statement = TimeoutStatement { view, high_qc: View::GENESIS };
        let share = |replica, attestation| TimeoutShare { replica, high_qc: View::GENESIS, attestation };
        let lie = |liar| share(liar, hands.scheme.attest(&hands.scheme.secret_of(liar), &statement));
        let shares = BoundedVec::new([share(DARK, attestation)].into_iter().chain(LIARS.map(lie)).collect());
        let entry = TimeoutCertificate { view, high_qc: genesis.clone(), shares: shares.expect("three") };
        if view < View(5) {
            let certificates = Certificates { high_qc: genesis, entry: Some(entry), is_whole: false };
            return hands.send(DARK, Message::Certificates(Box::new(certificates)));
        }
        let block = empty(&first.justified.block.header, &genesis, view.next(), hands.me);
        self.fork = Some(block.digest());
        let proposal = hands.proposal(JustifiedBlock { block, justify: genesis }, Some(entry));
        hands.send(LOCKED, Message::Proposal(Box::new(proposal)));
    }
}

#[test]
fn a_locked_replica_refuses_a_branch_below_its_lock_even_with_a_certificate_that_allows_it() {
    let plot = Shared::<Plot>::default();
    let liar = |plot: Shared<Plot>| move |hands: &mut Hands, cue: Cue| plot.borrow_mut().act(hands, cue);
    let builder = Cluster::new().block_interval(20 * MS).timeout(100 * MS);
    let mut cluster = builder.puppet(2, liar(plot.clone())).puppet(3, liar(plot.clone())).build();
    cluster.run_until(|cluster| cluster.status(0).is_some_and(|status| status.locked_qc == View(1)), 10_000 * MS);
    cluster.partition([&[0, 2, 3], &[1, 2, 3]]);
    cluster.run_until(|_| plot.borrow().fork.is_some(), 60_000 * MS);
    cluster.run_for(50 * MS);
    assert_eq!(cluster.view(0), View(6), "it followed the timeout certificate");
    assert_eq!(plot.borrow().fork_votes, 0, "it votes against its lock");
}
