//! A Byzantine replica, or several in league: it holds real keys, hears what is sent to it, and says whatever passes the check in
//! front of a replica. It votes for everything, proposes on any block, completes certificates with its own votes and keeps them
//! hidden, chooses what its VIEW-CHANGEs show, and begins its views from any quorum it likes, differently to each listener.

use super::{
    net::{Msg, S, batch},
    rng::Rng,
};
use crate::{
    Promised,
    pbft::{
        Ballot, Certificates, Checkpoint, Commit, Message, NewView, PrePrepare, PrePrepareStatement, Prepare,
        PreparedCertificate, StableCheckpoint, ViewChange, ViewChangeStatement, Vote, rules,
    },
    test_net::child,
};
use quorate_crypto::{Certificate, Scheme, SymbolicSignature as Signature};
use quorate_types::{Block, BoundedVec, Digest, Header, ReplicaId, View};
use std::collections::BTreeMap;

type Votes<T> = BTreeMap<T, BTreeMap<ReplicaId, Signature>>;

pub(super) struct Adversary {
    pub(super) who: Vec<ReplicaId>,
    scheme: S,
    genesis: Header,
    bodies: BTreeMap<Digest, Block>,
    ballots: Vec<Ballot>,
    prepares: Votes<Ballot>,
    checkpoints: Votes<Checkpoint>,
    changes: BTreeMap<View, BTreeMap<ReplicaId, ViewChange<S>>>,
    prepared: Vec<PreparedCertificate<S>>,
    stable: Vec<StableCheckpoint<S>>,
    heard: Vec<Msg>,
    /// The greatest view that anybody spoke in.
    view: View,
    /// What each half of the others was told last in a view of ours.
    tops: BTreeMap<(View, usize), Header>,
}

impl Adversary {
    pub(super) fn new(who: Vec<ReplicaId>, scheme: S, genesis: &Header) -> Self {
        Self {
            who,
            scheme,
            stable: vec![StableCheckpoint::genesis(genesis)],
            genesis: genesis.clone(),
            bodies: BTreeMap::new(),
            ballots: vec![],
            prepares: BTreeMap::new(),
            checkpoints: BTreeMap::new(),
            changes: BTreeMap::new(),
            prepared: vec![],
            heard: vec![],
            view: View(1),
            tops: BTreeMap::new(),
        }
    }

    /// Learns from a message.
    pub(super) fn hear(&mut self, message: &Msg) {
        match message {
            Message::PrePrepare(said) => self.hear_pre_prepare(said),
            Message::Prepare(vote) => self.hear_prepare(vote.statement.0, vote.voter, &vote.signature),
            Message::Commit(vote) => self.note(vote.statement.0),
            Message::Checkpoint(vote) => self.hear_checkpoint(vote),
            Message::ViewChange(change) => self.hear_change(change),
            Message::NewView(new_view) => self.hear_new_view(new_view),
            Message::Certificates(said) => {
                said.new_view.iter().for_each(|new_view| self.hear_new_view(new_view));
                said.checkpoint.iter().for_each(|stable| self.keep_stable(stable.clone()));
            }
            Message::Blocks { blocks, .. } => {
                blocks.iter().for_each(|block| drop(self.bodies.insert(block.digest(), block.clone())));
            }
            Message::AskCertificates(_) | Message::AskBlock(_) => {}
        }
        if matches!(message, Message::PrePrepare(_) | Message::NewView(_)) {
            self.heard.push(message.clone());
        }
    }

    fn note(&mut self, ballot: Ballot) {
        self.view = self.view.max(ballot.view);
        if !self.ballots.contains(&ballot) {
            self.ballots.push(ballot);
        }
    }

    fn hear_pre_prepare(&mut self, said: &PrePrepare<S>) {
        self.bodies.insert(said.block.digest(), said.block.clone());
        let primary = self.primary(said.view);
        self.hear_prepare(said.ballot(), primary, &said.prepare);
    }

    /// A quorum together with ourselves is a certificate that perhaps nobody else has.
    fn hear_prepare(&mut self, ballot: Ballot, voter: ReplicaId, signature: &Signature) {
        self.note(ballot);
        let signed: Vec<_> = self.who.iter().map(|who| (*who, self.sign(*who, &Prepare(ballot)))).collect();
        let votes = self.prepares.entry(ballot).or_default();
        votes.extend(signed);
        votes.insert(voter, signature.clone());
        if let Ok(proof) = self.scheme.combine(&Prepare(ballot), votes) {
            self.keep_prepared(Certificate { statement: Prepare(ballot), proof });
        }
    }

