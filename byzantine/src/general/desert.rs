//! Is there as long as nobody needs it, and silent when somebody else is: then no quorum is left.

use crate::{Attack, Hands};
use quorate_consensus::{Event, Protocol};
use quorate_types::ReplicaId;
use std::collections::VecDeque;

/// Messages heard, for each member: among so many everybody who is there has said something.
const MESSAGES: usize = 2;

#[derive(Clone, Debug, Default)]
pub(super) struct Desert {
    /// Who said the last messages. When full, the oldest goes.
    heard: VecDeque<ReplicaId>,
}

impl Desert {
    /// Whether somebody who should have been heard was not.
    fn is_somebody_missing<P: Protocol>(&self, hands: &Hands<P>) -> bool {
        self.heard.len() >= MESSAGES * hands.committee().size()
            && hands.others().iter().any(|other| !self.heard.contains(other))
    }
}

impl<P: Protocol> Attack<P> for Desert {
    fn tell(&mut self, to: ReplicaId, message: P::Message, hands: &mut Hands<P>) {
        if !self.is_somebody_missing(hands) {
            hands.tell(to, message);
        }
    }

    fn see(&mut self, event: &Event<P::Message>, hands: &mut Hands<P>) {
        if let Event::Received { from, .. } = event {
            self.heard.push_back(*from);
            while self.heard.len() > MESSAGES * hands.committee().size() {
                self.heard.pop_front();
            }
        }
    }

    fn boxed(&self) -> Box<dyn Attack<P>> {
        Box::new(self.clone())
    }
}
