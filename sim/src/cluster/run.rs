//! Time.

use super::Cluster;
use crate::{SimProtocol, Violation};
use quorate_types::{Digest, Height};
use std::time::Duration;

/// How often [`Cluster::run_until`] looks whether what it waits for is there.
const LOOK: Duration = Duration::from_millis(1);

impl<P: SimProtocol> Cluster<P> {
    /// Virtual time since the start.
    pub fn now(&self) -> Duration {
        self.queue.now()
    }

    /// Lets so much virtual time pass, or less if a violation ends the run.
    pub fn run_for(&mut self, duration: Duration) {
        let end = self.queue.now() + duration;
        self.advance(end);
    }

    fn advance(&mut self, end: Duration) {
        while self.violation.is_none()
            && let Some(event) = self.queue.pop(end)
        {
            self.happen(event);
            if let Err(violation) = self.checkers.bounds.events(self.queue.len()) {
                self.violated(violation);
            }
        }
    }

    /// Runs until `is_reached`, at most for `limit`. Whether it was reached.
    pub fn try_until(&mut self, mut is_reached: impl FnMut(&Self) -> bool, limit: Duration) -> bool {
        let end = self.queue.now() + limit;
        while !is_reached(self) {
            if self.queue.now() >= end || self.violation.is_some() {
                return false;
            }
            let look = (self.queue.now() + LOOK).min(end);
            self.advance(look);
        }
        true
    }

    /// Runs until `is_reached`.
    ///
    /// # Panics
    /// If that takes longer than `limit`, with the seed, the configuration and the last part of the trace.
    pub fn run_until(&mut self, is_reached: impl FnMut(&Self) -> bool, limit: Duration) {
        if !self.try_until(is_reached, limit) {
            panic!("not reached within {limit:?}\n{}", self.report());
        }
    }

    /// Runs until every running replica has committed at least `height`.
    ///
    /// # Panics
    /// If that takes longer than a minute.
    pub fn run_until_height(&mut self, height: u64) {
        let reached = |cluster: &Self| cluster.running().all(|id| cluster.height(id.0) >= Height(height));
        self.run_until(reached, Duration::from_secs(60));
    }

    /// Heals the network, starts everybody, and runs until everything submitted has taken effect and all replicas hold the
    /// same chain.
    ///
    /// # Panics
    /// If that takes longer than two minutes.
    pub fn settle(&mut self) {
        self.heal();
        self.restart_all();
        self.run_until(Self::is_settled, Duration::from_secs(120));
    }

    /// Whether everything submitted has taken effect at all replicas: all stand at or above the last block with transactions
    /// that was ever committed. Above it, one may have committed an empty block more than another before it crashed; an
    /// idle net has no reason to even that out.
    pub fn is_settled(&self) -> bool {
        let height = self.checkers.chain.last_nonempty();
        let at_head = |node: &crate::node::Node<P>| node.height() >= Some(height);
        let honest = || self.nodes.iter().filter(|node| !self.checkers.dishonest.contains(&node.id));
        self.clients.is_done(&self.checkers.chain) && honest().all(at_head)
    }

    /// Two runs with the same digest did the same.
    pub fn trace_hash(&mut self) -> Digest {
        self.trace.digest()
    }

    /// How many things have happened.
    pub fn events(&self) -> u64 {
        self.trace.len()
    }

    /// The violation that ended the run, if one did.
    pub fn violation(&self) -> Option<&Violation> {
        self.violation.as_ref()
    }

    /// A violation that only the campaign can see.
    pub(crate) fn violated_from_outside(&mut self, violation: Violation) {
        self.violated(violation);
    }

    pub(super) fn violated(&mut self, violation: Violation) {
        if self.violation.is_none() {
            self.violation = Some(violation);
            if self.panics {
                panic!("{}", self.report());
            }
        }
    }
}
