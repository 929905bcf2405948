//! What the validators say of themselves while a scenario runs: asked all the time, each by a task of its own, so that one that stands
//! still keeps nobody waiting.

use crate::{api::model::StatusView, client::Api};
use quorate_types::ReplicaId;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};
use tokio::task::JoinSet;

/// How often each is asked.
const ASK_EVERY: Duration = Duration::from_millis(25);
/// One that has not answered by then is asked again.
const PATIENCE: Duration = Duration::from_secs(1);

/// The samples so far, and the tasks that take them; they end with it.
pub(super) struct Samples {
    taken: Arc<Mutex<Taken>>,
    _tasks: JoinSet<()>,
}

#[derive(Default)]
struct Taken {
    last: BTreeMap<ReplicaId, StatusView>,
    /// The greatest height of anybody honest, and when it was first seen.
    heights: Vec<(Duration, u64)>,
}

impl Samples {
    /// Begins to ask. Heights of liars count for nothing.
    pub(super) fn take(apis: &[Api], is_honest: impl Fn(ReplicaId) -> bool, began: Instant) -> Self {
        let taken = Arc::new(Mutex::new(Taken::default()));
        let mut tasks = JoinSet::new();
        for (id, api) in (0..).map(ReplicaId).zip(apis) {
            let (api, taken, counts) = (api.clone(), Arc::clone(&taken), is_honest(id));
            tasks.spawn(async move {
                loop {
                    if let Ok(Ok(status)) = tokio::time::timeout(PATIENCE, api.status()).await {
                        lock(&taken).add(id, status, counts, began.elapsed());
                    }
                    tokio::time::sleep(ASK_EVERY).await;
                }
            });
        }
        Self { taken, _tasks: tasks }
    }

    /// The greatest height that somebody honest has committed.
    pub(super) fn height(&self) -> u64 {
        lock(&self.taken).heights.last().map_or(0, |(_, height)| *height)
    }

    /// The greatest view that anybody was in when it last answered.
    pub(super) fn view(&self) -> u64 {
        lock(&self.taken).last.values().map(|status| status.view.0).max().unwrap_or(0)
    }

    /// Pieces of evidence that all of them keep.
    pub(super) fn evidence(&self) -> u64 {
        lock(&self.taken).last.values().map(|status| status.evidence as u64).sum()
    }

    /// When each greatest height was first seen.
    pub(super) fn heights(&self) -> Vec<(Duration, u64)> {
        lock(&self.taken).heights.clone()
    }
}

impl Taken {
    fn add(&mut self, id: ReplicaId, status: StatusView, counts: bool, at: Duration) {
        let highest = self.heights.last().map_or(0, |(_, height)| *height);
        if counts && status.height.0 > highest {
            self.heights.push((at, status.height.0));
        }
        self.last.insert(id, status);
    }
}

fn lock(taken: &Mutex<Taken>) -> MutexGuard<'_, Taken> {
    taken.lock().unwrap_or_else(PoisonError::into_inner)
}
