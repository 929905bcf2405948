//! Errors of the API: problem+json after RFC 9457, with a stable `code` and what to try.

use crate::handle::{RejectCode, SubmitError};
use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use quorate_ledger::NotHeld;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Why a request was not answered as hoped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The HTTP status.
    pub status: StatusCode,
    /// For programs: stable.
    pub code: String,
    /// For people: what, where and why.
    pub detail: String,
    /// What to try.
    pub hint: Option<String>,
}

/// The body of an error, `application/problem+json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProblemBody {
    /// `urn:quorate:problem:` and the code.
    pub r#type: String,
    /// The HTTP status in words.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// For programs: stable.
    pub code: String,
    /// For people: what, where and why.
    pub detail: String,
    /// What to try.
    #[serde(rename = "try", skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

impl Problem {
    /// A problem without advice.
    pub fn new(status: StatusCode, code: &str, detail: impl Into<String>) -> Self {
        Self { status, code: code.to_owned(), detail: detail.into(), hint: None }
    }

    /// The request makes no sense.
    pub fn bad_request(code: &str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, detail)
    }

    /// There is no such thing here.
    pub fn not_found(code: &str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, code, detail)
    }

    /// Something on this node's side went wrong.
    pub fn internal(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", detail).hint("look at the node's log")
    }

    /// Adds what to try.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// A transaction was refused.
    pub fn rejected(code: RejectCode, why: &str) -> Self {
        let (status, hint) = match code {
            RejectCode::BadSignature => {
                (StatusCode::UNPROCESSABLE_ENTITY, "sign the transaction body with the sender's key, for this chain")
            }
            RejectCode::WrongChain => {
                (StatusCode::UNPROCESSABLE_ENTITY, "sign with the chain id that /v1/status tells")
            }
            RejectCode::OldNonce => (
                StatusCode::CONFLICT,
                "/v1/accounts/{account} tells the next nonce; the transaction may have committed",
            ),
            RejectCode::FutureNonce => (StatusCode::CONFLICT, "send the transactions with the nonces before it first"),
            RejectCode::Conflicting => (StatusCode::CONFLICT, "wait until the pending transaction commits"),
            RejectCode::MalformedPayload => {
                (StatusCode::UNPROCESSABLE_ENTITY, "encode the payload as this chain's application wants it")
            }
            RejectCode::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "send less in one transaction"),
            RejectCode::Busy => (StatusCode::SERVICE_UNAVAILABLE, "again in a second"),
            RejectCode::Stopping => (StatusCode::SERVICE_UNAVAILABLE, "another node"),
        };
        Self::new(status, code.name(), why).hint(hint)
    }

    /// The body.
    pub fn body(&self) -> ProblemBody {
        ProblemBody {
            r#type: format!("urn:quorate:problem:{}", self.code),
            title: self.status.canonical_reason().unwrap_or("error").to_owned(),
            status: self.status.as_u16(),
            code: self.code.clone(),
            detail: self.detail.clone(),
            hint: self.hint.clone(),
        }
    }
}

impl From<NotHeld> for Problem {
    fn from(error: NotHeld) -> Self {
        Self::new(StatusCode::GONE, "not-held", error.to_string())
            .hint("ask a validator that has been here from the start")
    }
}

impl From<SubmitError> for Problem {
    fn from(error: SubmitError) -> Self {
        let code = match error {
            SubmitError::Busy => RejectCode::Busy,
            SubmitError::Stopped => RejectCode::Stopping,
        };
        Self::rejected(code, &error.to_string())
    }
}

impl RejectCode {
    /// The stable name.
    pub fn name(self) -> &'static str {
        match self {
            Self::BadSignature => "bad-signature",
            Self::WrongChain => "wrong-chain",
            Self::OldNonce => "old-nonce",
            Self::FutureNonce => "future-nonce",
            Self::Conflicting => "conflicting",
            Self::MalformedPayload => "malformed-payload",
            Self::TooLarge => "too-large",
            Self::Busy => "busy",
            Self::Stopping => "stopping",
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = serde_json::to_vec(&self.body()).expect("strings and numbers have a JSON form");
        let mut response = (self.status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quorate_types::Height;

    #[test]
    fn the_body_has_the_members_of_rfc_9457_and_ours() {
        let problem = Problem::rejected(RejectCode::OldNonce, "nonce 3 is used up");
        let json = serde_json::to_value(problem.body()).expect("JSON");
        assert_eq!(json["type"], "urn:quorate:problem:old-nonce");
        assert_eq!(json["status"], 409);
        assert_eq!(json["title"], "Conflict");
        assert_eq!(json["code"], "old-nonce");
        assert_eq!(json["detail"], "nonce 3 is used up");
        assert!(json["try"].as_str().is_some_and(|hint| hint.contains("/v1/accounts")));
    }

    #[test]
    fn names_on_the_wire_are_the_serde_names() {
        for code in [RejectCode::BadSignature, RejectCode::MalformedPayload, RejectCode::TooLarge, RejectCode::Busy] {
            assert_eq!(serde_json::to_value(code).expect("JSON"), code.name());
        }
    }

    #[test]
    fn what_a_snapshot_left_out_is_gone_here_and_not_elsewhere() {
        let problem = Problem::from(NotHeld { height: Height(3), base: Height(64) });
        assert_eq!((problem.status, problem.code.as_str()), (StatusCode::GONE, "not-held"));
        assert!(problem.detail.contains('3') && problem.detail.contains("64") && problem.hint.is_some(), "{problem:?}");
    }

    #[test]
    fn a_busy_node_says_when_to_come_back() {
        let response = Problem::from(SubmitError::Busy).into_response();
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(response.headers()[header::RETRY_AFTER], "1");
        assert_eq!(response.headers()[header::CONTENT_TYPE], "application/problem+json");
    }
}
