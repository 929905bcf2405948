//! Offers batches, and names them in its blocks, and gives nobody their bodies.

use crate::{Attack, Hands, Target};
use quorate_consensus::{PoolMessage, Protocol};
use quorate_types::ReplicaId;

#[derive(Clone, Debug)]
pub(super) struct WithholdBatches(pub(super) Target);

impl<P: Protocol> Attack<P> for WithholdBatches {
    fn share(&mut self, to: ReplicaId, message: PoolMessage, hands: &mut Hands<P>) {
        if !matches!(message, PoolMessage::Batch(_)) || !self.0.hits(to) {
            hands.share(to, message);
        }
    }

    fn boxed(&self) -> Box<dyn Attack<P>> {
        Box::new(self.clone())
    }
}
