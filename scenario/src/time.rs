//! Durations as text, exact: a whole number and a unit.

use serde::{Deserialize, Deserializer, Serializer, de::Error};
use std::time::Duration;

const UNITS: [(&str, u64); 6] = [
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("ns", 1),
];

/// Reads `250ms`, `10s`, `1h` and the like.
pub fn parse(text: &str) -> Result<Duration, String> {
    let bad = || {
        format!("`{text}` is not a duration such as 250ms, 10s or 2m: a whole number and one of h, m, s, ms, us, ns")
    };
    let (number, unit) = text.split_at(text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len()));
    let (_, nanos) = UNITS.iter().find(|(name, _)| *name == unit).ok_or_else(bad)?;
    let number: u64 = number.parse().map_err(|_| bad())?;
    number.checked_mul(*nanos).map(Duration::from_nanos).ok_or_else(bad)
}

/// Writes it in the greatest unit that leaves no rest.
pub fn show(duration: Duration) -> String {
    let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
    if nanos == 0 {
        return "0s".to_owned();
    }
    let (name, unit) = UNITS.iter().find(|(_, unit)| nanos.is_multiple_of(*unit)).expect("one divides by one");
    format!("{}{name}", nanos / unit)
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
}

/// The same, both ways.
pub(crate) mod exact {
    pub(crate) use super::deserialize;
    use super::{Duration, Serializer, show};

    pub(crate) fn serialize<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&show(*duration))
    }
}

/// The same for one that may be missing.
pub(crate) mod optional {
    use super::{Deserialize, Deserializer, Duration, Error, Serializer, parse, show};

    #[expect(clippy::ref_option, reason = "serde calls it so")]
    pub(crate) fn serialize<S: Serializer>(duration: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
        match duration {
            Some(duration) => serializer.serialize_str(&show(*duration)),
            None => serializer.serialize_none(),
        }
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
        parse(&String::deserialize(deserializer)?).map(Some).map_err(D::Error::custom)
    }
}

/// The same for a least and a greatest.
pub(crate) mod range {
    use super::{Deserialize, Deserializer, Duration, Error, Serializer, parse, show};
    use serde::ser::SerializeSeq;

    pub(crate) fn serialize<S: Serializer>((from, to): &(Duration, Duration), s: S) -> Result<S::Ok, S::Error> {
        let mut pair = s.serialize_seq(Some(2))?;
        pair.serialize_element(&show(*from))?;
        pair.serialize_element(&show(*to))?;
        pair.end()
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<(Duration, Duration), D::Error> {
        let [from, to] = <[String; 2]>::deserialize(deserializer)?;
        let pair = (parse(&from).map_err(D::Error::custom)?, parse(&to).map_err(D::Error::custom)?);
        if pair.0 > pair.1 { Err(D::Error::custom(format!("{from} to {to} is no range"))) } else { Ok(pair) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_is_read_again_exactly() {
        for nanos in [0, 1, 999, 1_000, 1_500_000, 1_000_000_001, 60_000_000_000, 7_200_000_000_000, u64::MAX] {
            let duration = Duration::from_nanos(nanos);
            assert_eq!(parse(&show(duration)), Ok(duration), "{}", show(duration));
        }
        assert_eq!(show(Duration::from_millis(1500)), "1500ms");
    }

    #[test]
    fn nonsense_is_refused() {
        for bad in ["", "5", "s", "1.5s", "-1s", "5 s", "5d", "18446744073709551615h"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
