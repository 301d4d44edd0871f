//! From the socket to the room.

use axum::extract::ws::{Message, WebSocket};
use causeway_core::wire::ErrorCode;
use futures_util::StreamExt;
use futures_util::stream::SplitStream;
use tokio::time::timeout;
use tracing::{debug, trace};

use crate::limits::HALF_OPEN_AFTER;
use crate::rooms::Seat;

/// Why reading ended.
#[derive(Debug)]
pub(super) enum Left {
    /// The other side has gone, or is silent for good.
    Gone,
    /// It broke the rules of the socket itself; those of frames are the room's.
    Fault(ErrorCode, &'static str),
}

pub(super) async fn read(stream: &mut SplitStream<WebSocket>, seat: &Seat) -> Left {
    loop {
        let message = match timeout(HALF_OPEN_AFTER, stream.next()).await {
            Ok(Some(Ok(message))) => message,
            Ok(Some(Err(error))) => return fault_of(&error),
            Ok(None) => return Left::Gone,
            Err(_) => {
                debug!("nothing was heard for too long");
                return Left::Gone;
            }
        };
        match message {
            Message::Binary(frames) => {
                trace!(bytes = frames.len(), "received");
                if !seat.received(frames).await {
                    return Left::Gone;
                }
            }
            Message::Text(_) => {
                return Left::Fault(
                    ErrorCode::BadFrame,
                    "frames travel in binary messages, this was a text message",
                );
            }
            // The socket answers these by itself as it is read on; that something was heard is all that matters.
            Message::Ping(_) | Message::Pong(_) | Message::Close(_) => {}
        }
    }
}

/// A socket error is one of the line, or a message that breaks a bound of ours.
fn fault_of(error: &axum::Error) -> Left {
    debug!(%error, "the socket ended");
    let text = error.to_string();
    if text.contains("too long") || text.contains("too big") {
        return Left::Fault(ErrorCode::TooMuch, "a message is larger than a frame may be; split it");
    }
    Left::Gone
}
