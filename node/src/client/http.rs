//! The API's client.

#[cfg(feature = "lab")]
use crate::api::model::BatchSubmittedView;
use crate::{
    api::{
        ProblemBody,
        model::{AccountView, StateView, StatusView, SubmittedView, TransactionIn, TransactionView},
    },
    exit::{Exit, Failure},
    handle::Wait,
};
use quorate_types::{Account, Digest, Transaction};
#[cfg(feature = "lab")]
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::time::Duration;

/// Bytes of the longest answer that is read.
const MAX_ANSWER: usize = 64 * 1024 * 1024;
/// A node that says how it is says so at once. One that stands still takes the question, and says nothing.
const STATUS_WITHIN: Duration = Duration::from_secs(3);

/// A node's API.
#[derive(Clone, Debug)]
pub struct Api {
    base: String,
    http: reqwest::Client,
    /// What requests bear.
    token: Option<String>,
}

/// Why there is no answer of the kind hoped for.
#[derive(Debug, thiserror::Error)]
pub enum Unanswered {
    /// The node said no.
    #[error("{}", .0.detail)]
    Problem(ProblemBody),
    /// The node could not be reached, or the connection broke.
    #[error("{0}")]
    Unreachable(String),
    /// What came back is not what this API answers.
    #[error("{0}")]
    Nonsense(String),
}

impl Api {
    /// The API at `base`, such as `http://127.0.0.1:26700`.
    pub fn new(base: &str) -> Result<Self, Failure> {
        let base = base.trim_end_matches('/');
        let base = if base.contains("://") { base.to_owned() } else { format!("http://{base}") };
        reqwest::Url::parse(&base).map_err(|error| {
            Failure::usage(format!("`{base}` is not a URL: {error}")).hint("--node http://127.0.0.1:26700")
        })?;
        let http = reqwest::Client::builder()
            .connect_timeout(Duration::from_secs(5))
            .timeout(Duration::from_secs(150))
            .no_proxy()
            .build()
            .map_err(|error| Failure::environment(format!("cannot make an HTTP client: {error}")))?;
        Ok(Self { base, http, token: None })
    }

    /// The API at `base` for whoever holds this token, which each request then bears.
    #[cfg(feature = "lab")]
    pub fn with_token(base: &str, token: &crate::lab::FaultToken) -> Result<Self, Failure> {
        Ok(Self { token: Some(token.text().to_owned()), ..Self::new(base)? })
    }

    /// Where it is.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// `GET /v1/status`.
    pub async fn status(&self) -> Result<StatusView, Unanswered> {
        self.send(self.http.get(format!("{}/v1/status", self.base)).timeout(STATUS_WITHIN)).await
    }

    /// `GET /v1/accounts/{account}`.
    pub async fn account(&self, account: &Account) -> Result<AccountView, Unanswered> {
        self.get(&format!("/v1/accounts/{account}")).await
    }

    /// `GET /v1/state/{key}`, for any bytes.
    pub async fn state(&self, key: &[u8], proof: bool) -> Result<StateView, Unanswered> {
        self.get(&format!("/v1/state/{}?hex=true&proof={proof}", hex::encode(key))).await
    }

    /// `GET /v1/txs/{digest}`.
    pub async fn transaction(&self, digest: &Digest, proof: bool) -> Result<TransactionView, Unanswered> {
        self.get(&format!("/v1/txs/{digest}?proof={proof}")).await
    }

    /// `POST /v1/txs`.
    pub async fn submit(&self, transaction: &Transaction, wait: Wait) -> Result<SubmittedView, Unanswered> {
        let wait = match wait {
            Wait::None => "none",
            Wait::Accepted => "accepted",
            Wait::Committed => "committed",
        };
        self.send(self.http.post(format!("{}/v1/txs?wait={wait}", self.base)).json(&TransactionIn::from(transaction)))
            .await
    }

