//! What an attacker acts with.

use crate::{Cabal, Spoil};
use quorate_consensus::{Action, Config, PoolMessage, Protocol, Request, Timeouts, Timer};
use quorate_crypto::{Committee, Scheme, Statement};
use quorate_types::{Header, ReplicaId, View, encode};
use quorate_validator::Wire;
use std::{collections::BTreeMap, time::Duration};

type Attestation<P> = <<P as Protocol>::Scheme as Scheme>::Attestation;
type Signature<P> = <<P as Protocol>::Scheme as Scheme>::Signature;

/// Something that goes out beside the replica's steps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Post {
    /// About batches.
    Pool(PoolMessage),
    /// Anything, as bytes on a stream of messages: it need not be one.
    Bytes(Vec<u8>),
}

/// An attacker's key without rules, its place, its timers, and what it is about to say.
#[derive(Clone, Debug)]
pub struct Hands<P: Protocol> {
    /// Its place.
    pub me: ReplicaId,
    /// The view that the honest replica in it is in.
    pub view: View,
    /// How long views last.
    pub timeouts: Timeouts,
    /// PBFT: heights between checkpoints.
    pub checkpoint_interval: u64,
    /// The chain's first block, which needs no certificate.
    pub genesis: Header,
    /// The committee's scheme.
    pub scheme: P::Scheme,
    /// The attackers that it works with, itself among them.
    pub cabal: Cabal<P::Scheme>,
    elsewhere: Option<P::Scheme>,
    secret: <P::Scheme as Scheme>::Secret,
    pub(crate) said: Vec<Action<P::Message>>,
    pub(crate) asked: Vec<Request>,
    pub(crate) posts: Vec<(ReplicaId, Post)>,
    /// What it did otherwise than the honest replica in it.
    pub(crate) deeds: u64,
    /// Messages held back, by the timer that lets them go.
    held: BTreeMap<u64, (ReplicaId, P::Message)>,
    next: u64,
}

impl<P: Protocol> Hands<P> {
    pub(crate) fn new(config: &Config<P::Scheme>) -> Self {
        let cabal = Cabal::default();
        cabal.join(config.id, config.secret.clone());
        Self {
            me: config.id,
            view: View::GENESIS,
            timeouts: config.timeouts,
            checkpoint_interval: config.checkpoint_interval,
            genesis: config.genesis.clone(),
            scheme: config.scheme.clone(),
            cabal,
            elsewhere: None,
            secret: config.secret.clone(),
            said: Vec::new(),
            asked: Vec::new(),
            posts: Vec::new(),
            deeds: 0,
            held: BTreeMap::new(),
            next: 0,
        }
    }

    pub(crate) fn equip(&mut self, cabal: &Cabal<P::Scheme>, elsewhere: P::Scheme) {
        cabal.join(self.me, self.secret.clone());
        self.cabal = cabal.clone();
        self.elsewhere = Some(elsewhere);
    }

    /// Everybody.
    pub fn committee(&self) -> &Committee {
        self.scheme.committee()
    }

    /// Everybody else.
    pub fn others(&self) -> Vec<ReplicaId> {
        self.committee().others(self.me).collect()
    }

    /// Whether `member` is in the first half of the others: one more or less, and of three others one.
    pub fn is_first_half(&self, member: ReplicaId) -> bool {
        let others = self.others();
        others[..others.len() / 2].contains(&member)
    }

    /// Whether it works with `member`.
    pub fn is_accomplice(&self, member: ReplicaId) -> bool {
        self.cabal.members().contains(&member)
    }

    /// Whether `member` is the first of the others.
    pub fn is_first(&self, member: ReplicaId) -> bool {
        self.others().first() == Some(&member)
    }

    /// Whether the view is its own where everybody has a turn.
    pub fn is_round_robin(&self, view: View) -> bool {
        u64::try_from(self.committee().size()).is_ok_and(|size| view.0 % size == u64::from(self.me.0))
    }

    /// Signs anything.
    pub fn sign<T: Statement>(&self, statement: &T) -> Signature<P> {
        self.scheme.sign(&self.secret, statement)
    }

    /// Attests anything.
    pub fn attest<T: Statement>(&self, statement: &T) -> Attestation<P> {
        self.scheme.attest(&self.secret, statement)
    }

    /// The same hands as they are on another chain, where there is one: what they sign is good there.
    pub fn elsewhere(&self) -> Option<Self> {
        let scheme = self.elsewhere.clone()?;
        Some(Self { scheme, ..self.clone() })
    }

    /// Tells one.
    pub fn tell(&mut self, to: ReplicaId, message: P::Message) {
        self.said.push(Action::Send { to, message });
    }

    /// Tells one, later.
    pub fn tell_later(&mut self, after: Duration, to: ReplicaId, message: P::Message) {
        self.next += 1;
        self.held.insert(self.next, (to, message));
        self.asked.push(Request::SetTimer { timer: Self::timer(self.next), after });
    }

    /// Tells one something about batches.
    pub fn share(&mut self, to: ReplicaId, message: PoolMessage) {
        self.posts.push((to, Post::Pool(message)));
    }

    /// Sends one any bytes as a message.
    pub fn spill(&mut self, to: ReplicaId, bytes: Vec<u8>) {
        self.posts.push((to, Post::Bytes(bytes)));
    }

    /// A message's bytes as they go over a link.
    pub fn bytes_of(message: P::Message) -> Vec<u8> {
        encode(&Wire::Consensus(message))
    }

    /// A timer of a view that no replica reaches, which the honest one in it would ignore.
    fn timer(token: u64) -> Timer {
        Timer::View(View(u64::MAX - token))
    }

    /// Lets go of what waited for this timer. Whether the timer was ours.
    pub(crate) fn let_go(&mut self, timer: &Timer) -> bool {
        let Timer::View(View(view)) = timer else { return false };
        let Some((to, message)) = self.held.remove(&(u64::MAX - view)) else { return false };
        self.tell(to, message);
        true
    }

    pub(crate) fn take(&mut self) -> (Vec<Action<P::Message>>, Vec<Request>) {
        (std::mem::take(&mut self.said), std::mem::take(&mut self.asked))
    }

    pub(crate) fn posted(&mut self) -> Vec<(ReplicaId, Post)> {
        std::mem::take(&mut self.posts)
    }
}

impl<P: Protocol<Scheme: Spoil>> Hands<P> {
    /// Signs a vote with its name, and not with its key or share.
    pub fn spoil<T: Statement>(&self, vote: &T) -> Signature<P> {
        self.scheme.spoil(&self.secret, vote)
    }
}
