//! What a replica that is behind asks, whom, and when it gives up: a value, for simulator and node alike.
//!
//! A *run* begins with [`CatchUp::want`] and ends when the ledger is where the replica wants it, or when every peer has failed
//! at every way to get there; the replica asks again. There is one question at a time. It is put to the peer that answered
//! last, as long as its answers come soon and bring much: one that drips shall not keep the others from helping. Who fails is not
//! asked again before all others have failed as well, and liars are out for the rest of the run.
//!
//! A snapshot costs the blocks below it, so it is fetched only by who is far behind, or from a peer that *said* that it does not
//! have the blocks either. Silence says nothing: a run that met nothing else is over, and the replica asks again at its own pace.

use super::{
    Blocks, Broken, ENOUGH_BYTES, MAX_BLOCKS, SyncError, SyncReply, SyncRequest,
    blocks::{self, Taken},
    snapshot::Transfer,
};
use crate::{LedgerReply, NotFinal};
use quorate_ledger::{Disk, Index, Ledger};
use quorate_types::{Header, Height, ReplicaId, codec::encoded_len};
use std::{collections::BTreeSet, fmt, mem, time::Duration};

/// Names one question: an answer to an earlier one is void.
pub type Ticket = u64;

/// Blocks that are worth reading in any case: a replica that fetched a snapshot does not have the blocks below.
const WORTH_READING: u64 = 2048;

/// An answer that takes longer is late: the next question goes to another peer.
const LATE: Duration = Duration::from_secs(2);

/// How far a replica is to be behind before it fetches a snapshot rather than blocks, unless told: more than two checkpoints,
/// and more than a few replies of block sync.
pub fn snapshot_gap(checkpoint_interval: u64) -> u64 {
    checkpoint_interval.saturating_mul(2).max(WORTH_READING)
}

/// A question to a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ask {
    /// Whom.
    pub to: ReplicaId,
    /// What.
    pub request: SyncRequest,
    /// Comes back with the answer, or with its absence.
    pub ticket: Ticket,
}

/// An answer that was not taken: whose, and why.
#[derive(Debug)]
pub struct Refusal {
    /// Who gave it.
    pub peer: ReplicaId,
    /// What is wrong with it.
    pub why: SyncError,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.peer, self.why)
    }
}

/// What an answer led to.
#[derive(Debug, Default)]
pub struct Outcome {
    /// For the core: the ledger has come further.
    pub reply: Option<LedgerReply>,
    /// The next question; `None`: the run is over, or goes on elsewhere.
    pub ask: Option<Ask>,
    /// The answer was of no use.
    pub refused: Option<Refusal>,
}

/// How commit proofs are checked.
pub type Check<'a> = &'a dyn Fn(&Header, &[u8]) -> Result<(), NotFinal>;

/// The asking side.
#[derive(Debug)]
pub struct CatchUp {
    peers: Vec<ReplicaId>,
    gap: u64,
    ticket: Ticket,
    run: Option<Run>,
}

#[derive(Debug)]
struct Run {
    target: Height,
    /// Index of the peer asked now.
    turn: usize,
    /// Peers that failed at this way in the present round.
    failed: BTreeSet<ReplicaId>,
    /// Whether somebody helped in this round.
    is_helped: bool,
    avoided: BTreeSet<ReplicaId>,
    way: Way,
    has_tried: Tried,
    /// Peers that said that they do not have the block above the last that we have.
    without: BTreeSet<ReplicaId>,
    /// The last block of those that wait in the ledger for a proof.
    held: Option<Header>,
}

#[derive(Debug)]
enum Way {
    Blocks,
    Manifest { above: Height },
    State(Box<Transfer>),
}

/// Ways at which a whole round of peers has failed.
#[derive(Clone, Copy, Debug, Default)]
struct Tried {
    blocks: bool,
    snapshots: bool,
}

impl CatchUp {
    /// With these peers. Further behind than `gap` blocks it fetches a snapshot; see [`snapshot_gap`].
    pub fn new(peers: Vec<ReplicaId>, gap: u64) -> Self {
        Self { peers, gap, ticket: 0, run: None }
    }

    /// Whether it is about it.
    pub fn is_running(&self) -> bool {
        self.run.is_some()
    }

