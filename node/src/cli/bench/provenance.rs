//! What made a measurement, where and how.

use quorate_bench::{Built, Provenance};

/// How this program was built: `build.rs` says.
const BUILT: Built =
    Built { version: env!("CARGO_PKG_VERSION"), commit: env!("QUORATE_COMMIT"), rustc: env!("QUORATE_RUSTC") };

/// Of this process and its command line.
pub(crate) fn provenance(seed: Option<u64>) -> Provenance {
    Provenance::of(BUILT, seed, std::env::args().skip(1))
}
