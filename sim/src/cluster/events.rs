//! Everything that can happen next, and what it does.

use super::{Cluster, Commit, draw};
use crate::{
    SimProtocol, Violation,
    checker::{Checkers, Rule, quorums},
    node::{Death, Life, Out, Sight, SimWire, Task},
    puppet::{Cue, Hands, SyncTicket},
    trace::{Turn, What},
};
use quorate_consensus::Kind;
use quorate_crypto::Scheme;
use quorate_types::{ReplicaId, codec::encoded_len};
use quorate_validator::{
    Checked, CoreTimer, Input, Wire,
    sync::{SyncReply, SyncRequest, Ticket},
};
use std::{sync::Arc, time::Duration};

/// The name under which a question is counted.
fn asked_for(request: &SyncRequest) -> &'static str {
    match request {
        SyncRequest::Blocks { .. } => "ask_blocks",
        SyncRequest::Manifest { .. } => "ask_manifest",
        SyncRequest::Chunk { .. } => "ask_chunk",
    }
}

/// A message on its way: checked when it was sent, because the check gives every receiver the same answer.
pub(super) struct Parcel<P: SimProtocol> {
    pub(super) wire: SimWire<P>,
    pub(super) checked: Checked<P::Message>,
    pub(super) kind: &'static str,
    pub(super) length: usize,
    /// Of the story, if it is told.
    pub(super) content: Option<usize>,
}

/// Something that will happen.
pub(super) enum Event<P: SimProtocol> {
    Arrives { from: ReplicaId, to: ReplicaId, parcel: Arc<Parcel<P>> },
    TimesOut { who: ReplicaId, life: u32, timer: CoreTimer },
    Flushed { who: ReplicaId, life: u32 },
    Work { who: ReplicaId, life: u32, task: Task },
    Asked { from: ReplicaId, to: ReplicaId, request: SyncRequest, ticket: SyncTicket },
    Answered { from: ReplicaId, to: ReplicaId, reply: Arc<SyncReply>, ticket: SyncTicket },
    Unanswered { who: ReplicaId, life: u32, ticket: Ticket },
    PuppetTimer { who: ReplicaId, token: u64 },
    ClientsRetry,
}

impl<P: SimProtocol> Cluster<P> {
    pub(super) fn happen(&mut self, event: Event<P>) {
        let Some(event) = self.unless_paused(event) else { return };
        match event {
            Event::Arrives { from, to, parcel } => self.arrive(from, to, &parcel),
            Event::TimesOut { who, life, timer } => {
                if self.is_life(who, life) {
                    self.note(What::TimedOut { who, timer });
                    self.with(who, |process, outs| process.take(Input::TimedOut(timer), outs));
                }
            }
            Event::Flushed { who, life } => {
                if self.is_life(who, life) {
                    let mut actions = 0;
                    self.with(who, |process, outs| actions = process.flushed(outs));
                    self.note(What::Released { who, actions });
                }
            }
            Event::Work { who, life, task } => {
                if self.is_life(who, life) {
                    self.note(What::Worked { who, work: task.name() });
                    let now = self.clock(who);
                    self.with(who, |process, outs| process.work(task, now, outs));
                }
            }
            Event::Asked { from, to, request, ticket } => self.asked(from, to, request, ticket),
            Event::Answered { from, to, reply, ticket } => {
                if self.is_life(to, ticket.life) {
                    let took = self.queue.now() - ticket.asked;
                    self.note(What::Arrived { from, to, kind: "sync_reply", length: encoded_len(&*reply) });
                    self.with(to, |process, outs| process.answered(reply, (ticket.ticket, took), outs));
                }
            }
            Event::Unanswered { who, life, ticket } => {
                if self.is_life(who, life) {
                    self.with(who, |process, outs| process.unanswered(ticket, outs));
                }
            }
            Event::PuppetTimer { who, token } => self.cue(who, Cue::Timer(token)),
            Event::ClientsRetry => self.clients_retry(),
        }
    }

    fn is_life(&self, who: ReplicaId, life: u32) -> bool {
        let node = &self.nodes[who.index()];
        node.lives == life && node.life.is_some()
    }

    /// A machine's clock, in milliseconds since the epoch: for block timestamps only.
    fn clock(&self, who: ReplicaId) -> u64 {
        let elapsed = u64::try_from(self.queue.now().as_millis()).unwrap_or(u64::MAX);
        (self.setup.genesis.time + elapsed).saturating_add_signed(self.nodes[who.index()].skew)
    }

