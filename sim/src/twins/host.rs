//! What a replica's host does for it: hands it events and carries out its steps, makes blocks, keeps the chain.

use super::{
    subject::Subject,
    verdict::Breach,
    world::{NoJournal, Said, World},
};
use quorate_consensus::{Action, Event, Evidence, Executed, Request, StepOf, Timer, Verified};
use quorate_types::{Block, BoundedVec, Digest, Header, Height, ReplicaId, View};
use std::panic::{AssertUnwindSafe, catch_unwind};

impl<P: Subject> World<P> {
    pub(super) fn tell(&mut self, process: usize, event: Event<P::Message>) {
        let replica = &mut self.processes[process].replica;
        let step = match catch_unwind(AssertUnwindSafe(|| replica.handle(event))) {
            Ok(step) => step,
            Err(panic) => {
                let why = panic.downcast_ref::<String>().cloned();
                let why = why.or_else(|| panic.downcast_ref::<&str>().map(|why| (*why).to_owned()));
                self.breaches.push(Breach::Panicked { process, why: why.unwrap_or_default() });
                return;
            }
        };
        self.carry_out(process, step);
    }

    fn carry_out(&mut self, process: usize, mut step: StepOf<P>) {
        for request in step.take_requests() {
            self.request(process, request);
        }
        let Ok(actions) = step.release(&mut NoJournal);
        for action in actions {
            match action {
                Action::Send { to, message } => self.send(process, Some(to), message),
                Action::Broadcast(message) => self.send(process, None, message),
                Action::Commit { block, proof } => self.commit(process, block, proof),
                Action::Accuse(evidence) => self.accuse(process, &evidence),
                Action::Halt(why) => self.breach(process, Breach::Halted { process, why }),
            }
        }
    }

    fn accuse(&mut self, process: usize, evidence: &Evidence) {
        if let Err(why) = evidence.verify::<P>(&self.setting.keys) {
            self.breach(process, Breach::Evidence { process, why: why.to_string() });
        }
        let accused = evidence.accused;
        let is_news = self.is_honest(process) && self.accused.insert(accused);
        if is_news && !self.setting.shape.is_twinned(accused.index()) {
            self.breach(process, Breach::Accused { process, accused });
        }
    }

    fn send(&mut self, from: usize, to: Option<ReplicaId>, message: P::Message) {
        let sender = &self.processes[from].replica;
        let (view, is_of_next_round) = (sender.view(), !self.slot.is_tail() && P::is_of_next_round(&message));
        let passes_over = P::passes_over(&message);
        match Verified::check(message, sender.id(), &self.setting.keys) {
            Ok(message) => self.say(Said { from, view, to, is_of_next_round, passes_over, message }),
            Err(why) => self.breach(from, Breach::Refused { process: from, why: why.to_string() }),
        }
    }

    fn request(&mut self, process: usize, request: Request) {
        match request {
            Request::SetTimer { timer: Timer::Pace(view), .. }
                if self.slot.is_tail() || self.processes[process].paced < view =>
            {
                self.processes[process].paced = view;
                self.due.push_back((process, Event::TimedOut(Timer::Pace(view))));
            }
            Request::SetTimer { timer, .. } => {
                self.processes[process].timers.insert(timer);
            }
            Request::Build { parent, view, .. } => {
                if let Some(block) = self.child(process, &parent, view) {
                    self.headers.insert(block.digest(), block.header.clone());
                    self.due.push_back((process, Event::Built(block)));
                }
            }
            Request::Execute { block, .. } => {
                let digest = block.digest();
                self.headers.insert(digest, block.header);
                self.due.push_back((process, Event::Executed { block: digest, outcome: Executed::Valid }));
            }
            Request::Inspect { .. } => {}
            Request::Sync { from, height } => self.sync(process, from, height),
        }
    }

    /// An empty block whose time stands for who made it: twins never propose the same.
    fn child(&self, process: usize, parent: &Digest, view: View) -> Option<Block> {
        let parent = self.headers.get(parent)?;
        let header = Header {
            height: parent.height.next(),
            view,
            parent: parent.digest(),
            proposer: self.processes[process].replica.id(),
            timestamp: u64::try_from(process).expect("few processes"),
            ..parent.clone()
        };
        Some(Block { header, payload: BoundedVec::default() })
    }

    fn commit(&mut self, process: usize, block: Digest, proof: Vec<u8>) {
        let known = &self.processes[process];
        if known.chain.contains(&block) {
            return;
        }
        let Some(header) = self.headers.get(&block).cloned() else { return };
        if let Err(why) = P::verify_commit(&header, &proof, &self.setting.keys) {
            return self.breach(process, Breach::Proof { process, why: why.to_string() });
        }
        let (mut path, mut at, head) = (vec![block], header.parent, known.head.digest());
        while at != head {
            match self.headers.get(&at) {
                Some(below) if below.height > known.head.height => {
                    path.push(at);
                    at = below.parent;
                }
                _ => return self.breach(process, Breach::NotAboveItsHead { process, height: header.height }),
            }
        }
        let known = &mut self.processes[process];
        known.chain.extend(path.into_iter().rev());
        (known.head, known.proof) = (header, proof);
    }

    /// Block sync in one go: the chain of whoever is asked.
    fn sync(&mut self, process: usize, from: ReplicaId, height: Height) {
        let shape = self.setting.shape;
        let Some(partition) = self.slot.partition else { return };
        let has_it = |other: &usize| {
            shape.replica(*other) == from.index()
                && *other != process
                && partition.connects(process, *other)
                && self.processes[*other].head.height >= height
        };
        let Some(other) = (0..shape.processes()).find(has_it).map(|other| &self.processes[other]) else { return };
        let known = self.processes[process].chain.len();
        let (head, proof) = (other.head.clone(), other.proof.clone());
        if other.chain.len() <= known || other.chain[..known] != self.processes[process].chain[..] {
            return;
        }
        let new = other.chain[known..].to_vec();
        let recent = new.iter().rev().filter_map(|digest| self.headers.get(digest).cloned()).collect();
        let known = &mut self.processes[process];
        known.chain.extend(new);
        (known.head, known.proof) = (head.clone(), proof.clone());
        self.due.push_back((process, Event::Synced { head, proof, batches: Vec::new(), recent }));
    }
}
