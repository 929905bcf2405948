//! What a cluster can be asked, and what can be asserted about it.

use super::{Cluster, Commit, faults::Which};
use crate::{SimProtocol, checker::Ledgers, node::Life};
use quorate_consensus::{Evidence, MempoolStatus, ReplicaStatus};
use quorate_crypto::{Committee, Scheme};
use quorate_ledger::{Genesis, KvOp, Outcome};
use quorate_types::{Digest, Header, Height, ReplicaId, View, decode};
use quorate_validator::Docket;
use std::collections::BTreeMap;

/// Lines of the trace in a failure report.
const REPORTED: usize = 120;

impl<P: SimProtocol> Cluster<P> {
    fn life(&self, replica: impl Into<Which>) -> Option<&Life<P>> {
        self.nodes[replica.into().0.index()].life.as_ref()
    }

    /// Replicas whose process runs. Puppets are not among them.
    pub fn running(&self) -> impl Iterator<Item = ReplicaId> + '_ {
        self.nodes.iter().filter(|node| node.life.is_some()).map(|node| node.id)
    }

    /// Whether a replica's process runs.
    pub fn is_running(&self, replica: impl Into<Which>) -> bool {
        self.life(replica).is_some()
    }

    /// A running replica's state in numbers.
    pub fn status(&self, replica: impl Into<Which>) -> Option<ReplicaStatus> {
        self.life(replica).map(|life| life.core.replica().status())
    }

    /// A running replica's mempool in numbers.
    pub fn pool(&self, replica: impl Into<Which>) -> Option<MempoolStatus> {
        self.life(replica).map(|life| life.core.pool().status())
    }

    /// A running replica's view; genesis' for one that is down.
    pub fn view(&self, replica: impl Into<Which>) -> View {
        self.life(replica).map_or(View::GENESIS, |life| life.core.replica().view())
    }

    /// Height of a running replica's ledger; genesis' for one that is down.
    pub fn height(&self, replica: impl Into<Which>) -> Height {
        self.life(replica).map_or(Height::GENESIS, |life| life.ledger.head().height)
    }

    /// The greatest height that anybody ever committed.
    pub fn committed(&self) -> Height {
        self.checkers.chain.height()
    }

    pub(crate) fn is_dishonest(&self, replica: u16) -> bool {
        self.checkers.dishonest.contains(&ReplicaId(replica))
    }

    /// What each replica committed, over all its lives.
    pub fn commits(&self) -> &[Vec<Commit>] {
        &self.commits
    }

    /// The block that a running replica's ledger began from, if it fetched a snapshot.
    pub fn began_at(&self, replica: impl Into<Which>) -> Option<Height> {
        self.life(replica).and_then(|life| life.ledger.base()).map(|base| base.header.height)
    }

    /// What was refused as a lie, answers to whoever catches up and proof of faults: who refused whose, and why.
    pub fn refusals(&self) -> &[(ReplicaId, ReplicaId, String)] {
        &self.checkers.refused
    }

    /// A committed block's header, its time among other things.
    pub fn header(&self, height: u64) -> Option<&Header> {
        self.checkers.chain.header(Height(height))
    }

    /// The leader of the greatest view that a running replica is in.
    pub fn leader(&self) -> ReplicaId {
        let views = self.nodes.iter().filter_map(|node| node.life.as_ref()).map(|life| life.core.replica().status());
        let greatest = views.max_by_key(|status| status.view);
        greatest.and_then(|status| status.leader).unwrap_or(ReplicaId(0))
    }

    /// A value of the key-value store, as a running replica's ledger has it.
    pub fn get(&self, replica: impl Into<Which>, key: &[u8]) -> Option<Vec<u8>> {
        self.life(replica).and_then(|life| life.ledger.get(&quorate_ledger::user_key(key)))
    }

    /// What stands under a key of the state, as a running replica's ledger has it.
    pub fn state(&self, replica: impl Into<Which>, key: &[u8]) -> Option<Vec<u8>> {
        self.life(replica).and_then(|life| life.ledger.get(key))
    }

    /// How many messages of a kind were put on links, counted per receiver.
    pub fn messages(&self, kind: &str) -> u64 {
        self.counts.get(kind).copied().unwrap_or_default()
    }

    /// All of them, by kind.
    pub fn message_counts(&self) -> &BTreeMap<&'static str, u64> {
        &self.counts
    }

    /// How often a running attacker did otherwise than an honest replica would have, since its process started.
    pub fn deeds(&self, replica: impl Into<Which>) -> u64 {
        self.life(replica).map_or(0, Life::deeds)
    }

    /// Messages that no receiver would take: bad signatures, wrong shape.
    pub fn rejected(&self) -> u64 {
        self.rejected
    }

    /// Who holds what evidence: found, or heard of and checked.
    pub fn accusations(&self) -> impl Iterator<Item = (ReplicaId, &Evidence)> {
        self.checkers.accused.iter().map(|(who, evidence)| (*who, &**evidence))
    }

    /// What a running replica can prove, and who has shown it proof that proves nothing.
    pub fn docket(&self, replica: impl Into<Which>) -> Option<&Docket> {
        self.life(replica).map(|life| life.core.docket())
    }

    /// The genesis.
    pub fn genesis(&self) -> &Genesis {
        &self.setup.genesis
    }

    /// The scheme, with which tests check and make signatures.
    pub fn scheme(&self) -> &P::Scheme {
        &self.setup.scheme
    }

    /// Everything that a running replica holds, for people who look for a cause.
    pub fn dump(&self, replica: impl Into<Which>) -> String {
        self.life(replica).map(|life| format!("{:#?}", life.core)).unwrap_or_default()
    }

    /// The committee.
    pub fn committee(&self) -> &Committee {
        self.setup.scheme.committee()
    }

    /// The seed, the configuration, where everybody is, and the last part of the trace.
    pub fn report(&self) -> String {
        let mut report = String::new();
        if let Some(violation) = &self.violation {
            report += &format!("{violation}\n");
        }
        report += &format!("SEED={}\n{}\n", self.seed, self.configuration);
        for node in &self.nodes {
            let state = match &node.life {
                Some(life) => {
                    let head = life.ledger.head();
                    format!(
                        "{} {:?}, {:?}, {:?}",
                        head.height,
                        head.digest(),
                        life.core.replica().status(),
                        life.core.pool().status()
                    )
                }
                None if self.puppets.contains_key(&node.id) => "puppet".to_owned(),
                None => format!("down {}", node.death.as_ref().map(|death| format!("{death:?}")).unwrap_or_default()),
            };
            report += &format!("{}: {state}\n", node.id);
        }
        report + &self.trace.tail(REPORTED)
    }

    /// Compares every honest running replica's ledger with what was committed, and the violation ends the run.
    pub fn compare_ledgers(&mut self) {
        let mut ledgers = Ledgers::default();
        let is_compared = |id| !self.checkers.dishonest.contains(&id) && !self.checkers.apart.contains(&id);
        let honest = self.nodes.iter().filter(|node| is_compared(node.id));
        let mut lives = honest.filter_map(|node| node.life.as_ref());
        let looked = lives.try_for_each(|life| ledgers.look(life.id, &life.ledger, &self.checkers.chain));
        if let Err(violation) = looked {
            self.violated(violation);
        }
    }

    /// Every running replica's ledger, block by block, holds the same chain and the same state, up to the lowest head. Blocks
    /// below a snapshot are held by nobody who began from it.
    ///
    /// # Panics
    /// If two differ, naming the first height.
    pub fn assert_agreement(&self) {
        let lives: Vec<_> = self.nodes.iter().filter_map(|node| node.life.as_ref()).collect();
        let lowest = lives.iter().map(|life| life.ledger.head().height).min().unwrap_or_default();
        for height in (0..=lowest.0).map(Height) {
            let mut digests: Vec<(Digest, Digest)> = Vec::new();
            for life in lives.iter().filter(|life| life.ledger.held(height).is_ok()) {
                let stored = life.ledger.block(height).expect("a simulated disk reads");
                let stored =
                    stored.unwrap_or_else(|| panic!("{} has no block at {height}\n{}", life.id, self.report()));
                digests.push((stored.block.digest(), stored.app_root));
            }
            digests.dedup();
            assert!(digests.len() <= 1, "ledgers differ at {height}: {digests:?}\n{}", self.report());
        }
    }

    /// Every honest running replica's ledger holds exactly these payloads of transactions that applied, in this order; one that
    /// began from a snapshot the last of them.
    ///
    /// # Panics
    /// If one does not.
    pub fn assert_ledger<T: AsRef<[u8]>>(&self, expected: impl IntoIterator<Item = T>) {
        let expected: Vec<_> = expected.into_iter().map(|payload| lossy(payload.as_ref())).collect();
        let honest = self.nodes.iter().filter(|node| !self.checkers.dishonest.contains(&node.id));
        for life in honest.filter_map(|node| node.life.as_ref()) {
            let applied = self.applied(life);
            let below = if life.ledger.base().is_some() { expected.len().saturating_sub(applied.len()) } else { 0 };
            assert_eq!(applied, expected[below..], "the ledger of {}\n{}", life.id, self.report());
        }
    }

    fn applied(&self, life: &Life<P>) -> Vec<String> {
        let mut payloads = Vec::new();
        for height in (1..=life.ledger.head().height.0).map(Height) {
            let Ok(Some(stored)) = life.ledger.block(height) else { continue };
            let transactions = stored.batches.iter().flat_map(|batch| batch.transactions());
            for (transaction, (_, outcome)) in transactions.zip(&stored.outcomes) {
                if *outcome == Outcome::Applied {
                    payloads.push(self.readable(&transaction.body.payload));
                }
            }
        }
        payloads
    }

    fn readable(&self, payload: &[u8]) -> String {
        match decode::<KvOp>(payload) {
            Ok(KvOp::Put { key, .. })
                if matches!(self.setup.genesis.application, quorate_ledger::AppGenesis::Kv { .. }) =>
            {
                lossy(&key)
            }
            _ => lossy(payload),
        }
    }
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
