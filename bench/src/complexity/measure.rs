//! One configuration in the simulator, counted.
//!
//! Every link takes one unit, disks and ledgers take no time, and nothing is lost: latencies come out in whole network delays. What is
//! counted lies between two moments at which everything that was handed in is committed and nobody has anything to say: so no message of a
//! decision is cut off at either end. Blocks come one after the other: PBFT is given a transaction when all have committed the one before,
//! HotStuff all of them at once, one to a block, since its views decide each other's blocks.

use super::{
    case::{Case, Signing, looks},
    faults::{Measured, double_in, halve, silence_in},
    oracle, prices,
    row::{Backend, Costs, Fault, Kinds, Row},
};
use quorate_consensus::{BatchLimits, hotstuff::HotStuff, pbft::Pbft};
use quorate_crypto::{
    Committee, Counted, Ed25519List, Likeness, Looks, Operations, Scheme,
    bls::{BlsMulti, BlsThreshold, MinSig},
    conformance::{self, Claim},
};
use quorate_ledger::{Election, Params, Protocol, SchemeKind};
use quorate_sim::{Builder, Cluster, LinkSpec, SimScheme};
use quorate_types::{Height, ReplicaId, View, codec::encoded_len};
use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

/// A network delay.
const UNIT: Duration = Duration::from_millis(10);
/// A view's length, in units, where something goes wrong.
const VIEW: u32 = 50;
/// So long nothing may be said before a cluster counts as quiet.
const QUIET: u32 = 20;
/// No wait is longer.
const PATIENCE: u32 = 100_000;
/// A transaction's payload, in bytes.
const PAYLOAD: usize = 512;
/// More heights than are ever measured: without checkpoints a block costs what its three phases cost.
const NO_CHECKPOINT: u64 = 65_536;

type ListOf = Counted<Ed25519List>;
type MultiOf = Counted<BlsMulti<MinSig>>;
type ThresholdOf = Counted<BlsThreshold<MinSig>>;
type LikeOf = Counted<Likeness>;

/// Measures a case in the simulator.
///
/// # Errors
/// If there is no such protocol or scheme, or the numbers make no sense, or the cluster breaks a rule or stands still.
pub fn measure(case: &Case) -> Result<Row, String> {
    measure_with(case, NO_CHECKPOINT)
}

/// The same with a checkpoint every so many heights, where the protocol has them.
///
/// # Errors
/// As [`measure`].
pub fn measure_with(case: &Case, checkpoint_interval: u64) -> Result<Row, String> {
    let (protocol, signing) = case.check()?;
    let run = Run { case, signing, checkpoint_interval };
    match (protocol, signing) {
        (Protocol::Hotstuff, Signing::Real(SchemeKind::Ed25519)) => run.of::<HotStuff<ListOf>>(SimScheme::of),
        (Protocol::Hotstuff, Signing::Real(SchemeKind::BlsMulti)) => run.of::<HotStuff<MultiOf>>(SimScheme::of),
        (Protocol::Hotstuff, Signing::Real(SchemeKind::BlsThreshold)) => run.of::<HotStuff<ThresholdOf>>(SimScheme::of),
        (Protocol::Hotstuff, Signing::Real(kind) | Signing::Symbolic(kind)) => run.of::<HotStuff<LikeOf>>(like(kind)),
        (Protocol::Pbft, Signing::Real(SchemeKind::Ed25519)) => run.of::<Pbft<ListOf>>(SimScheme::of),
        (Protocol::Pbft, Signing::Real(SchemeKind::BlsMulti)) => run.of::<Pbft<MultiOf>>(SimScheme::of),
        (Protocol::Pbft, Signing::Real(SchemeKind::BlsThreshold)) => run.of::<Pbft<ThresholdOf>>(SimScheme::of),
        (Protocol::Pbft, Signing::Real(kind) | Signing::Symbolic(kind)) => run.of::<Pbft<LikeOf>>(like(kind)),
    }
}

/// Makes the symbolic scheme that looks like another.
fn like(kind: SchemeKind) -> fn(Committee, u64) -> LikeOf {
    match looks(kind) {
        Looks::Ed25519 => |committee, seed| Counted::new(Likeness::new(committee, seed, Looks::Ed25519)),
        Looks::BlsMulti => |committee, seed| Counted::new(Likeness::new(committee, seed, Looks::BlsMulti)),
        Looks::BlsMultiMinPk => |committee, seed| Counted::new(Likeness::new(committee, seed, Looks::BlsMultiMinPk)),
        Looks::BlsThreshold => |committee, seed| Counted::new(Likeness::new(committee, seed, Looks::BlsThreshold)),
        Looks::BlsThresholdMinPk => {
            |committee, seed| Counted::new(Likeness::new(committee, seed, Looks::BlsThresholdMinPk))
        }
    }
}

struct Run<'a> {
    case: &'a Case,
    signing: Signing,
    checkpoint_interval: u64,
}

