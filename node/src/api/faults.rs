//! Faults on purpose: what is wrong with this validator, and what shall be.
//!
//! Whoever asks must be on this machine and bear the testnet's token, the chain's genesis must allow it, and the binary must have been
//! built for it. Each refusal says which of these is missing.

use super::{app::App, extract::Body, problem::Problem, serve::Client};
use axum::{
    Extension, Json,
    extract::State,
    http::{HeaderMap, StatusCode},
};
use serde_json::Value;

/// What is wrong with this validator on purpose, and what came of it.
#[utoipa::path(get, path = "/v1/faults",
    responses((status = 200, description = "the view, the faults `in_force` and what was measured", body = Value), (status = 401, body = super::ProblemBody),
    (status = 403, body = super::ProblemBody), (status = 501, body = super::ProblemBody)))]
pub(crate) async fn in_force(
    app: State<App>,
    from: Extension<Client>,
    headers: HeaderMap,
) -> Result<Json<Value>, Problem> {
    refuse_strangers(&from)?;
    lab::in_force(&app, &headers)
}

/// Puts all that the body says wrong, and mends what it does not say; answered when that is in force.
///
/// For testnets: from this machine, with the testnet's token as the bearer's.
#[utoipa::path(put, path = "/v1/faults",
    request_body(content = Value, content_type = "application/json"),
    responses((status = 200, description = "as of GET", body = Value), (status = 400, body = super::ProblemBody), (status = 401, body = super::ProblemBody),
    (status = 403, body = super::ProblemBody), (status = 422, body = super::ProblemBody), (status = 501, body = super::ProblemBody)))]
pub(crate) async fn put(
    app: State<App>,
    from: Extension<Client>,
    headers: HeaderMap,
    Body(body): Body,
) -> Result<Json<Value>, Problem> {
    refuse_strangers(&from)?;
    lab::put(&app, &headers, &body)
}

fn forbidden(code: &str, detail: impl Into<String>) -> Problem {
    Problem::new(StatusCode::FORBIDDEN, code, detail)
}

fn refuse_strangers(Client(address): &Client) -> Result<(), Problem> {
    if address.to_canonical().is_loopback() {
        return Ok(());
    }
    let detail = format!("faults are taken over loopback alone, and {address} is not this machine's");
    Err(forbidden("not-loopback", detail).hint("from the machine that the validator runs on, to 127.0.0.1"))
}

#[cfg(feature = "lab")]
mod lab {
    use super::{App, HeaderMap, Json, Problem, StatusCode, Value, forbidden};
    use crate::{
        api::extract,
        lab::{FaultStatus, Lab, NodeFaults},
    };
    use axum::http::header::AUTHORIZATION;

    pub(super) fn in_force(app: &App, headers: &HeaderMap) -> Result<Json<Value>, Problem> {
        admitted(app, headers).map(|lab| shown(&lab.status(app.handle.status().view)))
    }

    pub(super) fn put(app: &App, headers: &HeaderMap, body: &[u8]) -> Result<Json<Value>, Problem> {
        let lab = admitted(app, headers)?;
        let faults: NodeFaults = extract::json(body)?;
        lab.put(faults).map_err(|error| {
            Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "bad-faults", error.to_string())
                .hint("see docs/faults.md; what is in force has not changed")
        })?;
        in_force(app, headers)
    }

    fn shown(status: &FaultStatus) -> Json<Value> {
        Json(serde_json::to_value(status).expect("names and numbers have a JSON form"))
    }

    fn admitted<'a>(app: &'a App, headers: &HeaderMap) -> Result<&'a Lab, Problem> {
        let lab = app.handle.lab().ok_or_else(|| {
            forbidden(
                "faults-forbidden",
                "this chain's genesis does not say fault_injection, so nobody may ask for faults",
            )
            .hint("a testnet of `quorate testnet`, or a genesis made with --fault-injection")
        })?;
        let token = lab.token().ok_or_else(|| {
            forbidden("no-fault-token", "this validator was given no token to know by who may ask for faults")
                .hint("`quorate testnet` writes one into config/fault_token; it is read when the validator starts")
        })?;
        let borne = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
        let unauthorized = |detail: &str| {
            Problem::new(StatusCode::UNAUTHORIZED, "unauthorized", detail)
                .hint("Authorization: Bearer and what stands in fault_token in the testnet's home")
        };
        match borne {
            None => Err(unauthorized("the request bears no token")),
            Some(borne) if token.is(borne.trim()) => Ok(lab),
            Some(_) => Err(unauthorized("the request bears another token than this run of the testnet's")),
        }
    }
}

#[cfg(not(feature = "lab"))]
mod lab {
    use super::{App, HeaderMap, Json, Problem, StatusCode, Value};

    pub(super) fn in_force(_app: &App, _headers: &HeaderMap) -> Result<Json<Value>, Problem> {
        Err(refused())
    }

    pub(super) fn put(_app: &App, _headers: &HeaderMap, _body: &[u8]) -> Result<Json<Value>, Problem> {
        Err(refused())
    }

    fn refused() -> Problem {
        Problem::new(StatusCode::NOT_IMPLEMENTED, "not-built", "this binary was built without the feature `lab`")
            .hint("a binary built with it: cargo build --release -p quorate-node")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::IpAddr;

    #[test]
    fn whoever_is_not_on_this_machine_is_refused() {
        let refusal = |address: &str| refuse_strangers(&Client(address.parse::<IpAddr>().expect("an address")));
        for own in ["127.0.0.1", "127.1.2.3", "::1", "::ffff:127.0.0.1"] {
            assert_eq!(refusal(own), Ok(()), "{own}");
        }
        for other in ["10.0.0.7", "192.168.1.2", "::ffff:10.0.0.7", "fe80::1", "0.0.0.0"] {
            let problem = refusal(other).expect_err(other);
            assert_eq!((problem.status, problem.code.as_str()), (StatusCode::FORBIDDEN, "not-loopback"));
            assert!(problem.detail.contains("loopback"), "{problem:?}");
        }
    }
}
