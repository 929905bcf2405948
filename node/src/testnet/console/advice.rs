//! What was done, in words, and what to look at to see what it does.

use super::{
    Console,
    wanted::{Deed, Wanted},
};
use crate::testnet::ready::{home_flag, program};
use quorate_links::LinkSpec;
use quorate_scenario::{Action, DiskFault, DiskOf, Who, show_time};
use quorate_types::ReplicaId;
use std::time::Duration;

/// What an action did, where no process tells.
pub(super) fn did(action: &Action, names: &[String]) -> Option<String> {
    let name = |id: &ReplicaId| names[id.index()].as_str();
    match action {
        Action::Crash(_)
        | Action::CrashAfter(..)
        | Action::Restart(_)
        | Action::Wipe(_)
        | Action::ReplaceDisks(_)
        | Action::Pause(_)
        | Action::Resume(_) => None,
        Action::Partition(groups) => {
            let group = |group: &Vec<ReplicaId>| group.iter().map(name).collect::<Vec<_>>().join(", ");
            Some(format!(
                "only members of one group hear each other: {}",
                groups.iter().map(group).collect::<Vec<_>>().join(" / ")
            ))
        }
        Action::OneWay(from, to) => Some(format!("nothing passes from {} to {}", name(from), name(to))),
        Action::Heal => Some("no link is cut".to_owned()),
        Action::Links(spec) => Some(format!("all links: {}", shown(spec))),
        Action::Link(from, to, spec) => Some(format!("{} to {}: {}", name(from), name(to), shown(spec))),
        Action::Wan(wan) => {
            let place = |(replica, name): (u16, &String)| format!("{name} in {}", wan.region(ReplicaId(replica)));
            let places: Vec<_> = (0..).zip(names).map(place).collect();
            Some(format!("links are as long as between regions: {}", places.join(", ")))
        }
        Action::Skew(id, 0) => Some(format!("the clock of {} is right", name(id))),
        Action::Skew(id, milliseconds) => {
            let by = show_time(Duration::from_millis(milliseconds.unsigned_abs()));
            let way = if *milliseconds > 0 { "fast" } else { "slow" };
            Some(format!("the clock of {} is {by} {way}", name(id)))
        }
        Action::Disk(id, of, fault) => Some(format!("{} of {}: {}", disk(*of), name(id), failing(*fault))),
        Action::Attack(attacker) => {
            let from = match attacker.from_view {
                0 => String::new(),
                view => format!(", from view {view} on"),
            };
            let against: Vec<_> = attacker.against.iter().map(name).collect();
            let against = if against.is_empty() { String::new() } else { format!(", against {}", against.join(", ")) };
            Some(format!("{} lies: {}{from}{against}", name(&attacker.replica), attacker.attack))
        }
        Action::StopAttack(id) => Some(format!("{} is honest", name(id))),
    }
}

/// Why nothing had to be done to processes.
pub(super) fn idle(action: &Action, deeds: &[Deed], wanted: &Wanted, names: &[String]) -> Option<String> {
    let (Action::Crash(who) | Action::Restart(who) | Action::Pause(who) | Action::Resume(who)) = action else {
        return None;
    };
    let size = u16::try_from(names.len()).unwrap_or(u16::MAX);
    let state = |id: ReplicaId| format!("{} {}", names[id.index()], wanted.node(id).process.word());
    let states = || who.of(size).into_iter().map(state).collect::<Vec<_>>().join(", ");
    deeds.is_empty().then(|| format!("nothing to do: {}", states()))
}

fn disk(of: DiskOf) -> &'static str {
    match of {
        DiskOf::Journal => "the journal's disk",
        DiskOf::Blocks => "the block log's disk",
    }
}

fn failing(fault: DiskFault) -> String {
    match fault {
        DiskFault::Slow(Duration::ZERO) => "as fast as it is".to_owned(),
        DiskFault::Slow(by) => format!("each sync takes {} longer", show_time(by)),
        DiskFault::FullAfter(0) => "full".to_owned(),
        DiskFault::FullAfter(bytes) => format!("full after {bytes} more bytes"),
        DiskFault::SyncFails => "syncs fail".to_owned(),
        DiskFault::PowerFailsBefore(_) | DiskFault::StaleSector(_) | DiskFault::MisdirectedSector(..) => {
            "broken".to_owned()
        }
    }
}

