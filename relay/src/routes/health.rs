//! `GET /healthz`.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::IntoResponse;
use causeway_core::ydoc::{documents_built, states_built};
use serde::Serialize;

use super::App;
use crate::figures::Reading;

#[derive(Debug, Serialize)]
struct Health {
    /// `ok`, or `store-failing` while the disk takes nothing.
    status: &'static str,
    version: &'static str,
    rooms: usize,
    connections: usize,
    /// Documents built in this process. The path of an entry builds none, so this stays zero however much is written.
    materialised_documents: u64,
    /// Texts built to make and check snapshots, on threads of their own.
    snapshot_documents: u64,
    #[serde(flatten)]
    figures: Reading,
}

pub(super) async fn health(State(app): State<Arc<App>>) -> impl IntoResponse {
    let around = app.rooms.around();
    let health = Health {
        status: if around.store.works() { "ok" } else { "store-failing" },
        version: env!("CARGO_PKG_VERSION"),
        rooms: app.rooms.count(),
        connections: app.rooms.connections(),
        materialised_documents: documents_built(),
        snapshot_documents: states_built(),
        figures: around.figures.read(),
    };
    let text = serde_json::to_string(&health).expect("figures and names can be written");
    ([(CONTENT_TYPE, "application/json"), (CACHE_CONTROL, "no-store")], text)
}
