//! A state handed over in chunks: whole, or not at all.

use crate::{CHUNK_BYTES, Chunk, ChunkError, Fetch, Item, Prefix, State};
use proptest::prelude::*;
use quorate_types::{BoundedVec, Digest, codec::encoded_len, decode, encode};

fn state(sizes: &[usize]) -> State {
    let mut state = State::default();
    for (index, size) in sizes.iter().enumerate() {
        state.insert(format!("key {index}").into_bytes(), vec![index as u8; *size]);
    }
    state
}

/// Some megabytes: many chunks.
fn large() -> State {
    state(&[10_000; 300])
}

/// Fetches a state from another, chunk by chunk, and counts the chunks.
fn fetched(from: &State) -> (Option<State>, usize) {
    let (mut fetch, mut chunks) = (Fetch::new(from.root()), 0);
    while let Some(prefix) = fetch.next() {
        let chunk = from.chunk(&prefix).expect("a cut is a place in the tree");
        let chunk: Chunk = decode(&encode(&chunk)).expect("as sent");
        fetch.take(&chunk).expect("the truth");
        chunks += 1;
    }
    (fetch.finish(), chunks)
}

fn items(items: Vec<Item>) -> Chunk {
    Chunk { items: BoundedVec::new(items).expect("few") }
}

proptest! {
    #[test]
    fn whoever_asks_to_the_end_has_the_same_state(
        sizes in proptest::collection::vec(0usize..32_768, 0..120),
        small in proptest::collection::vec(0usize..8, 0..400),
    ) {
        let from = state(&[sizes, small].concat());
        let (copy, chunks) = fetched(&from);
        let copy = copy.expect("complete");
        prop_assert_eq!(copy.root(), from.root());
        prop_assert!(copy.iter().eq(from.iter()));
        prop_assert_eq!(copy.len(), from.len());
        let bytes: usize = from.iter().map(|(key, value)| key.len() + value.len() + 11).sum();
        prop_assert!(chunks <= bytes / CHUNK_BYTES + 1, "{} chunks for {} bytes", chunks, bytes);
    }

    #[test]
    fn a_chunk_in_which_anything_was_changed_is_refused(at in 0usize..1000, with in any::<u8>(), key in 0usize..200) {
        let from = state(&[40; 200]);
        let bytes = encode(&from.chunk(&Prefix::ROOT).expect("the root"));
        let mut forged = bytes.clone();
        let at = (at * 7 + key) % forged.len();
        forged[at] ^= with | 1;
        if let Ok(forged) = decode::<Chunk>(&forged) {
            let mut fetch = Fetch::new(from.root());
            prop_assert!(fetch.take(&forged).is_err());
            prop_assert_eq!(fetch.next(), Some(Prefix::ROOT), "nothing of it was taken");
        }
    }
}

#[test]
fn many_small_keys_are_cut_by_their_number() {
    let from = state(&[1; 40_000]);
    let (copy, chunks) = fetched(&from);
    assert!(copy.is_some_and(|copy| copy.root() == from.root()) && (3..12).contains(&chunks), "{chunks} chunks");
}

#[test]
fn an_empty_state_needs_no_chunk() {
    assert_eq!(fetched(&State::default()).1, 0);
    assert!(fetched(&State::default()).0.is_some_and(|state| state.is_empty()));
}

#[test]
fn chunks_and_what_is_open_are_bounded() {
    let from = large();
    let mut fetch = Fetch::new(from.root());
    while let Some(prefix) = fetch.next() {
        let chunk = from.chunk(&prefix).expect("there");
        assert!(encoded_len(&chunk) < CHUNK_BYTES + 20_000);
        fetch.take(&chunk).expect("the truth");
        assert!(fetch.len() <= 300);
    }
}

#[test]
fn a_chunk_of_another_place_or_another_state_is_refused() {
    let (from, mut other) = (large(), large());
    other.insert(b"key 7".to_vec(), b"forged".to_vec());
    let mut fetch = Fetch::new(from.root());
    let first = from.chunk(&Prefix::ROOT).expect("there");
    let forged = other.chunk(&Prefix::ROOT).expect("there");
    assert!(matches!(fetch.take(&forged), Err(ChunkError::WrongHash { .. })));
    fetch.take(&first).expect("the truth");
    assert!(fetch.take(&first).is_err(), "the same again");
    let next = fetch.next().expect("it is large");
    fetch.take(&from.chunk(&next).expect("there")).expect("one that was refused before may be given rightly");
}

#[test]
fn every_way_to_waste_the_fetchers_time_is_refused_by_name() {
    let from = large();
    let honest = from.chunk(&Prefix::ROOT).expect("there").items.into_inner();
    let refused = |chunk: Chunk| Fetch::new(from.root()).take(&chunk).expect_err("a lie");
    assert_eq!(refused(items(vec![Item::Cut(from.root())])), ChunkError::Stingy { bytes: 33 }, "endless splits");
    assert_eq!(refused(Chunk::default()), ChunkError::Shape("it ends in the middle"));
    assert_eq!(refused(items(honest[..honest.len() - 1].to_vec())), ChunkError::Shape("it ends in the middle"));
    let longer = [honest.clone(), vec![Item::Empty]].concat();
    assert_eq!(refused(items(longer)), ChunkError::Shape("something stands behind its end"));
    assert_eq!(refused(items(vec![Item::Branch; 300])), ChunkError::Shape("it is deeper than a path"));
    let cut_first = vec![Item::Branch, Item::Cut(Digest([1; 32])), Item::Branch];
    assert_eq!(refused(items(cut_first)), ChunkError::Shape("it goes on behind what it cut off"));
    let leaves: Vec<_> = honest.iter().filter(|item| matches!(item, Item::Leaf { .. })).cloned().collect();
    let twice = [vec![Item::Branch], vec![leaves[0].clone(); 2]].concat();
    assert_eq!(refused(items(twice)), ChunkError::Misplaced { index: 2 }, "one key twice");
    let Some(last) = leaves.last() else { return };
    let swapped = [vec![Item::Branch], vec![last.clone(), leaves[0].clone()]].concat();
    assert!(matches!(refused(items(swapped)), ChunkError::Misplaced { .. } | ChunkError::WrongHash { .. }));
}

#[test]
fn what_is_longer_than_a_chunk_does_not_decode() {
    let too_many = (20_000u32, vec![0u8; 20_000]);
    let bytes = [too_many.0.to_le_bytes().to_vec(), too_many.1].concat();
    assert!(decode::<Chunk>(&bytes).is_err());
    let count_without_items = u32::MAX.to_le_bytes().to_vec();
    assert!(decode::<Chunk>(&count_without_items).is_err());
}

#[test]
fn a_place_that_is_none_has_no_chunk() {
    let from = state(&[4; 3]);
    for len in [1u16, 200, 256, 257, u16::MAX] {
        let prefix: Prefix = decode(&encode(&(Digest([0xff; 32]), len))).expect("a digest and a number");
        if let Some(chunk) = from.chunk(&prefix) {
            assert!(len == 1, "{chunk:?}");
        }
    }
}
