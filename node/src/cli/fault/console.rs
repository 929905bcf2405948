//! The console of a running testnet, from outside.

use crate::{
    client::{Api, Unanswered},
    exit::{Exit, Failure},
    lab::FaultToken,
    testnet::{
        TestnetHome,
        console::{Answer, ConsoleFile, Measured, Order, Status},
    },
};
use serde_json::json;

/// A console to talk to.
pub(in crate::cli) struct Remote {
    home: TestnetHome,
    pid: u32,
    api: Api,
}

impl Remote {
    /// The one of the testnet that runs in `home`.
    pub(in crate::cli) fn find(home: &TestnetHome) -> Result<Self, Failure> {
        let (file, token) = (ConsoleFile::load(home)?, FaultToken::load(&home.fault_token())?);
        let (Some(file), Some(token)) = (file, token) else { return Err(none_runs(home)) };
        Ok(Self { home: home.clone(), pid: file.pid, api: Api::with_token(&file.address.to_string(), &token)? })
    }

    pub(super) async fn order(&self, order: &Order) -> Result<Answer, Failure> {
        self.api.post("/v1/console", order).await.map_err(|error| self.failure(error))
    }

    pub(super) async fn reset(&self) -> Result<Answer, Failure> {
        self.api.post("/v1/console/reset", &json!({})).await.map_err(|error| self.failure(error))
    }

    pub(in crate::cli) async fn status(&self) -> Result<Status, Failure> {
        self.api.get("/v1/console").await.map_err(|error| self.failure(error))
    }

    pub(super) async fn links(&self) -> Result<Vec<Measured>, Failure> {
        self.api.get("/v1/console/links").await.map_err(|error| self.failure(error))
    }

    fn failure(&self, error: Unanswered) -> Failure {
        match error {
            Unanswered::Problem(problem) => {
                let exit = if problem.code == "no-sense" { Exit::Usage } else { Exit::Failure };
                problem.hint.into_iter().fold(Failure::new(exit, problem.detail), Failure::hint)
            }
            Unanswered::Unreachable(_) => {
                let (home, pid) = (self.home.path().display(), self.pid);
                Failure::environment(format!("the testnet in {home} (process {pid}) has ended"))
                    .hint("quorate testnet starts it again")
            }
            Unanswered::Nonsense(why) => Failure::failed(format!("the fault console answered strangely: {why}"))
                .hint("use the program that runs the testnet"),
        }
    }
}

fn none_runs(home: &TestnetHome) -> Failure {
    Failure::environment(format!("no testnet runs in {}", home.path().display())).hint(
        "quorate testnet starts one; --home names another. One that is just starting takes orders once it is ready",
    )
}