    /// The replica wants the ledger to stand at `height`, and `from` is ahead. One run at a time.
    pub fn want<D: Disk, I: Index>(
        &mut self,
        (from, height): (ReplicaId, Height),
        ledger: &Ledger<D, I>,
    ) -> Option<Ask> {
        if self.run.is_some() {
            return None;
        }
        let turn = self.peers.iter().position(|peer| *peer == from).unwrap_or_default();
        let mut run = Run {
            target: height,
            turn,
            failed: BTreeSet::new(),
            is_helped: false,
            avoided: BTreeSet::new(),
            way: Way::Blocks,
            has_tried: Tried::default(),
            without: BTreeSet::new(),
            held: None,
        };
        run.choose(ledger.head().height, self.gap);
        self.run = Some(run);
        self.ask(ledger)
    }

    /// No usable answer to a question: lost, or not even decoded.
    pub fn failed<D: Disk, I: Index>(&mut self, ticket: Ticket, why: SyncError, ledger: &Ledger<D, I>) -> Outcome {
        if ticket != self.ticket || self.run.is_none() {
            return Outcome::default();
        }
        let refused = self.blame(why);
        Outcome { reply: None, ask: self.ask(ledger), refused }
    }

    /// A peer's answer, which took some time.
    pub fn answered<D: Disk, I: Index>(
        &mut self,
        ticket: Ticket,
        (reply, took): (SyncReply, Duration),
        ledger: &mut Ledger<D, I>,
        check: Check<'_>,
    ) -> Result<Outcome, Broken> {
        if ticket != self.ticket || self.run.is_none() {
            return Ok(Outcome::default());
        }
        // Whatever else comes for this question is void from here on.
        self.ticket += 1;
        let is_poor = took > LATE || self.is_little(&reply);
        match self.take(reply, ledger, check) {
            Ok(reply) => {
                if is_poor {
                    self.turn();
                }
                Ok(Outcome { reply, ask: self.ask(ledger), refused: None })
            }
            Err(SyncError::Broken(broken)) => Err(broken),
            Err(why) => {
                let refused = self.blame(why);
                Ok(Outcome { reply: None, ask: self.ask(ledger), refused })
            }
        }
    }

    /// Whether it brings much less than an honest peer gives at a time, and does not end where the replica wants to be either.
    fn is_little(&self, reply: &SyncReply) -> bool {
        let (Some(run), SyncReply::Blocks(Blocks { blocks, .. })) = (&self.run, reply) else { return false };
        let is_the_end = blocks.last().is_none_or(|last| last.block.header.height >= run.target);
        !is_the_end && blocks.len() < MAX_BLOCKS / 2 && encoded_len(blocks) < ENOUGH_BYTES / 2
    }

    /// The next question goes to another peer.
    fn turn(&mut self) {
        if let Some(run) = &mut self.run {
            run.turn = (run.turn + 1) % self.peers.len();
        }
    }

    fn take<D: Disk, I: Index>(
        &mut self,
        reply: SyncReply,
        ledger: &mut Ledger<D, I>,
        check: Check<'_>,
    ) -> Result<Option<LedgerReply>, SyncError> {
        let (gap, run) = (self.gap, self.run.as_mut().expect("the ticket is a run's"));
        let peer = self.peers[run.turn];
        let taken = match (&mut run.way, reply) {
            (Way::Blocks, SyncReply::Blocks(blocks)) => {
                let taken = blocks::take(ledger, run.held.as_ref(), blocks, check)?;
                run.without.clear();
                match taken {
                    Taken::Held(last) => {
                        run.held = Some(last);
                        None
                    }
                    Taken::Committed(reply) => Some(reply),
                }
            }
            (Way::Manifest { above }, SyncReply::Manifest(manifest)) => {
                let manifest = manifest.ok_or(SyncError::Nothing)?;
                let genesis = ledger.genesis().clone();
                run.way = Way::State(Box::new(Transfer::begin((*manifest, peer), *above, &genesis, check)?));
                None
            }
            (Way::State(transfer), SyncReply::Chunk(chunk)) => {
                transfer.take(&chunk.ok_or(SyncError::Nothing)?)?;
                None
            }
            (Way::Blocks | Way::Manifest { .. } | Way::State(_), _) => return Err(SyncError::Unasked),
        };
        run.is_helped = true;
        if !matches!(&run.way, Way::State(transfer) if transfer.next().is_none()) {
            return Ok(taken);
        }
        let Way::State(transfer) = mem::replace(&mut run.way, Way::Blocks) else { return Ok(taken) };
        let installed = transfer.install(ledger)?;
        run.has_tried = Tried::default();
        run.without.clear();
        run.choose(ledger.head().height, gap);
        Ok(installed)
    }

