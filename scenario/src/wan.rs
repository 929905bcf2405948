//! Wide-area networks, as measured: which regions there are, and how long there and back takes between two of them.
//!
//! The tables are data (`data/`), each with its source.

use quorate_links::LinkSpec;
use quorate_types::ReplicaId;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// A network whose links are as long as some real ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Wan {
    /// Ten regions of Amazon Web Services. Replicas live in them in turn, in the order of the table.
    Aws,
}

impl Wan {
    /// All of them, by name.
    pub const ALL: [(&'static str, Self); 1] = [("aws", Self::Aws)];

    /// Its table as it is shipped, with its source.
    pub fn text(self) -> &'static str {
        match self {
            Self::Aws => include_str!("../data/aws.csv"),
        }
    }

    /// The lines of the table that are not remarks, the first with the regions' names.
    fn rows(self) -> impl Iterator<Item = impl Iterator<Item = &'static str>> {
        self.text().lines().filter(|line| !line.starts_with('#')).map(|line| line.split(','))
    }

    /// The regions, in the order in which replicas live in them.
    pub fn regions(self) -> Vec<&'static str> {
        self.rows().next().into_iter().flatten().skip(1).collect()
    }

    /// Where a replica lives: more replicas than regions begin from the first again.
    pub fn region(self, replica: ReplicaId) -> &'static str {
        let regions = self.regions();
        regions[replica.index() % regions.len()]
    }

    /// How long there and back takes between two replicas; nothing within a region.
    pub fn round_trip(self, from: ReplicaId, to: ReplicaId) -> Duration {
        let regions = self.regions().len();
        let mut row = self.rows().nth(1 + from.index() % regions).into_iter().flatten();
        let cell = row.nth(1 + to.index() % regions).and_then(|cell| cell.parse().ok());
        Duration::from_millis(cell.unwrap_or_default())
    }

    /// All links among so many replicas: each direction takes half of the round trip.
    pub fn links(self, replicas: u16) -> Vec<(ReplicaId, ReplicaId, LinkSpec)> {
        let all = move || (0..replicas).map(ReplicaId);
        let pairs = all().flat_map(move |from| all().map(move |to| (from, to))).filter(|(from, to)| from != to);
        pairs.map(|(from, to)| (from, to, LinkSpec::delay(self.round_trip(from, to) / 2))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_whole_symmetric_and_has_its_source() {
        for (name, wan) in Wan::ALL {
            let size = wan.regions().len();
            assert!(wan.text().starts_with('#') && wan.text().contains("Source: https://"), "{name}");
            let rows: Vec<Vec<_>> = wan.rows().skip(1).map(Iterator::collect).collect();
            assert_eq!(rows.iter().map(|row| row[0]).collect::<Vec<_>>(), wan.regions());
            assert!(
                rows.iter().all(|row| row.len() == size + 1 && row[1..].iter().all(|cell| cell.parse::<u64>().is_ok()))
            );
            for (from, to, _) in wan.links(u16::try_from(size).expect("few")) {
                assert_eq!(wan.round_trip(from, to), wan.round_trip(to, from));
                assert!(wan.round_trip(from, to) > Duration::ZERO);
            }
        }
    }

    #[test]
    fn a_link_takes_half_of_the_round_trip_and_regions_come_again() {
        let (virginia, ireland) = (ReplicaId(0), ReplicaId(1));
        assert_eq!((Wan::Aws.region(virginia), Wan::Aws.region(ReplicaId(11))), ("us-east-1", "eu-west-1"));
        let links = Wan::Aws.links(2);
        let half = LinkSpec::delay(Duration::from_millis(35));
        assert_eq!(links, [(virginia, ireland, half), (ireland, virginia, half)]);
        assert_eq!(Wan::Aws.round_trip(virginia, ReplicaId(10)), Duration::ZERO);
    }
}
