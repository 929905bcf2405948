//! What messages say, in words: each once, none longer than a person reads, all together no more than a page carries.

use serde::{Serialize, Serializer};
use std::{
    collections::BTreeMap,
    fmt::{self, Debug, Write},
};

/// Bytes of one.
const ONE: usize = 4_000;
/// Bytes of all.
const ALL: usize = 24 * 1024 * 1024;

/// Texts, by number.
#[derive(Clone, Debug, Default)]
pub(super) struct Contents {
    texts: Vec<String>,
    numbers: BTreeMap<String, usize>,
    bytes: usize,
}

impl Serialize for Contents {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.texts.serialize(serializer)
    }
}

impl Contents {
    pub(super) fn keep(&mut self, content: &impl Debug) -> Option<usize> {
        let text = beginning(content);
        if let Some(number) = self.numbers.get(&text) {
            return Some(*number);
        }
        if self.bytes + text.len() > ALL {
            return None;
        }
        self.bytes += text.len();
        self.numbers.insert(text.clone(), self.texts.len());
        self.texts.push(text);
        Some(self.texts.len() - 1)
    }
}

/// The first of what is written; an error ends the writing.
struct Short(String);

impl Write for Short {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if self.0.len() + text.len() > ONE {
            self.0.push('…');
            return Err(fmt::Error);
        }
        self.0.push_str(text);
        Ok(())
    }
}

fn beginning(content: &impl Debug) -> String {
    let mut short = Short(String::new());
    // It fails where it is full, and what it holds then is what is wanted.
    let _full = write!(short, "{content:#?}");
    short.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_twice_is_kept_once_and_what_is_long_is_cut() {
        let mut contents = Contents::default();
        assert_eq!((contents.keep(&"a"), contents.keep(&"b"), contents.keep(&"a")), (Some(0), Some(1), Some(0)));
        let number = contents.keep(&vec![7_u8; 100_000]).expect("there is room");
        assert!(contents.texts[number].len() <= ONE + '…'.len_utf8() && contents.texts[number].ends_with('…'));
    }

    #[test]
    fn a_page_that_is_full_takes_nothing_more() {
        let mut contents = Contents { bytes: ALL, ..Contents::default() };
        assert_eq!(contents.keep(&"a"), None);
    }
}
