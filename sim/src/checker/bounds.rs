//! Buffers within their limits.

use super::{Rule, Violation};
use crate::{SimProtocol, node::Life};
use quorate_consensus::BatchLimits;

/// Limits of one replica, and of the events that are ahead.
pub(crate) struct Bounds {
    pub(crate) limits: BatchLimits,
    pub(crate) replicas: usize,
}

/// Uncommitted blocks that a replica may hold.
const BLOCKS: usize = 1024 + 8;
/// Batches asked for.
const WANTED: usize = 1024 + 64 * 64;
/// Events ahead: messages on their way and timers. More is a storm.
const EVENTS: usize = 100_000;

impl Bounds {
    pub(crate) fn check<P: SimProtocol>(&self, life: &Life<P>) -> Result<(), Violation> {
        let pool = life.core.pool().status();
        let blocks = life.core.replica().status().uncommitted_blocks;
        let held = [
            ("uncommitted blocks", blocks, BLOCKS),
            ("waiting transactions", pool.waiting, self.limits.waiting),
            ("batches", pool.batches, self.limits.batches_per_author * self.replicas + 64 * BLOCKS),
            ("wanted batches", pool.wanted, WANTED),
        ];
        for (what, have, max) in held {
            if have > max {
                let what = format!("{} holds {have} {what} where {max} are the limit", life.id);
                return Err(Violation::new(Rule::Bounds, what));
            }
        }
        Ok(())
    }

    pub(crate) fn events(&self, ahead: usize) -> Result<(), Violation> {
        // Whoever has all speak to all, several heights at a time, has as many messages under way.
        if ahead > EVENTS.max(16 * self.replicas * self.replicas) {
            return Err(Violation::new(Rule::Bounds, format!("{ahead} messages and timers are under way: a storm")));
        }
        Ok(())
    }
}
