//! What one decision costs: counted, and beside it what the formulas say.

mod case;
mod faults;
pub mod fit;
mod measure;
mod oracle;
mod prices;
pub mod row;
mod stretch;
pub mod theory;

pub use case::{Case, REAL_UP_TO};
pub use measure::{measure, measure_with};
pub use row::{Backend, Costs, Fault, Kinds, Real, Row, Stretches, Theory, UnknownName};
pub use stretch::{Reading, Stretch, row_of_testnet};
