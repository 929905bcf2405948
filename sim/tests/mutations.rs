//! Acceptance 6: small changes to PBFT's messages, one field at a time, each signed again by the Byzantine replica that sends them
//! (as Winter et al., *Randomized Testing of Byzantine Fault Tolerant Algorithms*, OOPSLA 2023). Each is ignored or harmless: agreement and progress hold, and nobody honest is accused.

use quorate_byzantine::{Attack, Byzantine, Hands, Target};
use quorate_consensus::pbft::{
    Ballot, Checkpoint, Commit, Message, NewView, PrePrepare, PrePrepareStatement, Prepare, StableCheckpoint,
    ViewChange, Vote,
};
use quorate_crypto::Symbolic;
use quorate_sim::{Cluster, SymbolicPbft as Pbft, Verdict};
use quorate_types::{BoundedVec, Digest, Height, ReplicaId, View};
use quorate_validator::Wire;
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

const BASE: Duration = Duration::from_millis(200);

/// The message, with one thing changed and signed again; nothing where there is nothing to change.
type Mutation = fn(Message<Symbolic>, &Hands<Pbft>) -> Option<Message<Symbolic>>;

fn next(view: View) -> View {
    View(view.0 + 1)
}

fn before(view: View) -> View {
    View(view.0.saturating_sub(1))
}

fn below(height: Height) -> Height {
    Height(height.0.saturating_sub(1))
}

fn flipped(digest: Digest) -> Digest {
    Digest(digest.0.map(|byte| !byte))
}

fn pre_prepare(
    message: Message<Symbolic>,
    hands: &Hands<Pbft>,
    change: fn(&mut PrePrepare<Symbolic>),
) -> Option<Message<Symbolic>> {
    let Message::PrePrepare(mut said) = message else { return None };
    change(&mut said);
    let ballot = Ballot::of(said.view, &said.block.header);
    said.attestation = hands.attest(&PrePrepareStatement(ballot));
    said.prepare = hands.sign(&Prepare(ballot));
    Some(Message::PrePrepare(said))
}

fn prepare(message: Message<Symbolic>, hands: &Hands<Pbft>, change: fn(&mut Ballot)) -> Option<Message<Symbolic>> {
    let Message::Prepare(mut vote) = message else { return None };
    change(&mut vote.statement.0);
    vote.signature = hands.sign(&vote.statement);
    Some(Message::Prepare(vote))
}

fn commit(message: Message<Symbolic>, hands: &Hands<Pbft>, change: fn(&mut Ballot)) -> Option<Message<Symbolic>> {
    let Message::Commit(mut vote) = message else { return None };
    change(&mut vote.statement.0);
    vote.signature = hands.sign(&vote.statement);
    Some(Message::Commit(vote))
}

fn checkpoint(
    message: Message<Symbolic>,
    hands: &Hands<Pbft>,
    change: fn(&mut Checkpoint),
) -> Option<Message<Symbolic>> {
    let Message::Checkpoint(mut vote) = message else { return None };
    change(&mut vote.statement);
    vote.signature = hands.sign(&vote.statement);
    Some(Message::Checkpoint(vote))
}

fn view_change(
    message: Message<Symbolic>,
    hands: &Hands<Pbft>,
    change: fn(&mut ViewChange<Symbolic>),
) -> Option<Message<Symbolic>> {
    let Message::ViewChange(mut said) = message else { return None };
    change(&mut said);
    said.attestation = hands.attest(&said.statement());
    Some(Message::ViewChange(said))
}

fn new_view(
    message: Message<Symbolic>,
    hands: &Hands<Pbft>,
    change: fn(&mut NewView<Symbolic>),
) -> Option<Message<Symbolic>> {
    let Message::NewView(mut said) = message else { return None };
    change(&mut said);
    said.attestation = hands.attest(&said.statement());
    Some(Message::NewView(said))
}

fn somebody_else<T: quorate_consensus::Promised>(mut vote: Vote<T, Symbolic>) -> Vote<T, Symbolic> {
    vote.voter = ReplicaId((vote.voter.0 + 1) % 4);
    vote
}