/// A link in words.
pub(crate) fn shown(spec: &LinkSpec) -> String {
    let mut words = Vec::new();
    let time = |word: &str, time: Duration| (time > Duration::ZERO).then(|| format!("{word} {}", show_time(time)));
    let chance = |word: &str, chance: f64| (chance > 0.0).then(|| format!("{word} {}%", (chance * 1e4).round() / 1e2));
    words.extend(spec.cut.then(|| "cut".to_owned()));
    words.extend(time("delay", spec.delay));
    words.extend(time("jitter", spec.jitter));
    words.extend(chance("loss", spec.loss));
    words.extend(chance("duplicate", spec.duplicate));
    words.extend(chance("reorder", spec.reorder));
    words.extend(spec.bandwidth.map(|bytes| format!("bandwidth {}kbit/s", bytes as f64 * 8.0 / 1000.0)));
    if words.is_empty() { "perfect".to_owned() } else { words.join(", ") }
}

/// What to look at after these.
pub(super) fn look(actions: &[Action], console: &Console) -> Vec<String> {
    // Whoever is killed to be started again is not down.
    let restarts = actions.iter().any(|action| matches!(action, Action::Restart(_)));
    let told = actions.iter().filter(|action| !(restarts && matches!(action, Action::Crash(_))));
    let mut lines: Vec<_> = told.flat_map(|action| to_see(action, console)).collect();
    let mut seen = std::collections::BTreeSet::new();
    lines.retain(|line| seen.insert(line.clone()));
    lines
}

/// What to look at when all is in order again.
pub(super) fn after_reset(console: &Console) -> Vec<String> {
    vec![command(console, "status", "all at one height and ready, in a moment")]
}

fn command(console: &Console, command: &str, why: &str) -> String {
    format!("{} {command}{}    # {why}", program(), home_flag(&console.home))
}

fn first(who: &Who) -> String {
    match who {
        Who::All => "all".to_owned(),
        Who::These(these) => these.iter().map(|id| id.0.to_string()).collect::<Vec<_>>().join(" "),
    }
}

fn to_see(action: &Action, console: &Console) -> Vec<String> {
    let see = |text: &str, why: &str| command(console, text, why);
    match action {
        Action::Crash(who) => vec![
            see(
                "status",
                "the others' heights grow as long as a quorum is there; a view that it leads ends by a timeout",
            ),
            see(&format!("fault restart {}", first(who)), "brings it back"),
        ],
        Action::CrashAfter(..) => vec![see("status", "it is gone when it has said so much")],
        Action::Restart(_) => vec![see("status", "it replays its journal, fetches what it missed, and is ready")],
        Action::Wipe(who) => vec![see(
            &format!("fault restart {}", first(who)),
            "it starts with new disks, and is silent until the others have provably moved on",
        )],
        Action::ReplaceDisks(_) => {
            vec![see("status", "its role is silent until the others have provably moved on")]
        }
        Action::Pause(who) => vec![
            see("status", "it does not answer; its connections stay open, and nobody is told that it is gone"),
            see(&format!("fault resume {}", first(who)), "lets it go on"),
        ],
        Action::Resume(_) => vec![see("status", "it catches up")],
        Action::Partition(_) | Action::OneWay(..) => vec![
            see("fault links", "what is cut has no measured round trips"),
            see("doctor", "whose votes are missing"),
            see("fault heal", "mends all cuts"),
        ],
        Action::Heal => vec![see("status", "heights grow again, whoever was cut off catches up")],
        Action::Links(_) | Action::Link(..) | Action::Wan(_) => {
            vec![see("fault links", "configured beside measured round trips"), see("status", "how fast heights grow")]
        }
        Action::Skew(..) => vec![see(
            "status",
            "agreement and progress do not rest on clocks; the timestamps of blocks that it proposes tell",
        )],
        Action::Disk(id, _, DiskFault::Slow(_)) => vec![see(
            &format!("status --node {}", id.0),
            "its votes come later; what a quorum of faster ones decides does not wait for it",
        )],
        Action::Disk(id, ..) => vec![
            see("status", "it stops by itself before it promises what it cannot keep; its log says why"),
            see(&format!("fault restart {}", id.0), "frees the disk and starts it again"),
        ],
        Action::Attack(attacker) => vec![
            see("fault status", "its deeds: how often it did otherwise than an honest one"),
            see(&format!("evidence list --node {}", other(attacker.replica)), "what can be proven against it"),
            see(&format!("fault attack stop --node {}", attacker.replica.0), "it is honest again"),
        ],
        Action::StopAttack(_) => vec![see("status", "heights grow, views end by certificates")],
    }
}

/// Somebody else.
fn other(id: ReplicaId) -> u16 {
    u16::from(id.0 == 0)
}
