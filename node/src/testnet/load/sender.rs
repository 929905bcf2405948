//! One client account that sends.

use crate::{
    api::model::SubmittedView,
    client::{Api, Unanswered, payload},
    handle::Wait,
};
use quorate_crypto::ClientSecret;
use quorate_types::{BoundedVec, ChainId, Digest, Height, Transaction, TransactionBody};
use std::{sync::Arc, time::Duration};
use tokio_util::sync::CancellationToken;

/// Pause before a transaction goes to the next node.
const PAUSE: Duration = Duration::from_millis(200);
/// Nodes tried before a transaction is given up: about half a minute, longer than a validator takes to come back.
const ATTEMPTS: usize = 150;

/// Where the load goes.
pub(super) struct Target {
    pub(super) apis: Vec<Api>,
    pub(super) chain: ChainId,
    pub(super) app: String,
    /// Cancelled when the load ends: then nothing is tried again.
    pub(super) stop: CancellationToken,
}

/// An account, its nonce and its place in the rotation of nodes.
pub(super) struct Sender {
    index: u32,
    secret: ClientSecret,
    /// Unknown at first and after an answer that was lost.
    nonce: Option<u64>,
    /// The node it talks to.
    node: usize,
    target: Arc<Target>,
}

/// What became of one transaction.
pub(super) struct Sent {
    /// Where it was reported committed, or why it was not.
    pub(super) result: Result<(Height, Digest), String>,
    pub(super) retries: u64,
}

/// What one node made of it.
enum Answer {
    Committed(Height, Digest),
    /// Ask another node, or this one again.
    Again(String),
    /// It will never commit.
    Refused(String),
}

impl Sender {
    pub(super) fn new(index: u32, secret: ClientSecret, target: Arc<Target>) -> Self {
        let node = index as usize % target.apis.len().max(1);
        Self { index, secret, nonce: None, node, target }
    }

    /// Sends the account's next transaction and waits until it is committed.
    pub(super) async fn send(&mut self) -> Sent {
        let mut retries = 0;
        let mut transaction: Option<Transaction> = None;
        let mut why = String::new();
        for _ in 0..ATTEMPTS {
            match self.attempt(&mut transaction).await {
                Answer::Committed(height, transaction) => {
                    self.nonce = self.nonce.map(|nonce| nonce + 1);
                    return Sent { result: Ok((height, transaction)), retries };
                }
                Answer::Again(error) => why = error,
                Answer::Refused(error) => {
                    self.nonce = None;
                    return Sent { result: Err(error), retries };
                }
            }
            if self.target.stop.is_cancelled() {
                break;
            }
            retries += 1;
            self.node = (self.node + 1) % self.target.apis.len();
            tokio::time::sleep(PAUSE).await;
        }
        self.nonce = None;
        Sent { result: Err(why), retries }
    }

    async fn attempt(&mut self, transaction: &mut Option<Transaction>) -> Answer {
        let target = Arc::clone(&self.target);
        let api = &target.apis[self.node];
        let transaction = match transaction {
            Some(transaction) => transaction,
            None => match self.nonce(api).await {
                Ok(nonce) => transaction.insert(self.make(nonce)),
                Err(error) => return Answer::Again(error),
            },
        };
        match api.submit(transaction, Wait::Committed).await {
            Ok(SubmittedView { height: Some(height), outcome: Some(outcome), .. }) if outcome.status == "applied" => {
                Answer::Committed(height, transaction.digest())
            }
            Ok(sent) => Answer::Refused(format!("{:?}", sent.outcome)),
            Err(Unanswered::Problem(problem)) => match problem.code.as_str() {
                // A lost answer, perhaps: if it is in the ledger, it committed.
                "old-nonce" => match api.transaction(&transaction.digest(), false).await {
                    Ok(found) => Answer::Committed(found.height, transaction.digest()),
                    Err(_) => Answer::Refused(problem.detail),
                },
                "busy" | "stopping" | "not-in-time" | "internal" | "too-slow" => Answer::Again(problem.detail),
                _ => Answer::Refused(problem.detail),
            },
            Err(error @ (Unanswered::Unreachable(_) | Unanswered::Nonsense(_))) => Answer::Again(error.to_string()),
        }
    }

    async fn nonce(&mut self, api: &Api) -> Result<u64, String> {
        if let Some(nonce) = self.nonce {
            return Ok(nonce);
        }
        let account = api.account(&self.secret.account()).await.map_err(|error| error.to_string())?;
        self.nonce = Some(account.nonce);
        Ok(account.nonce)
    }

    fn make(&self, nonce: u64) -> Transaction {
        let key = format!("load/{}", self.index);
        let value = format!("{nonce}");
        let payload = match self.target.app.as_str() {
            "opaque" => [key.as_bytes(), value.as_bytes()].concat(),
            _ => payload::put(key.as_bytes(), value.as_bytes()).expect("key and value are short"),
        };
        let payload = BoundedVec::new(payload).expect("the payload is short");
        let (chain, sender) = (self.target.chain, self.secret.account());
        self.secret.sign(TransactionBody { chain, sender, nonce, payload })
    }
}
