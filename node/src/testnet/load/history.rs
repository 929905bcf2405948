//! What validators reported committed, kept by the client that was told.
//!
//! A validator that says "committed" has promised that the transaction stands at that height for ever, on every ledger. Ledgers that
//! agree among themselves do not show it: they could all lack the same one. Only who kept what was said can ask for it at the end.

use quorate_types::{Digest, Height};
use std::collections::VecDeque;

/// Reports that are remembered; 40 bytes each. Of more, the oldest are forgotten, and counted.
const REMEMBERED: usize = 1 << 20;

/// The reports of one run.
#[derive(Debug, Default)]
pub(crate) struct History {
    kept: VecDeque<(Height, Digest)>,
    forgotten: u64,
}

impl History {
    /// A validator said that this is committed there.
    pub(crate) fn record(&mut self, height: Height, transaction: Digest) {
        if self.kept.len() >= REMEMBERED {
            self.kept.pop_front();
            self.forgotten += 1;
        }
        self.kept.push_back((height, transaction));
    }

    /// All that is remembered, by height, and how many are not.
    pub(crate) fn finish(mut self) -> (Vec<(Height, Digest)>, u64) {
        self.kept.make_contiguous().sort_unstable();
        (self.kept.into(), self.forgotten)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_come_back_by_height_and_the_oldest_are_forgotten_and_counted() {
        let mut history = History::default();
        let digest = |index: usize| Digest(std::array::from_fn(|at| index.to_le_bytes().get(at).copied().unwrap_or(0)));
        for index in 0..REMEMBERED + 2 {
            history.record(Height((REMEMBERED + 2 - index) as u64), digest(index));
        }
        let (reports, forgotten) = history.finish();
        assert_eq!((reports.len(), forgotten), (REMEMBERED, 2));
        assert!(reports.is_sorted());
        assert!(reports.contains(&(Height(1), digest(REMEMBERED + 1))));
        assert!(!reports.contains(&(Height(REMEMBERED as u64 + 2), digest(0))));
    }
}
