//! Who is behind asks, who is ahead answers with certificates: how the view began, the last commit, the stable checkpoint.

use super::{Certificates, Commit, Message, Pbft, Standing, Stepped, ViewChange};
use crate::{Ignored, Request, Timer};
use quorate_crypto::Scheme;
use quorate_types::{BoundedVec, ReplicaId, View};

/// Answers to one peer between two polls of ours: each may be large.
const ANSWERS: u8 = 16;

impl<S: Scheme> Pbft<S> {
    pub(super) fn standing(&self) -> Standing {
        let view = if self.rejoin.is_some() { View::GENESIS } else { self.begun() };
        Standing { view, committed: self.root(), block: self.tree.root_digest(), low: self.low.checkpoint.height }
    }

    pub(super) fn on_ask_certificates(&mut self, from: ReplicaId, standing: Standing, step: &mut Stepped<S>) {
        // One that rejoins counts answers, empty ones too.
        let news = self.news_for(standing);
        if standing.view != View::GENESIS && news.is_empty() {
            return step.ignore(Ignored::Duplicate);
        }
        self.tell(from, news, step);
    }

    fn news_for(&self, standing: Standing) -> Certificates<S> {
        Certificates {
            new_view: self.entry.clone().filter(|entry| entry.view > standing.view),
            committed: self.committed.clone().filter(|committed| {
                let ballot = committed.statement.0;
                let is_news = ballot.height > standing.committed
                    || (ballot.height == standing.committed && ballot.block != standing.block);
                is_news && ballot.height <= self.root()
            }),
            checkpoint: (self.low.checkpoint.height > standing.low).then(|| self.low.clone()),
            is_whole: standing.view == View::GENESIS,
            changes: if standing.view == View::GENESIS {
                BoundedVec::new(self.furthest_changes()).expect("one a member")
            } else {
                BoundedVec::default()
            },
        }
    }

    /// For one who still sends a VIEW-CHANGE up to our view, or stands below our checkpoint.
    pub(super) fn news_for_changing(&self, change: &ViewChange<S>) -> Certificates<S> {
        Certificates {
            new_view: self.entry.clone().filter(|entry| entry.view >= change.view),
            committed: None,
            checkpoint: (self.low.checkpoint.height > change.checkpoint.checkpoint.height).then(|| self.low.clone()),
            is_whole: false,
            changes: BoundedVec::default(),
        }
    }

    pub(super) fn tell(&mut self, to: ReplicaId, news: Certificates<S>, step: &mut Stepped<S>) {
        let given = self.answers.entry(to).or_default();
        if *given < ANSWERS {
            *given += 1;
            step.send(to, Message::Certificates(Box::new(news)));
        }
    }

    pub(super) fn on_certificates(&mut self, from: ReplicaId, certificates: Certificates<S>, step: &mut Stepped<S>) {
        self.on_rejoin_answer(from, &certificates);
        if let Some(checkpoint) = certificates.checkpoint {
            self.on_stable(checkpoint, from, step);
        }
        if let Some(committed) = certificates.committed {
            self.on_commit_certificate(committed, from, step);
        }
        if let Some(new_view) = certificates.new_view
            && !self.halted
        {
            self.on_new_view(from, new_view, step);
        }
        self.speak_if_safe(step);
    }

    /// Where the primary does not get through to us, the others' COMMITs are no quorum without its and ours. Somebody honest among f+1 of
    /// them has seen our next height prepared: it is asked, before the view looks failed from here alone.
    pub(super) fn ask_if_behind(&mut self, voter: ReplicaId, commit: Commit, step: &mut Stepped<S>) {
        let next = self.root().next();
        let is_passed = commit.0.height > next && self.log.accepted(next).is_none();
        let others = self.log.get(commit.0.height).map_or(0, |entry| entry.commits.count(&commit));
        if voter != self.me() && is_passed && others > self.committee().max_faulty() && self.fetcher.may_ask() {
            step.send(voter, Message::AskCertificates(self.standing()));
            self.run_fetch_timer(step);
        }
    }

    /// A replica asks one other in turn where it stands: the last words of a busy time may have been lost on the way to it, and in a
    /// quiet net nobody would say them again.
    pub(super) fn on_poll_timer(&mut self, step: &mut Stepped<S>) {
        step.request(Request::SetTimer { timer: Timer::Poll, after: self.pacemaker.poll() });
        self.answers.clear();
        let others: Vec<_> = self.committee().others(self.me()).collect();
        if self.rejoin.is_some() {
            step.broadcast(Message::AskCertificates(self.standing()));
        } else if !others.is_empty() {
            self.poll_next = (self.poll_next + 1) % others.len();
            step.send(others[self.poll_next], Message::AskCertificates(self.standing()));
        }
    }
}
