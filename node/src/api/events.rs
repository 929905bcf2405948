//! What happens, as it happens: server-sent events.

use super::{app::App, extract::Params, problem::Problem};
use crate::handle::NodeEvent;
use axum::{
    extract::State,
    http::StatusCode,
    response::sse::{Event, KeepAlive, Sse},
};
use futures::{Stream, StreamExt};
use serde::Deserialize;
use std::{convert::Infallible, sync::Arc};
use tokio_stream::wrappers::{BroadcastStream, errors::BroadcastStreamRecvError};
use utoipa::IntoParams;

/// Which events.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct EventParams {
    /// Names separated by commas, of `block`, `view-change`, `commit`, `stopped` and `transactions`. All but the last, unless told.
    types: Option<String>,
}

const NAMES: [&str; 5] = ["block", "view-change", "commit", "stopped", "transactions"];
/// The others are told when asked for.
const USUAL: usize = 4;

/// Blocks, view changes and commits from now on. A reader that is too slow gets `missed` with a count.
#[utoipa::path(get, path = "/v1/events", params(EventParams), responses(
    (status = 200, content_type = "text/event-stream", body = NodeEvent), (status = 503, body = super::ProblemBody)))]
pub(crate) async fn events(
    app: State<App>,
    Params(params): Params<EventParams>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    let wanted = wanted(params.types.as_deref())?;
    let place = Arc::clone(&app.subscribers).try_acquire_owned().map_err(|_| {
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, "too-many-subscribers", "every place for event readers is taken")
            .hint("close another reader, or raise max_subscribers in [api]")
    })?;
    let stop = app.stop.clone();
    let stream = BroadcastStream::new(app.handle.events())
        .take_until(async move { stop.cancelled().await })
        .filter_map(move |event| {
            // Held as long as the stream lives.
            let _place = &place;
            std::future::ready(shape(event, &wanted).map(Ok))
        });
    Ok(Sse::new(stream).keep_alive(KeepAlive::default()))
}

fn wanted(types: Option<&str>) -> Result<Vec<&'static str>, Problem> {
    let Some(types) = types else { return Ok(NAMES[..USUAL].to_vec()) };
    types
        .split(',')
        .map(|name| {
            NAMES.into_iter().find(|known| *known == name).ok_or_else(|| {
                let name: String = name.chars().take(40).collect();
                Problem::bad_request("bad-query", format!("no events named `{name}`"))
                    .hint(format!("some of {}", NAMES.join(",")))
            })
        })
        .collect()
}

fn shape(event: Result<NodeEvent, BroadcastStreamRecvError>, wanted: &[&str]) -> Option<Event> {
    match event {
        Ok(event) => {
            let name = name(&event);
            wanted.contains(&name).then(|| Event::default().event(name).json_data(&event).ok()).flatten()
        }
        Err(BroadcastStreamRecvError::Lagged(count)) => {
            Some(Event::default().event("missed").data(format!("{{\"event\":\"missed\",\"count\":{count}}}")))
        }
    }
}

fn name(event: &NodeEvent) -> &'static str {
    match event {
        NodeEvent::Block { .. } => "block",
        NodeEvent::ViewChange { .. } => "view-change",
        NodeEvent::Commit { .. } => "commit",
        NodeEvent::Stopped { .. } => "stopped",
        NodeEvent::Transactions { .. } => "transactions",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_known_names_can_be_asked_for() {
        assert_eq!(wanted(Some("block,commit")), Ok(vec!["block", "commit"]));
        assert_eq!(wanted(None), Ok(vec!["block", "view-change", "commit", "stopped"]));
        assert_eq!(wanted(Some("transactions")), Ok(vec!["transactions"]));
        assert_eq!(wanted(Some("blok")).map_err(|problem| problem.code), Err("bad-query".into()));
    }
}
