//! The ledger: opening it, committing to it, making it durable.

use crate::{
    AppGenesis, Change, Disk, Election, ExecuteError, Genesis, History, Index, LedgerError, Outcome, State,
    StoredBlock, Table,
    app::first_state,
    base,
    checkpoints::{Checkpoint, Checkpoints},
    execute::{Executed, run},
    proof::outcomes_root,
    query::TransactionRecord,
    snapshot::MAX_BELOW,
    store::{Base, Durable, SEGMENT, Store},
};
use quorate_types::{Batch, Block, ChainId, Digest, Header, Height, decode, encode};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

const HEAD: &[u8] = b"head";
const DURABLE: &[u8] = b"durable";

/// An append-only chain of committed blocks, and speculative blocks above it.
#[derive(Debug)]
pub struct Ledger<D, I> {
    pub(crate) store: Store<D>,
    pub(crate) index: I,
    pub(crate) genesis: Block,
    pub(crate) application: Arc<AppGenesis>,
    /// What it begins from, if not from genesis.
    pub(crate) base: Option<Base>,
    pub(crate) head: Header,
    pub(crate) head_digest: Digest,
    pub(crate) state: State,
    /// Root over what the head's transactions did.
    pub(crate) head_outcomes: Digest,
    /// Over all blocks, if all were ever here.
    pub(crate) history: Option<History>,
    /// States to be fetched by others.
    pub(crate) checkpoints: Checkpoints,
    /// How many headers below a checkpoint its fetcher needs to know who leads.
    pub(crate) memory: usize,
    /// Executed blocks above the head, by digest.
    pub(crate) overlays: BTreeMap<Digest, Executed>,
    /// Blocks that were executed above the head when the last snapshot passed them.
    pub(crate) passed: BTreeSet<Digest>,
}

/// A block that has just become final.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommittedBlock {
    /// The block.
    pub block: Block,
    /// Its batches.
    pub batches: Vec<Arc<Batch>>,
    /// What each of its transactions did, in order.
    pub outcomes: Vec<(Digest, Outcome)>,
}

impl<D: Disk, I: Index> Ledger<D, I> {
    /// Opens the ledger of a chain. Reads and checks the whole log; what the index lacks is executed again, and an index
    /// that does not fit the log is rebuilt. Blocks at the end whose commit proof a crash tore off are cut: nobody could prove
    /// them final.
    pub fn open(disk: D, index: I, genesis: &Genesis) -> Result<Self, LedgerError> {
        Self::open_with(disk, index, genesis, SEGMENT)
    }

    /// [`Ledger::open`] with segments of another size.
    pub(crate) fn open_with(disk: D, index: I, genesis: &Genesis, segment: u64) -> Result<Self, LedgerError> {
        let first = genesis.block();
        let chain = first.header.chain;
        let base = begins_at(&disk, &first.header)?;
        let from = base.as_ref().map_or(&first.header, |base| &base.manifest.header).clone();
        let segment_above = base.as_ref().map_or(1, |base| base.segment);
        let durable: Option<Durable> = meta(&index, chain, DURABLE)?;
        let (mut chained, mut proven) = (vec![from.digest()], 1);
        let is_known = |digest: &Digest| matches!(index.get(Table::Digest, &digest.0), Ok(Some(_)));
        let mut store = Store::open(disk, durable, segment, (&from, segment_above), is_known, |digest, is_proven| {
            chained.push(*digest);
            if is_proven {
                proven = chained.len();
            }
        })?;
        // A commit writes ancestors first: a crash may have torn off the block whose proof proves them.
        store.keep(proven - 1)?;
        chained.truncate(proven);
        let mut ledger = Self {
            store,
            index,
            application: Arc::new(genesis.application.clone()),
            head_digest: from.digest(),
            head: from,
            genesis: first,
            state: State::default(),
            head_outcomes: base.as_ref().map_or_else(|| outcomes_root(&[]), |base| base.manifest.outcomes_root),
            history: base.is_none().then(History::default),
            base,
            checkpoints: Checkpoints::every(genesis.params.checkpoint_interval),
            memory: if genesis.election == Election::Reputation { MAX_BELOW } else { 0 },
            overlays: BTreeMap::new(),
            passed: BTreeSet::new(),
        };
        base::sweep(&mut ledger.store.disk, segment_above);
        ledger.load(&chained)?;
        // Whoever was left behind while all were down finds something to fetch.
        ledger.offer_head()?;
        // From now on it is known how much was durable, before the first block too: the rest may reach the disk in any order.
        ledger.sync()?;
        Ok(ledger)
    }

