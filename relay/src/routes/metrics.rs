//! `GET /metrics`.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::IntoResponse;
use causeway_core::ydoc::documents_built;

use super::App;
use crate::figures::Present;

pub(super) async fn metrics(State(app): State<Arc<App>>) -> impl IntoResponse {
    let around = app.rooms.around();
    let condition = around.store.condition();
    let present = Present {
        rooms: app.rooms.count(),
        connections: app.rooms.connections(),
        store_works: around.store.works(),
        store_stands_still: around.store.stands_still(),
        store_log_bytes: condition.log_bytes(),
        store_is_held_up: condition.is_held_up(),
        materialised_documents: documents_built(),
    };
    let text = around.figures.expose(present);
    ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8"), (CACHE_CONTROL, "no-store")], text)
}