const MUTATIONS: &[(&str, Mutation)] = &[
    ("pre-prepare: height + 1", |m, h| {
        pre_prepare(m, h, |said| said.block.header.height = said.block.header.height.next())
    }),
    ("pre-prepare: height - 1", |m, h| {
        pre_prepare(m, h, |said| said.block.header.height = below(said.block.header.height))
    }),
    ("pre-prepare: view + 1", |m, h| pre_prepare(m, h, |said| said.view = next(said.view))),
    ("pre-prepare: view - 1", |m, h| pre_prepare(m, h, |said| said.view = before(said.view))),
    ("pre-prepare: view in the block + 1", |m, h| {
        pre_prepare(m, h, |said| said.block.header.view = next(said.block.header.view))
    }),
    ("pre-prepare: parent", |m, h| {
        pre_prepare(m, h, |said| said.block.header.parent = flipped(said.block.header.parent))
    }),
    ("pre-prepare: state root", |m, h| {
        pre_prepare(m, h, |said| said.block.header.state_root = flipped(said.block.header.state_root))
    }),
    ("pre-prepare: payload root", |m, h| {
        pre_prepare(m, h, |said| said.block.header.payload_root = flipped(said.block.header.payload_root))
    }),
    ("pre-prepare: no payload", |m, h| pre_prepare(m, h, |said| said.block.payload = BoundedVec::default())),
    ("pre-prepare: proposer", |m, h| {
        pre_prepare(m, h, |said| said.block.header.proposer.0 = (said.block.header.proposer.0 + 1) % 4)
    }),
    ("pre-prepare: chain", |m, h| {
        pre_prepare(m, h, |said| said.block.header.chain.0 = flipped(said.block.header.chain.0))
    }),
    ("prepare: height + 1", |m, h| prepare(m, h, |ballot| ballot.height = ballot.height.next())),
    ("prepare: height - 1", |m, h| prepare(m, h, |ballot| ballot.height = below(ballot.height))),
    ("prepare: view + 1", |m, h| prepare(m, h, |ballot| ballot.view = next(ballot.view))),
    ("prepare: view - 1", |m, h| prepare(m, h, |ballot| ballot.view = before(ballot.view))),
    ("prepare: block", |m, h| prepare(m, h, |ballot| ballot.block = flipped(ballot.block))),
    ("prepare: replica", |m, _| match m {
        Message::Prepare(vote) => Some(Message::Prepare(somebody_else(vote))),
        _ => None,
    }),
    ("prepare: as a commit", |m, h| match m {
        Message::Prepare(vote) => {
            let statement = Commit(vote.statement.0);
            Some(Message::Commit(Vote { statement, voter: vote.voter, signature: h.sign(&statement) }))
        }
        _ => None,
    }),
    ("commit: height + 1", |m, h| commit(m, h, |ballot| ballot.height = ballot.height.next())),
    ("commit: height - 1", |m, h| commit(m, h, |ballot| ballot.height = below(ballot.height))),
    ("commit: view + 1", |m, h| commit(m, h, |ballot| ballot.view = next(ballot.view))),
    ("commit: view - 1", |m, h| commit(m, h, |ballot| ballot.view = before(ballot.view))),
    ("commit: block", |m, h| commit(m, h, |ballot| ballot.block = flipped(ballot.block))),
    ("commit: replica", |m, _| match m {
        Message::Commit(vote) => Some(Message::Commit(somebody_else(vote))),
        _ => None,
    }),
    ("checkpoint: height + 1", |m, h| checkpoint(m, h, |checkpoint| checkpoint.height = checkpoint.height.next())),
    ("checkpoint: height - 1", |m, h| checkpoint(m, h, |checkpoint| checkpoint.height = below(checkpoint.height))),
    ("checkpoint: block", |m, h| checkpoint(m, h, |checkpoint| checkpoint.block = flipped(checkpoint.block))),
    ("checkpoint: state root", |m, h| {
        checkpoint(m, h, |checkpoint| checkpoint.state_root = flipped(checkpoint.state_root))
    }),
    ("view-change: view + 1", |m, h| view_change(m, h, |said| said.view = next(said.view))),
    ("view-change: view - 1", |m, h| view_change(m, h, |said| said.view = before(said.view))),
    ("view-change: no certificate", |m, h| view_change(m, h, |said| said.prepared = None)),
    ("view-change: certificate's view + 1", |m, h| {
        view_change(m, h, |said| {
            said.prepared.iter_mut().for_each(|proof| proof.statement.0.view = next(proof.statement.0.view))
        })
    }),
    ("view-change: certificate's height + 1", |m, h| {
        view_change(m, h, |said| {
            said.prepared.iter_mut().for_each(|proof| proof.statement.0.height = proof.statement.0.height.next())
        })
    }),
    ("view-change: certificate's block", |m, h| {
        view_change(m, h, |said| {
            said.prepared.iter_mut().for_each(|proof| proof.statement.0.block = flipped(proof.statement.0.block))
        })
    }),
    ("view-change: checkpoint without a proof", |m, h| {
        view_change(m, h, |said| {
            let checkpoint =
                Checkpoint { height: said.checkpoint.checkpoint.height.next(), ..said.checkpoint.checkpoint };
            said.checkpoint = StableCheckpoint { checkpoint, proof: None };
        })
    }),
    ("view-change: replica", |m, h| view_change(m, h, |said| said.replica.0 = (said.replica.0 + 1) % 4)),
    ("new-view: view + 1", |m, h| new_view(m, h, |said| said.view = next(said.view))),
    ("new-view: view - 1", |m, h| new_view(m, h, |said| said.view = before(said.view))),
    ("new-view: no view-changes", |m, h| new_view(m, h, |said| said.view_changes = BoundedVec::default())),
    ("new-view: one view-change less", |m, h| {
        new_view(m, h, |said| {
            let fewer = said.view_changes.iter().skip(1).cloned().collect();
            said.view_changes = BoundedVec::new(fewer).expect("fewer");
        })
    }),
    ("new-view: no tip", |m, h| new_view(m, h, |said| said.tip = None)),
];

