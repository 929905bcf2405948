//! One chain for everybody, for ever.

use super::{Rule, Violation};
use quorate_ledger::{CommittedBlock, Outcome};
use quorate_types::{Account, Digest, Header, Height, ReplicaId, Transaction};
use std::collections::BTreeMap;

/// Where a transaction took effect, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Placed {
    pub(crate) height: Height,
    pub(crate) outcome: Outcome,
}

/// The chain as whoever was first at each height committed it.
pub(crate) struct Chain {
    headers: Vec<Header>,
    digests: Vec<Digest>,
    /// Each replica's head in its present life.
    heads: BTreeMap<ReplicaId, Height>,
    placed: BTreeMap<Digest, Placed>,
    nonces: BTreeMap<Account, u64>,
    /// What took effect, in order.
    effects: Vec<Transaction>,
    /// Height of the last block with transactions.
    last_nonempty: Height,
    /// What liars committed above all others: part of the chain if somebody honest fetches it from them, with proof.
    rumours: BTreeMap<Digest, CommittedBlock>,
}

impl Chain {
    pub(crate) fn new(genesis: Header) -> Self {
        Self {
            digests: vec![genesis.digest()],
            headers: vec![genesis],
            heads: BTreeMap::new(),
            placed: BTreeMap::new(),
            nonces: BTreeMap::new(),
            effects: Vec::new(),
            last_nonempty: Height::GENESIS,
            rumours: BTreeMap::new(),
        }
    }

    pub(crate) fn height(&self) -> Height {
        self.headers.last().map_or(Height::GENESIS, |head| head.height)
    }

    /// Height of the last committed block with transactions: whoever stands there has everything that matters.
    pub(crate) fn last_nonempty(&self) -> Height {
        self.last_nonempty
    }

    pub(crate) fn header(&self, height: Height) -> Option<&Header> {
        self.headers.get(usize::try_from(height.0).ok()?)
    }

    /// Of each account that has used one, the next nonce.
    pub(crate) fn nonces(&self) -> &BTreeMap<Account, u64> {
        &self.nonces
    }

    pub(crate) fn placed(&self, transaction: &Digest) -> Option<Placed> {
        self.placed.get(transaction).copied()
    }

    pub(crate) fn effects(&self) -> &[Transaction] {
        &self.effects
    }

    /// A process starts with this head, or fetches it with its state: it must be one that was committed.
    pub(crate) fn opened(&mut self, who: ReplicaId, head: &Header) -> Result<(), Violation> {
        self.same(who, head)?;
        if head.height > self.height() {
            self.believe(who, head)?;
        }
        if head.height > self.height() {
            let what = format!("{who} starts at {}, which nobody has committed", head.height);
            return Err(Violation::new(Rule::Agreement, what));
        }
        self.heads.insert(who, head.height);
        Ok(())
    }

    /// A liar committed this.
    pub(crate) fn rumour(&mut self, committed: CommittedBlock) {
        let height = self.height();
        self.rumours.retain(|_, rumour| rumour.block.header.height > height);
        self.rumours.insert(committed.block.digest(), committed);
    }

    /// Nobody but liars committed what stands below this head, and an honest replica has its proof.
    fn believe(&mut self, who: ReplicaId, head: &Header) -> Result<(), Violation> {
        let mut path = Vec::new();
        let mut at = head.digest();
        while let Some(rumour) = self.rumours.get(&at).filter(|rumour| rumour.block.header.height > self.height()) {
            path.push(rumour.clone());
            at = rumour.block.header.parent;
        }
        path.iter().rev().try_for_each(|rumour| self.extend(who, rumour))
    }

    pub(crate) fn committed(&mut self, who: ReplicaId, committed: &CommittedBlock) -> Result<(), Violation> {
        let header = &committed.block.header;
        let below = self.heads.get(&who).copied().unwrap_or_default();
        if header.height != below.next() {
            let what = format!("{who} commits {} directly after {below}", header.height);
            return Err(Violation::new(Rule::HashChain, what));
        }
        self.same(who, header)?;
        self.heads.insert(who, header.height);
        if header.height > self.height() { self.extend(who, committed) } else { Ok(()) }
    }

    fn same(&self, who: ReplicaId, header: &Header) -> Result<(), Violation> {
        let index = usize::try_from(header.height.0).unwrap_or(usize::MAX);
        match self.digests.get(index) {
            Some(known) if *known != header.digest() => {
                let known = &self.headers[index];
                let what = format!(
                    "{who} has {:?} (view {}) at {}, where {known:?} (view {}) was committed before",
                    header.digest(),
                    header.view.0,
                    header.height,
                    known.view.0,
                );
                Err(Violation::new(Rule::Agreement, what))
            }
            _ => Ok(()),
        }
    }

    /// The first to commit this height: its links, and what its transactions do.
    fn extend(&mut self, who: ReplicaId, committed: &CommittedBlock) -> Result<(), Violation> {
        let header = &committed.block.header;
        let height = header.height;
        if self.digests.last() != Some(&header.parent) || !committed.block.is_well_formed() {
            let what = format!("the block that {who} commits at {height} does not follow from the one below");
            return Err(Violation::new(Rule::HashChain, what));
        }
        let transactions: Vec<_> = committed.batches.iter().flat_map(|batch| batch.transactions()).collect();
        if transactions.len() != committed.outcomes.len() {
            return Err(Violation::new(Rule::AtMostOnce, format!("transactions without an outcome at {height}")));
        }
        for (transaction, (digest, outcome)) in transactions.into_iter().zip(&committed.outcomes) {
            if !matches!(outcome, Outcome::Skipped(_)) {
                self.take_effect(transaction, *digest, Placed { height, outcome: *outcome })?;
            }
        }
        if !committed.block.payload.is_empty() {
            self.last_nonempty = height;
        }
        self.digests.push(header.digest());
        self.headers.push(header.clone());
        Ok(())
    }

    fn take_effect(&mut self, transaction: &Transaction, digest: Digest, placed: Placed) -> Result<(), Violation> {
        let height = placed.height;
        if let Some(earlier) = self.placed.insert(digest, placed) {
            let what = format!("transaction {digest:?} took effect at {} and again at {height}", earlier.height);
            return Err(Violation::new(Rule::AtMostOnce, what));
        }
        let (sender, nonce) = (transaction.body.sender, transaction.body.nonce);
        let next = self.nonces.entry(sender).or_default();
        if nonce != *next {
            let what = format!("{sender:?} used nonce {nonce} at {height} where {next} was due");
            return Err(Violation::new(Rule::AtMostOnce, what));
        }
        *next += 1;
        self.effects.push(transaction.clone());
        Ok(())
    }
}
