//! Reading requests: every refusal is a [`Problem`], and nothing a client sends can do more than be refused.

use super::problem::Problem;
use axum::{
    extract::{FromRequest, FromRequestParts, Path, Query, Request},
    http::{StatusCode, request::Parts},
};
use bytes::Bytes;
use serde::de::{DeserializeOwned, IgnoredAny};
use std::str::FromStr;

/// The query string.
pub(crate) struct Params<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Params<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        let Query(value) = Query::try_from_uri(&parts.uri)
            .map_err(|error| Problem::bad_request("bad-query", error.body_text()).hint("see /openapi.json"))?;
        Ok(Self(value))
    }
}

/// The one variable segment of the path.
pub(crate) struct Segment(pub(crate) String);

impl<S: Send + Sync> FromRequestParts<S> for Segment {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Path(text) = Path::<String>::from_request_parts(parts, state)
            .await
            .map_err(|error| Problem::bad_request("bad-path", error.body_text()))?;
        Ok(Self(text))
    }
}

impl Segment {
    /// The segment as a value, or a problem that says what was expected.
    pub(crate) fn parse<T: FromStr>(&self, expected: &str) -> Result<T, Problem> {
        self.0.parse().map_err(|_| Problem::bad_request("bad-path", format!("`{}` is not {expected}", self.shown())))
    }

    fn shown(&self) -> String {
        self.0.chars().take(80).collect()
    }
}

/// The whole body, up to the route's limit.
pub(crate) struct Body(pub(crate) Bytes);

impl<S: Send + Sync> FromRequest<S> for Body {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let bytes = Bytes::from_request(request, state).await.map_err(|error| match error.status() {
            StatusCode::PAYLOAD_TOO_LARGE => {
                Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", "the body is over this endpoint's limit")
                    .hint("/openapi.json tells the limits; POST /v1/txs/batch takes many transactions at once")
            }
            status => Problem::new(status, "bad-body", error.body_text()),
        })?;
        Ok(Self(bytes))
    }
}

/// Reads a JSON document strictly: UTF-8, one value, nothing after it, no unknown or double members, no numbers out of
/// range, no depth that could overflow a stack. Not JSON is told apart from JSON of another shape.
pub fn json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let malformed = |why: String| Problem::bad_request("malformed-json", why);
    let text = std::str::from_utf8(bytes).map_err(|error| malformed(format!("the body is not UTF-8: {error}")))?;
    serde_json::from_str::<IgnoredAny>(text).map_err(|error| malformed(format!("the body is not JSON: {error}")))?;
    let wrong = |why: String| {
        Problem::bad_request("wrong-shape", format!("the body is JSON of another shape: {why}"))
            .hint("see /openapi.json")
    };
    // serde would take an array of the members' values, too.
    if !text.trim_start().starts_with('{') {
        return Err(wrong("it is not an object".into()));
    }
    serde_json::from_str(text).map_err(|error| wrong(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;
    use std::fs;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Thing {
        nonce: u64,
    }

    fn code(text: &str) -> String {
        json::<Thing>(text.as_bytes()).expect_err("refused").code
    }

    #[test]
    fn numbers_that_are_no_u64_are_refused() {
        assert_eq!(json::<Thing>(br#"{"nonce": 18446744073709551615}"#).map(|thing| thing.nonce), Ok(u64::MAX));
        for number in ["1e400", "1180591620717411303424", "1.5", "-1", "1e3", "\"1\"", "null"] {
            assert_eq!(code(&format!("{{\"nonce\": {number}}}")), "wrong-shape", "{number}");
        }
    }

    #[test]
    fn double_and_unknown_members_are_refused() {
        assert_eq!(code(r#"{"nonce": 1, "nonce": 2}"#), "wrong-shape");
        assert_eq!(code(r#"{"nonce": 1, "n": 2}"#), "wrong-shape");
        assert_eq!(code(r#"{"nonce": 1} x"#), "malformed-json");
        assert_eq!(code("[1]"), "wrong-shape");
    }

    #[test]
    fn depth_does_not_overflow_the_stack() {
        assert_eq!(code(&"[".repeat(200_000)), "malformed-json");
        let deep = format!("{}{}", "[".repeat(200_000), "]".repeat(200_000));
        let found = code(&deep);
        assert!(found == "wrong-shape" || found == "malformed-json", "{found}");
    }

    /// The JSONTestSuite: `y_` files are JSON, `n_` files are not, `i_` files may be either.
    #[test]
    fn every_torture_file_is_a_typed_refusal() {
        let Some(vectors) = std::env::var_os("QUORATE_VECTORS") else {
            eprintln!("skipped: QUORATE_VECTORS names no folder");
            return;
        };
        let folder = std::path::Path::new(&vectors).join("json");
        let mut files = 0;
        for entry in fs::read_dir(&folder).expect("the vectors' folder") {
            let path = entry.expect("readable folder").path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
            if !name.ends_with(".json") {
                continue;
            }
            let problem =
                json::<Thing>(&fs::read(&path).expect("readable file")).expect_err("no torture file is a thing");
            match name.get(..2) {
                Some("y_") => assert_eq!(problem.code, "wrong-shape", "{name}: {}", problem.detail),
                Some("n_") => assert_eq!(problem.code, "malformed-json", "{name}: {}", problem.detail),
                _ => {}
            }
            files += 1;
        }
        assert!(files > 150, "only {files} files in {}", folder.display());
    }
}