    fn arrive(&mut self, from: ReplicaId, to: ReplicaId, parcel: &Parcel<P>) {
        if self.puppets.contains_key(&to) {
            return self.cue(to, Cue::Received { from, wire: parcel.wire.clone() });
        }
        if self.nodes[to.index()].life.is_none() {
            return;
        }
        self.note(What::Arrived { from, to, kind: parcel.kind, length: parcel.length });
        if let (Wire::Pool(message), Some(process)) = (&parcel.wire, &self.nodes[to.index()].life) {
            process.overhear(from, message);
        }
        let Some(message) = self.checked_by(to, from, parcel) else {
            let what = format!("a {} of {from} is good for its sender and bad for {to}", parcel.kind);
            return self.violated(Violation::new(Rule::Honesty, what));
        };
        self.with(to, |process, outs| process.take(Input::Received { from, message }, outs));
    }

    fn asked(&mut self, from: ReplicaId, to: ReplicaId, request: SyncRequest, ticket: SyncTicket) {
        if self.puppets.contains_key(&to) {
            return self.cue(to, Cue::Asked { from, request, ticket });
        }
        let Some(process) = &self.nodes[to.index()].life else { return };
        let reply = process.answer(request).map(|reply| process.answered_with(from, request, reply));
        self.note(What::Arrived { from, to, kind: asked_for(&request), length: encoded_len(&request) });
        match reply {
            Ok(None) => {}
            Ok(Some(reply)) => {
                let reply = match &mut self.corrupt {
                    Some(corrupt) => corrupt(to, from, request, reply),
                    None => Some(reply),
                };
                if let Some(reply) = reply {
                    self.answer(to, from, ticket, reply);
                }
            }
            Err(error) => self.die(to, Death::Disk(error.to_string())),
        }
    }

    /// Runs a process and does what it wants done.
    pub(super) fn with(&mut self, who: ReplicaId, run: impl FnOnce(&mut Life<P>, &mut Vec<Out<P>>)) {
        let Some(life) = &mut self.nodes[who.index()].life else { return };
        let mut outs = Vec::new();
        run(life, &mut outs);
        life.post(&mut outs);
        if !self.checkers.dishonest.contains(&who)
            && let Err(violation) = self.checkers.bounds.check(life)
        {
            self.violated(violation);
        }
        self.tell_where(who);
        self.perform(who, outs);
    }

    pub(super) fn perform(&mut self, who: ReplicaId, outs: Vec<Out<P>>) {
        let life = self.nodes[who.index()].lives;
        let now = self.queue.now();
        for out in outs {
            // What checkers are told of has happened, and a process ends by itself only while it runs.
            if !matches!(out, Out::Saw(_) | Out::Broadcast(_)) && !self.has_power(who) {
                continue;
            }
            match out {
                Out::Send { to, wire } => self.post(who, &[to], wire),
                Out::Broadcast(wire) => {
                    let others: Vec<_> = self.setup.scheme.committee().others(who).collect();
                    let reached: Vec<_> = others.into_iter().take_while(|_| self.has_power(who)).collect();
                    self.post(who, &reached, wire);
                }
                Out::Bytes { to, bytes } => self.post_bytes(who, to, &bytes),
                Out::SetTimer { timer, after } => {
                    self.queue.post(now + after, Event::TimesOut { who, life, timer });
                }
                Out::Task(task) => {
                    let node = &mut self.nodes[who.index()];
                    let slow = if task.writes() { node.disks.blocks.slowness() } else { Duration::ZERO };
                    let at = node.ledger_free_at.max(now) + draw(&mut node.rng, self.timing.ledger) + slow;
                    node.ledger_free_at = at;
                    self.queue.post(at, Event::Work { who, life, task });
                }
                Out::Flush => {
                    let node = &mut self.nodes[who.index()];
                    let at = now + draw(&mut node.rng, self.timing.flush) + node.disks.journal.slowness();
                    self.queue.post(at, Event::Flushed { who, life });
                }
                Out::Ask { to, request, ticket } => {
                    let ticket_of_life = SyncTicket { life, ticket, asked: now };
                    *self.counts.entry(asked_for(&request)).or_default() += 1;
                    let length = encoded_len(&request);
                    self.count_asked(asked_for(&request), length);
                    let arrivals = self.network.send(who, to, now, length);
                    self.tell_sync((who, to), (asked_for(&request), length), &request, arrivals.iter());
                    for at in arrivals.iter() {
                        self.queue.post(at, Event::Asked { from: who, to, request, ticket: ticket_of_life });
                    }
                    self.queue.post(now + self.timing.sync_timeout, Event::Unanswered { who, life, ticket });
                }
                Out::Died(death) => self.die(who, death),
                Out::Saw(sight) => self.saw(who, sight),
            }
        }
    }

