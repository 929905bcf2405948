//! Lists, names and times in sentences.

use super::Case;
use quorate_types::ReplicaId;

impl Case {
    pub(crate) fn name(&self, member: ReplicaId) -> String {
        self.names.get(member.index()).cloned().unwrap_or_else(|| member.to_string())
    }

    /// `node0, node1 and node3`, or `nobody`.
    pub(super) fn list(&self, members: impl IntoIterator<Item = ReplicaId>) -> String {
        let names: Vec<_> = members.into_iter().map(|member| self.name(member)).collect();
        if names.is_empty() { "nobody".to_owned() } else { and(&names) }
    }
}

/// `a, b and c`.
pub(super) fn and(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// One or several: the verb's end.
pub(super) fn verb<'a>(count: usize, one: &'a str, several: &'a str) -> &'a str {
    if count == 1 { one } else { several }
}

/// A time that has passed.
pub(super) fn time(ms: u64) -> String {
    match ms {
        0..1_000 => format!("{ms} ms"),
        1_000..60_000 => format!("{}.{} s", ms / 1_000, ms % 1_000 / 100),
        60_000..3_600_000 => format!("{} min {} s", ms / 60_000, ms % 60_000 / 1_000),
        _ => format!("{} h {} min", ms / 3_600_000, ms % 3_600_000 / 60_000),
    }
}

/// A network's complaint, without the address that it begins with: names say more.
pub(super) fn cause(complaint: &str) -> &str {
    match complaint.split_once(": ") {
        Some((address, why)) if address.starts_with('/') => why,
        _ => complaint,
    }
}
