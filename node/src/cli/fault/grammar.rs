//! How faults are written on the command line.

use quorate_scenario::{Who, parse_time};
use quorate_types::ReplicaId;
use std::time::Duration;

/// `3` or `node3`.
pub(super) fn member(text: &str) -> Result<ReplicaId, String> {
    let number = text.strip_prefix("node").unwrap_or(text);
    number.parse().map(ReplicaId).map_err(|_| format!("`{text}` is no validator such as 3 or node3"))
}

/// Those named one by one, or `all`.
pub(super) fn who(words: &[String]) -> Result<Who, String> {
    if words == ["all"] {
        return Ok(Who::All);
    }
    words.iter().flat_map(|word| word.split(',')).map(member).collect::<Result<_, _>>().map(Who::These)
}

/// Who hears whom no more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Cut {
    /// Only members of one group hear each other.
    Groups(Vec<Vec<ReplicaId>>),
    /// Nothing passes from any of the first to any of the second.
    OneWay(Vec<ReplicaId>, Vec<ReplicaId>),
}

/// `0,1/2,3` or `0>2`.
pub(super) fn cut(text: &str) -> Result<Cut, String> {
    let group = |text: &str| text.split(',').map(member).collect::<Result<Vec<_>, _>>();
    if let Some((from, to)) = text.split_once('>') {
        return Ok(Cut::OneWay(group(from)?, group(to)?));
    }
    let groups = text.split('/').map(group).collect::<Result<Vec<_>, _>>()?;
    match groups.len() {
        1 => Err(format!(
            "`{text}` is one group, and cuts nothing: write 0,1/2,3 for groups, or '0>2' for one direction, in quotes, because \
             a shell takes a bare > as the name of a file"
        )),
        _ => Ok(Cut::Groups(groups)),
    }
}

/// Which links.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ends {
    /// All of them.
    All,
    /// Both directions between two.
    Both(ReplicaId, ReplicaId),
    /// From the first to the second.
    OneWay(ReplicaId, ReplicaId),
}

/// `0-1`, `0>1` or `all`.
pub(super) fn ends(text: &str) -> Result<Ends, String> {
    let pair = |(a, b): (&str, &str)| Ok::<_, String>((member(a)?, member(b)?));
    match (text, text.split_once('>'), text.split_once('-')) {
        ("all", ..) => Ok(Ends::All),
        (_, Some(ends), _) => pair(ends).map(|(from, to)| Ends::OneWay(from, to)),
        (_, _, Some(ends)) => pair(ends).map(|(a, b)| Ends::Both(a, b)),
        _ => Err(format!(
            "`{text}` is no link: 0-1 is both directions between two, '0>1' (in quotes) one, all every one"
        )),
    }
}

/// `1%` or `0.01`.
pub(super) fn chance(text: &str) -> Result<f64, String> {
    let bad = || format!("`{text}` is no probability such as 1% or 0.01");
    let value = match text.strip_suffix('%') {
        Some(percent) => percent.parse::<f64>().map_err(|_| bad())? / 100.0,
        None => text.parse().map_err(|_| bad())?,
    };
    if (0.0..=1.0).contains(&value) { Ok(value) } else { Err(bad()) }
}

/// `20mbit`, `500kbit` a second; in bytes a second.
pub(super) fn bandwidth(text: &str) -> Result<u64, String> {
    let bad = || format!("`{text}` is no bandwidth such as 20mbit, 500kbit or 1gbit (a second)");
    let (number, unit) = text.split_at(text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len()));
    let unit = match unit {
        "bit" => 1,
        "kbit" => 1_000,
        "mbit" => 1_000_000,
        "gbit" => 1_000_000_000,
        _ => return Err(bad()),
    };
    let bits: u64 = number.parse().map_err(|_| bad())?;
    match bits.checked_mul(unit).map(|bits| bits / 8) {
        Some(bytes) if bytes > 0 => Ok(bytes),
        Some(_) => Err(format!("{text} delivers nothing: `quorate fault partition` cuts links")),
        None => Err(bad()),
    }
}

/// `1h`, `-5m`, `0s`; in milliseconds.
pub(super) fn signed(text: &str) -> Result<i64, String> {
    let (sign, size) = text.strip_prefix('-').map_or((1, text), |size| (-1, size));
    let size = parse_time(size)?.as_millis();
    i64::try_from(size).map(|size| sign * size).map_err(|_| format!("{text} is too long"))
}

/// `20ms`.
pub(super) fn time(text: &str) -> Result<Duration, String> {
    parse_time(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(ids: &[u16]) -> Vec<ReplicaId> {
        ids.iter().copied().map(ReplicaId).collect()
    }

    #[test]
    fn validators_go_by_number_or_name() {
        let words = |words: &[&str]| who(&words.iter().map(ToString::to_string).collect::<Vec<_>>());
        assert_eq!(words(&["0", "node2", "3,1"]), Ok(Who::These(ids(&[0, 2, 3, 1]))));
        assert_eq!(words(&["all"]), Ok(Who::All));
        assert!(words(&["node"]).is_err() && words(&["-1"]).is_err() && words(&["all", "1"]).is_err());
    }

    #[test]
    fn cuts_are_groups_or_one_direction_and_a_lost_quote_is_explained() {
        assert_eq!(cut("0,1/2,3"), Ok(Cut::Groups(vec![ids(&[0, 1]), ids(&[2, 3])])));
        assert_eq!(cut("0/1/2,3"), Ok(Cut::Groups(vec![ids(&[0]), ids(&[1]), ids(&[2, 3])])));
        assert_eq!(cut("0>2,3"), Ok(Cut::OneWay(ids(&[0]), ids(&[2, 3]))));
        assert!(cut("0").expect_err("one group").contains("in quotes"));
        assert!(cut("0,1/").is_err());
    }

    #[test]
    fn links_have_one_direction_or_two() {
        assert_eq!(ends("0-3"), Ok(Ends::Both(ReplicaId(0), ReplicaId(3))));
        assert_eq!(ends("node0>node3"), Ok(Ends::OneWay(ReplicaId(0), ReplicaId(3))));
        assert_eq!(ends("all"), Ok(Ends::All));
        assert!(ends("0").expect_err("one end").contains("0-1"));
    }

    #[test]
    fn figures_have_their_units() {
        assert_eq!((chance("1%"), chance("0.25"), chance("100%")), (Ok(0.01), Ok(0.25), Ok(1.0)));
        assert!(chance("101%").is_err() && chance("-1%").is_err() && chance("NaN").is_err());
        assert_eq!((bandwidth("20mbit"), bandwidth("8bit")), (Ok(2_500_000), Ok(1)));
        assert!(bandwidth("20").is_err() && bandwidth("7bit").is_err() && bandwidth("99999999999999gbit").is_err());
        assert_eq!((signed("1h"), signed("-5m"), signed("0s")), (Ok(3_600_000), Ok(-300_000), Ok(0)));
        assert!(signed("--5m").is_err() && signed("5").is_err());
    }
}
