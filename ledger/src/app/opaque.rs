//! Any bytes, ordered by client and sequence number. For benchmarks: executing costs nothing but the nonce.

use super::{Application, FailCode};
use crate::State;
use quorate_types::{Account, Height};

pub(super) struct Opaque;

impl Application for Opaque {
    fn check(&self, _payload: &[u8]) -> Result<(), String> {
        Ok(())
    }

    fn apply(&self, _state: &mut State, _height: Height, _sender: &Account, _payload: &[u8]) -> Result<(), FailCode> {
        Ok(())
    }
}
