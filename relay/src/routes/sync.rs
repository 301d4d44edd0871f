//! `GET /sync/{room}`: the WebSocket of a room.

use std::sync::Arc;

use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use causeway_core::ids::RoomId;
use tracing::{Instrument, info_span};

use super::{App, refuse_room};
use crate::limits::{MESSAGE_BYTES, READ_BUFFER_BYTES, WRITE_BUFFER_BYTES};
use crate::{link, origin};

pub(super) async fn upgrade(
    State(app): State<Arc<App>>,
    Path(room): Path<String>,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    let room = match room.parse::<RoomId>() {
        Ok(room) => room,
        Err(why) => return refuse_room(why),
    };
    if !origin::may_connect(&headers, &app.allow_origin) {
        let sentence = "A page from another place may not connect here; add its origin to `allow_origin` if it should.\n";
        return (StatusCode::FORBIDDEN, sentence).into_response();
    }
    let upgrade = match upgrade {
        Ok(upgrade) => upgrade,
        Err(rejection) => {
            return (rejection.status(), "This address is for WebSockets.\n").into_response();
        }
    };
    let seat = match app.rooms.join(&room) {
        Ok(seat) => seat,
        Err(stopping) => return (StatusCode::SERVICE_UNAVAILABLE, format!("{stopping}\n")).into_response(),
    };
    let span = info_span!("link", conn = seat.conn().0);
    upgrade
        .read_buffer_size(READ_BUFFER_BYTES)
        .write_buffer_size(0)
        .max_write_buffer_size(WRITE_BUFFER_BYTES)
        .max_message_size(MESSAGE_BYTES)
        .max_frame_size(MESSAGE_BYTES)
        .on_upgrade(move |socket| {
            async move {
                if seat.enter().await {
                    link::carry(socket, seat).await;
                }
            }
            .instrument(span)
        })
}
