//! The pacemaker: entering and leaving views.
//!
//! - Enter `v+1` on a QC or TC of `v`; nothing else moves a view.
//! - When the view's timer ends: promise to have left `v`, and broadcast `Timeout(v)` with the greatest QC and the own vote.
//!   Until something moves, say the same again at a steady pace, with the certificate that opened the view.
//! - Join: if the `f+1`-th greatest timeout view of the others is not below the own view, leave that view as well.
//! - Of a timeout first its QC counts, then its vote, then the timeout itself.
//! - Whoever is behind, in view or certificate, is answered with what moves it forward.

use super::{
    Certificates, HotStuff, Message, Record, Stepped, Timeout, TimeoutCertificate, TimeoutStatement, rejoin::Rejoin,
    tally::Added,
};
use crate::{Action, Evidence, Ignored, Request, Timer, evidence::Said};
use quorate_crypto::Scheme;
use quorate_types::{ReplicaId, View};

impl<S: Scheme> HotStuff<S> {
    /// Enters a view that a certificate opens.
    pub(super) fn enter(&mut self, view: View, entry: Option<TimeoutCertificate<S>>, step: &mut Stepped<S>) {
        assert!(view > self.view, "views only grow: {view} after {}", self.view);
        if entry.is_some() {
            self.pacemaker.view_failed();
            self.reveal_vote(step);
        }
        self.view = view;
        self.entry = entry;
        self.pending = None;
        self.building = None;
        self.armed = None;
        self.votes.forget(view);
        self.try_propose(step);
    }

    /// A vote that went to one leader only, and that neither a certificate nor an own timeout shows, goes to all when its
    /// view is left by a TC: else whoever hands out the TC early hides the votes for ever (hole H2).
    fn reveal_vote(&mut self, step: &mut Stepped<S>) {
        let Some(vote) = &self.last_vote else { return };
        let is_told = self.last_timeout.as_ref().is_some_and(|timeout| timeout.vote.as_ref() == Some(vote));
        if vote.ballot.view > self.high_qc.view() && !is_told {
            step.broadcast(Message::Vote(vote.clone()));
        }
    }

    pub(super) fn on_view_timer(&mut self, view: View, step: &mut Stepped<S>) {
        if view != self.view {
            return step.ignore(Ignored::StaleTimer);
        }
        self.armed = None;
        if !self.has_work() {
            return;
        }
        if self.has_left(view) {
            self.repeat_timeout(step);
        } else {
            self.leave(view, step);
        }
    }

    /// Signs and sends the timeout of `view`, which may be above the own one when others are joined.
    fn leave(&mut self, view: View, step: &mut Stepped<S>) {
        let high_qc = self.high_qc.clone();
        let statement = TimeoutStatement { view, high_qc: high_qc.view() };
        step.record(self.certificates_record());
        let attestation = match self.safety.attest(&statement, step) {
            Ok(attestation) => attestation,
            Err(refusal) => return step.ignore(Ignored::Refused(refusal)),
        };
        let vote = self.last_vote.clone().filter(|vote| vote.ballot.view == view);
        let timeout = Timeout { view, high_qc, vote, replica: self.safety.id(), attestation };
        step.record(Record::Timeout(Box::new(timeout.clone())));
        self.last_timeout = Some(timeout.clone());
        step.broadcast(Message::Timeout(Box::new(timeout.clone())));
        if let Some(vote) = timeout.vote.clone() {
            self.on_vote(vote, step);
        }
        self.count_timeout(timeout, step);
    }

    /// The same timeout again, and the certificates of this view for those who never saw them.
    fn repeat_timeout(&mut self, step: &mut Stepped<S>) {
        if let Some(timeout) = self.last_timeout.clone() {
            step.broadcast(Message::Timeout(Box::new(timeout)));
        }
        step.broadcast(self.certificates(false));
    }

    pub(super) fn certificates(&self, is_whole: bool) -> Message<S> {
        let certificates = Certificates { high_qc: self.high_qc.clone(), entry: self.entry.clone(), is_whole };
        Message::Certificates(Box::new(certificates))
    }

    pub(super) fn on_timeout(&mut self, from: ReplicaId, timeout: Timeout<S>, step: &mut Stepped<S>) {
        let is_behind = timeout.high_qc.view() < self.high_qc.view() || timeout.view < self.view;
        self.on_qc(&timeout.high_qc, from, step);
        if let Some(vote) = timeout.vote.clone() {
            self.on_vote(vote, step);
        }
        if self.halted {
            return;
        }
        if is_behind {
            step.send(from, self.certificates(false));
        }
        if timeout.view < self.view {
            return step.ignore(Ignored::StaleView);
        }
        self.count_timeout(timeout, step);
    }

