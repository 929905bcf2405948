use super::TestNode;
use crate::handle::Wait;
use futures::StreamExt;
use std::time::Duration;

/// Reads a stream until it contains `wanted`.
async fn read_until(response: reqwest::Response, wanted: &str) -> String {
    let mut text = String::new();
    let mut chunks = response.bytes_stream();
    let reading = async {
        while let Some(chunk) = chunks.next().await {
            text.push_str(&String::from_utf8_lossy(&chunk.expect("a chunk")));
            if text.contains(wanted) {
                break;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(20), reading).await.expect("the event comes");
    text
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_is_told_to_subscribers() {
    let node = TestNode::start().await;
    let stream = reqwest::get(node.url("/v1/events?types=block")).await.expect("an answer");
    assert_eq!(stream.headers()["content-type"], "text/event-stream");
    node.api.submit(&node.put(0, "a", "1"), Wait::Committed).await.expect("committed");
    let text = read_until(stream, "\n\n").await;
    assert!(text.starts_with("event: block\ndata: {\"event\":\"block\",\"height\":1,"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn places_for_subscribers_are_bounded_and_come_free() {
    let node = TestNode::start().await;
    let subscribe = || reqwest::get(node.url("/v1/events"));
    let (first, _second) = (subscribe().await.expect("a place"), subscribe().await.expect("a place"));
    assert_eq!(subscribe().await.expect("an answer").status(), 503);
    drop(first);
    // The node notices when it next has something to send.
    for nonce in 0..100 {
        node.api.submit(&node.put(nonce, "a", "1"), Wait::Committed).await.expect("committed");
        if subscribe().await.expect("an answer").status() == 200 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the place did not come free");
}
