//! Processes, partitions, scenarios.

use quorate_consensus::LISTED_VIEWS;
use quorate_types::ReplicaId;
use std::fmt;

/// Processes at most.
pub(super) const MAX_PROCESSES: usize = 16;

/// How many replicas, how many of them run twice, and into how many parts the network can fall.
///
/// Processes are numbered: the first instances of all replicas, then the second instances of the twinned ones, which are replicas
/// 0, 1 and so on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    nodes: usize,
    pairs: usize,
    parts: usize,
}

/// Why there are no scenarios of a shape.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ShapeError {
    /// No replicas.
    #[error("a committee of no replicas")]
    NoNodes,
    /// More twins than replicas.
    #[error("{pairs} of {nodes} replicas cannot run twice")]
    Pairs {
        /// Replicas.
        nodes: usize,
        /// Replicas to run twice.
        pairs: usize,
    },
    /// More processes than a partition can hold.
    #[error("{nodes} replicas of which {pairs} run twice are {} processes; at most {MAX_PROCESSES} can be", nodes + pairs)]
    Processes {
        /// Replicas.
        nodes: usize,
        /// Replicas to run twice.
        pairs: usize,
    },
    /// No part for anybody.
    #[error("a network of no parts")]
    NoParts,
    /// None, or more than leaders can be listed for.
    #[error("scenarios of {0} views; they have 1 to {LISTED_VIEWS}")]
    Views(usize),
}

impl Shape {
    /// `nodes` replicas, of which the first `pairs` run twice, in a network of up to `parts` parts. More twins than the
    /// committee tolerates liars are allowed: then agreement is expected to break.
    pub fn new(nodes: usize, pairs: usize, parts: usize) -> Result<Self, ShapeError> {
        if nodes == 0 {
            Err(ShapeError::NoNodes)
        } else if pairs > nodes {
            Err(ShapeError::Pairs { nodes, pairs })
        } else if nodes + pairs > MAX_PROCESSES {
            Err(ShapeError::Processes { nodes, pairs })
        } else if parts == 0 {
            Err(ShapeError::NoParts)
        } else {
            Ok(Self { nodes, pairs, parts })
        }
    }

    /// Replicas.
    pub fn nodes(&self) -> usize {
        self.nodes
    }

    /// Replicas that run twice.
    pub fn pairs(&self) -> usize {
        self.pairs
    }

    /// Parts of the network, at most.
    pub fn parts(&self) -> usize {
        self.parts
    }

    /// Processes.
    pub fn processes(&self) -> usize {
        self.nodes + self.pairs
    }

    /// Whose key a process has.
    pub fn replica(&self, process: usize) -> usize {
        if process < self.nodes { process } else { process - self.nodes }
    }

    /// Whether a replica runs twice.
    pub fn is_twinned(&self, replica: usize) -> bool {
        replica < self.pairs
    }

    /// Every partition, once.
    pub fn partitions(&self) -> Vec<Partition> {
        let mut partitions = vec![(Partition::default(), 0)];
        for process in 0..self.processes() {
            let put = |(partition, used): (Partition, usize)| {
                (0..self.parts.min(used + 1)).map(move |part| (partition.with(process, part), used.max(part + 1)))
            };
            partitions = partitions.into_iter().flat_map(put).collect();
        }
        partitions.into_iter().map(|(partition, _)| partition).collect()
    }

    /// A process by its name: `2`, or `0a` and `0b` of a replica that runs twice.
    pub fn process_name(&self, process: usize) -> String {
        let replica = self.replica(process);
        match (self.is_twinned(replica), process < self.nodes) {
            (false, _) => replica.to_string(),
            (true, true) => format!("{replica}a"),
            (true, false) => format!("{replica}b"),
        }
    }
}

/// Who hears whom. Parts have no names: they are numbered in the order of their first processes, so that equal partitions are
/// equal values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Partition {
    part: [u8; MAX_PROCESSES],
}

impl Partition {
    /// Everybody hears everybody.
    pub(super) const WHOLE: Self = Self { part: [0; MAX_PROCESSES] };

    /// From the part of each process.
    pub(super) fn of_parts(parts: impl IntoIterator<Item = usize>) -> Self {
        let mut seen = Vec::new();
        let mut partition = Self::default();
        for (process, part) in parts.into_iter().enumerate() {
            let number = seen.iter().position(|known| *known == part).unwrap_or_else(|| {
                seen.push(part);
                seen.len() - 1
            });
            partition = partition.with(process, number);
        }
        partition
    }

    fn with(mut self, process: usize, part: usize) -> Self {
        self.part[process] = u8::try_from(part).expect("fewer parts than processes");
        self
    }

    /// The part that a process is in.
    pub fn part(&self, process: usize) -> usize {
        usize::from(self.part[process])
    }

    /// Whether two processes hear each other.
    pub fn connects(&self, one: usize, other: usize) -> bool {
        self.part[one] == self.part[other]
    }

    /// The parts' processes, by name.
    pub fn names(&self, shape: &Shape) -> Vec<Vec<String>> {
        let mut parts =
            vec![Vec::new(); 1 + (0..shape.processes()).map(|process| self.part(process)).max().unwrap_or(0)];
        (0..shape.processes()).for_each(|process| parts[self.part(process)].push(shape.process_name(process)));
        parts
    }
}

/// One view of a scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Round {
    /// Who leads it; if that replica runs twice, both do.
    pub leader: ReplicaId,
    /// Who hears whom.
    pub partition: Partition,
}

/// What happens, view by view.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Scenario(pub Vec<Round>);

impl Scenario {
    /// Who leads its views.
    pub fn leaders(&self) -> Vec<ReplicaId> {
        self.0.iter().map(|round| round.leader).collect()
    }

    /// For people: `1: 0a 2 3 | 0b 1; ...`, each view with its leader first.
    pub fn display<'a>(&'a self, shape: &'a Shape) -> impl fmt::Display + 'a {
        fmt::from_fn(move |f| {
            for (index, round) in self.0.iter().enumerate() {
                let parts = round.partition.names(shape).iter().map(|part| part.join(" ")).collect::<Vec<_>>();
                let end = if index == 0 { "" } else { "; " };
                write!(f, "{end}{} leads {{{}}}", round.leader, parts.join(" | "))?;
            }
            Ok(())
        })
    }
}
