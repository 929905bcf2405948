//! What the application holds, with proofs on request.

use super::{
    app::App,
    extract::{Params, Segment},
    model::{AccountView, StateView},
    problem::Problem,
};
use axum::{Json, extract::State};
use quorate_ledger::user_key;
use quorate_types::{Account, encode};
use serde::Deserialize;
use utoipa::IntoParams;

/// How the key is written and what to send.
#[derive(Clone, Copy, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct StateParams {
    /// Whether to send a proof along.
    #[serde(default)]
    proof: bool,
    /// Whether the key in the path is hexadecimal; else it is (percent-encoded) text.
    #[serde(default)]
    hex: bool,
}

/// The value under a key, at the head.
#[utoipa::path(get, path = "/v1/state/{key}", params(("key" = String, Path), StateParams),
    responses((status = 200, description = "`found` tells whether there is a value; absence can be proven too", body = StateView), (status = 400, body = super::ProblemBody)))]
pub(crate) async fn state(
    app: State<App>,
    key: Segment,
    Params(params): Params<StateParams>,
) -> Result<Json<StateView>, Problem> {
    let key = match params.hex {
        true => hex::decode(&key.0)
            .map_err(|error| Problem::bad_request("bad-path", format!("the key is not hexadecimal: {error}")))?,
        false => key.0.into_bytes(),
    };
    let view = app
        .query(move |ledger| {
            let state_key = user_key(&key);
            let (value, height, proof) = if params.proof {
                let answer = ledger.prove_state(&state_key).map_err(|error| Problem::internal(error.to_string()))?;
                (answer.value.clone(), answer.header.height, Some(hex::encode(encode(&answer))))
            } else {
                (ledger.get(&state_key), ledger.head().height, None)
            };
            Ok(StateView {
                key: hex::encode(&key),
                found: value.is_some(),
                text: value.as_ref().and_then(|value| String::from_utf8(value.clone()).ok()),
                value: value.map(hex::encode),
                height,
                proof,
            })
        })
        .await?;
    Ok(Json(view))
}

/// An account's nonce and balance, at the head.
#[utoipa::path(get, path = "/v1/accounts/{account}", params(("account" = String, Path)),
    responses((status = 200, body = AccountView), (status = 400, body = super::ProblemBody)))]
pub(crate) async fn account(app: State<App>, account: Segment) -> Result<Json<AccountView>, Problem> {
    let account = Account(account.parse("an account, 64 hexadecimal characters")?);
    let view = app
        .query(move |ledger| {
            let state = ledger.account(&account);
            let height = ledger.head().height;
            Ok(AccountView { account, nonce: state.nonce, balance: state.balance.to_string(), height })
        })
        .await?;
    Ok(Json(view))
}
