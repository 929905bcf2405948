//! What happens, told to the trace and, where somebody asked for it, to the story.

use super::Cluster;
use crate::{
    SimProtocol,
    node::{Sight, SimWire},
    story::{Sort, Story},
    trace::{Turn, What},
};
use quorate_consensus::Kind;
use quorate_crypto::Scheme;
use quorate_types::{Digest, ReplicaId};
use quorate_validator::Wire;
use std::{fmt::Debug, time::Duration};

impl<P: SimProtocol> Cluster<P> {
    /// Everything that happened so far, if the cluster was built to [`tell`](crate::Builder::tell) it.
    pub fn story(&self) -> Option<&Story> {
        self.story.as_ref()
    }

    pub(super) fn note(&mut self, what: What) {
        let now = self.queue.now();
        if let Some(story) = &mut self.story {
            story.happened(now, &what);
        }
        self.trace.add(now, what);
    }

    pub(super) fn turn(&mut self, who: ReplicaId, turn: Turn, more: String) {
        self.note(What::Turn { who, turn, more });
    }

    /// Where a replica stands after something happened to it.
    pub(super) fn tell_where(&mut self, who: ReplicaId) {
        let now = self.queue.now();
        if let (Some(story), Some(life)) = (&mut self.story, &self.nodes[who.index()].life) {
            story.stands(who, now, &life.core.replica().status(), life.is_attacking());
        }
    }

    pub(super) fn tell_sight(&mut self, who: ReplicaId, sight: &Sight<P>) {
        let now = self.queue.now();
        let Some(story) = &mut self.story else { return };
        match sight {
            Sight::Accused(evidence) => {
                let text = format!("{evidence:#?}");
                story.mark(Some(who), now, Sort::Accuse, text, format!("accuses {}", evidence.accused.0));
            }
            Sight::Proven { header, .. } => {
                let (height, text) = (header.height.0, format!("holds the commit proof of height {}", header.height.0));
                story.mark(Some(who), now, Sort::Certificate, text, format!("f{height}"));
            }
            Sight::Refused { peer, why } => {
                let text = format!("refuses what replica {} shows: {why}", peer.0);
                story.mark(Some(who), now, Sort::Accuse, text, format!("refuses {}", peer.0));
            }
            Sight::Opened { .. } | Sight::Committed { .. } | Sight::Installed { .. } | Sight::Undurable { .. } => {}
        }
    }

    /// PBFT's COMMIT says that its sender holds a prepared certificate.
    pub(super) fn tell_prepared(&mut self, who: ReplicaId, wire: &SimWire<P>) {
        let now = self.queue.now();
        let Some(story) = &mut self.story else { return };
        let Wire::Consensus(message) = wire else { return };
        if message.kind() != "commit" {
            return;
        }
        for (signer, promise) in P::promises_in(message, self.setup.scheme.committee()) {
            if let Some(height) = promise.height
                && signer == who
            {
                story.prepared(who, now, promise.view.0, height.0);
            }
        }
    }

    pub(super) fn tell_refused(
        &mut self,
        from: ReplicaId,
        to: &[ReplicaId],
        parcel: (&'static str, usize, Option<usize>),
    ) {
        let now = self.queue.now();
        if let Some(story) = &mut self.story {
            to.iter().for_each(|to| story.refused((from, *to), parcel, now));
        }
    }

    pub(super) fn tell_sync(
        &mut self,
        ends: (ReplicaId, ReplicaId),
        (kind, length): (&'static str, usize),
        content: &impl Debug,
        arrivals: impl Iterator<Item = Duration>,
    ) {
        let now = self.queue.now();
        if let Some(story) = &mut self.story {
            let content = story.keep(content);
            story.sent(ends, (kind, length, content), now, arrivals);
        }
    }

    pub(super) fn tell_submitted(&mut self, at: ReplicaId, transaction: &Digest, result: &Result<(), impl Debug>) {
        let now = self.queue.now();
        if let Some(story) = &mut self.story {
            let text = format!("a client hands in transaction {transaction:?}: {result:?}");
            story.mark(Some(at), now, Sort::Submit, text, String::new());
        }
    }
}
