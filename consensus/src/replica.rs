//! The sans-IO interface of every protocol: an event in, a [`Step`] out.

use crate::{Cost, Evidence, Step, Verified, Verify, diagnosis::Diagnosis};
use borsh::{BorshDeserialize, BorshSerialize};
use quorate_types::{Block, Digest, Header, Height, ReplicaId, View};
use std::{collections::BTreeSet, fmt::Debug, time::Duration};

/// One participant in a replicated state machine.
///
/// A replica touches no socket, disk, clock or random source: the same events in the same order always give the same
/// steps.
pub trait Replica {
    /// What replicas of this protocol say to each other.
    type Message: Clone + Debug + BorshSerialize + BorshDeserialize + Verify + Kind + Cost + Send + 'static;
    /// What must survive a crash for this replica to stay honest.
    type Record: Clone + Debug + BorshSerialize + BorshDeserialize + Send + 'static;

    /// Its place in the committee.
    fn id(&self) -> ReplicaId;

    /// The view it is in.
    fn view(&self) -> View;

    /// Takes one event and says what it wants done.
    fn handle(&mut self, event: Event<Self::Message>) -> Step<Self::Message, Self::Record>;

    /// Records from which [`recover`](crate::Protocol::recover) makes this replica again, as if it had replayed all
    /// records so far: what a rotated journal begins with. Bodies of committed blocks are not among them, so the ledger
    /// must be durable first.
    fn snapshot(&self) -> Vec<Self::Record>;

    /// Batches that uncommitted blocks contain: they must stay held.
    fn uncommitted_batches(&self) -> BTreeSet<Digest>;

    /// What people and monitors want to know.
    fn status(&self) -> ReplicaStatus;

    /// Its side of the story when somebody asks why there is no block. Made anew each time.
    fn diagnosis(&self) -> Diagnosis;
}

/// Hosts that are the same for several kinds of replicas keep one in a box.
impl<R: Replica + ?Sized> Replica for Box<R> {
    type Message = R::Message;
    type Record = R::Record;

    fn id(&self) -> ReplicaId {
        (**self).id()
    }

    fn view(&self) -> View {
        (**self).view()
    }

    fn handle(&mut self, event: Event<R::Message>) -> StepOf<R> {
        (**self).handle(event)
    }

    fn snapshot(&self) -> Vec<R::Record> {
        (**self).snapshot()
    }

    fn uncommitted_batches(&self) -> BTreeSet<Digest> {
        (**self).uncommitted_batches()
    }

    fn status(&self) -> ReplicaStatus {
        (**self).status()
    }

    fn diagnosis(&self) -> Diagnosis {
        (**self).diagnosis()
    }
}

/// A [`Step`] of replica `R`.
pub type StepOf<R> = Step<<R as Replica>::Message, <R as Replica>::Record>;

/// Something a replica reacts to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Event<M> {
    /// The process is up, the journal replayed. Comes first and once.
    Started,
    /// A peer said something, and its signatures are good.
    Received {
        /// Who sent it, as the connection proves.
        from: ReplicaId,
        /// What it said.
        message: Verified<M>,
    },
    /// A timer that the replica set has run out.
    TimedOut(Timer),
    /// The mempool holds this batch, checked, and it is not committed.
    BatchReady(Digest),
    /// No transaction of this batch can apply any more: it is not worth proposing. It may still be held for a block that names it.
    BatchSpent(Digest),
    /// The host's answer to [`Request::Build`]: executed, roots and time filled in. Batches asked for and not in it
    /// are not held any more.
    Built(Block),
    /// The host's answer to [`Request::Execute`].
    Executed {
        /// Which block.
        block: Digest,
        /// Whether it is what it claims to be.
        outcome: Executed,
    },
    /// Block sync has brought the ledger up to `head`, which `proof` proves final.
    Synced {
        /// The ledger's new head.
        head: Header,
        /// Its commit proof, as the ledger keeps it.
        proof: Vec<u8>,
        /// The batches that the new blocks contain.
        batches: Vec<Digest>,
        /// The new blocks' headers, newest first. If there are blocks between them and the old head that never came, those of
        /// [`Election::memory`](crate::Election::memory) views.
        recent: Vec<Header>,
    },
}

/// What became of executing a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Executed {
    /// It gives the state root that its header claims.
    Valid,
    /// It breaks a rule, and will for every replica.
    Invalid,
}

