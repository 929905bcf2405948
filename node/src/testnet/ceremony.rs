//! The key of a threshold testnet without a dealer: before the validators start, each takes part in a key generation as a
//! process of its own (`quorate dkg`), over real sockets. What this process learns of it is public.

use super::{
    children::{self, Children, Deaths, Died},
    manifest::Manifest,
    options::Options,
    screen::Screen,
};
use crate::{
    ceremony::Report,
    exit::{Exit, Failure},
    home::write_private,
    signals::Signals,
};
use quorate_ledger::Genesis;
use serde_json::json;
use std::time::{Duration, Instant};

/// The pace of the ceremony's blocks, in milliseconds.
const INTERVAL_MS: u64 = 50;
/// Heights of a phase for a few validators: three seconds, or several views that fail.
const PHASE_HEIGHTS: usize = 60;
/// How many times as long as four phases at their pace it may take on a machine that is busy.
const PATIENCE: u32 = 10;

/// Lets the validators make their key. False if a signal ended it.
pub(crate) async fn run(
    options: &Options,
    manifest: &Manifest,
    passed_on: &[String],
    screen: &mut Screen,
    signals: &mut Signals,
) -> Result<bool, Failure> {
    let started = Instant::now();
    let heights = PHASE_HEIGHTS.max(4 * manifest.nodes.len());
    let four_phases = Duration::from_millis(INTERVAL_MS) * u32::try_from(4 * heights).unwrap_or(u32::MAX);
    let pace = ["--phase-heights".into(), heights.to_string(), "--block-interval".into(), format!("{INTERVAL_MS}ms")];
    let cheats = options.cheat.iter().flat_map(|cheat| ["--cheat".to_owned(), cheat.clone()]).collect::<Vec<_>>();
    let arguments = [passed_on, &pace, &cheats].concat();
    let about = (four_phases * 3 / 4 + Duration::from_secs(3)).as_secs();
    screen.note(format!("the validators make their key; that takes about {about} s"));
    let (mut children, mut deaths) = Children::start("dkg", &options.home, &manifest.nodes, &arguments)?;
    let ended = tokio::select! {
        ended = all_ended(&mut deaths, manifest.nodes.len(), options) => ended.map(|()| true),
        _ = signals.next() => Ok(false),
        () = tokio::time::sleep(four_phases * PATIENCE) => Err(Failure::new(Exit::NoProgress, "the key generation does not end")
            .hint(format!("look at {}", options.home.path().join("node*.log").display()))),
    };
    children.stop().await;
    if ended? {
        let genesis = agreed(options, manifest)?;
        tell(options, manifest, started.elapsed(), screen)?;
        write_private(&options.home.genesis_file(), &genesis.to_json())?;
        return Ok(true);
    }
    Ok(false)
}

/// All validators are of one testnet: it wants a share for each.
async fn all_ended(deaths: &mut Deaths, count: usize, options: &Options) -> Result<(), Failure> {
    for _ in 0..count {
        let Died { name, status, log_tail, .. } = deaths.next().await;
        if !status.success() {
            let how = children::shown(status);
            let what = format!("{name} has no share of the key ({how}); the last lines of its log:\n{log_tail}");
            return Err(Failure::failed(what).hint(format!("see {}", options.home.log(&name).display())));
        }
    }
    Ok(())
}

/// The genesis that all have made.
fn agreed(options: &Options, manifest: &Manifest) -> Result<Genesis, Failure> {
    let mut agreed: Option<Genesis> = None;
    for node in &manifest.nodes {
        let genesis = options.home.node(&node.name).genesis()?;
        match &agreed {
            Some(other) if other.digest() != genesis.digest() => {
                let what = format!("{} ended the key generation with another genesis than the others", node.name);
                return Err(Failure::new(Exit::Diverged, what));
            }
            _ => agreed = Some(genesis),
        }
    }
    agreed.ok_or_else(|| Failure::usage("a testnet of no validators"))
}

fn tell(options: &Options, manifest: &Manifest, took: Duration, screen: &mut Screen) -> Result<(), Failure> {
    let first = manifest.nodes.first().and_then(|node| Report::load(&options.home.node(&node.name)));
    let report = first.ok_or_else(|| Failure::failed("the key generation left no report"))?;
    let seconds = took.as_secs_f64();
    let text = format!(
        "{} validators made a threshold key in {seconds:.1} s, without a dealer\n\n{}\n",
        manifest.nodes.len(),
        report.public_text()
    );
    let event = json!({
        "event": "dkg", "seconds": seconds, "ceremony": report.ceremony, "group_key": report.group_key,
        "genesis": report.genesis, "threshold": report.threshold, "qualified": report.qualified, "findings": report.findings,
    });
    screen.tell(&text, &event)
}
