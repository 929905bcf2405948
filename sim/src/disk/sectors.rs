//! Sectors that hold what was not written to them: the disk said that a write was done, and it was not, or elsewhere.
//!
//! Such faults were found in the field, and a checksum of a sector alone does not show them (Bairavasundaram et al., *An Analysis
//! of Data Corruption in the Storage Stack*, FAST 2008).

use super::state::State;

const SECTOR: usize = 512;

/// A sector of a file, all of it durable.
type Place = (u64, usize);

impl State {
    fn sectors(&self) -> Vec<Place> {
        let named = self.names.values().filter_map(|id| Some((*id, self.files.get(id)?)));
        named.flat_map(|(id, file)| (0..file.durable() / SECTOR).map(move |index| (id, index * SECTOR))).collect()
    }

    fn sector(&self, number: u32) -> Option<Place> {
        let all = self.sectors();
        all.get(usize::try_from(number).unwrap_or_default() % all.len().max(1)).copied()
    }

    /// A write to this sector was never done.
    pub(super) fn put_back(&mut self, number: u32) {
        let Some((file, offset)) = self.sector(number) else { return };
        let before = self.removed.get(offset..offset + SECTOR).map_or_else(|| vec![0; SECTOR], <[u8]>::to_vec);
        self.replace((file, offset), &before);
    }

    /// A write to the one sector was done to the other.
    pub(super) fn misdirect(&mut self, from: u32, to: u32) {
        let (Some((file, offset)), Some(other)) = (self.sector(from), self.sector(to)) else { return };
        let Some(written) = self.files.get(&file).map(|file| file.bytes()[offset..offset + SECTOR].to_vec()) else {
            return;
        };
        self.put_back(from);
        if other != (file, offset) {
            self.replace(other, &written);
        }
    }

    fn replace(&mut self, (file, offset): Place, bytes: &[u8]) {
        if let Some(file) = self.files.get_mut(&file) {
            file.replace(offset, bytes);
            self.has_bad_sectors = true;
        }
    }
}
