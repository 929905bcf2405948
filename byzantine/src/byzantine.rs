//! An honest replica in an attacker's hands.

use crate::{Attack, Grip, Hands, Target};
use quorate_consensus::{
    Action, Config, Event, Evidence, Keys, Promise, Protocol, Rejection, Replica, ReplicaStatus, Step, StepOf,
    diagnosis::Diagnosis, forensics::Past,
};
use quorate_crypto::Committee;
use quorate_types::{Block, Digest, Header, ReplicaId, View};
use std::collections::BTreeSet;

/// A replica of `P` that an attack may change, or not.
#[derive(Debug)]
pub struct Byzantine<P: Protocol> {
    honest: P,
    grip: Grip<P>,
}

impl<P: Protocol> Clone for Byzantine<P> {
    /// Another replica in the same state, with a grip of its own.
    fn clone(&self) -> Self {
        Self { honest: self.honest.clone(), grip: self.grip.copied() }
    }
}

impl<P: Protocol> Byzantine<P> {
    /// Makes it misbehave.
    pub fn corrupt(&mut self, attack: Box<dyn Attack<P>>, target: Target) {
        self.grip.corrupt(attack, target);
    }

    /// How it is made to misbehave while it runs, and what its host leads through the attacker's hands.
    pub fn grip(&self) -> Grip<P> {
        self.grip.clone()
    }

    /// The replica in it.
    pub fn honest(&self) -> &P {
        &self.honest
    }

    /// What it does is tampered with, what it commits is not: that is between it and its own ledger.
    fn handle_as_attacker(
        honest: &mut P,
        event: Event<P::Message>,
        attack: &mut dyn Attack<P>,
        hands: &mut Hands<P>,
    ) -> StepOf<P> {
        hands.see_by(attack, &event);
        let mut step = honest.handle(event);
        hands.view = honest.view();
        let requests = step.take_requests();
        let asked: Vec<_> = requests.into_iter().map(|request| hands.ask_by(attack, request)).collect();
        let step = step.rewrite(|action| match action {
            Action::Send { to, message } => {
                hands.tell_by(attack, to, message);
                None
            }
            Action::Broadcast(message) => {
                hands.others().into_iter().for_each(|to| hands.tell_by(attack, to, message.clone()));
                None
            }
            Action::Commit { .. } | Action::Accuse(_) | Action::Halt(_) => Some(action),
        });
        step.also(Vec::new(), asked)
    }
}

impl<P: Protocol> Replica for Byzantine<P> {
    type Message = P::Message;
    type Record = P::Record;

    fn id(&self) -> ReplicaId {
        self.honest.id()
    }

    fn view(&self) -> View {
        self.honest.view()
    }

    fn handle(&mut self, event: Event<P::Message>) -> StepOf<Self> {
        let mut mind = self.grip.mind();
        mind.hands.view = self.honest.view();
        let is_own_timer = matches!(&event, Event::TimedOut(timer) if mind.hands.let_go(timer));
        let step = if is_own_timer {
            Step::default()
        } else if let Some((attack, hands)) = mind.at_work() {
            Self::handle_as_attacker(&mut self.honest, event, attack, hands)
        } else {
            self.honest.handle(event)
        };
        mind.hands.view = self.honest.view();
        let (said, asked) = mind.hands.take();
        step.also(said, asked)
    }

    fn snapshot(&self) -> Vec<P::Record> {
        self.honest.snapshot()
    }

    fn uncommitted_batches(&self) -> BTreeSet<Digest> {
        self.honest.uncommitted_batches()
    }

    fn status(&self) -> ReplicaStatus {
        self.honest.status()
    }

    fn diagnosis(&self) -> Diagnosis {
        self.honest.diagnosis()
    }
}

impl<P: Protocol> Protocol for Byzantine<P> {
    type Scheme = P::Scheme;

    fn recover(config: Config<P::Scheme>, records: impl IntoIterator<Item = P::Record>) -> Self {
        let grip = Grip::new(Hands::new(&config));
        Self { honest: P::recover(config, records), grip }
    }

    fn silence() -> P::Record {
        P::silence()
    }

    fn verify_commit(block: &Header, proof: &[u8], keys: &Keys<P::Scheme>) -> Result<(), Rejection> {
        P::verify_commit(block, proof, keys)
    }

    fn verify_evidence(evidence: &Evidence, keys: &Keys<P::Scheme>) -> Result<(), Rejection> {
        P::verify_evidence(evidence, keys)
    }

    fn blame(ours: &Past<P::Record>, theirs: &Past<P::Record>, keys: &Keys<P::Scheme>) -> Vec<Evidence> {
        P::blame(ours, theirs, keys)
    }

    fn block_in(record: &P::Record) -> Option<&Block> {
        P::block_in(record)
    }

    fn promise_in(record: &P::Record) -> Option<&Promise> {
        P::promise_in(record)
    }

    fn promises_in(message: &P::Message, committee: &Committee) -> Vec<(ReplicaId, Promise)> {
        P::promises_in(message, committee)
    }

    fn signers_in(message: &P::Message, scheme: &P::Scheme) -> Vec<Vec<ReplicaId>> {
        P::signers_in(message, scheme)
    }

    fn signers_of_commit(proof: &[u8], scheme: &P::Scheme) -> Option<Vec<ReplicaId>> {
        P::signers_of_commit(proof, scheme)
    }
}
