//! What decisions cost real validators: `quorate bench complexity --backend testnet`.
//!
//! A testnet is made for one case and decides one transaction after the other; between two nobody has anything to say, and that is when the
//! validators' accounts are read. What they ask each other and repeat when they start comes before. Rows are made of the readings in the
//! crate `quorate-bench`.

mod witness;

use crate::{
    config::DurabilityChoice,
    exit::{Exit, Failure},
    output::Output,
    signals::Signals,
    testnet::{Bed, Bedded, History, Options, TestnetHome},
};
use quorate_bench::complexity::{Case, Fault, Row, row_of_testnet, theory};
use quorate_ledger::{Params, Protocol, SchemeKind};
use std::{path::PathBuf, time::Instant};
use witness::Witness;

/// A view's length in milliseconds where nothing goes wrong: nobody asks twice, however busy the machine is.
const LONG_VIEW: u64 = 60_000;
/// More heights than are ever measured: without checkpoints a block costs what its three phases cost.
const NO_CHECKPOINT: u64 = 65_536;

/// What a testnet is made of, beside its case.
#[derive(Clone, Debug)]
pub(crate) struct Ground {
    /// Where it lives; it is removed when it has been measured.
    pub(crate) home: PathBuf,
    /// How its validators agree.
    pub(crate) protocol: Protocol,
    /// What they sign votes with.
    pub(crate) scheme: SchemeKind,
    /// What is passed on to them.
    pub(crate) passed_on: Vec<String>,
}

/// Counts a case on a testnet of its own; `None` if somebody pressed Ctrl-C.
pub(crate) async fn decisions(case: &Case, ground: &Ground, output: Output) -> Result<Option<Row>, Failure> {
    let (began, mut signals) = (Instant::now(), Signals::new()?);
    let mut bed = tokio::select! {
        bed = Bed::start(options(case, ground), &ground.passed_on, output) => bed?,
        _ = signals.next() => return Ok(None),
    };
    let counted = tokio::select! {
        counted = count(case, &mut bed) => Some(counted),
        _ = signals.next() => None,
    };
    let Some(Ok(mut row)) = counted else {
        bed.abandon().await;
        return counted.transpose();
    };
    let judged = bed.stop(History::default()).await;
    if judged.verdict.exit() != Exit::Success {
        return Err(Failure::new(judged.verdict.exit(), judged.verdict.text())
            .hint(format!("look at the ledgers in {}", ground.home.display())));
    }
    bed.remove()?;
    row.millis = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    Ok(Some(row))
}

async fn count(case: &Case, bed: &mut Bed) -> Result<Row, Failure> {
    let mut validators = bed.validators();
    if case.fault == Fault::FSilent {
        // Those of the highest numbers, as in the simulator.
        let faulty = theory::faulty(case.n as u64) as usize;
        for Bedded { name, .. } in validators.split_off(case.n - faulty) {
            bed.kill(&name).await;
        }
    }
    let mut witness = Witness::new(bed.genesis().chain_id(), &validators)?;
    let (readings, commit_millis) = tokio::select! {
        seen = witness.watch(case) => seen?,
        failure = bed.broken() => return Err(failure),
    };
    row_of_testnet(case, &readings, &commit_millis).map_err(Failure::failed)
}

/// One transaction a block, no checkpoint, and no empty block but those that HotStuff decides others with.
fn options(case: &Case, ground: &Ground) -> Options {
    let usual = Params::default();
    let (base, max) = match case.fault {
        Fault::None => (LONG_VIEW, LONG_VIEW),
        _ => (usual.timeout_base_ms, usual.timeout_max_ms),
    };
    let params = Params { timeout_base_ms: base, timeout_max_ms: max, checkpoint_interval: NO_CHECKPOINT, ..usual };
    Options {
        home: TestnetHome::new(&ground.home),
        nodes: Some(case.n),
        protocol: Some(ground.protocol),
        scheme: Some(ground.scheme),
        dkg: false,
        cheat: Vec::new(),
        election: None,
        app: Some("unsigned".to_owned()),
        block_interval: None,
        timeout: None,
        params: Some(params),
        base_port: None,
        fresh: true,
        duration: None,
        load: None,
        durability: DurabilityChoice::Always,
        password_file: None,
    }
}
