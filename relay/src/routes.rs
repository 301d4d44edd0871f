//! What the relay answers over HTTP.
//!
//! | path | answer |
//! |---|---|
//! | `/`, `/r/{room}` | the page |
//! | `/sync/{room}` | the WebSocket of a room |
//! | `/healthz` | figures as JSON |
//! | `/readyz` | whether devices should be sent here |
//! | `/metrics` | figures for Prometheus |
//! | anything else | a file of the web app, or a sentence |

mod headers;
mod health;
mod metrics;
mod ready;
mod sync;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, Request, State};
use axum::http::header::{ACCEPT, RETRY_AFTER};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::from_fn;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use causeway_core::ids::{InvalidId, RoomId};

use crate::assets;
use crate::rooms::Rooms;

/// What the routes need.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) rooms: Rooms,
    /// Origins of pages served elsewhere that may open sockets here.
    pub(crate) allow_origin: Vec<String>,
}

pub(crate) fn router(app: App) -> Router {
    Router::new()
        .route("/", get(front_page))
        .route("/r/{room}", get(room_page))
        .route("/sync/{room}", get(sync::upgrade))
        .route("/healthz", get(health::health))
        .route("/readyz", get(ready::ready))
        .route("/metrics", get(metrics::metrics))
        .fallback(get(file))
        .layer(from_fn(headers::secure))
        .with_state(Arc::new(app))
}

/// What is answered until the store is open, which may take a while after a crash.
pub(crate) fn starting() -> Router {
    let not_yet = || async { (StatusCode::SERVICE_UNAVAILABLE, [(RETRY_AFTER, "1")], "starting\n") };
    Router::new().route("/healthz", get(|| async { r#"{"status":"starting"}"# })).fallback(not_yet)
}

async fn front_page(headers: HeaderMap) -> Response {
    assets::page(&headers)
}

async fn room_page(Path(room): Path<String>, headers: HeaderMap) -> Response {
    match room.parse::<RoomId>() {
        Ok(_) => assets::page(&headers),
        // The page has a screen of its own for this.
        Err(why) => assets::file("index.html", &HeaderMap::new())
            .map_or_else(|| refuse_room(why), |page| (StatusCode::BAD_REQUEST, page).into_response()),
    }
}

async fn file(State(_): State<Arc<App>>, request: Request) -> Response {
    let path = request.uri().path().trim_start_matches('/');
    assets::file(path, request.headers()).unwrap_or_else(|| nothing_here(request.headers()))
}

/// People are told by the page, which has a screen of its own for this; programs in a sentence.
fn nothing_here(headers: &HeaderMap) -> Response {
    let sentence = || (StatusCode::NOT_FOUND, "There is nothing under this address.\n").into_response();
    let accepted = headers.get(ACCEPT).and_then(|accepted| accepted.to_str().ok());
    if !accepted.is_some_and(|accepted| accepted.contains("text/html")) {
        return sentence();
    }
    let page = assets::file("index.html", &HeaderMap::new());
    page.map_or_else(sentence, |page| (StatusCode::NOT_FOUND, page).into_response())
}

fn refuse_room(why: InvalidId) -> Response {
    (StatusCode::BAD_REQUEST, format!("This is no name of a room: {why}.\n")).into_response()
}
