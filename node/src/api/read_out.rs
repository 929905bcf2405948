//! Reading out what a refused request still sends.
//!
//! A client that is still writing when its connection is closed sees a broken pipe in place of the answer. So what a handler left
//! unread is read and discarded before the answer goes out, within bounds: whoever sends more, or slower, is cut off.

use axum::{
    body::{Body, HttpBody},
    extract::Request,
    middleware::Next,
    response::Response,
};
use bytes::Bytes;
use hyper::body::{Frame, SizeHint};
use std::{
    future::poll_fn,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};
use tokio::sync::oneshot;

/// Bytes discarded at most.
const DISCARDED: usize = 16 * 1024 * 1024;

/// How long that may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// A body that comes back to its lender when whoever reads it has had enough.
struct Lent {
    body: Body,
    back: Option<oneshot::Sender<Body>>,
}

impl HttpBody for Lent {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if let Some(back) = self.back.take() {
            let _gone = back.send(std::mem::take(&mut self.body));
        }
    }
}

/// Answers once the request has been read to its end, or has shown that it has none.
pub(super) async fn read_out(request: Request, next: Next) -> Response {
    if request.body().is_end_stream() {
        return next.run(request).await;
    }
    let (back, mut returned) = oneshot::channel();
    let response = next.run(request.map(|body| Body::new(Lent { body, back: Some(back) }))).await;
    if let Ok(rest) = returned.try_recv() {
        let _cut_off = tokio::time::timeout(PATIENCE, discard(rest)).await;
    }
    response
}

async fn discard(mut body: Body) {
    let mut discarded = 0;
    while discarded < DISCARDED && !body.is_end_stream() {
        match poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
            Some(Ok(frame)) => discarded += frame.data_ref().map_or(0, Bytes::len),
            Some(Err(_)) | None => return,
        }
    }
}
