//! One failure stops everything, and its reason is kept.

use crate::handle::Stopped;
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, PoisonError},
    thread,
};
use tokio_util::sync::CancellationToken;

/// What a validator says when it cannot be safe.
pub(super) fn safety_violation(why: &str) -> String {
    format!(
        "SAFETY VIOLATION: {why}. More than f replicas are faulty, or this validator's data are damaged; keep its home directory \
         and compare it with others: `quorate forensics`"
    )
}

/// Shared by all threads of a runtime: the first failure, and the signal to stop.
#[derive(Clone, Debug)]
pub(super) struct Failure {
    reason: Arc<Mutex<Option<String>>>,
    stop: CancellationToken,
}

impl Failure {
    pub(super) fn new(stop: CancellationToken) -> Self {
        Self { reason: Arc::default(), stop }
    }

    /// Stops the runtime. The first reason is the one that is told.
    pub(super) fn fail(&self, reason: String) {
        tracing::error!(%reason, "the validator stops");
        self.reason.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(reason);
        self.stop.cancel();
    }

    /// Why the runtime ended.
    pub(super) fn stopped(&self) -> Stopped {
        let reason = self.reason.lock().unwrap_or_else(PoisonError::into_inner).clone();
        reason.map_or(Stopped::Asked, Stopped::Failed)
    }

    /// Runs `body` on a thread of its own. A panic in it is a failure of the runtime.
    pub(super) fn spawn(
        &self,
        name: &str,
        body: impl FnOnce() + Send + 'static,
    ) -> std::io::Result<thread::JoinHandle<()>> {
        let (failure, label) = (self.clone(), name.to_owned());
        thread::Builder::new().name(name.to_owned()).spawn(move || {
            if catch_unwind(AssertUnwindSafe(body)).is_err() {
                failure.fail(format!("the {label} thread broke one of its own invariants; the log above says which"));
            }
        })
    }
}
