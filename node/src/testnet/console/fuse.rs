//! A validator that is killed in the middle of what it says.

use super::{Console, Order, lock, wanted::Process};
use crate::api::model::PeerView;
use quorate_scenario::{Action, Who};
use quorate_types::ReplicaId;
use std::{sync::Arc, time::Duration};

/// How often it is asked what it has said.
const ASK_EVERY: Duration = Duration::from_millis(2);

impl Console {
    /// Kills it when it has given so many more messages to its links, or soon after: it is asked all the time. From a simulated
    /// replica the power goes at the very message.
    pub(super) fn kill_after(self: &Arc<Self>, id: ReplicaId, messages: u32) {
        let console = Arc::clone(self);
        tokio::spawn(async move {
            let mut limit = None;
            while lock(&console.wanted).node(id).process == Process::Runs {
                if let Some(sent) = console.said(id).await
                    && sent >= *limit.get_or_insert(sent + u64::from(messages))
                {
                    let order = Order { actions: vec![Action::Crash(Who::one(id))], beyond_f: true };
                    if let Err(refused) = console.apply(&order).await {
                        tracing::warn!(%refused, "a validator was not killed in time");
                    }
                    return;
                }
                tokio::time::sleep(ASK_EVERY).await;
            }
        });
    }

    /// Messages that it has given to its links.
    async fn said(&self, id: ReplicaId) -> Option<u64> {
        let peers: Vec<PeerView> = self.api(id).get("/v1/peers").await.ok()?;
        Some(peers.iter().flat_map(|peer| peer.sent.values()).sum())
    }
}
