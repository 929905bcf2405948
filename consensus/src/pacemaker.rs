//! How long a view may last. Pure arithmetic; the rules of entering and leaving views are in `hotstuff`.
//!
//! A view lasts `base * 2^k`, capped, where `k` counts the views that timed out since the last commit (Castro & Liskov 1999
//! section 4.5.2; the cap because views without limit grew to days elsewhere).

use std::time::Duration;

/// The genesis' timing parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Timeouts {
    /// The first view's length, at least 1 ms.
    pub base: Duration,
    /// No view lasts longer.
    pub max: Duration,
    /// Leaders make an empty block after this long without transactions; `None`: an idle net is quiet.
    pub block_interval: Option<Duration>,
}

/// Counts failed views.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Pacemaker {
    timeouts: Timeouts,
    failed: u32,
}

impl Pacemaker {
    /// No view has failed yet.
    pub fn new(timeouts: Timeouts) -> Self {
        Self { timeouts, failed: 0 }
    }

    /// How long the present view may last.
    pub fn view_duration(&self) -> Duration {
        let factor = 2u32.checked_pow(self.failed).unwrap_or(u32::MAX);
        self.timeouts.base.saturating_mul(factor).min(self.timeouts.max)
    }

    /// How often a replica without progress repeats itself. Not backed off: the network is what heals.
    pub fn retransmission(&self) -> Duration {
        self.timeouts.base
    }

    /// How long to wait for an answer to a fetch.
    pub fn fetch(&self) -> Duration {
        (self.timeouts.base / 2).max(Duration::from_millis(1))
    }

    /// How often a quiet replica asks whether the others are ahead.
    pub fn poll(&self) -> Duration {
        self.timeouts.base.saturating_mul(8)
    }

    /// A leader's pause before an empty block, if empty blocks are wanted at all.
    pub fn block_interval(&self) -> Option<Duration> {
        self.timeouts.block_interval
    }

    /// A view timed out.
    pub fn view_failed(&mut self) {
        self.failed = self.failed.saturating_add(1);
    }

    /// A block was committed: progress.
    pub fn committed(&mut self) {
        self.failed = 0;
    }

    /// Views timed out since the last commit.
    pub fn failed_views(&self) -> u32 {
        self.failed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pacemaker() -> Pacemaker {
        let ms = Duration::from_millis;
        Pacemaker::new(Timeouts { base: ms(100), max: ms(1500), block_interval: None })
    }

    #[test]
    fn views_double_up_to_the_cap_and_fall_back_on_a_commit() {
        let mut pacemaker = pacemaker();
        let mut durations = Vec::new();
        for _ in 0..6 {
            durations.push(pacemaker.view_duration().as_millis());
            pacemaker.view_failed();
        }
        assert_eq!(durations, [100, 200, 400, 800, 1500, 1500]);
        pacemaker.committed();
        assert_eq!(pacemaker.view_duration().as_millis(), 100);
    }

    #[test]
    fn any_number_of_failures_stays_at_the_cap() {
        let mut pacemaker = pacemaker();
        for _ in 0..100_000 {
            pacemaker.view_failed();
        }
        assert_eq!(pacemaker.view_duration().as_millis(), 1500);
    }
}
