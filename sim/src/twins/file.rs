//! Scenarios as JSON.
//!
//! ```json
//! {"num_nodes": 4, "num_twins": 1, "partitions": 2, "views": 1,
//!  "scenarios": [[{"leader": 0, "partitions": [["0a", "2", "3"], ["0b", "1"]]}]]}
//! ```
//!
//! Replicas are numbered from 0, the first `num_twins` run twice, as `0a` and `0b`. Each view names its leader and puts every process
//! into one part, of `partitions` at most.

use super::scenario::{Partition, Round, Scenario, Shape, ShapeError};
use quorate_consensus::LISTED_VIEWS;
use quorate_types::ReplicaId;
use serde::{Deserialize, Serialize, Serializer};
use std::{collections::BTreeMap, io};

/// Scenarios of one shape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scenarios {
    /// What they are made of.
    pub shape: Shape,
    /// Views of each.
    pub views: usize,
    /// All of them.
    pub scenarios: Vec<Scenario>,
}

/// Why a file holds no scenarios. Scenarios and views are counted from 1.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// Not JSON, or not of this form.
    #[error("not a file of scenarios: {0}")]
    Json(#[from] serde_json::Error),
    /// Numbers that make no scenarios.
    #[error(transparent)]
    Shape(#[from] ShapeError),
    /// A scenario with more or fewer views than the file says.
    #[error("scenario {scenario} has {found} views; the file says {expected}")]
    Views {
        /// Which scenario.
        scenario: usize,
        /// How many it has.
        found: usize,
        /// How many it should have.
        expected: usize,
    },
    /// Something wrong with one view.
    #[error("scenario {scenario}, view {view}: {what}")]
    Round {
        /// Which scenario.
        scenario: usize,
        /// Which view.
        view: usize,
        /// What is wrong with it.
        what: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ScenariosJson {
    num_nodes: usize,
    num_twins: usize,
    partitions: usize,
    views: usize,
    scenarios: Vec<Vec<RoundJson>>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RoundJson {
    leader: usize,
    partitions: Vec<Vec<String>>,
}

#[derive(Serialize)]
struct ScenariosOut<'a> {
    num_nodes: usize,
    num_twins: usize,
    partitions: usize,
    views: usize,
    scenarios: ScenarioList<'a>,
}

/// Written one by one: there may be millions.
struct ScenarioList<'a>(&'a Scenarios);

impl Serialize for ScenarioList<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Scenarios { shape, scenarios, .. } = self.0;
        let round =
            |round: &Round| RoundJson { leader: round.leader.index(), partitions: round.partition.names(shape) };
        serializer.collect_seq(scenarios.iter().map(|scenario| scenario.0.iter().map(round).collect::<Vec<_>>()))
    }
}

impl Scenarios {
    /// Reads a file.
    pub fn read(from: impl io::Read) -> Result<Self, FileError> {
        let file: ScenariosJson = serde_json::from_reader(from)?;
        let shape = Shape::new(file.num_nodes, file.num_twins, file.partitions)?;
        if file.views == 0 || file.views > LISTED_VIEWS {
            return Err(ShapeError::Views(file.views).into());
        }
        let names = (0..shape.processes()).map(|process| (shape.process_name(process), process)).collect();
        let reader = Reader { shape, views: file.views, names };
        let numbered = file.scenarios.iter().enumerate();
        let scenarios = numbered.map(|(index, rounds)| reader.scenario(index + 1, rounds)).collect::<Result<_, _>>()?;
        Ok(Self { shape, views: file.views, scenarios })
    }

    /// Writes a file.
    pub fn write(&self, to: impl io::Write) -> io::Result<()> {
        let out = ScenariosOut {
            num_nodes: self.shape.nodes(),
            num_twins: self.shape.pairs(),
            partitions: self.shape.parts(),
            views: self.views,
            scenarios: ScenarioList(self),
        };
        Ok(serde_json::to_writer(to, &out)?)
    }
}

struct Reader {
    shape: Shape,
    views: usize,
    names: BTreeMap<String, usize>,
}

impl Reader {
    fn scenario(&self, scenario: usize, rounds: &[RoundJson]) -> Result<Scenario, FileError> {
        if rounds.len() != self.views {
            return Err(FileError::Views { scenario, found: rounds.len(), expected: self.views });
        }
        let round =
            |(index, round)| self.round(round).map_err(|what| FileError::Round { scenario, view: index + 1, what });
        rounds.iter().enumerate().map(round).collect::<Result<_, _>>().map(Scenario)
    }

    fn round(&self, round: &RoundJson) -> Result<Round, String> {
        let nodes = self.shape.nodes();
        let leader = u16::try_from(round.leader).ok().filter(|leader| usize::from(*leader) < nodes);
        let leader = leader.ok_or_else(|| format!("leader {} of {nodes} replicas", round.leader))?;
        if round.partitions.len() > self.shape.parts() {
            return Err(format!("{} parts, of {} at most", round.partitions.len(), self.shape.parts()));
        }
        Ok(Round { leader: ReplicaId(leader), partition: self.partition(&round.partitions)? })
    }

    fn partition(&self, parts: &[Vec<String>]) -> Result<Partition, String> {
        let mut placed = vec![None; self.shape.processes()];
        for (part, names) in parts.iter().enumerate() {
            for name in names {
                let process = self.names.get(name).ok_or_else(|| self.unknown(name))?;
                if placed[*process].replace(part).is_some() {
                    return Err(format!("process {name} is there twice"));
                }
            }
        }
        let missing = |process| format!("process {} is in no part", self.shape.process_name(process));
        let placed = placed.iter().enumerate().map(|(process, part)| part.ok_or_else(|| missing(process)));
        Ok(Partition::of_parts(placed.collect::<Result<Vec<_>, _>>()?))
    }

    fn unknown(&self, name: &str) -> String {
        let known: Vec<_> = (0..self.shape.processes()).map(|process| self.shape.process_name(process)).collect();
        format!("no process is called {name:?}; there are {}", known.join(", "))
    }
}
