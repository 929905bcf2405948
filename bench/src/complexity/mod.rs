//! What one decision costs: counted, and beside it what the formulas say.

pub mod fit;
pub mod row;

pub use row::{Backend, Costs, Fault, Kinds, Row, Theory, UnknownName};
