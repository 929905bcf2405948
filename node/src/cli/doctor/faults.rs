//! What the fault console of a testnet has in force: causes that no validator can know of.

use crate::{
    cli::fault::Remote,
    doctor::{Case, Facts},
    testnet::{
        TestnetHome,
        console::{NodeLine, Status, shown},
    },
};
use std::time::Duration;

/// The console is a process beside us.
const PATIENCE: Duration = Duration::from_secs(3);

/// All that was asked for, if a testnet runs in this home and answers.
pub(super) async fn in_force(home: &TestnetHome) -> Option<Status> {
    let remote = Remote::find(home).ok()?;
    tokio::time::timeout(PATIENCE, remote.status()).await.ok()?.ok()
}

/// How a validator's process fares, if that is why it does not answer.
pub(super) fn process(status: &Status, name: &str) -> Option<String> {
    let node = status.nodes.iter().find(|node| node.name == name)?;
    match node.process.as_str() {
        "runs" => None,
        "ended" => Some("its process has ended by itself".to_owned()),
        "wiped" => Some("its disk is lost, and it was not started again (`quorate fault wipe`)".to_owned()),
        "killed" => Some("it was killed (`quorate fault kill`)".to_owned()),
        word => Some(format!("it is {word} (`quorate fault`)")),
    }
}

/// Puts what is in force beside what a validator says of itself.
pub(super) fn add(status: &Status, case: &Case, facts: &mut Facts) {
    let me = facts.replica;
    facts.cut = status.cuts.iter().filter(|(from, _)| *from == me).map(|(_, to)| *to).collect();
    if let Some(node) = status.nodes.get(me.index()) {
        facts.faults.extend(of_node(node));
    }
    for link in status.links.iter().filter(|link| link.from == me) {
        facts.faults.push(format!("its link to {}: {}", case.name(link.to), shown(&link.spec)));
    }
}

fn of_node(node: &NodeLine) -> impl Iterator<Item = String> {
    let attack = node.attack.as_ref().map(|attacker| format!("it lies ({})", attacker.attack));
    let disks = [("journal", node.disks.journal), ("block log", node.disks.blocks)];
    let failing = disks.into_iter().flat_map(|(name, disk)| {
        let slow = (disk.delay_ms > 0).then(|| format!("each sync of its {name} takes {} ms longer", disk.delay_ms));
        let full = disk.full_after.map(|_| format!("the disk of its {name} is full, or will be"));
        let broken = disk.sync_fails.then(|| format!("syncs of its {name} fail"));
        [slow, full, broken].into_iter().flatten()
    });
    let skew = (node.skew_ms != 0).then(|| format!("its clock is {} ms wrong", node.skew_ms));
    attack.into_iter().chain(failing).chain(skew)
}