    /// Takes the state from the index as far as it reaches, and executes the blocks above. `chained` are all blocks in the
    /// log, and first what it begins from.
    fn load(&mut self, chained: &[Digest]) -> Result<(), LedgerError> {
        let head: Option<(Height, Digest)> = meta(&self.index, self.head.chain, HEAD)?;
        let below = self.head.height.0;
        let mut indexed = match head {
            Some((height, digest)) => self.indexed(height, digest, chained)?,
            None => 0,
        };
        if indexed > 0 && !self.load_state(Height(below + indexed as u64))? {
            indexed = 0;
        }
        if indexed == 0 {
            self.begin_index()?;
        }
        if let Some(history) = &mut self.history {
            chained[..=indexed].iter().for_each(|digest| history.push(digest));
        }
        for above in indexed + 1..chained.len() {
            let height = Height(below + above as u64);
            let stored = self.store.read(height)?.expect("the log was just read up to here");
            self.replay(stored)?;
        }
        Ok(())
    }

    /// An index of what the ledger begins from.
    fn begin_index(&mut self) -> Result<(), LedgerError> {
        self.state = match &self.base {
            Some(base) => base::state(&mut self.store.disk, base)?,
            None => first_state(&self.application),
        };
        self.state.take_changes();
        self.index.clear()?;
        self.index_base()
    }

    /// Fills an empty index with the present state, which is the one that the ledger begins from.
    pub(crate) fn index_base(&mut self) -> Result<(), LedgerError> {
        let state = self.state.iter().map(|(key, value)| (Table::State, key.to_vec(), Some(value.to_vec())));
        let mut changes: Vec<Change> = state.collect();
        if let Some(base) = &self.base {
            let header = &base.manifest.header;
            changes.push((Table::Digest, header.digest().0.to_vec(), Some(encode(&header.height))));
        }
        Ok(self.index.write(changes)?)
    }

    /// How far above its beginning the index fits the log. The index of a block that the log does not have yet is of no use; one that knows
    /// another block at a height shows that the log was changed.
    fn indexed(&self, height: Height, digest: Digest, chained: &[Digest]) -> Result<usize, LedgerError> {
        let Some(above) = height.0.checked_sub(self.head.height.0) else { return Ok(0) };
        let at = usize::try_from(above).unwrap_or(usize::MAX);
        match chained.get(at) {
            Some(found) if *found == digest => Ok(at),
            Some(found) => {
                Err(self.store.unsound(height, format!("it is {found}, and the index knows it as {digest}")))
            }
            None => Ok(0),
        }
    }

    /// The index' state, if it is the one that the block at `height` leads to.
    fn load_state(&mut self, height: Height) -> Result<bool, LedgerError> {
        let block = self.store.read(height)?.expect("the log was just read up to here");
        let mut state = State::default();
        for (key, value) in self.index.all(Table::State)? {
            state.insert(key, value);
        }
        state.take_changes();
        if state.root() != block.app_root {
            return Ok(false);
        }
        self.state = state;
        self.set_head(&block.block.header, outcomes_root(&block.outcomes));
        Ok(true)
    }

    fn replay(&mut self, stored: StoredBlock) -> Result<(), LedgerError> {
        let height = stored.block.header.height;
        let executed = run(&self.application, &self.state, stored.block, stored.batches);
        if executed.block.header.state_root != executed.state_root() {
            let (claimed, computed) = (executed.block.header.state_root, executed.state_root());
            return Err(LedgerError::Diverged { height, source: ExecuteError::WrongStateRoot { claimed, computed } });
        }
        self.adopt(executed)?;
        Ok(())
    }

    fn set_head(&mut self, header: &Header, outcomes: Digest) {
        self.head = header.clone();
        self.head_digest = header.digest();
        self.head_outcomes = outcomes;
    }

    /// Makes an executed block above the head the head, in memory and index.
    fn adopt(&mut self, mut executed: Executed) -> Result<CommittedBlock, LedgerError> {
        let header = executed.block.header.clone();
        let mut changes = Self::transaction_changes(&executed);
        changes.push((Table::Digest, header.digest().0.to_vec(), Some(encode(&header.height))));
        changes.push((Table::Meta, HEAD.to_vec(), Some(encode(&(header.chain, (header.height, header.digest()))))));
        changes.extend(executed.state.take_changes().into_iter().map(|(key, value)| (Table::State, key, value)));
        self.index.write(changes)?;
        self.set_head(&header, outcomes_root(&executed.outcomes));
        if let Some(history) = &mut self.history {
            history.push(&self.head_digest);
        }
        self.state = executed.state;
        Ok(CommittedBlock { block: executed.block, batches: executed.batches, outcomes: executed.outcomes })
    }

    /// The index keeps the place at which a transaction took effect, and, apart, where it was skipped: so nothing needs to be looked up
    /// here, however many old transactions a liar puts into a block.
    fn transaction_changes(executed: &Executed) -> Vec<Change> {
        let height = executed.block.header.height;
        let bodies = executed.batches.iter().enumerate();
        let places = bodies.flat_map(|(batch, body)| (0..body.transactions().len()).map(move |at| (batch, at)));
        let change = |((batch, position), (digest, outcome)): ((usize, usize), &(Digest, Outcome))| {
            let table = if matches!(outcome, Outcome::Skipped(_)) { Table::Skipped } else { Table::Transaction };
            let record = TransactionRecord { height, batch, position, outcome: *outcome };
            (table, digest.0.to_vec(), Some(encode(&record)))
        };
        places.zip(&executed.outcomes).map(change).collect()
    }

