//! `GET /sync/{room}`: the WebSocket of a room.

use std::sync::Arc;

use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use causeway_core::ids::RoomId;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tracing::{Instrument, debug, info_span};

use super::{App, refuse_room};
use crate::link::{self, Handshake, NoHandshake};
use crate::listener::Slot;
use crate::origin;
use crate::rooms::NotLetIn;

pub(super) async fn upgrade(
    State(app): State<Arc<App>>,
    Path(room): Path<String>,
    mut request: Request,
) -> Response {
    let room = match room.parse::<RoomId>() {
        Ok(room) => room,
        Err(why) => return refuse_room(why),
    };
    if !origin::may_connect(request.headers(), &app.allow_origin) {
        let sentence = "A page from another place may not connect here; add its origin to `allow_origin` if it should.\n";
        return (StatusCode::FORBIDDEN, sentence).into_response();
    }
    let handshake = match Handshake::parse(request.headers()) {
        Ok(handshake) => handshake,
        Err(none) => return none.into_response(),
    };
    let Some(upgrade) = request.extensions_mut().remove::<OnUpgrade>() else {
        return NoHandshake::NoUpgrade.into_response();
    };
    // Held for as long as the socket is.
    let slot = request.extensions().get::<Slot>().cloned();
    let seat = app.rooms.join(&room);
    if let Err(stopping @ NotLetIn::Stopping) = &seat {
        return (StatusCode::SERVICE_UNAVAILABLE, format!("{stopping}\n")).into_response();
    }
    let span = info_span!("link", conn = seat.as_ref().map_or(0, |seat| seat.conn().0));
    let link = async move {
        let _slot = slot;
        let Some((socket, early)) = socket_of(upgrade).await else { return };
        match seat {
            Ok(seat) => link::carry(socket, &early, seat, app.rooms.bounds()).await,
            Err(why) => link::refuse(socket, why.code(), &why.to_string(), app.rooms.bounds()).await,
        }
    };
    tokio::spawn(link.instrument(span));
    handshake.accept()
}

/// The socket behind a conversation that was answered with an upgrade, and what was read too much of it.
async fn socket_of(upgrade: OnUpgrade) -> Option<(TcpStream, Vec<u8>)> {
    let upgraded = match upgrade.await {
        Ok(upgraded) => upgraded,
        Err(error) => {
            debug!(%error, "the other side left during the handshake");
            return None;
        }
    };
    let parts = upgraded.downcast::<TokioIo<TcpStream>>().expect("the listener speaks HTTP on TCP sockets");
    Some((parts.io.into_inner(), parts.read_buf.to_vec()))
}