    /// The peer asked last is of no use for this question.
    fn blame(&mut self, why: SyncError) -> Option<Refusal> {
        let run = self.run.as_mut()?;
        let peer = *self.peers.get(run.turn)?;
        if why.is_lie() {
            run.avoided.insert(peer);
        } else {
            run.failed.insert(peer);
        }
        if matches!((&run.way, &why), (Way::Blocks, SyncError::Nothing)) {
            run.without.insert(peer);
        }
        self.turn();
        Some(Refusal { peer, why })
    }

    /// The next question, if there is a peer left to put one to.
    fn ask<D: Disk, I: Index>(&mut self, ledger: &Ledger<D, I>) -> Option<Ask> {
        let request = self.next_request(ledger);
        if request.is_none() {
            self.run = None;
        }
        let run = self.run.as_mut()?;
        while !run.is_able(self.peers[run.turn]) {
            run.turn = (run.turn + 1) % self.peers.len();
        }
        self.ticket += 1;
        Some(Ask { to: self.peers[run.turn], request: request?, ticket: self.ticket })
    }

    fn next_request<D: Disk, I: Index>(&mut self, ledger: &Ledger<D, I>) -> Option<SyncRequest> {
        let run = self.run.as_mut()?;
        let head = ledger.head().height;
        loop {
            if head >= run.target || self.peers.iter().all(|peer| run.avoided.contains(peer)) {
                return None;
            }
            if self.peers.iter().any(|peer| run.is_able(*peer)) {
                break;
            }
            if run.is_helped {
                run.begin_round();
            } else {
                run.give_up(head, self.gap)?;
            }
        }
        match &run.way {
            Way::Blocks => Some(SyncRequest::Blocks { above: blocks::top(ledger, run.held.as_ref()).height }),
            Way::Manifest { above } => Some(SyncRequest::Manifest { above: *above }),
            Way::State(transfer) => transfer.next(),
        }
    }
}

impl Run {
    /// The way from here: a snapshot if that is much shorter.
    fn choose(&mut self, head: Height, gap: u64) {
        let short = Height(self.target.0.saturating_sub(gap));
        self.way = match self.has_tried {
            Tried { snapshots: false, .. } if short > head => Way::Manifest { above: short },
            // Who has none of the blocks began from a snapshot, perhaps.
            Tried { blocks: true, .. } => Way::Manifest { above: head },
            Tried { .. } => Way::Blocks,
        };
        self.begin_round();
    }

    /// Everybody may be asked.
    fn begin_round(&mut self) {
        self.failed.clear();
        self.is_helped = false;
    }

    fn is_able(&self, peer: ReplicaId) -> bool {
        let is_for_lack_of_blocks = self.has_tried.blocks && matches!(self.way, Way::Manifest { .. });
        !self.avoided.contains(&peer)
            && !self.failed.contains(&peer)
            && (!is_for_lack_of_blocks || self.without.contains(&peer))
    }

    /// Nobody helps on this way. The next one, if there is any.
    fn give_up(&mut self, head: Height, gap: u64) -> Option<()> {
        match mem::replace(&mut self.way, Way::Blocks) {
            Way::Blocks if self.without.is_empty() => return None,
            Way::Blocks => self.has_tried.blocks = true,
            Way::Manifest { .. } => self.has_tried.snapshots = true,
            // Who offers what nobody else has and then does not give it shall not do so twice.
            Way::State(transfer) => {
                self.avoided.insert(transfer.from);
            }
        }
        if self.has_tried.blocks && self.has_tried.snapshots {
            return None;
        }
        self.choose(head, gap);
        Some(())
    }
}
