//! What happens in a round, and after the last one. See the parent's header.

use super::{
    scenario::Partition,
    subject::Subject,
    verdict::{Breach, TAIL_BLOCKS},
    world::{Slot, World},
};
use quorate_consensus::Timer;
use quorate_types::View;

/// Times that timers run out in a tail at most.
const TAIL_WAVES: usize = 40;

impl<P: Subject> World<P> {
    /// The round of this number, counted from 0, after the views that are passed over to come to it.
    pub(super) fn round(&mut self, number: usize, partition: &Partition) {
        let view = self.setting.views[number];
        let before = number.checked_sub(1).map_or(View::GENESIS, |before| self.setting.views[before]);
        for passed in before.0 + 1..view.0 {
            self.run(Slot { view: View(passed), partition: None });
        }
        self.run(Slot { view, partition: Some(*partition) });
    }

    fn run(&mut self, slot: Slot) {
        self.begin(slot);
        self.settle();
        let mut idle = 0;
        while idle < P::PATIENCE {
            let before = self.position();
            if !self.wave() {
                return;
            }
            self.settle();
            idle = if self.position() == before { idle + 1 } else { 0 };
        }
    }

    /// Everybody hears everybody until every honest replica has committed enough. Gives back how often timers ran out.
    pub(super) fn tail(&mut self) -> usize {
        let goal = |process: usize| {
            let committed = self.processes[process].chain.len();
            if self.is_honest(process) { committed + TAIL_BLOCKS } else { 0 }
        };
        self.goal = Some((0..self.processes.len()).map(goal).collect());
        self.begin(Slot::TAIL);
        self.settle();
        let mut waves = 0;
        while !self.is_over() && waves < TAIL_WAVES {
            waves += 1;
            self.wave();
            self.settle();
        }
        let stuck: Vec<_> = self.lacking().map(|(process, lacks)| Breach::Stuck { process, lacks }).collect();
        self.breaches.extend(stuck);
        waves
    }

    /// The timers of all who are behind run out; false if there are none.
    fn wave(&mut self) -> bool {
        let mut has_fired = false;
        for process in 0..self.processes.len() {
            let is_behind = self.processes[process].replica.view() < self.slot.view;
            let runs_out = |timer: &&Timer| match timer {
                Timer::Fetch => true,
                Timer::View(_) | Timer::Progress { .. } | Timer::Retransmit(_) => is_behind,
                Timer::Pace(_) | Timer::Poll | Timer::Censorship(_) => self.slot.is_tail(),
            };
            let timers: Vec<_> = self.processes[process].timers.iter().filter(runs_out).copied().collect();
            has_fired |= !timers.is_empty();
            timers.into_iter().for_each(|timer| self.fire(process, timer));
        }
        has_fired
    }

    fn position(&self) -> Vec<(View, usize)> {
        self.processes.iter().map(|process| (process.replica.view(), process.chain.len())).collect()
    }
}