    fn keep_prepared(&mut self, certificate: PreparedCertificate<S>) {
        if !self.prepared.iter().any(|known| known.statement == certificate.statement) {
            self.prepared.push(certificate);
        }
    }

    fn hear_checkpoint(&mut self, vote: &Vote<Checkpoint, S>) {
        let signed: Vec<_> = self.who.iter().map(|who| (*who, self.sign(*who, &vote.statement))).collect();
        let votes = self.checkpoints.entry(vote.statement).or_default();
        votes.extend(signed);
        votes.insert(vote.voter, vote.signature.clone());
        if let Ok(proof) = self.scheme.combine(&vote.statement, votes) {
            self.keep_stable(StableCheckpoint { checkpoint: vote.statement, proof: Some(proof) });
        }
    }

    fn keep_stable(&mut self, stable: StableCheckpoint<S>) {
        if !self.stable.iter().any(|known| known.checkpoint == stable.checkpoint) {
            self.stable.push(stable);
        }
    }

    fn hear_change(&mut self, change: &ViewChange<S>) {
        self.view = self.view.max(change.view);
        self.keep_stable(change.checkpoint.clone());
        if let Some(prepared) = &change.prepared {
            self.keep_prepared(prepared.clone());
        }
        self.changes.entry(change.view).or_default().insert(change.replica, change.clone());
    }

    fn hear_new_view(&mut self, new_view: &NewView<S>) {
        new_view.view_changes.iter().for_each(|change| self.hear_change(change));
        new_view.tip.iter().for_each(|tip| self.hear_pre_prepare(tip));
    }

    fn primary(&self, view: View) -> ReplicaId {
        crate::election::round_robin(self.scheme.committee(), view)
    }

    fn sign<T: Promised>(&self, who: ReplicaId, statement: &T) -> Signature {
        self.scheme.sign(&self.scheme.secret(who), statement)
    }

    /// Something to say, and to whom.
    pub(super) fn act(&mut self, rng: &mut Rng) -> Vec<(ReplicaId, Vec<ReplicaId>, Msg)> {
        let Some(&who) = rng.pick(&self.who.clone()) else { return vec![] };
        let all: Vec<_> = self.scheme.committee().members().collect();
        let some: Vec<_> = all.iter().copied().filter(|_| rng.percent(60)).collect();
        match rng.below(20) {
            0..=8 => self.vote(who, rng).map(|vote| (who, if rng.percent(70) { all } else { some }, vote)),
            9..=14 => self.lead(rng),
            15 | 16 => self.leave(who, rng).map(|change| (who, some, change)),
            _ => self.babble(who, rng).map(|said| (who, some, said)),
        }
        .into_iter()
        .collect()
    }

    fn vote(&mut self, voter: ReplicaId, rng: &mut Rng) -> Option<Msg> {
        let recent = &self.ballots[self.ballots.len().saturating_sub(6)..];
        let ballot = *rng.pick(recent)?;
        Some(if rng.percent(50) {
            let statement = Prepare(ballot);
            Message::Prepare(Vote { statement, voter, signature: self.sign(voter, &statement) })
        } else {
            let statement = Commit(ballot);
            Message::Commit(Vote { statement, voter, signature: self.sign(voter, &statement) })
        })
    }

    /// One of the latest views whose primary is ours: begins it, or proposes its next block. Each half of the others has a chain of its
    /// own, which may part at any height, or with the view.
    fn lead(&mut self, rng: &mut Rng) -> Option<(ReplicaId, Vec<ReplicaId>, Msg)> {
        let views: Vec<_> = (self.view.0.saturating_sub(1).max(1)..self.view.0 + 3).map(View).collect();
        let own: Vec<_> = views.into_iter().filter(|view| self.who.contains(&self.primary(*view))).collect();
        let view = *rng.pick(&own)?;
        let half = rng.below(2);
        let is_shared = rng.percent(50);
        let halves: Vec<_> = [0, 1].into_iter().filter(|other| is_shared || *other == half).collect();
        let top = match self.tops.get(&(view, half)) {
            Some(top) => Some(top.clone()),
            None if view == View(1) => Some(self.genesis.clone()),
            None => None,
        };
        let (message, top) = match top {
            Some(top) => self.propose(view, &top, rng),
            None => self.begin(view, rng)?,
        };
        self.tops.extend(halves.iter().map(|half| ((view, *half), top.clone())));
        let split = |member: &ReplicaId| usize::from((u64::from(member.0) + view.0 / 3) % 2 == 0);
        let members = self.scheme.committee().members();
        Some((self.primary(view), members.filter(|member| halves.contains(&split(member))).collect(), message))
    }

