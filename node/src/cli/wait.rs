//! `quorate wait --height N`.

use super::{Context, duration::duration, target::Target};
use crate::exit::{Exit, Failure};
use clap::Args;
use serde_json::json;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// How often to ask.
const PACE: Duration = Duration::from_millis(200);

/// Wait until a height is committed
///
/// At one node. An idle chain commits nothing: send it transactions, or let it pace empty
/// blocks.
#[derive(Debug, Args)]
pub(super) struct WaitArgs {
    /// The height to wait for
    #[arg(long)]
    height: u64,
    /// How long to wait; then the exit code is 4
    #[arg(long, default_value = "60s", value_parser = duration)]
    timeout: Duration,
    #[command(flatten)]
    target: Target,
}

pub(super) fn run(args: &WaitArgs, context: &Context) -> Result<(), Failure> {
    context.block_on(async {
        let api = args.target.api()?;
        let deadline = Instant::now() + args.timeout;
        let mut last = String::from("it was never reached");
        loop {
            match api.status().await {
                Ok(status) if status.height.0 >= args.height => {
                    let data = json!({ "node": status.name, "height": status.height, "head": status.head });
                    return context.output.data(&data, |_| format!("{}", status.height.0));
                }
                Ok(status) => last = format!("it is at height {}", status.height.0),
                Err(error) => last = format!("{last}; {error}"),
            }
            if Instant::now() >= deadline {
                let what =
                    format!("{} did not reach height {} within {:?}: {last}", api.base(), args.height, args.timeout);
                return Err(Failure::new(Exit::NoProgress, what)
                    .hint("quorate status; an idle chain is quiet unless its genesis has a block interval"));
            }
            last.truncate(200);
            sleep(PACE).await;
        }
    })
}
