//! The command line: one file for each command.

#[cfg(feature = "lab")]
mod bench;
mod completions;
mod deal;
mod dkg;
mod doctor;
mod duration;
mod evidence;
#[cfg(feature = "lab")]
mod fault;
mod forensics;
mod genesis;
mod get;
mod keygen;
mod ledger;
mod node;
mod passphrase;
#[cfg(feature = "lab")]
mod sim;
mod status;
mod target;
mod testnet;
mod tx;
mod wait;

pub(crate) use deal::deal;
pub(crate) use genesis::{Choices, build as build_genesis};
pub(crate) use keygen::make_validator;
pub(crate) use passphrase::read as read_passphrase;
#[cfg(feature = "lab")]
pub(crate) use sim::read_scenario;

use crate::{
    exit::{Exit, Failure},
    logs::{self, LogFormat},
    output::{Color, Format, Output, complain},
};
use clap::{Args, ColorChoice, CommandFactory, FromArgMatches, Parser, Subcommand};
use std::process::ExitCode;

/// A Byzantine fault tolerant ledger: HotStuff or PBFT validators, their clients and a local testnet
#[derive(Debug, Parser)]
#[command(name = "quorate", version, after_help = Exit::HELP, propagate_version = true, max_term_width = 110)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

/// What every command understands.
#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
struct Global {
    /// How to print data (on standard output; all else goes to standard error)
    #[arg(long, value_enum, default_value_t, global = true)]
    output: Format,
    /// No remarks on standard error; errors are still told
    #[arg(long, short, global = true)]
    quiet: bool,
    /// When to colour; NO_COLOR and CLICOLOR_FORCE are honoured
    #[arg(long, value_enum, default_value_t, global = true)]
    color: Color,
    /// What to log, such as info or quorate_consensus=debug,warn
    #[arg(long, value_name = "FILTER", env = "RUST_LOG", global = true)]
    log: Option<String>,
    /// The form of log lines
    #[arg(long, value_enum, global = true)]
    log_format: Option<LogFormat>,
}

// What a command does is said at its arguments: a doc comment here would replace that in `--help`.
#[derive(Debug, Subcommand)]
enum Command {
    Testnet(testnet::TestnetArgs),
    Keygen(keygen::KeygenArgs),
    /// Make, check and show genesis documents
    #[command(subcommand)]
    Genesis(genesis::GenesisCommand),
    Dkg(dkg::DkgArgs),
    Node(node::NodeArgs),
    /// Sign and send a transaction
    #[command(subcommand)]
    Tx(tx::TxCommand),
    Get(get::GetArgs),
    Status(status::StatusArgs),
    Doctor(doctor::DoctorArgs),
    Wait(wait::WaitArgs),
    /// List, show and check evidence of misbehaviour
    #[command(subcommand)]
    Evidence(evidence::EvidenceCommand),
    Forensics(forensics::ForensicsArgs),
    /// Look at a ledger on disk, without a node
    #[command(subcommand)]
    Ledger(ledger::LedgerCommand),
    /// Break a running testnet: kill, pause, partition, slow down, lie
    #[cfg(feature = "lab")]
    #[command(subcommand)]
    Fault(fault::FaultCommand),
    /// Run validators in the simulator, where all chance comes from one seed
    #[cfg(feature = "lab")]
    #[command(subcommand)]
    Sim(sim::SimCommand),
    /// Measure what decisions cost, and what real validators carry
    #[cfg(feature = "lab")]
    #[command(subcommand)]
    Bench(bench::BenchCommand),
    Completions(completions::CompletionsArgs),
}

/// What a command gets besides its own arguments.
pub(crate) struct Context {
    pub(crate) output: Output,
    pub(crate) log: Option<String>,
    pub(crate) log_format: Option<LogFormat>,
}

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    let matches = match Cli::command().color(help_colors()).try_get_matches() {
        Ok(matches) => matches,
        Err(error) => return tell(&error),
    };
    let cli = match Cli::from_arg_matches(&matches) {
        Ok(cli) => cli,
        Err(error) => return tell(&error),
    };
    let Global { output, quiet, color, log, log_format } = cli.global;
    let context = Context { output: Output { format: output, quiet, color }, log, log_format };
    match run(cli.command, &context) {
        Ok(exit) => exit.into(),
        Err(failure) => {
            complain(&failure.to_string());
            failure.exit.into()
        }
    }
}

fn run(command: Command, context: &Context) -> Result<Exit, Failure> {
    let done = |result: Result<(), Failure>| result.map(|()| Exit::Success);
    match command {
        Command::Testnet(args) => testnet::run(args, context),
        Command::Keygen(args) => done(keygen::run(&args, context)),
        Command::Genesis(command) => done(genesis::run(command, context)),
        Command::Dkg(args) => dkg::run(&args, context),
        Command::Node(args) => node::run(&args, context),
        Command::Tx(command) => done(tx::run(command, context)),
        Command::Get(args) => done(get::run(&args, context)),
        Command::Status(args) => done(status::run(&args, context)),
        Command::Doctor(args) => doctor::run(&args, context),
        Command::Wait(args) => done(wait::run(&args, context)),
        Command::Evidence(command) => done(evidence::run(command, context)),
        Command::Forensics(args) => forensics::run(&args, context),
        Command::Ledger(command) => done(ledger::run(command, context)),
        #[cfg(feature = "lab")]
        Command::Fault(command) => done(fault::run(command, context)),
        #[cfg(feature = "lab")]
        Command::Sim(command) => sim::run(command, context),
        #[cfg(feature = "lab")]
        Command::Bench(command) => bench::run(command, context),
        Command::Completions(args) => done(completions::run(&args)),
    }
}

