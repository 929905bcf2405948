//! Questions to the ledger, and proofs as answers.

use crate::{
    AccountState, Disk, Finality, History, Index, Ledger, LedgerError, Manifest, NotHeld, Outcome, StateAnswer,
    StoredBlock, Table, Tip, TransactionProof, app, proof::outcome_leaf,
};
use borsh::{BorshDeserialize, BorshSerialize, io};
use quorate_types::{Account, Digest, Header, Height, decode, merkle};

/// Where a transaction is, and what it did there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TransactionRecord {
    /// Which block.
    pub height: Height,
    /// Which of its batches.
    pub batch: usize,
    /// Where in the batch.
    pub position: usize,
    /// What it did.
    pub outcome: Outcome,
}

impl BorshSerialize for TransactionRecord {
    fn serialize<W: io::Write>(&self, writer: &mut W) -> io::Result<()> {
        (self.height, self.batch as u64, self.position as u64, self.outcome).serialize(writer)
    }
}

impl BorshDeserialize for TransactionRecord {
    fn deserialize_reader<R: io::Read>(reader: &mut R) -> io::Result<Self> {
        let (height, batch, position, outcome) = <(Height, u64, u64, Outcome)>::deserialize_reader(reader)?;
        let index = |number| usize::try_from(number).map_err(|_| quorate_types::codec::invalid("an index"));
        Ok(Self { height, batch: index(batch)?, position: index(position)?, outcome })
    }
}

impl<D: Disk, I: Index> Ledger<D, I> {
    /// The chain's first block.
    pub fn genesis(&self) -> &Header {
        &self.genesis.header
    }

    /// The last committed block.
    pub fn head(&self) -> &Header {
        &self.head
    }

    /// A committed block with its batches, proof and outcomes.
    pub fn block(&self, height: Height) -> Result<Option<StoredBlock>, LedgerError> {
        if height == Height::GENESIS {
            return Ok(Some(StoredBlock {
                block: self.genesis.clone(),
                batches: Vec::new(),
                proof: Some(Vec::new()),
                app_root: app::first_state(&self.application).root(),
                outcomes: Vec::new(),
            }));
        }
        self.store.read(height)
    }

    /// What this ledger began from, if not from genesis: the blocks up to there are not held.
    pub fn base(&self) -> Option<&Manifest> {
        self.base.as_ref().map(|base| &base.manifest)
    }

    /// Whether committed blocks at this height are here.
    pub fn held(&self, height: Height) -> Result<(), NotHeld> {
        match self.base() {
            Some(base) if height > Height::GENESIS && height <= base.header.height => {
                Err(NotHeld { height, base: base.header.height })
            }
            _ => Ok(()),
        }
    }

    /// The header of a committed block, where that is known.
    pub fn header(&self, height: Height) -> Result<Option<Header>, LedgerError> {
        if let Some(base) = self.base()
            && self.held(height).is_err()
        {
            let mut known = std::iter::once(&base.header).chain(&base.below);
            return Ok(known.find(|header| header.height == height).cloned());
        }
        Ok(self.block(height)?.map(|stored| stored.block.header))
    }

    /// The commit proof of the head; genesis has none.
    pub fn head_proof(&self) -> Result<Option<Vec<u8>>, LedgerError> {
        match self.base() {
            Some(base) if base.header.height == self.head.height => Ok(Some(base.proof.to_vec())),
            _ if self.head.height == Height::GENESIS => Ok(None),
            _ => Ok(self.block(self.head.height)?.and_then(|stored| stored.proof)),
        }
    }

    /// The height of a committed block.
    pub fn height_of(&self, block: &Digest) -> Option<Height> {
        if *block == self.genesis.digest() {
            return Some(Height::GENESIS);
        }
        let stored = self.index.get(Table::Digest, &block.0).ok().flatten()?;
        decode(&stored).ok()
    }