/// A cluster that is measured.
struct Bench<P: Measured> {
    cluster: Cluster<P>,
    /// Transactions handed in.
    handed_in: usize,
}

/// What is known at a quiet moment.
struct Moment {
    height: Height,
    view: View,
    operations: Operations,
    flushes: u64,
}

impl Run<'_> {
    fn of<P: Measured>(&self, scheme: fn(Committee, u64) -> P::Scheme) -> Result<Row, String> {
        let started = Instant::now();
        let mut bench = Bench { cluster: self.builder::<P>().scheme(scheme).build(), handed_in: 0 };
        if self.case.fault == Fault::FSilent {
            let n = self.case.n;
            let silent = n - conformance::committee(n).max_faulty()..n;
            silent.for_each(|index| bench.cluster.crash(u16::try_from(index).unwrap_or(u16::MAX)));
        }
        bench.decide_each(1)?;
        bench.cluster.count_anew();
        let before = bench.moment();
        self.decide(&mut bench)?;
        let after = bench.moment();
        let certificate_bytes = certificate_bytes::<P>(self.case.n, scheme(conformance::committee(self.case.n), 0));
        let mut row = self.row(&bench, &before, &after);
        row.certificate_bytes = certificate_bytes;
        row.millis = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        Ok(row)
    }

    fn builder<P: Measured>(&self) -> Builder<P> {
        let batches = usize::try_from(self.case.decisions).unwrap_or(usize::MAX).saturating_add(2);
        let limits = BatchLimits {
            // One transaction a batch, one batch a block, and nothing offered again.
            transactions: 1,
            repeat_after: UNIT * PATIENCE,
            batches_per_author: batches,
            ..BatchLimits::default()
        };
        let params = Params { max_block_batches: 1, ..Params::default() };
        let view = if self.case.fault == Fault::None { PATIENCE } else { VIEW };
        Cluster::of::<P>()
            .replicas(self.case.n)
            .seed(self.case.seed)
            .election(Election::RoundRobin)
            .params(params)
            .timeout(UNIT * view)
            .checkpoint_interval(self.checkpoint_interval)
            .batch_limits(limits)
            .links(LinkSpec { delay: UNIT, ..LinkSpec::default() })
            .flush_latency(Duration::ZERO, Duration::ZERO)
            .ledger_latency(Duration::ZERO, Duration::ZERO)
            .client_retry(None)
            .rotate_after(u64::MAX)
            .sync_ledger_every(u64::MAX)
            .keep_violations()
            .count()
    }

    /// Everything that is counted.
    fn decide<P: Measured>(&self, bench: &mut Bench<P>) -> Result<(), String> {
        let mut left = self.case.decisions;
        match self.case.fault {
            Fault::None | Fault::FSilent => {}
            Fault::SilentLeader => {
                let (leader, view) = bench.next_leader::<P>();
                silence_in(&mut bench.cluster, leader, view);
            }
            Fault::EquivocatingLeader => {
                let (leader, view) = bench.next_leader::<P>();
                double_in(&mut bench.cluster, leader, view);
            }
            Fault::Partition => {
                bench.hand_in(1);
                left -= 1;
                halve(&mut bench.cluster, self.case.n);
                bench.cluster.run_for(UNIT * VIEW * 3);
                bench.cluster.heal();
                bench.settle()?;
            }
        }
        if P::KIND == Protocol::Pbft {
            return bench.decide_each(left);
        }
        bench.hand_in(left);
        bench.settle()
    }

    fn row<P: Measured>(&self, bench: &Bench<P>, before: &Moment, after: &Moment) -> Row {
        let decisions = after.height.0 - before.height.0;
        let views = after.view.0 - before.view.0 + u64::from(P::KIND == Protocol::Pbft);
        let [mut ordering, mut dissemination] = [Costs::default(); 2];
        let mut kinds = Vec::new();
        let account = bench.cluster.account().expect("it was built to count");
        for (line, tally) in account.lines() {
            let sum = if line.phase.is_ordering() { &mut ordering } else { &mut dissemination };
            sum.messages += tally.messages;
            sum.bytes += tally.bytes;
            sum.authenticators += tally.authenticators;
            kinds.push(Kinds {
                kind: line.kind.to_owned(),
                phase: line.phase.name().to_owned(),
                role: line.role.name().to_owned(),
                outcome: line.outcome.name().to_owned(),
                messages: tally.messages,
                bytes: tally.bytes,
                authenticators: tally.authenticators,
            });
        }
        let work = after.operations - before.operations;
        ordering.signatures_made = work.work.made;
        ordering.signatures_checked = work.work.checked;
        ordering.pairings = work.work.pairings;
        ordering.flushes = after.flushes - before.flushes;
        Row {
            protocol: self.case.protocol.clone(),
            scheme: self.signing.name(),
            n: self.case.n,
            fault: self.case.fault,
            backend: Backend::Sim,
            decisions,
            views,
            failed_views: account.failed_views(),
            ordering,
            dissemination,
            theory: oracle::theory(self.case, (P::KIND, self.signing.kind()), decisions),
            kinds,
            latency_delays: bench.latency(before.height),
            certificate_bytes: 0,
            cpu_micros: prices::micros(self.signing.kind(), self.case.n, &work).map(|all| all / decisions as f64),
            seed: self.case.seed,
            real: None,
            millis: 0,
        }
    }
}

