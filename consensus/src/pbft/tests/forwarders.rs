//! What somebody can do to an honest primary whose words it hands on, under BLS multi-signatures: votes are admitted there before
//! their BLS half is verified.

use super::net::{batch, id};
use crate::{
    Config, Election, Event, Executed, Keys, Protocol, Rejection, Replica, SeenCertificates, Timeouts, Verified,
    pbft::{
        Ballot, Certificates, Message, NewView, Pbft, PrePrepare, PrePrepareStatement, Prepare, StableCheckpoint,
        ViewChange, ViewChangeStatement, Vote,
    },
    test_net::{child, genesis},
};
use quorate_crypto::{
    Certificate, CryptoError, Scheme,
    bls::{BlsMulti, MinSig},
    conformance,
};
use quorate_types::{Block, BoundedVec, View};
use std::{collections::BTreeMap, time::Duration};

type B = BlsMulti<MinSig>;

struct World {
    scheme: B,
    keys: Keys<B>,
    block: Block,
}

impl World {
    fn new() -> Self {
        let scheme = conformance::bls_multi::<MinSig>(4);
        let keys = Keys::new(scheme.clone(), &genesis(4));
        let block = child(&genesis(4), View(1), id(1), vec![batch(1)]);
        Self { scheme, keys, block }
    }

    fn replica(&self, index: usize) -> Pbft<B> {
        let genesis = genesis(4);
        let base = Duration::from_millis(100);
        let mut replica = Pbft::recover(
            Config {
                id: id(index),
                scheme: self.scheme.clone(),
                secret: conformance::bls_multi_secret(id(index)),
                election: Election::RoundRobin,
                timeouts: Timeouts { base, max: base, block_interval: None },
                max_block_batches: 8,
                checkpoint_interval: 64,
                genesis: genesis.clone(),
                head: genesis,
                head_proof: None,
                recent: vec![],
                seen: SeenCertificates::default(),
            },
            vec![],
        );
        let _step = replica.handle(Event::Started);
        replica
    }

    fn ballot(&self, view: u64) -> Ballot {
        Ballot::of(View(view), &self.block.header)
    }

    /// What `by` (the view's primary) says, with the vote that `voter`'s key makes.
    fn pre_prepare(&self, view: u64, by: usize, voter: usize) -> PrePrepare<B> {
        let ballot = self.ballot(view);
        let attestation = self.scheme.attest(&conformance::bls_multi_secret(id(by)), &PrePrepareStatement(ballot));
        let prepare = self.scheme.sign(&conformance::bls_multi_secret(id(voter)), &Prepare(ballot));
        PrePrepare { view: View(view), block: self.block.clone(), attestation, prepare }
    }

    fn prepare(&self, view: u64, voter: usize) -> Message<B> {
        let statement = Prepare(self.ballot(view));
        let signature = self.scheme.sign(&conformance::bls_multi_secret(id(voter)), &statement);
        Message::Prepare(Vote { statement, voter: id(voter), signature })
    }

    /// How the primary of view 2 begins it, with the block as its tip and the vote that `voter`'s key makes.
    fn new_view(&self, voter: usize) -> NewView<B> {
        let statement = Prepare(self.ballot(1));
        let votes: BTreeMap<_, _> = [0, 1, 3]
            .map(|voter| (id(voter), self.scheme.sign(&conformance::bls_multi_secret(id(voter)), &statement)))
            .into();
        let prepared = Certificate { proof: self.scheme.combine(&statement, &votes).expect("a quorum"), statement };
        let changes: Vec<_> = [0, 1, 2]
            .map(|replica| {
                let checkpoint = StableCheckpoint::genesis(&genesis(4));
                let statement = ViewChangeStatement {
                    view: View(2),
                    checkpoint: checkpoint.checkpoint,
                    prepared: Some(prepared.statement.0),
                };
                let attestation = self.scheme.attest(&conformance::bls_multi_secret(id(replica)), &statement);
                let (replica, prepared) = (id(replica), Some(prepared.clone()));
                ViewChange { view: View(2), checkpoint, prepared, replica, attestation }
            })
            .into();
        let statement = NewView::<B>::statement_of(View(2), &changes, Some(self.block.digest()));
        let attestation = self.scheme.attest(&conformance::bls_multi_secret(id(2)), &statement);
        let (view_changes, tip) = (BoundedVec::new(changes).expect("few"), Some(self.pre_prepare(2, 2, voter)));
        NewView { view: View(2), view_changes, tip, attestation }
    }

    fn hear(&self, replica: &mut Pbft<B>, from: usize, message: Message<B>) -> Result<(), Rejection> {
        let message = Verified::check(message, id(from), &self.keys)?;
        let _step = replica.handle(Event::Received { from: id(from), message });
        Ok(())
    }

    /// The block is executed, and with the vote of another backup a quorum has prepared it if the primary's counts.
    fn assert_prepares(&self, replica: &mut Pbft<B>, view: u64, other: usize) {
        let _step = replica.handle(Event::Executed { block: self.block.digest(), outcome: Executed::Valid });
        assert_eq!(self.hear(replica, other, self.prepare(view, other)), Ok(()));
        let prepared = replica.prepared.as_ref().map(|prepared| prepared.statement.0);
        assert_eq!(prepared, Some(self.ballot(view)), "the honest primary's vote counts");
    }
}

/// Replica 3 forwards the honest primary's PRE-PREPARE with a vote of its own in the place of the primary's.
#[test]
fn who_forwards_a_pre_prepare_cannot_put_another_vote_into_it() {
    let world = World::new();
    let mut victim = world.replica(2);
    let spoilt = Message::PrePrepare(Box::new(world.pre_prepare(1, 1, 3)));
    assert_eq!(world.hear(&mut victim, 3, spoilt), Err(CryptoError::BadSignature(id(1)).into()));
    let sound = Message::PrePrepare(Box::new(world.pre_prepare(1, 1, 1)));
    assert_eq!(world.hear(&mut victim, 3, sound), Ok(()));
    world.assert_prepares(&mut victim, 1, 0);
}

/// The primary of view 2 signed its NEW-VIEW, and nobody but itself the vote that goes with the tip.
#[test]
fn who_hands_on_a_new_view_cannot_put_another_vote_into_its_tip() {
    let world = World::new();
    let mut victim = world.replica(0);
    let told = |voter| {
        let new_view = Some(world.new_view(voter));
        let changes = BoundedVec::default();
        let told = Certificates { new_view, committed: None, checkpoint: None, is_whole: false, changes };
        Message::Certificates(Box::new(told))
    };
    assert_eq!(world.hear(&mut victim, 3, told(3)), Err(CryptoError::BadSignature(id(2)).into()));
    assert_eq!(world.hear(&mut victim, 3, told(2)), Ok(()));
    world.assert_prepares(&mut victim, 2, 1);
}
