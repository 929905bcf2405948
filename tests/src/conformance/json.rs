//! JSON, as the HTTP API reads it.

use super::{Answer, Fields, holds};
use quorate_node::api::read_json;
use serde::de::IgnoredAny;

/// Whether the bytes are JSON. The API tells what is no JSON from what is JSON of another shape than a request; here any
/// shape will do.
pub(super) fn decode(fields: &Fields<'_>) -> Answer {
    match read_json::<IgnoredAny>(&fields.bytes("bytes")?) {
        Err(problem) => holds(problem.code != "malformed-json", &problem.detail),
        Ok(IgnoredAny) => holds(true, ""),
    }
}