    /// Commits an executed block and its uncommitted ancestors, oldest first; `proof` proves `block`. What does not stand
    /// above it is forgotten. A block that is committed already, or lies below a snapshot that was installed since it was executed, is
    /// left alone. Not durable before [`Ledger::sync`].
    pub fn commit(&mut self, block: &Digest, proof: Vec<u8>) -> Result<Vec<CommittedBlock>, LedgerError> {
        if *block == self.head_digest || self.height_of(block).is_some() || self.passed.contains(block) {
            return Ok(Vec::new());
        }
        let (mut path, below) = (Vec::new(), self.head.height);
        let mut at = *block;
        while at != self.head_digest {
            let executed = self.overlays.get(&at).ok_or(LedgerError::NotExecuted { block: at })?;
            path.push(at);
            at = executed.block.header.parent;
        }
        let mut committed = Vec::with_capacity(path.len());
        for digest in path.into_iter().rev() {
            let executed = self.overlays.remove(&digest).expect("the path runs through held blocks");
            self.store.append(&StoredBlock {
                block: executed.block.clone(),
                batches: executed.batches.clone(),
                proof: (digest == *block).then(|| proof.clone()),
                app_root: executed.app_root,
                outcomes: executed.outcomes.clone(),
            })?;
            committed.push(self.adopt(executed)?);
        }
        self.prune();
        if self.checkpoints.is_due(below, self.head.height) {
            self.offer(proof);
        }
        Ok(committed)
    }

    /// Lets others fetch the state at the head, which `proof` proves final.
    pub(crate) fn offer(&mut self, proof: Vec<u8>) {
        self.checkpoints.keep(Checkpoint::new(self.head.clone(), proof, self.head_outcomes, &self.state));
    }

    fn offer_head(&mut self) -> Result<(), LedgerError> {
        if let Some(proof) = self.head_proof()? {
            self.offer(proof);
        }
        Ok(())
    }

    /// Takes in blocks that block sync brought: the first directly above the head, the last proven by `proof`. The caller
    /// has checked links and proof.
    pub fn append_synced(
        &mut self,
        blocks: Vec<(Block, Vec<Batch>)>,
        proof: Vec<u8>,
    ) -> Result<Vec<CommittedBlock>, LedgerError> {
        let last = blocks.last().map(|(block, _)| block.digest());
        self.hold_synced(blocks)?;
        last.map_or(Ok(Vec::new()), |last| self.commit(&last, proof))
    }

    /// Forgets executed blocks that do not stand above the head.
    pub(crate) fn prune(&mut self) {
        let mut kept = BTreeMap::new();
        let mut overlays: Vec<_> = std::mem::take(&mut self.overlays).into_iter().collect();
        overlays.sort_by_key(|(_, executed)| executed.block.header.height);
        for (digest, executed) in overlays {
            let parent = executed.block.header.parent;
            if parent == self.head_digest || kept.contains_key(&parent) {
                kept.insert(digest, executed);
            }
        }
        self.overlays = kept;
    }

    /// Makes everything committed durable: first the log, then the index.
    pub fn sync(&mut self) -> Result<(), LedgerError> {
        self.sync_log()?;
        Ok(self.index.sync()?)
    }

    /// Makes all blocks durable. The index, which can be made from them, is only begun to be: it does not keep the caller waiting.
    pub fn sync_blocks(&mut self) -> Result<(), LedgerError> {
        self.sync_log()?;
        Ok(self.index.begin_sync()?)
    }

    /// Makes the log durable, and tells the index so.
    fn sync_log(&mut self) -> Result<(), LedgerError> {
        let durable = self.store.sync()?;
        Ok(self.index.write(vec![(Table::Meta, DURABLE.to_vec(), Some(encode(&(self.head.chain, durable))))])?)
    }
}

/// What stands on the disk for genesis.
fn begins_at<D: Disk>(disk: &D, genesis: &Header) -> Result<Option<Base>, LedgerError> {
    let base = base::find(disk)?;
    if let Some(Base { manifest, .. }) = &base
        && let Err(error) = manifest.check(genesis)
    {
        return Err(LedgerError::BadSnapshot { height: manifest.header.height, why: error.to_string() });
    }
    Ok(base)
}

/// What the index says of itself, if it is of this chain.
fn meta<T: borsh::BorshDeserialize, I: Index>(index: &I, chain: ChainId, key: &[u8]) -> Result<Option<T>, LedgerError> {
    let stored = index.get(Table::Meta, key)?.and_then(|bytes| decode::<(ChainId, T)>(&bytes).ok());
    Ok(stored.filter(|(of, _)| *of == chain).map(|(_, value)| value))
}
