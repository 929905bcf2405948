//! Proposes to as few as can certify the proposal with it: all others must fetch the block from them.

use super::kinds::is_proposal;
use crate::{Attack, Hands};
use quorate_consensus::{Kind, Protocol};
use quorate_types::ReplicaId;

#[derive(Clone, Debug)]
pub(super) struct Few;

impl<P: Protocol> Attack<P> for Few {
    fn tell(&mut self, to: ReplicaId, message: P::Message, hands: &mut Hands<P>) {
        let told = hands.committee().quorum() - 1;
        if !is_proposal(message.kind()) || hands.others().iter().take(told).any(|few| *few == to) {
            hands.tell(to, message);
        }
    }

    fn boxed(&self) -> Box<dyn Attack<P>> {
        Box::new(self.clone())
    }
}
