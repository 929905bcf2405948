//! Block sync of a simulated process: asks one peer after the other, as the node does.

use super::{Death, Life, Out, Task};
use crate::SimProtocol;
use quorate_ledger::LedgerError;
use quorate_types::{Header, Height, ReplicaId};
use quorate_validator::{
    NotFinal,
    sync::{SyncError, SyncReply, SyncRequest, accept_with, answer},
};
use std::sync::Arc;

/// Names one question: an answer to an earlier one is void.
pub(crate) type Ticket = u64;

/// What is being caught up with.
pub(super) struct Catching {
    peers: Vec<ReplicaId>,
    target: Option<Height>,
    turn: usize,
    failed: usize,
    ticket: Ticket,
}

impl Catching {
    pub(super) fn new(peers: Vec<ReplicaId>) -> Self {
        Self { peers, target: None, turn: 0, failed: 0, ticket: 0 }
    }
}

impl<P: SimProtocol> Life<P> {
    /// The replica wants the ledger to stand at `height`. One run at a time; it asks again.
    pub(super) fn sync(&mut self, from: ReplicaId, height: Height, outs: &mut Vec<Out<P>>) {
        if self.catching.target.is_some() || self.catching.peers.is_empty() {
            return;
        }
        let first = self.catching.peers.iter().position(|peer| *peer == from).unwrap_or_default();
        self.catching.target = Some(height);
        (self.catching.turn, self.catching.failed) = (first, 0);
        self.ask(outs);
    }

    fn ask(&mut self, outs: &mut Vec<Out<P>>) {
        let catching = &mut self.catching;
        let head = self.ledger.head().height;
        if catching.target.is_none_or(|target| head >= target) || catching.failed >= catching.peers.len() {
            catching.target = None;
            return;
        }
        catching.ticket += 1;
        let to = catching.peers[catching.turn % catching.peers.len()];
        outs.push(Out::Ask { to, request: SyncRequest { above: head }, ticket: catching.ticket });
    }

    /// A peer asks this process.
    pub(crate) fn answer(&self, request: SyncRequest) -> Result<SyncReply, LedgerError> {
        answer(&self.ledger, request)
    }

    /// A peer answered.
    pub(crate) fn answered(&mut self, from: ReplicaId, reply: Arc<SyncReply>, ticket: Ticket, outs: &mut Vec<Out<P>>) {
        if self.catching.target.is_some() && ticket == self.catching.ticket {
            outs.push(Out::Task(Task::Accept { from, reply, ticket }));
        }
    }

    /// No answer came in time.
    pub(crate) fn unanswered(&mut self, ticket: Ticket, outs: &mut Vec<Out<P>>) {
        if ticket == self.catching.ticket {
            self.next_peer(outs);
        }
    }

    fn next_peer(&mut self, outs: &mut Vec<Out<P>>) {
        self.catching.turn += 1;
        self.catching.failed += 1;
        self.ask(outs);
    }

    pub(super) fn accept(&mut self, _from: ReplicaId, reply: &SyncReply, ticket: Ticket, outs: &mut Vec<Out<P>>) {
        if ticket != self.catching.ticket {
            return;
        }
        // Whatever still waits for this question is void from here on.
        self.catching.ticket += 1;
        let keys = self.keys.clone();
        let check = |header: &Header, proof: &[u8]| -> Result<(), NotFinal> {
            Ok(P::verify_commit(header, proof, &keys.consensus)?)
        };
        match accept_with(&mut self.ledger, reply.clone(), check) {
            Ok(reply) => {
                self.catching.failed = 0;
                self.on_reply(reply, None, outs);
                self.ask(outs);
            }
            Err(SyncError::Ledger(error)) => outs.push(Out::Died(Death::Disk(error.to_string()))),
            Err(_) => self.next_peer(outs),
        }
    }
}
