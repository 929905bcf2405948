//! Silent to f others, in each view to other ones: none of them is silent to a quorum, and all miss something.

use crate::{Attack, Hands};
use quorate_consensus::Protocol;
use quorate_types::{ReplicaId, View};

#[derive(Clone, Debug)]
pub(super) struct Selective;

/// Whether `member` is among the f that nothing is said to in this view.
fn is_left_out<P: Protocol>(member: ReplicaId, view: View, hands: &Hands<P>) -> bool {
    let others = hands.others();
    let Some(place) = others.iter().position(|other| *other == member) else { return false };
    let turn = usize::try_from(view.0 % u64::try_from(others.len()).expect("a committee is small")).expect("below it");
    (place + others.len() - turn) % others.len() < hands.committee().max_faulty()
}

impl<P: Protocol> Attack<P> for Selective {
    fn tell(&mut self, to: ReplicaId, message: P::Message, hands: &mut Hands<P>) {
        if !is_left_out(to, hands.view, hands) {
            hands.tell(to, message);
        }
    }

    fn boxed(&self) -> Box<dyn Attack<P>> {
        Box::new(self.clone())
    }
}
