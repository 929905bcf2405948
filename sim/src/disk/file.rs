//! One file: its bytes, and how many of them a crash cannot take.

use super::Losses;
use crate::Rng;

/// Contents and durability of a file.
#[derive(Debug, Default)]
pub(super) struct File {
    bytes: Vec<u8>,
    /// So many bytes from the start are durable.
    durable: usize,
    /// So many will be when the sync that was begun is done.
    syncing: usize,
    /// Durable bytes that an unsynced truncation took away.
    cut: Option<Vec<u8>>,
    /// The sync that was begun covers the truncation.
    cut_syncing: bool,
}

impl File {
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(super) fn unsynced(&self) -> usize {
        self.bytes.len() - self.durable
    }

    pub(super) fn append(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    pub(super) fn truncate(&mut self, length: usize) {
        if length >= self.bytes.len() {
            return;
        }
        if length < self.durable {
            // Of several truncations without a sync only the durable bytes of the first come back.
            let taken = self.bytes[length..self.durable].to_vec();
            let earlier = self.cut.take().unwrap_or_default();
            self.cut = Some([taken, earlier].concat());
            (self.durable, self.syncing, self.cut_syncing) = (length, length, false);
        }
        self.syncing = self.syncing.min(length);
        self.bytes.truncate(length);
    }

    pub(super) fn begin_sync(&mut self) {
        self.syncing = self.bytes.len();
        self.cut_syncing = self.cut.is_some();
    }

    pub(super) fn finish_sync(&mut self) {
        self.durable = self.durable.max(self.syncing);
        if std::mem::take(&mut self.cut_syncing) {
            self.cut = None;
        }
    }

    /// How many of its bytes are durable.
    pub(super) fn durable(&self) -> usize {
        self.durable
    }

    /// Puts other bytes in the place of durable ones.
    pub(super) fn replace(&mut self, offset: usize, bytes: &[u8]) {
        self.bytes[offset..offset + bytes.len()].copy_from_slice(bytes);
    }

    pub(super) fn damage(&mut self, offset: usize, bits: u8) {
        self.bytes[offset] ^= bits;
        self.durable = self.durable.max(offset + 1);
    }

    /// What a crash leaves: the durable bytes, and a drawn part of the others.
    pub(super) fn crash(&mut self, losses: Losses, rng: &mut Rng) {
        if let Some(cut) = self.cut.take()
            && rng.percent(50)
        {
            // The truncation itself was lost.
            self.bytes.truncate(self.durable);
            self.bytes.extend_from_slice(&cut);
        } else {
            let unsynced = self.bytes.len() - self.durable;
            let kept = match rng.below(4) {
                0 => 0,
                1 => unsynced,
                _ => rng.below(unsynced + 1),
            };
            let torn = unsynced - kept;
            self.bytes.truncate(self.durable + kept);
            self.garble_tail(torn, rng);
            if losses == Losses::InAnyOrder {
                self.punch_hole(rng);
            }
        }
        (self.durable, self.syncing, self.cut_syncing) = (self.bytes.len(), self.bytes.len(), false);
    }

    /// A later write reached the disk, an earlier one did not: zeros in its place.
    fn punch_hole(&mut self, rng: &mut Rng) {
        let unsynced = self.bytes.len() - self.durable;
        let from = self.durable + rng.below(unsynced + 1);
        let length = rng.below(unsynced + 1).min(self.bytes.len() - from);
        self.bytes[from..from + length].fill(0);
    }

    /// File systems may have grown the file before its bytes arrived.
    fn garble_tail(&mut self, torn: usize, rng: &mut Rng) {
        if torn == 0 || !rng.percent(20) {
            return;
        }
        let length = rng.below(torn + 1);
        let is_zero = rng.percent(50);
        self.bytes.extend((0..length).map(|_| if is_zero { 0 } else { rng.next().to_le_bytes()[0] }));
    }
}
