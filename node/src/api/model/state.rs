//! What the application holds.

use quorate_types::{Account, Height};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// `GET /v1/state/{key}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StateView {
    /// Hex of the key.
    pub key: String,
    /// Whether there is a value.
    pub found: bool,
    /// Hex of the value.
    pub value: Option<String>,
    /// The value, where it is text.
    pub text: Option<String>,
    /// As of which block.
    #[schema(value_type = u64)]
    pub height: Height,
    /// With `?proof=true`: hex of the borsh encoding of the proof of presence or absence, and of finality.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proof: Option<String>,
}

/// `GET /v1/accounts/{account}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AccountView {
    /// The account.
    #[schema(value_type = String)]
    pub account: Account,
    /// The nonce that its next transaction needs, as far as committed blocks tell.
    pub nonce: u64,
    /// Its balance, as a string.
    pub balance: String,
    /// As of which block.
    #[schema(value_type = u64)]
    pub height: Height,
}

/// Asks for a proof.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ProofParams {
    /// Whether to send a proof along.
    #[serde(default)]
    pub proof: bool,
}
