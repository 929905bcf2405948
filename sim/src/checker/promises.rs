//! No honest replica says two things in one slot, view and height, ever.
//!
//! Looks at messages and journals with its own eyes and its own memory; what it knows of a protocol is which promises a message
//! makes ([`Protocol::promises_in`]) and a record keeps ([`Protocol::promise_in`]). A replica may forget the promises of settled
//! heights: a rotated journal lacks them. This memory does not.

use super::{Rule, Violation};
use quorate_consensus::{Promise, Protocol, Slot};
use quorate_crypto::Committee;
use quorate_ledger::Entry;
use quorate_types::{Digest, Height, ReplicaId, View};
use std::collections::{BTreeMap, BTreeSet};

/// Where a replica says at most one thing.
type Place = (Slot, View, Option<Height>);

/// Everything that honest replicas have said, in messages and journals, over their whole lives.
#[derive(Default)]
pub(crate) struct Promises {
    said: BTreeMap<(ReplicaId, Place), Digest>,
}

fn place(promise: &Promise) -> Place {
    (promise.slot, promise.view, promise.height)
}

impl Promises {
    /// A message leaves an honest replica. What liars have signed in it is theirs.
    pub(crate) fn hear<P: Protocol>(
        &mut self,
        message: &P::Message,
        committee: &Committee,
        is_liar: impl Fn(ReplicaId) -> bool,
    ) -> Result<(), Violation> {
        let said = P::promises_in(message, committee).into_iter().filter(|(who, _)| !is_liar(*who));
        said.into_iter().try_for_each(|(who, promise)| self.keep(who, &promise))
    }

    fn keep(&mut self, who: ReplicaId, promise: &Promise) -> Result<(), Violation> {
        let statement = promise.statement;
        let earlier = *self.said.entry((who, place(promise))).or_insert(statement);
        if earlier == statement {
            return Ok(());
        }
        Err(Violation::new(
            Rule::NoDoubleVote,
            format!("{who} said {earlier:?} and {statement:?} in {}", shown(promise)),
        ))
    }

    /// A process reads its journal: the same as what it said, and nothing in a view that it had left.
    pub(crate) fn read<P: Protocol>(&mut self, who: ReplicaId, journal: &[Entry<P::Record>]) -> Result<(), Violation> {
        let records = journal.iter().filter_map(|entry| match entry {
            Entry::Record(record) => P::promise_in(record),
            Entry::Birth | Entry::Bound(_) | Entry::Batch(_) => None,
        });
        let mut order = Order::default();
        for promise in records {
            // What a replica that lost its disk begins with closes views and says nothing.
            if promise.slot != Slot::Rejoined {
                self.keep(who, promise)?;
            }
            if !order.allows(promise) {
                let what = format!("{who} signed in {} after it had left that view", shown(promise));
                return Err(Violation::new(Rule::NoDoubleVote, what));
            }
        }
        Ok(())
    }
}

fn shown(promise: &Promise) -> String {
    let height = promise.height.map(|height| format!(" at {height}")).unwrap_or_default();
    format!("slot {:?} of {}{height}", promise.slot, promise.view)
}

/// Which views are left, as one goes through a journal.
#[derive(Default)]
struct Order {
    /// Views below this one are left.
    open: View,
    /// A rotated journal begins with its promises in the order of slots: among those, what is later in the file need not have
    /// been said later.
    rotated: Option<Place>,
    is_past_rotated: bool,
    seen: BTreeSet<Place>,
}

impl Order {
    fn allows(&mut self, promise: &Promise) -> bool {
        let place = place(promise);
        self.is_past_rotated |= self.rotated.is_some_and(|last| last.0 > place.0);
        self.rotated = Some(place);
        // Checkpoints belong to no view. The same may be filed again.
        let is_free = promise.slot == Slot::Checkpoint || !self.seen.insert(place) || !self.is_past_rotated;
        let reach = promise.closes_below.unwrap_or(promise.view.next());
        let is_allowed = is_free || reach > self.open;
        self.open = self.open.max(promise.closes_below.unwrap_or(View::GENESIS));
        is_allowed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn promise(slot: Slot, view: u64, closes_below: Option<u64>) -> Promise {
        Promise {
            slot,
            view: View(view),
            height: None,
            statement: Digest([1; 32]),
            closes_below: closes_below.map(View),
        }
    }

    #[test]
    fn what_is_said_in_a_view_that_was_left_is_noticed() {
        let mut order = Order::default();
        assert!(order.allows(&promise(Slot::Vote, 1, None)));
        assert!(order.allows(&promise(Slot::Timeout, 1, Some(2))));
        assert!(!order.allows(&promise(Slot::Proposal, 1, None)));
        assert!(
            order.allows(&promise(Slot::Vote, 2, None)) && order.allows(&promise(Slot::Vote, 1, None)),
            "a repetition"
        );
    }

    #[test]
    fn in_a_rotated_journal_the_order_of_slots_says_nothing() {
        let mut order = Order::default();
        let rotated = [(Slot::Commit, 2, None), (Slot::ViewChange, 4, Some(4)), (Slot::NewView, 2, None)];
        assert!(rotated.iter().all(|(slot, view, closes)| order.allows(&promise(*slot, *view, *closes))));
        assert!(!order.allows(&promise(Slot::Commit, 3, None)));
        assert!(order.allows(&promise(Slot::Checkpoint, 0, None)));
    }

    #[test]
    fn one_thing_for_each_height() {
        let (mut promises, who) = (Promises::default(), ReplicaId(0));
        let at = |height, statement| Promise {
            height: Some(Height(height)),
            statement: Digest([statement; 32]),
            ..promise(Slot::Prepare, 1, None)
        };
        assert_eq!(promises.keep(who, &at(1, 1)), Ok(()));
        assert_eq!(promises.keep(who, &at(2, 2)), Ok(()));
        assert!(
            promises.keep(who, &at(1, 2)).is_err_and(|wrong| wrong.what.contains("h1") || wrong.what.contains(" at "))
        );
    }
}