/// What a replica asks of its own host. It promises nothing and is done at once, before the step is durable.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Request {
    /// Give this timer back as [`Event::TimedOut`]. Nothing is ever cancelled: a stale timer is ignored.
    SetTimer {
        /// Which.
        timer: Timer,
        /// After how long.
        after: Duration,
    },
    /// Make a block: execute these batches (those that are held) on `parent`'s state, fill in roots and clock.
    Build {
        /// An executed block.
        parent: Digest,
        /// The view to propose it in.
        view: View,
        /// In this order.
        batches: Vec<Digest>,
    },
    /// Execute a block on its executed parent's state, as soon as all its batches are held; fetch those that are
    /// missing from `holder` first, then from others.
    Execute {
        /// The block.
        block: Block,
        /// Who certainly holds its batches.
        holder: ReplicaId,
    },
    /// These batches have waited for long: the others shall hear of them, in case somebody gave them to this replica alone. And say which
    /// of them are spent, as [`Event::BatchSpent`]: they hold up nobody.
    Inspect {
        /// Held batches.
        batches: Vec<Digest>,
    },
    /// Bring the ledger up to at least `height` from committed blocks that others keep, `from` first.
    Sync {
        /// Who is known to be ahead.
        from: ReplicaId,
        /// How far, at least.
        height: Height,
    },
}

/// What a replica does to the outside world. It leaves only through [`Step::release`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Action<M> {
    /// Tell one.
    Send {
        /// Whom.
        to: ReplicaId,
        /// What.
        message: M,
    },
    /// Tell all others.
    Broadcast(M),
    /// This executed block and its uncommitted ancestors are final.
    Commit {
        /// The youngest of them.
        block: Digest,
        /// Its commit proof, checkable by anybody.
        proof: Vec<u8>,
    },
    /// Two signed statements that contradict each other.
    Accuse(Box<Evidence>),
    /// Safety is lost or our state is wrong: stop, keep everything, tell people.
    Halt(String),
}

/// Timers carry what they were set for, so that a stale one is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Timer {
    /// A view has lasted long enough.
    View(View),
    /// A leader's pause before an empty block of this view.
    Pace(View),
    /// PBFT: the view has brought no commit above this height for long enough.
    Progress {
        /// The view.
        view: View,
        /// The last commit when it was set.
        committed: Height,
    },
    /// PBFT: time to see whether the oldest batch is being passed over.
    Censorship(View),
    /// PBFT: time to say again what may have been lost. Which of these timers it is.
    Retransmit(u64),
    /// Something asked for has not come.
    Fetch,
    /// Time to ask whether others are ahead.
    Poll,
}

/// Why an event changed nothing. Tests assert on the reason, not on silence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Ignored {
    /// Of a view that is over.
    #[error("its view is over")]
    StaleView,
    /// Of a view that we have no certificate for.
    #[error("its view has not begun here")]
    FutureView,
    /// Outside the window of views that are kept.
    #[error("it is too far from where this replica stands")]
    OutsideWindow,
    /// Its sender does not lead that view.
    #[error("its sender does not lead that view")]
    NotFromLeader,
    /// Known already.
    #[error("it is known already")]
    Duplicate,
    /// Its sender contradicted itself; the pair is evidence.
    #[error("its sender had proposed another in its place, and is accused")]
    Equivocation,
    /// Its ancestors are being fetched.
    #[error("its ancestors are not here yet")]
    MissingAncestor,
    /// The ledger is still executing it.
    #[error("it is not executed yet")]
    NotExecuted,
    /// Executing it gave another result than it claims.
    #[error("executing it gives another result than it claims")]
    Invalid,
    /// It extends neither the locked block nor a newer certificate (HotStuff's safeNode), or our name stands under another in its place.
    #[error(
        "it extends neither the locked block nor a newer certificate, or our name stands under another in its place"
    )]
    Unsafe,
    /// Its justify is older than the timeout certificate allows, or the timeout certificate is missing.
    #[error("its certificate is older than the timeout certificate of the view before allows, or that is missing")]
    Unjustified,
    /// We did not ask for it.
    #[error("nobody asked for it")]
    Unasked,
    /// [`SafetyRules`](crate::SafetyRules) refused to sign.
    #[error("signing for it would break a promise: {0}")]
    Refused(crate::Refusal),
    /// A timer of the past.
    #[error("the timer is of the past")]
    StaleTimer,
}

/// The name of a message's kind, for logs, metrics and counts.
pub trait Kind {
    /// In snake case.
    fn kind(&self) -> &'static str;
    /// The view after which it is not worth sending any more, if there is one.
    fn stale_after(&self) -> Option<View>;
    /// Whether it carries blocks or many certificates, so that votes should not have to wait behind it.
    fn is_large(&self) -> bool;
    /// The block that it asks votes for, if it is a leader's proposal.
    fn proposes(&self) -> Option<&Header> {
        None
    }
}

/// A replica's state in numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReplicaStatus {
    /// The view it is in.
    pub view: View,
    /// Who leads it.
    pub leader: Option<ReplicaId>,
    /// Greatest certified view known.
    pub high_qc: View,
    /// The lock's view.
    pub locked_qc: View,
    /// Height of the last commit decision.
    pub committed: Height,
    /// Views that timed out since the last commit.
    pub failed_views: u32,
    /// Uncommitted blocks held.
    pub uncommitted_blocks: usize,
    /// There is something that a block should bring forward.
    pub has_work: bool,
    /// It has lost its journal and is silent until the others have moved on far enough.
    pub rejoining: bool,
}