impl<P: Measured> Bench<P> {
    /// The replica whose clients hand in: the leader, so that it proposes at once, or whoever runs if that is down.
    fn at(&self) -> ReplicaId {
        let leader = self.cluster.leader();
        if self.cluster.is_running(leader) { leader } else { self.cluster.running().next().unwrap_or(leader) }
    }

    fn hand_in(&mut self, transactions: u64) {
        let at = self.at();
        for _ in 0..transactions {
            let mut payload = vec![0; PAYLOAD];
            payload[..8].copy_from_slice(&(self.handed_in as u64).to_le_bytes());
            self.cluster.submit_at(at, [payload]);
            self.handed_in += 1;
        }
    }

    /// One block after the other.
    fn decide_each(&mut self, transactions: u64) -> Result<(), String> {
        for _ in 0..transactions {
            self.hand_in(1);
            self.settle()?;
        }
        Ok(())
    }

    /// Runs until everything handed in is committed by all who run, and nobody says anything any more.
    fn settle(&mut self) -> Result<(), String> {
        let (limit, count) = (UNIT * PATIENCE, self.handed_in);
        let mut is_there = self.cluster.try_until(|cluster| cluster.effects().len() >= count, limit);
        let height = self.cluster.committed();
        is_there &=
            self.cluster.try_until(|cluster| cluster.running().all(|replica| cluster.height(replica) >= height), limit);
        let mut said = None;
        for _ in 0..PATIENCE / QUIET {
            let now = self.sent();
            if !is_there || said == Some(now) {
                break;
            }
            said = Some(now);
            self.cluster.run_for(UNIT * QUIET);
        }
        if let Some(violation) = self.cluster.violation() {
            return Err(format!("a rule is broken: {violation}"));
        }
        let committed = self.cluster.effects().len();
        match (is_there, said == Some(self.sent())) {
            (true, true) => Ok(()),
            (true, false) => Err("everything is committed, and yet the cluster does not come to rest".to_owned()),
            (false, _) => {
                Err(format!("{committed} of {count} transactions are committed, and no more: the cluster stands"))
            }
        }
    }

    fn sent(&self) -> u64 {
        let lines = self.cluster.account().map(|account| account.lines()).unwrap_or_default();
        lines.values().map(|tally| tally.messages).sum()
    }

    fn moment(&self) -> Moment {
        let views = self.cluster.running().map(|replica| self.cluster.view(replica));
        Moment {
            height: self.cluster.committed(),
            view: views.max().unwrap_or_default(),
            operations: self.cluster.operations(),
            flushes: self.cluster.flushes(),
        }
    }

    /// A view that is to fail, and who leads it: PBFT's present one, HotStuff's third from now, in the midst of work.
    fn next_leader<Q: Measured>(&self) -> (ReplicaId, View) {
        let view = self.moment().view;
        let view = if Q::KIND == Protocol::Pbft { view } else { View(view.0 + 3) };
        let members = self.cluster.commits().len() as u64;
        (ReplicaId(u16::try_from(view.0 % members).expect("below the committee's size")), view)
    }

    /// Median over blocks with transactions above `height`: from proposal to the first commit, in units.
    fn latency(&self, height: Height) -> Option<f64> {
        let mut first = BTreeMap::new();
        for commit in self.cluster.commits().iter().flatten().filter(|commit| commit.height > height) {
            let at = first.entry(commit.block).or_insert(commit.at);
            *at = commit.at.min(*at);
        }
        let took = |(block, at): (_, &Duration)| self.cluster.proposed_at(block).map(|proposed| *at - proposed);
        let mut took: Vec<_> = first.iter().filter_map(took).collect();
        took.sort_unstable();
        took.get(took.len() / 2).map(|took| took.as_secs_f64() / UNIT.as_secs_f64())
    }
}

/// Bytes of the proof that a quorum's votes combine into.
fn certificate_bytes<P: Measured>(n: usize, scheme: P::Scheme) -> u64 {
    let claim = Claim { view: 1 };
    let quorum = conformance::committee(n).members().take(scheme.committee().quorum());
    let votes: BTreeMap<_, _> = quorum.map(|who| (who, scheme.sign(&scheme.secret_of(who), &claim))).collect();
    let proof = scheme.combine(&claim, &votes).expect("a quorum's good votes");
    encoded_len(&proof) as u64
}
