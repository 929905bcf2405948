//! *Whether*: the rules of PBFT as pure questions.
//!
//! What a NEW-VIEW begins with follows from its VIEW-CHANGEs alone (Castro & Liskov 1999, section 4.4; our form proposes one
//! block again, see the module's header):
//! - **base**: the highest stable checkpoint among them;
//! - **tip**: the block of the greatest (view, height) prepared certificate among them, if its height is above the base.

use super::{
    certificate::{PreparedCertificate, StableCheckpoint},
    message::{NewView, ViewChange},
};
use quorate_crypto::Scheme;
use quorate_types::Height;

/// Heights that messages may speak of: `low < height <= low + size`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Window {
    pub(super) low: Height,
    pub(super) size: u64,
}

impl Window {
    pub(super) fn contains(&self, height: Height) -> bool {
        height > self.low && height <= self.high()
    }

    /// The high watermark.
    pub(super) fn high(&self) -> Height {
        Height(self.low.0.saturating_add(self.size))
    }
}

/// What a view begins with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Beginning<'a, S: Scheme> {
    pub(super) base: &'a StableCheckpoint<S>,
    pub(super) tip: Option<&'a PreparedCertificate<S>>,
}

/// Whether a view-change's certificate lies in the window of *its own* checkpoint. Judged by the receiver's watermark, a
/// lagging receiver would refuse the only quorum there is (hole P7).
pub(super) fn fits<S: Scheme>(change: &ViewChange<S>, window: u64) -> bool {
    let own = Window { low: change.checkpoint.checkpoint.height, size: window };
    change.prepared.as_ref().is_none_or(|prepared| prepared.statement.0.height <= own.high())
}

/// Base and tip of a quorum of view-changes. `None` of nothing.
pub(super) fn beginning<S: Scheme>(changes: &[ViewChange<S>]) -> Option<Beginning<'_, S>> {
    let base = changes.iter().map(|change| &change.checkpoint).max_by_key(|stable| stable.checkpoint.height)?;
    let prepared = changes.iter().filter_map(|change| change.prepared.as_ref());
    let highest = prepared.max_by_key(|prepared| (prepared.statement.0.view, prepared.statement.0.height));
    Some(Beginning { base, tip: highest.filter(|tip| tip.statement.0.height > base.checkpoint.height) })
}

/// Whether a NEW-VIEW, whose signatures are good, follows from its own view-changes.
pub(super) fn follows<S: Scheme>(new_view: &NewView<S>, window: u64) -> Result<Beginning<'_, S>, &'static str> {
    if !new_view.view_changes.iter().all(|change| fits(change, window)) {
        return Err("a view-change in it claims a certificate beyond its own window");
    }
    let beginning = beginning(&new_view.view_changes).ok_or("it has no view-changes")?;
    let due = beginning.tip.map(|tip| (tip.statement.0.height, tip.statement.0.block));
    let proposed = new_view.tip.as_ref().map(|tip| (tip.block.header.height, tip.block.digest()));
    match (due, proposed) {
        (None, Some(_)) => Err("it proposes a block again where nothing above its base was prepared"),
        (Some(_), None) => Err("it omits the highest prepared block"),
        (due, proposed) if due != proposed => Err("it proposes another block than the highest prepared one"),
        _ => Ok(beginning),
    }
}
