//! Says some kinds of message late, everything else in time.
//!
//! Proposals that come just before the others' patience ends: Clement et al., *Aardvark*, NSDI 2009.

use crate::{Attack, Hands, Target};
use quorate_consensus::{Kind, Protocol};
use quorate_types::ReplicaId;

#[derive(Clone, Debug)]
pub(super) struct Delay {
    pub(super) target: Target,
    /// Which kinds.
    pub(super) kinds: fn(&str) -> bool,
    /// After how many tenths of the first view's length.
    pub(super) tenths: u32,
}

impl<P: Protocol> Attack<P> for Delay {
    fn tell(&mut self, to: ReplicaId, message: P::Message, hands: &mut Hands<P>) {
        if (self.kinds)(message.kind()) && self.target.hits(to) {
            hands.tell_later(hands.timeouts.base * self.tenths / 10, to, message);
        } else {
            hands.tell(to, message);
        }
    }

    fn boxed(&self) -> Box<dyn Attack<P>> {
        Box::new(self.clone())
    }
}
