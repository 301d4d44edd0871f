//! `GET /readyz`: whether whoever spreads devices over relays should send some here.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CACHE_CONTROL;
use axum::response::IntoResponse;

use super::App;

pub(super) async fn ready(State(app): State<Arc<App>>) -> impl IntoResponse {
    let (status, word) = if app.rooms.are_stopping() {
        (StatusCode::SERVICE_UNAVAILABLE, "stopping\n")
    } else if !app.rooms.around().store.works() {
        (StatusCode::SERVICE_UNAVAILABLE, "store-failing\n")
    } else {
        (StatusCode::OK, "ready\n")
    };
    (status, [(CACHE_CONTROL, "no-store")], word)
}
