//! The mutants still fit the code. Whether they are caught: `cargo run -p quorate-tests --bin mutants`, which takes minutes.

use quorate_tests::mutants::{Mutant, applies, workspace};

#[test]
fn every_mutant_still_applies() {
    let mutants = Mutant::all(&workspace().join("tests/mutants")).expect("all of them have a header");
    assert!(mutants.len() >= 5, "the five that the checkers must catch at least");
    let rotten: Vec<_> =
        mutants.iter().filter_map(|mutant| Some((&mutant.name, applies(&workspace(), &mutant.patch).err()?))).collect();
    assert!(rotten.is_empty(), "no longer apply, make them anew: {rotten:#?}");
}