    /// Whether a process does one more thing, or has ended, or ends here because its fuse has burnt down.
    fn has_power(&mut self, who: ReplicaId) -> bool {
        let node = &mut self.nodes[who.index()];
        match &mut node.fuse {
            Some(0) => self.crash(who),
            Some(left) => *left -= 1,
            None => {}
        }
        self.nodes[who.index()].life.is_some()
    }

    /// The checkers look, unless whoever tells them is a liar.
    fn saw(&mut self, who: ReplicaId, sight: Sight<P>) {
        if let Sight::Committed { block } = &sight {
            let (header, at) = (&block.block.header, self.queue.now());
            let (view, height, block) = (header.view, header.height, block.block.digest());
            self.commits[who.index()].push(Commit { at, height, block });
            self.count_committed(view);
            self.note(What::Committed { who, height: height.0, block });
        }
        self.tell_sight(who, &sight);
        if self.checkers.dishonest.contains(&who) {
            if let Sight::Committed { block } = sight {
                self.checkers.chain.rumour(block);
            }
            return;
        }
        if let Err(violation) = self.checkers.see(who, sight, &self.setup.keys) {
            self.violated(violation);
        }
    }

    /// A process ends by itself. With a disk that was made to fail that is right; halting never is, unless more than f lie. A liar may
    /// do as it likes.
    fn die(&mut self, who: ReplicaId, death: Death) {
        self.turn(who, Turn::Ends, format!("{death:?}"));
        let node = &mut self.nodes[who.index()];
        node.life = None;
        node.death = Some(death.clone());
        let is_expected = match &death {
            Death::Disk(_) => node.disks.are_faulty(),
            Death::Halted(_) => self.checkers.dishonest.len() > self.setup.scheme.committee().max_faulty(),
        };
        if !is_expected && !self.checkers.is_faulty(who) {
            self.violated(Violation::new(Rule::Honesty, format!("{who} ended by itself: {death:?}")));
        }
    }

    /// Gives a puppet its cue.
    pub(super) fn cue(&mut self, who: ReplicaId, cue: Cue<P>) {
        let Some(mut puppet) = self.puppets.get_mut(&who).and_then(Option::take) else { return };
        let now = self.queue.now();
        let mut hands = Hands::new(who, now, self.setup.scheme.clone());
        puppet.act(&mut hands, cue);
        self.puppets.insert(who, Some(puppet));
        for (to, wire) in hands.sends {
            self.post(who, &[to], wire);
        }
        for (after, token) in hands.timers {
            self.queue.post(now + after, Event::PuppetTimer { who, token });
        }
        for (to, ticket, reply) in hands.answers {
            self.answer(who, to, ticket, reply);
        }
    }

    fn answer(&mut self, from: ReplicaId, to: ReplicaId, ticket: SyncTicket, reply: SyncReply) {
        let now = self.queue.now();
        let length = encoded_len(&reply);
        let reply = Arc::new(reply);
        *self.counts.entry("sync_reply").or_default() += 1;
        self.count_asked("sync_reply", length);
        let arrivals = self.network.send(from, to, now, length);
        self.tell_sync((from, to), ("sync_reply", length), &*reply, arrivals.iter());
        for at in arrivals.iter() {
            self.queue.post(at, Event::Answered { from, to, reply: reply.clone(), ticket });
        }
    }

    /// What honest replicas say is looked at before it goes anywhere.
    pub(super) fn overhear(&mut self, from: ReplicaId, wire: &SimWire<P>) {
        if let Wire::Consensus(message) = wire
            && !self.checkers.is_faulty(from)
        {
            let Checkers { promises, dishonest, damaged, .. } = &mut self.checkers;
            let is_liar = |who| dishonest.contains(&who) || damaged.contains(&who);
            let scheme = &self.setup.scheme;
            let heard = promises.hear::<P>(message, scheme.committee(), is_liar).and_then(|()| {
                let what = || format!("a certificate that {from} sends in a {}", message.kind());
                let mut all = P::signers_in(message, scheme).into_iter();
                all.try_for_each(|signers| quorums::check(scheme.committee().size(), &signers, what))
            });
            if let Err(violation) = heard {
                self.violated(violation);
            }
        }
    }
}
