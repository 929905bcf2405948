//! The threads of a running validator.

use crate::handle::{Handle, NodeConfig, StartError};

/// Starts a validator. It runs until it fails or [`Handle::shutdown`] is called.
pub async fn start(config: NodeConfig) -> Result<Handle, StartError> {
    drop(config);
    Err(StartError::Environment("this build has no consensus runtime yet".into()))
}
