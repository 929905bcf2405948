//! Beginnings of views that do not follow from a quorum of VIEW-CHANGEs.

use crate::{Attack, Hands};
use quorate_consensus::pbft::{Message, NewView, Pbft, ViewChange};
use quorate_crypto::Scheme;
use quorate_types::{BoundedVec, ReplicaId, View};

/// What is wrong with the NEW-VIEW. The primary's own signature under it is good.
#[derive(Clone, Copy, Debug)]
pub(super) enum Spoiled {
    /// The prepared block is not proposed again.
    WithoutTip,
    /// No VIEW-CHANGE in it shows a certificate, whatever was signed; so nothing is proposed again.
    Forged,
    /// The primary's own VIEW-CHANGE is for the view before.
    Stale,
    /// The first VIEW-CHANGE stands in the last one's place, too.
    Duplicate,
    /// The last VIEW-CHANGE is of a replica that does not exist.
    Foreign,
    /// The last VIEW-CHANGE is missing.
    Few,
    /// For the first half of the others, the primary's own VIEW-CHANGE conceals what it prepared. Either NEW-VIEW is good, if another
    /// replica prepared the same.
    Twofold,
}

#[derive(Clone, Debug)]
pub(super) struct NewViewAttack(pub(super) Spoiled);

impl NewViewAttack {
    fn is_for<S: Scheme>(&self, to: ReplicaId, hands: &Hands<Pbft<S>>) -> bool {
        !matches!(self.0, Spoiled::Twofold) || hands.is_first_half(to)
    }

    fn spoil<S: Scheme>(&self, mut new_view: NewView<S>, hands: &Hands<Pbft<S>>) -> NewView<S> {
        let mut changes = new_view.view_changes.into_inner();
        match self.0 {
            Spoiled::WithoutTip => new_view.tip = None,
            Spoiled::Forged => {
                changes.iter_mut().for_each(|change| change.prepared = None);
                new_view.tip = None;
            }
            Spoiled::Stale => {
                let own = changes.iter_mut().find(|change| change.replica == hands.me);
                if let Some(own) = own {
                    own.view = View(own.view.0.saturating_sub(1));
                    own.attestation = hands.attest(&own.statement());
                }
            }
            Spoiled::Duplicate => {
                if let [first, .., last] = &mut changes[..] {
                    *last = first.clone();
                }
            }
            Spoiled::Few => drop(changes.pop()),
            Spoiled::Twofold => {
                let own = changes.iter_mut().find(|change| change.replica == hands.me);
                if let Some(own) = own {
                    own.prepared = None;
                    own.attestation = hands.attest(&own.statement());
                }
            }
            Spoiled::Foreign => {
                if let Some(last) = changes.last_mut() {
                    *last = foreign(last.clone(), hands);
                }
            }
        }
        new_view.view_changes = BoundedVec::new(changes).expect("no more than before");
        new_view.attestation = hands.attest(&new_view.statement());
        new_view
    }
}

fn foreign<S: Scheme>(mut change: ViewChange<S>, hands: &Hands<Pbft<S>>) -> ViewChange<S> {
    change.replica = ReplicaId(u16::try_from(hands.committee().size()).expect("a committee is small"));
    change.attestation = hands.attest(&change.statement());
    change
}

impl<S: Scheme> Attack<Pbft<S>> for NewViewAttack {
    fn tell(&mut self, to: ReplicaId, message: Message<S>, hands: &mut Hands<Pbft<S>>) {
        match message {
            // Somebody else's is not ours to sign.
            Message::NewView(new_view) if hands.is_round_robin(new_view.view) && self.is_for(to, hands) => {
                let spoiled = self.spoil(*new_view, hands);
                hands.tell(to, Message::NewView(Box::new(spoiled)));
            }
            // Whoever asks how the view began is told the same.
            Message::Certificates(mut certificates) if self.is_for(to, hands) => {
                let own = certificates.new_view.take_if(|new_view| hands.is_round_robin(new_view.view));
                if let Some(new_view) = own {
                    certificates.new_view = Some(self.spoil(new_view, hands));
                }
                hands.tell(to, Message::Certificates(certificates));
            }
            message => hands.tell(to, message),
        }
    }

    fn boxed(&self) -> Box<dyn Attack<Pbft<S>>> {
        Box::new(self.clone())
    }
}
