use super::TestNode;
use crate::{
    api::model::{BlockView, StatusView},
    client::{Light, StateClaim},
    handle::{Stopped, Wait},
};
use quorate_types::{BoundedVec, ReplicaId, View};
use serde_json::Value;

#[tokio::test(flavor = "multi_thread")]
async fn blocks_are_told_by_height_and_as_the_latest() {
    let node = TestNode::start().await;
    let transaction = node.put(0, "city", "Oslo");
    node.api.submit(&transaction, Wait::Committed).await.expect("committed");
    let latest: BlockView = node.api.get("/v1/blocks/latest?transactions=true").await.expect("found");
    assert_eq!((latest.header.height.0, latest.transactions), (1, 1));
    let listed = latest.batches[0].transactions.as_ref().expect("asked for");
    assert_eq!(listed[0].digest, transaction.digest());
    let first: BlockView = node.api.get("/v1/blocks/0").await.expect("genesis");
    assert_eq!(latest.header.parent, first.digest);
    assert_eq!(first.digest, node.genesis.block().digest());
}

#[tokio::test(flavor = "multi_thread")]
async fn absence_at_genesis_is_verified_and_a_certificate_that_is_none_is_not() {
    let node = TestNode::start().await;
    let light = Light::new(&node.genesis).expect("a good genesis");
    let answer = node.api.state(b"nothing", true).await.expect("an answer");
    let claim = StateClaim::read(&answer).expect("consistent");
    assert_eq!(claim.value, None);
    light.state(b"nothing", &claim, &answer).expect("absent at genesis");
    let invented = StateClaim { value: Some(b"Oslo".to_vec()) };
    light.state(b"nothing", &invented, &answer).expect_err("a value that the proof does not have");

    let transaction = node.put(0, "city", "Oslo");
    node.api.submit(&transaction, Wait::Committed).await.expect("committed");
    let answer = node.api.state(b"city", true).await.expect("an answer");
    let claim = StateClaim::read(&answer).expect("consistent");
    let failure = light.state(b"city", &claim, &answer).expect_err("this node has no certificates");
    assert!(failure.what.contains("does not hold"), "{failure}");
    let view = node.api.transaction(&transaction.digest(), true).await.expect("an answer");
    light.transaction(&transaction.digest(), &view).expect_err("this node has no certificates");
}

#[tokio::test(flavor = "multi_thread")]
async fn readiness_follows_the_status() {
    let node = TestNode::start().await;
    let code = |path: &'static str| {
        let url = node.url(path);
        async move { reqwest::get(url).await.expect("an answer").status().as_u16() }
    };
    assert_eq!((code("/health").await, code("/ready").await), (200, 200));
    node.status.send_modify(|status| status.not_ready = Some("1 of 3 peers".into()));
    assert_eq!((code("/health").await, code("/ready").await), (200, 503));
    let status: StatusView = node.api.status().await.expect("an answer");
    assert_eq!((status.ready, status.not_ready.as_deref()), (false, Some("1 of 3 peers")));
    node.status.send_modify(|status| status.stopped = Some(Stopped::Failed("the disk is full".into())));
    assert_eq!((code("/health").await, code("/ready").await), (503, 503));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_description_names_every_endpoint() {
    let node = TestNode::start().await;
    let description: Value = node.api.get("/openapi.json").await.expect("JSON");
    let paths = description["paths"].as_object().expect("paths");
    for path in [
        "/health",
        "/ready",
        "/v1/status",
        "/v1/validators",
        "/v1/peers",
        "/v1/blocks/{height}",
        "/v1/blocks/{height}/proof",
        "/v1/txs",
        "/v1/txs/batch",
        "/v1/txs/{digest}",
        "/v1/state/{key}",
        "/v1/accounts/{account}",
        "/v1/events",
        "/v1/costs",
        "/metrics",
    ] {
        assert!(paths.contains_key(path), "{path} is missing among {:?}", paths.keys());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_are_openmetrics_text() {
    let node = TestNode::start().await;
    node.api.status().await.expect("an answer");
    let text = reqwest::get(node.url("/metrics")).await.expect("an answer").text().await.expect("text");
    assert!(text.contains("quorate_api_requests_total{route=\"/v1/status\",status=\"200\"} 1"), "{text}");
    assert!(text.contains("quorate_consensus_high_qc_view 0"), "{text}");
    assert!(text.ends_with("# EOF\n"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn evidence_is_listed_the_newest_first() {
    let node = TestNode::start().await;
    let list: crate::api::EvidenceList = node.api.get("/v1/evidence").await.expect("an answer");
    assert_eq!((list.total, list.evidence.len()), (0, 0));
    for view in 1..=3 {
        node.evidence.keep(&accusation(view));
    }
    node.evidence.keep(&accusation(2));
    let list: crate::api::EvidenceList = node.api.get("/v1/evidence?limit=2").await.expect("an answer");
    assert_eq!(list.total, 3);
    assert_eq!(list.evidence.iter().map(|piece| piece.view.0).collect::<Vec<_>>(), [3, 2]);
    assert_eq!(list.evidence[0].decode(), Ok(accusation(3)));
    assert_eq!(node.api.status().await.expect("an answer").evidence, 3);
}

fn accusation(view: u64) -> quorate_consensus::Evidence {
    let exhibit = || quorate_consensus::Exhibit {
        content: BoundedVec::default(),
        proof: quorate_consensus::Proof::Attestation(BoundedVec::default()),
    };
    quorate_consensus::Evidence {
        accused: ReplicaId(0),
        kind: "hotstuff/vote".into(),
        view: View(view),
        height: None,
        first: exhibit(),
        second: exhibit(),
    }
}
