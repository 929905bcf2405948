//! What the core asks of the ledger, and its answers.

use quorate_consensus::Executed;
use quorate_ledger::{CommittedBlock, Disk, ExecuteError, Index, Ledger, LedgerError, Outcome, SkipCode};
use quorate_types::{Account, Batch, Block, Digest, Header, Height, ReplicaId, View};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// Something for the ledger to do.
#[derive(Clone, Debug)]
pub enum LedgerWork {
    /// Make a block above `parent`.
    Build {
        /// An executed block.
        parent: Digest,
        /// The view to propose it in.
        view: View,
        /// In this order.
        batches: Vec<Arc<Batch>>,
    },
    /// Execute a block above its executed parent.
    Execute {
        /// The block.
        block: Block,
        /// All its batches, in its order.
        batches: Vec<Arc<Batch>>,
    },
    /// Tell which of these batches are spent: all their transactions are used up.
    Inspect {
        /// Batches that have waited long.
        batches: Vec<Arc<Batch>>,
    },
    /// This executed block and its ancestors are final.
    Commit {
        /// The youngest.
        block: Digest,
        /// Its commit proof.
        proof: Vec<u8>,
    },
}

/// The ledger's answer.
#[derive(Clone, Debug)]
pub enum LedgerReply {
    /// A block to propose.
    Built {
        /// Executed, roots and time filled in.
        block: Block,
        /// Batches that were left out because all their transactions are used up.
        spent: Vec<Digest>,
    },
    /// A block was executed.
    Executed {
        /// Which.
        block: Digest,
        /// Whether it is what it claims to be.
        outcome: Executed,
    },
    /// These batches are spent.
    Spent(Vec<Digest>),
    /// Blocks were committed.
    Committed(Committed),
    /// Block sync brought the ledger here.
    Synced {
        /// Its new head.
        head: Header,
        /// Its commit proof.
        proof: Vec<u8>,
        /// What came with it.
        committed: Committed,
        /// Headers of the last blocks below it, newest first, as far as they came with it.
        recent: Vec<Header>,
    },
}

/// What a commit means for those who wait.
#[derive(Clone, Debug, Default)]
pub struct Committed {
    /// Height of the ledger's head.
    pub head: Height,
    /// The new blocks, oldest first.
    pub blocks: Vec<CommittedBlock>,
    /// All their batches.
    pub batches: Vec<Digest>,
    /// Transactions that were skipped because their turn had not come.
    pub early: BTreeSet<Digest>,
    /// The next nonce of every sender concerned.
    pub nonces: BTreeMap<Account, u64>,
}

impl Committed {
    /// Summarises blocks that `ledger` has just committed.
    pub fn of<D: Disk, I: Index>(blocks: Vec<CommittedBlock>, ledger: &Ledger<D, I>) -> Self {
        let mut committed = Self { head: ledger.head().height, ..Self::default() };
        for block in &blocks {
            committed.batches.extend(block.block.payload.iter().copied());
            let transactions = block.batches.iter().flat_map(|batch| batch.transactions());
            for transaction in transactions {
                let sender = transaction.body.sender;
                committed.nonces.entry(sender).or_insert_with(|| ledger.account(&sender).nonce);
            }
            let early =
                block.outcomes.iter().filter(|(_, outcome)| *outcome == Outcome::Skipped(SkipCode::FutureNonce));
            committed.early.extend(early.map(|(transaction, _)| *transaction));
        }
        committed.blocks = blocks;
        committed
    }
}

/// Does `work`. `now` is the clock in milliseconds since the Unix epoch, for block timestamps only. `None`: the work is
/// overtaken by events, there is nothing to say.
pub fn perform<D: Disk, I: Index>(
    ledger: &mut Ledger<D, I>,
    me: ReplicaId,
    work: LedgerWork,
    now: u64,
) -> Result<Option<LedgerReply>, LedgerError> {
    match work {
        LedgerWork::Build { parent, view, batches } => {
            let (spent, live): (Vec<_>, Vec<_>) = batches.into_iter().partition(|batch| is_spent(ledger, batch));
            let spent = spent.iter().map(|batch| batch.digest()).collect();
            Ok(ledger.build(&parent, view, me, live, now).ok().map(|block| LedgerReply::Built { block, spent }))
        }
        LedgerWork::Execute { block, batches } => {
            let outcome = match ledger.execute(&block, batches) {
                Ok(()) => Executed::Valid,
                Err(ExecuteError::UnknownParent { .. }) => return Ok(None),
                Err(_) => Executed::Invalid,
            };
            Ok(Some(LedgerReply::Executed { block: block.digest(), outcome }))
        }
        LedgerWork::Inspect { batches } => {
            let spent: Vec<_> = batches.iter().filter(|batch| is_spent(ledger, batch)).map(|b| b.digest()).collect();
            Ok((!spent.is_empty()).then_some(LedgerReply::Spent(spent)))
        }
        LedgerWork::Commit { block, proof } => {
            let blocks = ledger.commit(&block, proof)?;
            Ok(Some(LedgerReply::Committed(Committed::of(blocks, ledger))))
        }
    }
}

/// Whether no transaction of the batch can apply any more, in the committed state.
pub(crate) fn is_spent<D: Disk, I: Index>(ledger: &Ledger<D, I>, batch: &Batch) -> bool {
    let is_used_up = |nonce: u64, sender: &Account| nonce < ledger.account(sender).nonce;
    batch.transactions().iter().all(|transaction| is_used_up(transaction.body.nonce, &transaction.body.sender))
}