    pub(super) fn count_timeout(&mut self, timeout: Timeout<S>, step: &mut Stepped<S>) {
        let committee = self.committee().clone();
        match self.timeouts.add(timeout.clone(), &committee) {
            Added::Counted => self.join(step),
            Added::Duplicate => step.ignore(Ignored::Duplicate),
            Added::OutsideWindow => step.ignore(Ignored::StaleView),
            Added::Equivocation(earlier) => {
                let evidence = Evidence::contradiction(timeout.replica, said(&earlier), said(&timeout));
                step.act(Action::Accuse(Box::new(evidence)));
                step.ignore(Ignored::Equivocation);
            }
            Added::Certified(tc) => self.on_own_tc(&tc, step),
        }
    }

    /// A TC formed here goes to the leader of the view it opens.
    fn on_own_tc(&mut self, tc: &TimeoutCertificate<S>, step: &mut Stepped<S>) {
        if tc.view < self.view {
            return step.ignore(Ignored::StaleView);
        }
        self.on_tc(tc, self.safety.id(), step);
        if let Some(leader) = self.leader(tc.view.next(), &tc.high_qc.block()).filter(|who| *who != self.safety.id()) {
            let certificates = Certificates { high_qc: self.high_qc.clone(), entry: Some(tc.clone()), is_whole: false };
            step.send(leader, Message::Certificates(Box::new(certificates)));
        }
    }

    fn join(&mut self, step: &mut Stepped<S>) {
        let me = self.safety.id();
        if let Some(view) = self.timeouts.weak_quorum_view(self.committee(), me)
            && view >= self.view
            && !self.has_left(view)
        {
            self.leave(view, step);
        }
    }

    pub(super) fn on_certificates(&mut self, from: ReplicaId, certificates: Certificates<S>, step: &mut Stepped<S>) {
        self.on_rejoin_answer(from, &certificates, step);
        self.on_qc(&certificates.high_qc, from, step);
        if let Some(entry) = &certificates.entry {
            self.on_tc(entry, from, step);
        }
    }

    /// Answers with the certificates of this view if they can be news; view 0 always wants an answer.
    pub(super) fn on_ask_certificates(&mut self, from: ReplicaId, view: View, step: &mut Stepped<S>) {
        if self.view > view {
            step.send(from, self.certificates(view == View::GENESIS));
        } else {
            step.ignore(Ignored::Duplicate);
        }
    }

    /// Asks everybody where they are, after a start.
    pub(super) fn ask_for_certificates(&mut self, step: &mut Stepped<S>) {
        let known = if self.rejoin.is_some() { View::GENESIS } else { self.view };
        step.broadcast(Message::AskCertificates(known));
    }

    /// One that may not speak until a quorum has answered asks more often.
    pub(super) fn set_poll_timer(&self, step: &mut Stepped<S>) {
        let lacks_answers = self.rejoin.as_ref().is_some_and(Rejoin::lacks_answers);
        let after = if lacks_answers { self.pacemaker.retransmission() * 2 } else { self.pacemaker.poll() };
        step.request(Request::SetTimer { timer: Timer::Poll, after });
    }

    /// A replica without progress asks one other in turn: the last words of a busy time may have been lost on the way to it,
    /// and in a quiet net nobody would say them again. Views that fail one after the other are no progress: the quorum may be one
    /// vote short, that of a replica which cannot execute what all others have committed, by a certificate that it never saw, and
    /// whose batches nobody hands out any more.
    pub(super) fn on_poll_timer(&mut self, step: &mut Stepped<S>) {
        self.set_poll_timer(step);
        if self.rejoin.is_some() {
            return self.ask_for_certificates(step);
        }
        let now = (self.view, self.tree.root().height);
        let before = std::mem::replace(&mut self.polled, now);
        if before.0 != now.0 && before.1 != now.1 {
            return;
        }
        self.build_again(step);
        let (me, committee) = self.id_and_committee();
        let others: Vec<_> = committee.others(me).collect();
        if others.is_empty() {
            return;
        }
        self.poll_next = (self.poll_next + 1) % others.len();
        let peer = others[self.poll_next];
        step.send(peer, Message::AskCertificates(self.view));
        if self.has_work() {
            // Perhaps it is committed to everybody else, by a certificate below the greatest: they are idle, and nobody would
            // say it again.
            self.sync(peer, self.tree.root().height.next(), step);
        }
    }
}

fn said<S: Scheme>(timeout: &Timeout<S>) -> Said<TimeoutStatement> {
    let statement = TimeoutStatement { view: timeout.view, high_qc: timeout.high_qc.view() };
    Said::attested::<S>(statement, &timeout.attestation)
}
