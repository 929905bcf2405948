//! Says again what was said.

use crate::{Attack, Hands, Target};
use quorate_consensus::{Event, Protocol};
use quorate_types::ReplicaId;
use std::collections::VecDeque;

/// Messages remembered; when full, the oldest goes.
const REMEMBERED: usize = 256;

/// One in so many messages heard is answered by an old one: were it each, two such attackers would drown the net in echoes.
const EVERY: u64 = 4;

#[derive(Clone, Debug)]
pub(super) struct Replay<M> {
    target: Target,
    heard: VecDeque<M>,
    count: u64,
}

impl<M> Replay<M> {
    pub(super) fn new(target: Target) -> Self {
        Self { target, heard: VecDeque::new(), count: 0 }
    }

    fn remember(&mut self, message: M) {
        if self.heard.len() == REMEMBERED {
            self.heard.pop_front();
        }
        self.heard.push_back(message);
    }
}

impl<P: Protocol> Attack<P> for Replay<P::Message> {
    fn tell(&mut self, to: ReplicaId, message: P::Message, hands: &mut Hands<P>) {
        self.remember(message.clone());
        hands.tell(to, message);
    }

    fn see(&mut self, event: &Event<P::Message>, hands: &mut Hands<P>) {
        let Event::Received { message, .. } = event else { return };
        self.remember(message.clone().into_inner());
        self.count += 1;
        if !self.count.is_multiple_of(EVERY) {
            return;
        }
        // Walks through everything remembered, old and young.
        let length = u64::try_from(self.heard.len()).expect("a few hundred");
        let index = usize::try_from(self.count.wrapping_mul(31) % length).expect("below the length");
        let again = self.heard[index].clone();
        for to in hands.others().into_iter().filter(|to| self.target.hits(*to)) {
            hands.tell(to, again.clone());
        }
    }

    fn boxed(&self) -> Box<dyn Attack<P>> {
        Box::new(self.clone())
    }
}
