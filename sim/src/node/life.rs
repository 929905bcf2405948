//! A process between start and crash: inputs in, [`Out`]s out.

use super::{Death, Disks, Out, Sight, SimKeys, Task, flush::Journalling, start::Setup};
use crate::{Door, SimProtocol, disk::SimDisk, index::SimIndex};
use quorate_consensus::Refused;
use quorate_crypto::Scheme;
use quorate_ledger::{Ledger, TxError};
use quorate_types::{ReplicaId, Transaction};
use quorate_validator::{
    Core, Effect, Input, LedgerReply, LedgerWork, Output, StepJournal, Wire, perform, sync::CatchUp,
};
use std::sync::Arc;

/// A running validator.
pub(crate) struct Life<P: SimProtocol> {
    pub(crate) id: ReplicaId,
    pub(crate) core: Core<P>,
    pub(crate) ledger: Ledger<SimDisk, SimIndex>,
    /// What stands between it and the links, if it may be an attacker's.
    pub(super) door: Option<Box<dyn Door>>,
    pub(super) disks: Disks,
    pub(super) journalling: Journalling<P>,
    pub(super) catching: CatchUp,
    pub(super) keys: Arc<SimKeys<P>>,
    commits: u64,
    sync_every: u64,
    durable_promised: bool,
}

/// Why a client was turned away.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TurnedAway {
    /// The replica is down.
    #[error("the replica is down")]
    Down,
    /// Its signature is bad.
    #[error("bad signature")]
    BadSignature,
    /// The ledger will not have it.
    #[error(transparent)]
    Ledger(#[from] TxError),
    /// The mempool will not have it.
    #[error(transparent)]
    Pool(#[from] Refused),
}

impl<P: SimProtocol> Life<P> {
    pub(super) fn new(
        id: ReplicaId,
        core: Core<P>,
        journal: StepJournal<SimDisk, P::Record>,
        ledger: Ledger<SimDisk, SimIndex>,
        disks: Disks,
        setup: &Setup<P>,
    ) -> Self {
        Self {
            id,
            door: core.replica().door(),
            core,
            ledger,
            disks,
            journalling: Journalling::new(journal, setup.rotate_after),
            keys: setup.keys_of(id).clone(),
            catching: CatchUp::new(setup.scheme.committee().others(id).collect(), setup.snapshot_gap),
            commits: 0,
            sync_every: setup.sync_every.max(1),
            durable_promised: setup.durability != quorate_ledger::Durability::None,
        }
    }

    /// How often it made its journal durable.
    pub(crate) fn flushes(&self) -> u64 {
        self.journalling.syncs()
    }

    /// Something happens to the core.
    pub(crate) fn take(&mut self, input: Input<P::Message>, outs: &mut Vec<Out<P>>) {
        let output = self.core.handle(input);
        self.perform(output, outs);
    }

    /// A client hands in a transaction.
    pub(crate) fn submit(&mut self, transaction: Transaction, outs: &mut Vec<Out<P>>) -> Result<(), TurnedAway> {
        self.keys.transactions.check(&transaction).map_err(|_| TurnedAway::BadSignature)?;
        let tip = self.ledger.tip();
        tip.admit(&transaction)?;
        let nonce = tip.account(&transaction.body.sender).nonce;
        let (result, output) = self.core.submit(transaction, nonce);
        self.perform(output, outs);
        Ok(result?)
    }

    fn perform(&mut self, output: Output<P>, outs: &mut Vec<Out<P>>) {
        for effect in output.effects {
            match effect {
                Effect::Send { to, message } => self.share(to, message, outs),
                Effect::Broadcast(message) => self.share_with_all(message, outs),
                Effect::Testify { to, testimony } => outs.push(Out::Send { to, wire: Wire::Evidence(testimony) }),
                Effect::Accuse(proof) => outs.push(Out::Saw(Sight::Accused(proof))),
                Effect::Halt(why) => outs.push(Out::Died(Death::Halted(why))),
                Effect::Slandered { by, why } => {
                    outs.push(Out::Saw(Sight::Refused { peer: by, why: why.to_string() }));
                }
                Effect::SetTimer { timer, after } => outs.push(Out::SetTimer { timer, after }),
                Effect::Keep(batch) => self.journalling.keep(batch),
                Effect::Ledger(work) => outs.push(Out::Task(Task::Work(work))),
                Effect::Sync { from, height } => self.sync(from, height, outs),
            }
        }
        self.journalling.step(output.step);
        if self.journalling.is_rotation_due() {
            self.journalling.rotate(self.core.journal_snapshot());
        }
        self.flush(outs);
    }

    /// Does a ledger task. `now` is this machine's clock in milliseconds since the epoch.
    pub(crate) fn work(&mut self, task: Task, now: u64, outs: &mut Vec<Out<P>>) {
        match task {
            Task::Work(work) => {
                let proof = match &work {
                    LedgerWork::Commit { proof, .. } => Some(proof.clone()),
                    LedgerWork::Build { .. } | LedgerWork::Execute { .. } | LedgerWork::Inspect { .. } => None,
                };
                match perform(&mut self.ledger, self.id, work, now) {
                    Ok(Some(reply)) => self.on_reply(reply, proof, outs),
                    Ok(None) => {}
                    Err(error) => outs.push(Out::Died(Death::Disk(error.to_string()))),
                }
            }
            Task::SyncThenRotate => match self.ledger.sync_blocks() {
                Ok(()) => self.rotate_now(outs),
                Err(error) => outs.push(Out::Died(Death::Disk(error.to_string()))),
            },
            Task::Accept { reply, ticket, took } => self.accept((&reply, took), ticket, outs),
        }
    }

    /// The ledger's answer: first the checkers see it, then the core.
    pub(super) fn on_reply(&mut self, reply: LedgerReply, proof: Option<Vec<u8>>, outs: &mut Vec<Out<P>>) {
        if let LedgerReply::Committed(committed) | LedgerReply::Synced { committed, .. } = &reply {
            for block in &committed.blocks {
                outs.push(Out::Saw(Sight::Committed { block: block.clone() }));
            }
            if let (Some(last), Some(proof)) = (committed.blocks.last(), proof) {
                outs.push(Out::Saw(Sight::Proven { header: last.block.header.clone(), proof }));
            }
            self.commits += 1;
            if self.commits.is_multiple_of(self.sync_every)
                && let Err(error) = self.ledger.sync_blocks()
            {
                return outs.push(Out::Died(Death::Disk(error.to_string())));
            }
        }
        self.take(Input::Ledger(reply), outs);
    }

    /// Whether what leaves now should rest on durable bytes only.
    pub(super) fn check_durable(&self, outs: &mut Vec<Out<P>>) {
        let bytes = self.disks.journal.unsynced();
        if self.durable_promised && bytes > 0 {
            outs.push(Out::Saw(Sight::Undurable { bytes }));
        }
    }
}
