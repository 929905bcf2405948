//! Hands in one transaction after the other, and reads what the validators have spent when they have come to rest.

use crate::{
    api::model::{CostLine, CostsView, StatusView},
    client::Api,
    exit::{Exit, Failure},
    handle::Wait,
    testnet::Bedded,
};
use futures::future::try_join_all;
use quorate_bench::complexity::{Case, Fault, Kinds, Reading, Stretch};
use quorate_crypto::ClientSecret;
use quorate_types::{BoundedVec, ChainId, Transaction, TransactionBody};
use std::time::{Duration, Instant};

/// A transaction's payload in bytes, as in the simulator.
const PAYLOAD: usize = 512;
/// Between two looks.
const LOOK: Duration = Duration::from_millis(100);
/// So long nothing may be said, if what was said is what the formula says.
const QUIET: Duration = Duration::from_millis(300);
/// And so long if it is not: somebody may only be slow.
const LONG_QUIET: Duration = Duration::from_millis(1500);
/// Where views end by their timers, longer than they last.
const FAULTY_QUIET: Duration = Duration::from_secs(3);
/// Who has not come to rest by then does not.
const PATIENCE: Duration = Duration::from_secs(120);

/// The only client of a testnet.
pub(super) struct Witness {
    apis: Vec<Api>,
    chain: ChainId,
    secret: ClientSecret,
    nonce: u64,
}

impl Witness {
    /// Of the validators that run. Transactions are handed to the first.
    pub(super) fn new(chain: ChainId, validators: &[Bedded]) -> Result<Self, Failure> {
        let apis = validators.iter().map(|validator| Api::new(&validator.api)).collect::<Result<_, _>>()?;
        Ok(Self { apis, chain, secret: ClientSecret::generate(), nonce: 0 })
    }

    /// Readings at quiet moments: the first after a transaction, then one after each of as many as the case wants decided. And how many
    /// milliseconds each of these took.
    pub(super) async fn watch(&mut self, case: &Case) -> Result<(Vec<Reading>, Vec<f64>), Failure> {
        self.decide().await?;
        let mut last = self.at_rest(case, None).await?;
        let (mut readings, mut took) = (vec![last.clone()], Vec::new());
        for _ in 0..case.decisions {
            took.push(self.decide().await?);
            last = self.at_rest(case, Some(&last)).await?;
            readings.push(last.clone());
        }
        Ok((readings, took))
    }

    /// Milliseconds until a transaction is committed.
    async fn decide(&mut self) -> Result<f64, Failure> {
        let payload = BoundedVec::new(vec![0; PAYLOAD]).expect("512 bytes are few");
        let (chain, sender, nonce) = (self.chain, self.secret.account(), self.nonce);
        let body = TransactionBody { chain, sender, nonce, payload };
        // Nobody checks it: clients' signatures are no part of a decision.
        let transaction = Transaction { body, signature: [0; 64] };
        let (began, api) = (Instant::now(), &self.apis[0]);
        api.submit(&transaction, Wait::Committed).await.map_err(|error| api.failure(error))?;
        self.nonce += 1;
        Ok(began.elapsed().as_secs_f64() * 1000.0)
    }

    /// Waits until nobody has said anything about an order for a while.
    async fn at_rest(&self, case: &Case, before: Option<&Reading>) -> Result<Reading, Failure> {
        let began = Instant::now();
        let (mut seen, mut since) = (self.read().await?, began);
        while began.elapsed() < PATIENCE {
            tokio::time::sleep(LOOK).await;
            let now = self.read().await?;
            if (now.said(), now.height, now.view) != (seen.said(), seen.height, seen.view) {
                since = Instant::now();
            }
            seen = now;
            let stretch = before.map(|before| Stretch::between(case, before, &seen)).transpose();
            let is_exact = stretch.map_err(Failure::failed)?.is_some_and(|stretch| stretch.is_exact());
            let quiet = match (case.fault, is_exact) {
                (Fault::None, true) => QUIET,
                (Fault::None, false) => LONG_QUIET,
                _ => FAULTY_QUIET,
            };
            if since.elapsed() >= quiet {
                return Ok(seen);
            }
        }
        let what = format!("everything is committed, and yet the validators have not come to rest within {PATIENCE:?}");
        Err(Failure::new(Exit::NoProgress, what))
    }

    /// What all together have spent so far.
    async fn read(&self) -> Result<Reading, Failure> {
        let each = self.apis.iter().map(|api| async move {
            let costs = api.get::<CostsView>("/v1/costs").await.map_err(|error| api.failure(error))?;
            let status = api.get::<StatusView>("/v1/status").await.map_err(|error| api.failure(error))?;
            Ok::<_, Failure>((costs, status))
        });
        let mut sum = Reading::default();
        for (costs, status) in try_join_all(each).await? {
            sum.height = sum.height.max(costs.height);
            sum.view = sum.view.max(status.view.0);
            sum.failed_views = sum.failed_views.max(costs.failed_views);
            sum.sent.extend(costs.sent.into_iter().map(kinds));
            sum.signatures_made += costs.signatures_made;
            sum.signatures_checked += costs.signatures_checked;
            sum.pairings += costs.pairings;
            sum.flushes += costs.flushes;
            sum.libp2p_bytes += costs.libp2p_bytes;
        }
        Ok(sum)
    }
}

fn kinds(line: CostLine) -> Kinds {
    let CostLine { kind, phase, role, outcome, messages, bytes, authenticators } = line;
    Kinds { kind, phase, role, outcome, messages, bytes, authenticators }
}
