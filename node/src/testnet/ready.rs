//! The block that says that a testnet is ready, and what to try next.

use super::{
    children::Children,
    layout::{DEFAULT_HOME, TestnetHome},
    options::{Options, shown_interval},
    prepare::Prepared,
};
use crate::table::Table;
use serde_json::{Value, json};
use std::{
    env,
    path::{Path, PathBuf},
    time::Duration,
};

/// How this program is called in commands to paste.
pub(crate) fn program() -> String {
    let Ok(program) = env::current_exe() else { return "quorate".to_owned() };
    let in_path = env::var_os("PATH")
        .is_some_and(|path| env::split_paths(&path).any(|directory| directory.join("quorate") == program));
    if in_path { "quorate".to_owned() } else { quoted(&relative(&program)) }
}

/// The command that starts one validator again.
pub(crate) fn restart(options: &Options, name: &str) -> String {
    format!("{} node --home {}", program(), quoted(options.home.node(name).path()))
}

fn relative(path: &Path) -> PathBuf {
    let here = env::current_dir().ok();
    let inside = here.and_then(|here| path.strip_prefix(here).ok().map(|inside| Path::new(".").join(inside)));
    inside.unwrap_or_else(|| path.to_owned())
}

/// A path as a shell word.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "/._-+=:,@".contains(letter);
    if text.chars().all(plain) { text } else { format!("'{}'", text.replace('\'', "'\\''")) }
}

/// For people.
pub(crate) fn text(options: &Options, prepared: &Prepared, children: &Children, took: Duration) -> String {
    let (home, manifest, genesis) = (&options.home, &prepared.manifest, &prepared.genesis);
    let state = if prepared.resumed { "state resumed" } else { "new" };
    let mut table = Table::new(["  validator", "API", "peers connect to", "pid", "log"]);
    for node in &manifest.nodes {
        table.row([
            format!("  {}", node.name),
            format!("http://{}", node.api),
            node.p2p.to_string(),
            children.pid(&node.name).unwrap_or_default().to_string(),
            home.log(&node.name).display().to_string(),
        ]);
    }
    let try_next = commands(options, prepared, children).into_iter().map(|command| format!("  {command}"));
    format!(
        "Testnet of {} validators ready in {:.1} s ({state})\n\n  genesis      {}\n  protocol     {} with {}, election {}\n  application  {}\n  durability   {}\n  \
        empty blocks {}\n  home         {}\n  client key   {} (funded, for development only)\n\n{table}\nTry in another \
        terminal:\n{}\n",
        manifest.nodes.len(),
        took.as_secs_f64(),
        genesis.digest(),
        genesis.protocol,
        genesis.scheme,
        genesis.election,
        manifest.app,
        options.durability,
        shown_interval(manifest.block_interval_ms),
        home.path().display(),
        home.development_key().display(),
        try_next.collect::<Vec<_>>().join("\n"),
    )
}

/// For programs.
pub(crate) fn event(options: &Options, prepared: &Prepared, children: &Children, took: Duration) -> Value {
    let nodes = prepared.manifest.nodes.iter().map(|node| {
        json!({
            "name": node.name, "api": format!("http://{}", node.api), "p2p": node.p2p, "pid": children.pid(&node.name),
            "log": options.home.log(&node.name), "home": options.home.node(&node.name).path(),
            "restart": restart(options, &node.name),
        })
    });
    json!({
        "event": "ready", "seconds": took.as_secs_f64(), "resumed": prepared.resumed,
        "genesis": prepared.genesis.digest(), "protocol": prepared.genesis.protocol,
        "election": prepared.genesis.election, "scheme": prepared.genesis.scheme, "application": prepared.manifest.app, "durability": options.durability,
        "block_interval_ms": prepared.manifest.block_interval_ms, "home": options.home.path(),
        "client_key": options.home.development_key(), "validators": nodes.collect::<Vec<_>>(),
        "try": commands(options, prepared, children),
    })
}

/// The flag that names a testnet's home, where commands would look elsewhere without it.
pub(crate) fn home_flag(home: &TestnetHome) -> String {
    match home.path() == Path::new(DEFAULT_HOME) {
        true => String::new(),
        false => format!(" --home {}", quoted(home.path())),
    }
}

fn commands(options: &Options, prepared: &Prepared, children: &Children) -> Vec<String> {
    let program = program();
    let home = home_flag(&options.home);
    let nodes = &prepared.manifest.nodes;
    let mut commands = vec![format!("{program} status{home}")];
    if prepared.manifest.app == "kv" {
        commands.push(format!("{program} tx put city Oslo --wait{home}"));
        commands.push(format!("{program} get city --prove{home} --node {}", 1.min(nodes.len().saturating_sub(1))));
    } else {
        commands.push(format!("{program} tx send-raw --payload cafe --wait{home}"));
    }
    if let Some(first) = nodes.first() {
        commands.push(format!("curl http://{}/v1/status", first.api));
    }
    if let Some(last) = nodes.last() {
        let pid = children.pid(&last.name).unwrap_or_default();
        commands.push(format!("kill -9 {pid}    # one of them; the others go on. Start it again with:"));
        commands.push(restart(options, &last.name));
        if cfg!(feature = "lab") {
            commands.push(format!(
                "{program} fault kill {}{home}    # or partition, attack, slow-disk, ...: fault --help",
                nodes.len() - 1
            ));
        }
    }
    commands
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_can_be_pasted() {
        assert_eq!(quoted(Path::new("./a-b/c_1")), "./a-b/c_1");
        assert_eq!(quoted(Path::new("/my dir/it's")), "'/my dir/it'\\''s'");
    }
}
