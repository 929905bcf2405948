//! Rows of the project's list of scenarios.
