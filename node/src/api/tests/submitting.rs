use super::TestNode;
use crate::{
    api::model::{AccountView, BatchSubmittedView},
    handle::{RejectCode, Wait},
};
use quorate_types::encode;

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_goes_in_and_its_effect_comes_out() {
    let node = TestNode::start().await;
    let transaction = node.put(0, "city", "Oslo");
    let sent = node.api.submit(&transaction, Wait::Committed).await.expect("committed");
    assert_eq!(sent.digest, transaction.digest());
    assert_eq!(sent.height.map(|height| height.0), Some(1));
    assert_eq!(sent.outcome.expect("an outcome").status, "applied");

    let state = node.api.state(b"city", false).await.expect("an answer");
    assert_eq!(state.text.as_deref(), Some("Oslo"));
    let account: AccountView = node.api.account(&node.client.account()).await.expect("an answer");
    assert_eq!((account.nonce, account.balance.as_str()), (1, "1000"));
    let found = node.api.transaction(&transaction.digest(), false).await.expect("found");
    assert_eq!((found.height.0, found.batch, found.position), (1, 0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_that_fails_is_committed_and_says_why() {
    let node = TestNode::start().await;
    let payload = crate::client::payload::compare_and_swap(b"city", Some(b"Bergen".to_vec()), None).expect("short");
    let sent = node.api.submit(&node.sign(0, payload), Wait::Committed).await.expect("committed");
    let outcome = sent.outcome.expect("an outcome");
    assert_eq!(outcome.status, "failed");
    assert!(outcome.reason.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_answers_for_each_transaction() {
    let node = TestNode::start().await;
    let mut forged = node.put(1, "b", "2");
    forged.signature[3] ^= 1;
    let transactions = vec![node.put(0, "a", "1"), forged.clone(), node.put(1, "b", "3"), node.put(0, "c", "4")];
    let response = reqwest::Client::new()
        .post(node.url("/v1/txs/batch?wait=committed"))
        .body(encode(&transactions))
        .send()
        .await
        .expect("an answer");
    assert_eq!(response.status(), 200);
    let view: BatchSubmittedView = response.json().await.expect("JSON");
    assert_eq!((view.queued, view.accepted, view.committed), (0, 0, 2));
    let rejected: Vec<_> = view.rejected.iter().map(|rejected| (rejected.index, rejected.code)).collect();
    assert_eq!(rejected, [(1, RejectCode::BadSignature), (3, RejectCode::OldNonce)]);
    assert_eq!(view.rejected[0].digest, forged.digest());
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_wait_is_told_nothing_but_the_name() {
    let node = TestNode::start().await;
    let sent = node.api.submit(&node.put(0, "a", "1"), Wait::None).await.expect("queued");
    assert_eq!((sent.status.as_str(), sent.height), ("queued", None));
}
