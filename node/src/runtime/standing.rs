//! Since when there has been work without a commit, and when the last proposal was refused: the replica has no clock, so it is noted here.

use crate::handle::Examination;
use quorate_consensus::Replica;
use quorate_types::Height;
use quorate_validator::Core;
use std::time::Instant;

#[derive(Debug, Default)]
pub(super) struct Standing {
    height: Option<Height>,
    committed: Option<Instant>,
    waiting: Option<Instant>,
    refusals: u64,
    refused: Option<Instant>,
}

impl Standing {
    /// Looks at the replica, every now and then.
    pub(super) fn look(&mut self, core: &Core<impl Replica>, height: Height, has_work: bool, now: Instant) {
        let has_moved = self.height.is_some_and(|before| before < height);
        if has_moved {
            self.committed = Some(now);
            self.waiting = None;
        }
        self.height = Some(height);
        self.waiting = has_work.then(|| self.waiting.unwrap_or(now));
        let refusals = core.last_refusal().map_or(0, |refusal| refusal.before + 1);
        if refusals != self.refusals {
            self.refusals = refusals;
            self.refused = Some(now);
        }
    }

    /// All that people want to know.
    pub(super) fn examine(&self, core: &Core<impl Replica>, now: Instant) -> Examination {
        let since = |at: Instant| now.saturating_duration_since(at);
        let refusal = core.last_refusal().copied();
        Examination {
            diagnosis: core.replica().diagnosis(),
            refusal: refusal.map(|refusal| (refusal, self.refused.map(since).unwrap_or_default())),
            waiting: self.waiting.map(since),
            since_commit: self.committed.map(since),
            transactions: core.pool().status().transactions,
            missing_batches: core.missing_batches(),
            charges: core.docket().charges().cloned().collect(),
            slanderers: core.docket().slanderers().iter().copied().collect(),
        }
    }
}
