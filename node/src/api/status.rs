//! What the node knows of itself and of the others.

use super::{
    app::App,
    model::{MempoolView, PeerView, StatusView, ValidatorView},
};
use axum::{Json, extract::State};
use quorate_ledger::AppGenesis;
use quorate_types::ReplicaId;

/// The validator at this moment.
#[utoipa::path(get, path = "/v1/status", responses((status = 200, body = StatusView)))]
pub(crate) async fn status(app: State<App>) -> Json<StatusView> {
    let status = app.handle.status();
    Json(StatusView {
        ready: status.not_ready.is_none() && status.stopped.is_none(),
        name: status.name,
        replica: status.replica,
        chain: app.genesis.chain.clone(),
        genesis: app.digest,
        protocol: status.protocol,
        scheme: status.scheme,
        attributable: app.genesis.scheme.is_attributable(),
        application: application(&app.genesis.application).to_owned(),
        durability: status.durability.into(),
        view: status.view,
        leader: status.leader,
        role: status.role,
        height: status.height,
        head: status.head,
        head_time: status.head_time,
        high_qc: status.high_qc,
        locked: status.locked,
        timeouts: status.timeouts,
        evidence: app.handle.evidence().count(),
        mempool: MempoolView {
            transactions: status.mempool_transactions,
            batches: status.mempool_batches,
            bytes: status.mempool_bytes,
        },
        peers_connected: status.peers_connected,
        peers_total: app.genesis.validators.len().saturating_sub(1),
        not_ready: status.stopped.map(|why| why.to_string()).or(status.not_ready),
        pid: std::process::id(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    })
}

/// The name of an application.
pub(crate) fn application(genesis: &AppGenesis) -> &'static str {
    match genesis {
        AppGenesis::Kv { .. } => "kv",
        AppGenesis::Opaque => "opaque",
        AppGenesis::Dkg(_) => "dkg",
        AppGenesis::Unsigned => "unsigned",
    }
}

/// The committee, from the genesis.
#[utoipa::path(get, path = "/v1/validators", responses((status = 200, body = Vec<ValidatorView>)))]
pub(crate) async fn validators(app: State<App>) -> Json<Vec<ValidatorView>> {
    let views = (0u16..).zip(&app.genesis.validators).map(|(index, validator)| ValidatorView {
        replica: ReplicaId(index),
        name: validator.name.clone(),
        identity: validator.identity.to_string(),
        vote: validator.vote.to_string(),
        address: validator.address.clone(),
        me: app.me == ReplicaId(index),
    });
    Json(views.collect())
}

/// Connections to the other validators.
#[utoipa::path(get, path = "/v1/peers", responses((status = 200, body = Vec<PeerView>)))]
pub(crate) async fn peers(app: State<App>) -> Json<Vec<PeerView>> {
    Json(app.handle.peers().into_iter().map(PeerView::from).collect())
}