    /// `POST /v1/txs/batch`, with the encoded transactions; answers once each is in the mempool, or refused.
    #[cfg(feature = "lab")]
    pub async fn submit_batch(&self, transactions: bytes::Bytes) -> Result<BatchSubmittedView, Unanswered> {
        let request = self.http.post(format!("{}/v1/txs/batch", self.base));
        self.send(request.header("content-type", "application/octet-stream").body(transactions)).await
    }

    /// `GET /metrics`, as text.
    #[cfg(feature = "lab")]
    pub async fn metrics(&self) -> Result<String, Unanswered> {
        let unreachable = |error: reqwest::Error| Unanswered::Unreachable(innermost(&error));
        let response = self.http.get(format!("{}/metrics", self.base)).send().await.map_err(unreachable)?;
        response.text().await.map_err(unreachable)
    }

    /// `GET /v1/events` of these types, for as long as they come.
    #[cfg(feature = "lab")]
    pub async fn events(&self, types: &str) -> Result<super::Events, Unanswered> {
        const FOR_EVER: Duration = Duration::from_secs(365 * 24 * 3600);
        let unreachable = |error: reqwest::Error| Unanswered::Unreachable(innermost(&error));
        let request = self.http.get(format!("{}/v1/events?types={types}", self.base)).timeout(FOR_EVER);
        let response = request.send().await.map_err(unreachable)?;
        if !response.status().is_success() {
            let status = response.status();
            return Err(Unanswered::Nonsense(format!("{status} instead of events")));
        }
        Ok(super::Events::new(response))
    }

    /// Any JSON of the API.
    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Unanswered> {
        self.send(self.http.get(format!("{}{path}", self.base))).await
    }

    /// `PUT`s a body and takes any JSON.
    #[cfg(feature = "lab")]
    pub async fn put<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T, Unanswered> {
        self.send(self.http.put(format!("{}{path}", self.base)).json(body)).await
    }

    /// `POST`s a body and takes any JSON.
    #[cfg(feature = "lab")]
    pub async fn post<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T, Unanswered> {
        self.send(self.http.post(format!("{}{path}", self.base)).json(body)).await
    }

    async fn send<T: DeserializeOwned>(&self, request: reqwest::RequestBuilder) -> Result<T, Unanswered> {
        let request = match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        };
        let unreachable = |error: reqwest::Error| Unanswered::Unreachable(reason(&error));
        let mut response = request.send().await.map_err(unreachable)?;
        let status = response.status();
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
            if body.len() + chunk.len() > MAX_ANSWER {
                return Err(Unanswered::Nonsense(format!("more than {MAX_ANSWER} bytes")));
            }
            body.extend_from_slice(&chunk);
        }
        let nonsense = |error: serde_json::Error| Unanswered::Nonsense(format!("{status} with another body: {error}"));
        if status.is_success() {
            return serde_json::from_slice(&body).map_err(nonsense);
        }
        Err(Unanswered::Problem(serde_json::from_slice(&body).map_err(nonsense)?))
    }

    /// What to tell the user when this node gave no answer.
    pub fn failure(&self, error: Unanswered) -> Failure {
        match error {
            Unanswered::Problem(problem) => {
                let exit = match problem.code.as_str() {
                    "not-in-time" => Exit::NoProgress,
                    "busy" | "stopping" | "stopped" => Exit::Environment,
                    _ => Exit::Failure,
                };
                let failure = Failure::new(exit, format!("{}: {} ({})", self.base, problem.detail, problem.code));
                problem.hint.into_iter().fold(failure, Failure::hint)
            }
            Unanswered::Unreachable(why) => {
                Failure::environment(format!("cannot reach the node at {}: {why}", self.base))
                    .hint("check that it runs (quorate testnet), or name another with --node URL")
            }
            Unanswered::Nonsense(why) => Failure::failed(format!("{} answered strangely: {why}", self.base))
                .hint("check that --node is the API address of a quorate node of this version"),
        }
    }
}

/// Why a request failed.
fn reason(error: &reqwest::Error) -> String {
    if error.is_timeout() { "no answer in time".to_owned() } else { innermost(error) }
}

pub(super) fn innermost(error: &dyn std::error::Error) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}