/// Prints clap's message: help and version as data, complaints as complaints, neither panicking on a closed pipe.
fn tell(error: &clap::Error) -> ExitCode {
    let _ = error.print();
    if error.use_stderr() { Exit::Usage.into() } else { Exit::Success.into() }
}

/// Help is printed before `--color` is known, so it looks for the flag itself.
fn help_colors() -> ColorChoice {
    let arguments: Vec<_> = std::env::args().collect();
    let given = |choice: &str| {
        arguments.contains(&format!("--color={choice}")) || arguments.windows(2).any(|pair| pair == ["--color", choice])
    };
    match () {
        () if given("never") => ColorChoice::Never,
        () if given("always") => ColorChoice::Always,
        () => ColorChoice::Auto,
    }
}

impl Context {
    /// Sends logs to standard error, as the flags say or else as given.
    pub(crate) fn init_logs(&self, filter: &str, format: LogFormat) -> Result<(), Failure> {
        logs::init(self.log.as_deref().unwrap_or(filter), self.log_format.unwrap_or(format), &self.output)
    }

    /// Runs an asynchronous command.
    pub(crate) fn block_on<T>(&self, future: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .map_err(|error| Failure::environment(format!("cannot start threads: {error}")))?;
        let result = runtime.block_on(future);
        // A blocking read that nobody waits for any more must not keep the process.
        runtime.shutdown_background();
        result
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    fn find(path: &[&str]) -> clap::Command {
        let mut all = Cli::command();
        all.build();
        let step = |command: clap::Command, name: &&str| command.find_subcommand(name).expect("it exists").clone();
        path.iter().fold(all, step)
    }

    #[test]
    fn the_list_says_in_a_line_what_a_command_does_and_its_help_says_all() {
        let commands: [(&[&str], &str, &str); 10] = [
            (&["testnet"], "Run a network of validators on this machine", "if they agree, the exit code is 0"),
            (&["keygen"], "Make a validator's keys and journal, or a client's key", "--client a client's key"),
            (&["dkg"], "Make a threshold key together with the other validators, without a dealer", "an ed25519 draft"),
            (&["node"], "Run one validator", "A second signal ends it at once"),
            (&["get"], "Read a value, with a proof if wanted", "the Merkle proof of presence or absence"),
            (&["status"], "Tell how validators are", "all nodes of a testnet"),
            (&["doctor"], "Say why there is no block", "whose votes or timeouts are missing"),
            (&["evidence", "verify"], "Check evidence against a genesis, without a node", "1 if one proves nothing"),
            (&["wait"], "Wait until a height is committed", "An idle chain commits nothing"),
            (
                &["forensics"],
                "Compare validators' data directories, and name those without whom they would not differ",
                "The validators must be stopped",
            ),
        ];
        #[cfg(feature = "lab")]
        let simulator: [(&[&str], &str, &str); 12] = [
            (
                &["bench", "complexity"],
                "What one decision costs in messages, bytes and authenticators, beside theory",
                "every formula was met",
            ),
            (
                &["bench", "load"],
                "Load real validators, and tell what they commit, how fast and at what cost",
                "less than 95 % of what was accepted was committed",
            ),
            (
                &["bench", "run"],
                "Run protocols and schemes under one load, in alternation, and print medians and ratios",
                "Ratios are to the first configuration",
            ),
            (&["bench", "compare"], "Compare two result files, figure by figure", "is told first"),
            (&["fault", "kill"], "Kill validators: SIGKILL, as if the power had failed", "Their disks stay"),
            (
                &["fault", "partition"],
                "Cut links: only members of one group hear each other, or nothing passes in one direction",
                "quote it, or the shell writes into a file",
            ),
            (&["fault", "attack", "start"], "Let validators lie from now on", "names the attacks"),
            (
                &["fault", "status"],
                "Tell all that is in force, and how much of the fault budget is used",
                "Links, cuts and clocks are not counted",
            ),
            (&["sim", "run"], "Run one seed, or a scenario", "then everything heals"),
            (&["sim", "campaign"], "Run many seeds", "each hundredth seed"),
            (&["sim", "twins"], "Run replicas whose keys run twice, in every split of the network", "and must commit"),
            (
                &["sim", "replay"],
                "Run a saved scenario again, and tell whether it was the same",
                "this one must be the same",
            ),
        ];
        #[cfg(not(feature = "lab"))]
        let simulator = [];
        for (path, line, more) in commands.into_iter().chain(simulator) {
            let mut command = find(path);
            assert_eq!(command.get_about().map(ToString::to_string).as_deref(), Some(line), "{path:?}");
            let help = command.render_long_help().to_string().split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(help.contains(more), "{path:?} does not say \"{more}\": {help}");
        }
    }
}