    fn pre_prepare(&self, view: View, block: Block) -> PrePrepare<S> {
        let (ballot, primary) = (Ballot::of(view, &block.header), self.primary(view));
        let attestation = self.sign(primary, &PrePrepareStatement(ballot));
        PrePrepare { view, prepare: self.sign(primary, &Prepare(ballot)), block, attestation }
    }

    fn propose(&mut self, view: View, parent: &Header, rng: &mut Rng) -> (Msg, Header) {
        let payload = vec![batch(200 + u8::try_from(rng.below(50)).expect("small"))];
        let block = child(parent, view, self.primary(view), payload);
        let said = self.pre_prepare(view, block);
        self.hear_pre_prepare(&said);
        let top = said.block.header.clone();
        (Message::PrePrepare(Box::new(said)), top)
    }

    /// A VIEW-CHANGE that shows whichever certificates it likes.
    fn change(&self, replica: ReplicaId, view: View, rng: &mut Rng) -> ViewChange<S> {
        let checkpoint = rng.pick(&self.stable).expect("genesis").clone();
        let earlier: Vec<_> = self.prepared.iter().filter(|prepared| prepared.statement.0.view < view).collect();
        let prepared = if rng.percent(70) { rng.pick(&earlier).map(|prepared| (*prepared).clone()) } else { None };
        let ballot = prepared.as_ref().map(|prepared| prepared.statement.0);
        let statement = ViewChangeStatement { view, checkpoint: checkpoint.checkpoint, prepared: ballot };
        ViewChange { view, checkpoint, prepared, replica, attestation: self.sign(replica, &statement) }
    }

    fn leave(&self, who: ReplicaId, rng: &mut Rng) -> Option<Msg> {
        let view = View(self.view.0 + u64::try_from(rng.below(3)).expect("small"));
        Some(Message::ViewChange(Box::new(self.change(who, view, rng))))
    }

    /// A NEW-VIEW from some quorum, honest about what follows from it or, sometimes, not.
    fn begin(&mut self, view: View, rng: &mut Rng) -> Option<(Msg, Header)> {
        let mut changes = self.changes.get(&view).cloned().unwrap_or_default();
        for who in self.who.clone() {
            changes.insert(who, self.change(who, view, rng));
        }
        let quorum = self.scheme.committee().quorum();
        while changes.len() > quorum {
            let senders: Vec<_> = changes.keys().copied().collect();
            changes.remove(rng.pick(&senders)?);
        }
        let changes: Vec<_> = changes.into_values().collect();
        let beginning = rules::beginning(&changes)?;
        let base = beginning.base.checkpoint.block;
        let tip = beginning.tip.filter(|_| !rng.percent(5)).map(|tip| tip.statement.0.block);
        let tip = match tip {
            Some(digest) => Some(self.pre_prepare(view, self.bodies.get(&digest)?.clone())),
            None => None,
        };
        let top = match &tip {
            Some(tip) => tip.block.header.clone(),
            None if base == self.genesis.digest() => self.genesis.clone(),
            None => self.bodies.get(&base)?.header.clone(),
        };
        let statement = NewView::<S>::statement_of(view, &changes, tip.as_ref().map(|tip| tip.block.digest()));
        let attestation = self.sign(self.primary(view), &statement);
        tip.iter().for_each(|tip| self.hear_pre_prepare(tip));
        let view_changes = BoundedVec::new(changes).ok()?;
        Some((Message::NewView(Box::new(NewView { view, view_changes, tip, attestation })), top))
    }

    /// Old words again, certificates out of season, votes for checkpoints that never were.
    fn babble(&self, voter: ReplicaId, rng: &mut Rng) -> Option<Msg> {
        match rng.below(4) {
            0 => {
                let checkpoint = rng.pick(&self.stable).cloned();
                let new_view = None;
                let (is_whole, changes) = (rng.percent(50), BoundedVec::default());
                let news = Certificates { new_view, committed: None, checkpoint, is_whole, changes };
                Some(Message::Certificates(Box::new(news)))
            }
            1 => {
                let header = rng.pick(&self.bodies.values().collect::<Vec<_>>())?.header.clone();
                let statement = Checkpoint::of(&header);
                Some(Message::Checkpoint(Vote { statement, voter, signature: self.sign(voter, &statement) }))
            }
            _ => rng.pick(&self.heard).cloned(),
        }
    }
}
