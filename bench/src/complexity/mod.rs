//! What one decision costs: counted, and beside it what the formulas say.

mod case;
mod faults;
pub mod fit;
mod measure;
mod prices;
pub mod row;
pub mod theory;

pub use case::{Case, REAL_UP_TO};
pub use measure::{measure, measure_with};
pub use row::{Backend, Costs, Fault, Kinds, Row, Theory, UnknownName};