/// Changes every message that it can.
#[derive(Clone, Debug)]
struct Mutate(Mutation, Arc<AtomicUsize>);

impl Attack<Pbft> for Mutate {
    fn tell(&mut self, to: ReplicaId, message: Message<Symbolic>, hands: &mut Hands<Pbft>) {
        match (self.0)(message.clone(), hands).filter(|mutant| *mutant != message) {
            Some(mutant) => {
                self.1.fetch_add(1, Ordering::Relaxed);
                hands.tell(to, mutant);
            }
            None => hands.tell(to, message),
        }
    }

    fn boxed(&self) -> Box<dyn Attack<Pbft>> {
        Box::new(self.clone())
    }
}

/// Load at the honest, while the network twice takes a primary's proposals, so that views change too. How many messages were changed.
fn run(name: &str, mutation: Mutation, attacker: u16) -> usize {
    let count = Arc::new(AtomicUsize::new(0));
    let mutate = Mutate(mutation, count.clone());
    let builder = Cluster::of::<Byzantine<Pbft>>().seed(u64::from(attacker)).timeout(BASE).checkpoint_interval(4);
    let mut cluster = builder.corrupt(attacker, Target::default(), move |_| Box::new(mutate.clone())).build();
    for round in 0..24 {
        let lost = match round / 4 {
            2 => View(1),
            4 => View(2),
            _ => View(0),
        };
        cluster.intercept(move |_, _, wire| match wire {
            Wire::Consensus(Message::PrePrepare(said)) if said.view == lost => Verdict::Drop,
            _ => Verdict::Pass,
        });
        cluster.submit_at((attacker + 1) % 4, [format!("{round}")]);
        cluster.run_for(BASE / 2);
    }
    cluster.stop_intercepting();
    cluster.settle();
    cluster.assert_agreement();
    cluster.assert_ledger((0..24).map(|round| format!("{round}")));
    assert!(cluster.accusations().all(|(_, evidence)| evidence.accused == ReplicaId(attacker)), "{name}");
    count.load(Ordering::Relaxed)
}

#[test]
fn acceptance_6_small_changes_signed_again_are_ignored_or_harmless() {
    assert!(MUTATIONS.len() >= 27);
    for (name, mutation) in MUTATIONS {
        let changed: usize = [1, 2, 3].into_iter().map(|attacker| run(name, *mutation, attacker)).sum();
        assert!(changed > 0, "{name}: there was nothing to change");
    }
}
