//! A second block for the same place.

use quorate_types::Block;

/// As good as the first: the time alone differs, which no state depends on.
pub(crate) fn twin(block: &Block) -> Block {
    let mut twin = block.clone();
    twin.header.timestamp = twin.header.timestamp.saturating_add(1);
    twin
}
