use super::TestNode;
use crate::{
    api::{ProblemBody, model::TransactionIn},
    client::Unanswered,
    handle::Wait,
};
use quorate_types::encode;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

async fn problem(response: reqwest::Response) -> ProblemBody {
    let kind = response.headers().get("content-type").expect("a content type").clone();
    let status = response.status();
    let problem: ProblemBody = response.json().await.expect("a problem");
    assert_eq!(kind, "application/problem+json");
    assert_eq!(status.as_u16(), problem.status);
    problem
}

async fn post(node: &TestNode, path: &str, body: impl Into<reqwest::Body>) -> (u16, String) {
    let problem =
        problem(reqwest::Client::new().post(node.url(path)).body(body).send().await.expect("an answer")).await;
    (problem.status, problem.code)
}

async fn get(node: &TestNode, path: &str) -> (u16, String) {
    let problem = problem(reqwest::get(node.url(path)).await.expect("an answer")).await;
    (problem.status, problem.code)
}

fn code(result: Result<impl std::fmt::Debug, Unanswered>) -> String {
    match result {
        Err(Unanswered::Problem(problem)) => problem.code,
        other => panic!("not a problem: {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_transactions_are_refused_with_a_reason() {
    let node = TestNode::start().await;
    let mut forged = node.put(0, "a", "1");
    forged.signature[0] ^= 1;
    assert_eq!(code(node.api.submit(&forged, Wait::Committed).await), "bad-signature");
    node.api.submit(&node.put(0, "a", "1"), Wait::Committed).await.expect("committed");
    assert_eq!(code(node.api.submit(&node.put(0, "a", "2"), Wait::Committed).await), "old-nonce");

    let mut large = serde_json::to_value(TransactionIn::from(&node.put(1, "a", "3"))).expect("JSON");
    large["payload"] = json!("00".repeat(64 * 1024 + 1));
    assert_eq!(post(&node, "/v1/txs", large.to_string()).await, (413, "too-large".into()));
    large["payload"] = json!("00".repeat(1024 * 1024));
    assert_eq!(post(&node, "/v1/txs", large.to_string()).await, (413, "too-large".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_refusal_is_a_problem() {
    let node = TestNode::start().await;
    assert_eq!(post(&node, "/v1/txs", "{").await, (400, "malformed-json".into()));
    assert_eq!(post(&node, "/v1/txs", "{}").await, (400, "wrong-shape".into()));
    assert_eq!(post(&node, "/v1/txs?wait=forever", "{}").await, (400, "bad-query".into()));
    assert_eq!(post(&node, "/v1/txs/batch", "garbage").await, (400, "malformed-batch".into()));
    assert_eq!(post(&node, "/v1/status", "").await, (405, "no-such-method".into()));
    assert_eq!(get(&node, "/v2").await, (404, "no-such-path".into()));
    assert_eq!(get(&node, "/v1/blocks/99").await, (404, "no-such-block".into()));
    assert_eq!(get(&node, "/v1/blocks/1e400").await, (400, "bad-path".into()));
    assert_eq!(get(&node, "/v1/blocks/18446744073709551616").await, (400, "bad-path".into()));
    assert_eq!(get(&node, "/v1/txs/abc").await, (400, "bad-path".into()));
    assert_eq!(get(&node, &format!("/v1/txs/{}", "0".repeat(64))).await, (404, "no-such-transaction".into()));
    assert_eq!(get(&node, "/v1/accounts/abc").await, (400, "bad-path".into()));
    assert_eq!(get(&node, "/v1/state/%ff%fe").await, (400, "bad-path".into()));
    assert_eq!(get(&node, "/v1/state/zz?hex=true").await, (400, "bad-path".into()));
    assert_eq!(get(&node, "/v1/state/a?prove=true").await, (400, "bad-query".into()));
    assert_eq!(get(&node, "/v1/events?types=blok").await, (400, "bad-query".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_over_its_limits_is_refused_before_it_is_read() {
    let node = TestNode::start().await;
    let mut many = 10_000u32.to_le_bytes().to_vec();
    many.extend(encode(&node.put(0, "a", "1")));
    assert_eq!(post(&node, "/v1/txs/batch", many).await, (400, "malformed-batch".into()));
    assert_eq!(post(&node, "/v1/txs/batch", u32::MAX.to_le_bytes().to_vec()).await, (400, "malformed-batch".into()));
    assert_eq!(post(&node, "/v1/txs/batch", vec![0; super::super::BATCH_BODY + 1]).await, (413, "too-large".into()));
}

/// The answer reaches a client that writes its whole request before it reads, and the connection is good for another one.
#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_is_still_writing_gets_its_answer() {
    let node = TestNode::start().await;
    let address = node.api.base().trim_start_matches("http://").to_owned();
    let mut stream = tokio::net::TcpStream::connect(&address).await.expect("listening");
    let length = 8 * 1024 * 1024;
    let head = format!("POST /v1/txs HTTP/1.1\r\nhost: {address}\r\ncontent-length: {length}\r\n\r\n");
    stream.write_all(head.as_bytes()).await.expect("open");
    for _ in 0..length / 65536 {
        stream.write_all(&[b'x'; 65536]).await.expect("still open");
        tokio::task::yield_now().await;
    }
    let last = format!("GET /health HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    stream.write_all(last.as_bytes()).await.expect("still open");
    let mut answers = String::new();
    stream.read_to_string(&mut answers).await.expect("answers");
    assert!(answers.starts_with("HTTP/1.1 413 "), "{answers}");
    assert!(answers.contains("HTTP/1.1 200 "), "{answers}");
}

/// Every file of the JSONTestSuite as a request body: a typed refusal, never a panic or a hang, and the node lives on.
#[tokio::test(flavor = "multi_thread")]
async fn json_torture_is_survived() {
    let Some(vectors) = std::env::var_os("QUORATE_VECTORS") else {
        eprintln!("skipped: QUORATE_VECTORS names no folder");
        return;
    };
    let node = TestNode::start().await;
    for entry in std::fs::read_dir(std::path::Path::new(&vectors).join("json")).expect("the vectors' folder") {
        let path = entry.expect("readable folder").path();
        let body = std::fs::read(&path).expect("readable file");
        let (status, code) = post(&node, "/v1/txs", body).await;
        assert_eq!(status, 400, "{}: {code}", path.display());
        assert!(code == "malformed-json" || code == "wrong-shape", "{}: {code}", path.display());
    }
    assert_eq!(reqwest::get(node.url("/health")).await.expect("alive").status(), 200);
}
