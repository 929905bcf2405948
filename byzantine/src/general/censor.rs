//! Leaves batches out.

use crate::{Attack, Hands};
use quorate_consensus::{Protocol, Request};

/// A leader's host is not asked for batches whose digest is odd, so they are in no block of its. Nothing in its messages is wrong.
#[derive(Clone, Debug)]
pub(super) struct Censor;

impl<P: Protocol> Attack<P> for Censor {
    fn ask(&mut self, request: Request, _hands: &mut Hands<P>) -> Request {
        match request {
            Request::Build { parent, view, mut batches } => {
                batches.retain(|batch| batch.0[0].is_multiple_of(2));
                Request::Build { parent, view, batches }
            }
            other => other,
        }
    }

    fn boxed(&self) -> Box<dyn Attack<P>> {
        Box::new(self.clone())
    }
}