    /// What proves a committed block final: its own proof, or the headers up to the next block that has one.
    pub fn finality(&self, height: Height) -> Result<Option<Finality>, LedgerError> {
        if let Some(base) = self.base()
            && base.header.height == height
        {
            return Ok(Some(Finality { descendants: Vec::new(), proof: base.proof.to_vec() }));
        }
        let mut descendants = Vec::new();
        let mut at = height;
        while let Some(stored) = self.block(at)? {
            if at != height {
                descendants.push(stored.block.header);
            }
            if let Some(proof) = stored.proof {
                return Ok(Some(Finality { descendants, proof }));
            }
            at = at.next();
        }
        Ok(None)
    }

    /// Where a transaction took effect, or where it was skipped last if it never did.
    pub fn transaction(&self, transaction: &Digest) -> Result<Option<TransactionRecord>, LedgerError> {
        for table in [Table::Transaction, Table::Skipped] {
            if let Some(stored) = self.index.get(table, &transaction.0)? {
                return Ok(decode(&stored).ok());
            }
        }
        Ok(None)
    }

    /// Proof that a transaction is in the ledger and of what it did.
    pub fn prove_transaction(&self, transaction: &Digest) -> Result<Option<TransactionProof>, LedgerError> {
        let Some(record) = self.transaction(transaction)? else { return Ok(None) };
        let (Some(stored), Some(finality)) = (self.block(record.height)?, self.finality(record.height)?) else {
            return Ok(None);
        };
        let Some(batch) = stored.batches.get(record.batch) else { return Ok(None) };
        let before: usize = stored.batches[..record.batch].iter().map(|batch| batch.transactions().len()).sum();
        let leaves: Vec<_> = stored.outcomes.iter().map(|(digest, outcome)| outcome_leaf(digest, outcome)).collect();
        let at = before + record.position;
        let (Some(body), Some(in_batch), Some(in_block), Some(outcome_path)) = (
            batch.transactions().get(record.position),
            batch.prove(record.position),
            stored.block.prove(record.batch),
            merkle::prove(&leaves, at),
        ) else {
            return Ok(None);
        };
        Ok(Some(TransactionProof {
            transaction: body.clone(),
            position: (record.position as u64, batch.transactions().len() as u64),
            in_batch,
            batch: (record.batch as u64, stored.batches.len() as u64),
            in_block,
            outcome: record.outcome,
            outcome_position: (at as u64, leaves.len() as u64),
            outcome_path,
            app_root: stored.app_root,
            header: stored.block.header,
            finality,
        }))
    }

    /// The value under a state key, at the head.
    pub fn get(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.state.get(key).map(<[u8]>::to_vec)
    }

    /// The value under a state key at the head, or its absence, with proof.
    pub fn prove_state(&self, key: &[u8]) -> Result<StateAnswer, LedgerError> {
        let height = self.head.height;
        let finality = self.finality(height)?.unwrap_or_default();
        Ok(StateAnswer {
            value: self.get(key),
            proof: self.state.prove(key),
            outcomes_root: self.head_outcomes,
            header: self.head.clone(),
            finality,
        })
    }

    /// An account, at the head.
    pub fn account(&self, account: &Account) -> AccountState {
        app::account(&self.state, account)
    }

    /// What is committed, as a value.
    pub fn tip(&self) -> Tip {
        Tip { application: self.application.clone(), head: self.head.clone(), state: self.state.clone() }
    }

    /// The Merkle tree over all committed blocks. A ledger that began from a snapshot has none: no certificate covers the
    /// tree's root, so what others say of the blocks below could not be checked.
    pub fn history(&self) -> Result<&History, NotHeld> {
        let base = self.base().map_or(Height::GENESIS, |base| base.header.height);
        self.history.as_ref().ok_or(NotHeld { height: Height::GENESIS.next(), base })
    }

    /// How many executed blocks stand above the head.
    pub fn uncommitted(&self) -> usize {
        self.overlays.len()
    }

    /// How many keys the state has.
    pub fn state_len(&self) -> usize {
        self.state.len()
    }
}
