//! How much of a peer's the node may be at, one class at a time.

use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// What a frame takes of the window is counted in these, and at least one: the node keeps more about a frame than its bytes.
const UNIT: usize = 1024;

/// Room of a [`Inbound::Frame`](crate::Inbound::Frame) in its peer's window, given back when it is dropped.
#[derive(Debug)]
pub struct Slot {
    _room: Option<OwnedSemaphorePermit>,
}

#[derive(Debug)]
pub(crate) struct Window {
    room: Arc<Semaphore>,
    units: u32,
}

impl Window {
    pub(crate) fn new(bytes: usize) -> Self {
        let units = u32::try_from(bytes / UNIT).unwrap_or(u32::MAX).max(1);
        let room = usize::try_from(units).map_or(Semaphore::MAX_PERMITS, |units| units.min(Semaphore::MAX_PERMITS));
        Self { room: Arc::new(Semaphore::new(room)), units }
    }

    /// Waits until a frame fits. One that is larger than the window waits until that is empty.
    pub(crate) async fn room_for(&self, bytes: usize) -> Slot {
        let units = u32::try_from(bytes.div_ceil(UNIT)).unwrap_or(u32::MAX).clamp(1, self.units);
        // Nobody closes it: there is always a permit some time.
        Slot { _room: self.room.clone().acquire_many_owned(units).await.ok() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;

    #[test]
    fn a_window_that_is_full_opens_when_the_node_is_done_with_what_is_in_it() {
        let window = Window::new(4 * UNIT);
        let large = window.room_for(3 * UNIT).now_or_never().expect("it fits");
        let small = window.room_for(0).now_or_never().expect("it fits, as the smallest");
        assert!(window.room_for(1).now_or_never().is_none(), "full");
        drop(small);
        assert!(window.room_for(UNIT + 1).now_or_never().is_none(), "too large for what is left");
        drop(large);
        let alone = window.room_for(100 * UNIT).now_or_never().expect("larger than the window, and alone");
        assert!(window.room_for(1).now_or_never().is_none());
        drop(alone);
        assert!(window.room_for(4 * UNIT).now_or_never().is_some());
    }
}
