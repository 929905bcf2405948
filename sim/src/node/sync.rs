//! Catching up of a simulated process: the questions and answers of [`CatchUp`](quorate_validator::sync::CatchUp), as in the node.

use super::{Death, Life, Out, Sight, Task};
use crate::SimProtocol;
use quorate_ledger::LedgerError;
use quorate_types::{Header, Height, ReplicaId};
use quorate_validator::{
    LedgerReply, NotFinal,
    sync::{Ask, Broken, Outcome, SyncError, SyncReply, SyncRequest, Ticket, answer},
};
use std::{sync::Arc, time::Duration};

impl<P: SimProtocol> Life<P> {
    /// The replica wants the ledger to stand at `height`.
    pub(super) fn sync(&mut self, from: ReplicaId, height: Height, outs: &mut Vec<Out<P>>) {
        let ask = self.catching.want((from, height), &self.ledger);
        outs.extend(ask.map(question));
    }

    /// A peer asks this process.
    pub(crate) fn answer(&self, request: SyncRequest) -> Result<SyncReply, LedgerError> {
        answer(&self.ledger, request)
    }

    /// A peer answered, after some time.
    pub(crate) fn answered(
        &mut self,
        reply: Arc<SyncReply>,
        (ticket, took): (Ticket, Duration),
        outs: &mut Vec<Out<P>>,
    ) {
        if self.catching.is_running() {
            outs.push(Out::Task(Task::Accept { reply, ticket, took }));
        }
    }

    /// No answer came in time.
    pub(crate) fn unanswered(&mut self, ticket: Ticket, outs: &mut Vec<Out<P>>) {
        let outcome = self.catching.failed(ticket, SyncError::Unanswered("it took too long".into()), &self.ledger);
        self.caught_up(outcome, outs);
    }

    pub(super) fn accept(&mut self, (reply, took): (&SyncReply, Duration), ticket: Ticket, outs: &mut Vec<Out<P>>) {
        let keys = self.keys.clone();
        let check = |header: &Header, proof: &[u8]| -> Result<(), NotFinal> {
            Ok(P::verify_commit(header, proof, &keys.consensus)?)
        };
        match self.catching.answered(ticket, (reply.clone(), took), &mut self.ledger, &check) {
            Ok(outcome) => self.caught_up(outcome, outs),
            Err(Broken::Ledger(error)) => outs.push(Out::Died(Death::Disk(error.to_string()))),
            Err(fork @ Broken::Fork { .. }) => outs.push(Out::Died(Death::Halted(fork.to_string()))),
        }
    }

    fn caught_up(&mut self, outcome: Outcome, outs: &mut Vec<Out<P>>) {
        if let Some(refusal) = outcome.refused.filter(|refusal| refusal.why.is_lie()) {
            outs.push(Out::Saw(Sight::Refused { peer: refusal.peer, why: refusal.why.to_string() }));
        }
        if let Some(reply) = outcome.reply {
            if let LedgerReply::Synced { head, committed, .. } = &reply
                && committed.blocks.is_empty()
            {
                outs.push(Out::Saw(Sight::Installed { head: head.clone() }));
            }
            self.on_reply(reply, None, outs);
        }
        outs.extend(outcome.ask.map(question));
    }
}

fn question<P: SimProtocol>(ask: Ask) -> Out<P> {
    Out::Ask { to: ask.to, request: ask.request, ticket: ask.ticket }
}
