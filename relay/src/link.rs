//! One WebSocket and the room it belongs to.
//!
//! Reading and writing run beside each other in one task, so neither waits for the other. Reading stops while the room
//! is busy, which TCP passes on to the sender. The room writes what a socket takes at once; the rest waits in an
//! [`Outbox`], which the link's task empties.

mod lanes;
mod outbox;
mod reader;
mod websocket;
mod writer;

use std::sync::Arc;

use causeway_core::ids::ConnId;
use causeway_core::wire::ErrorCode;
use tokio::net::TcpStream;
use tokio::task::coop::consume_budget;
use tokio::time::timeout;
use tracing::debug;

use crate::bounds::Bounds;
use crate::limits::CLOSE_PATIENCE;
use crate::rooms::Seat;

pub(crate) use outbox::{Offered, Outbox, Pushed};
use reader::Left;
use websocket::Decoder;
pub(crate) use websocket::{Framed, Handshake, NoHandshake};

/// Carries frames between a socket and its room until one of them ends. `early` came behind the handshake.
pub(crate) async fn carry(socket: TcpStream, early: &[u8], seat: Seat, bounds: &Bounds) {
    let outbox = seat.outbox(socket);
    if !seat.enter(Arc::clone(&outbox)).await {
        return say(&outbox, ErrorCode::Store, ROOM_FAILED, bounds).await;
    }
    let writing = writer::write(&outbox, bounds);
    tokio::pin!(writing);
    let left = tokio::select! {
        left = reader::read(Decoder::new(early), &outbox, &seat, bounds) => Some(left),
        () = &mut writing => None,
    };
    let _alive = seat.leave().await;
    match left {
        Some(Left::Gone) => {}
        Some(Left::RoomEnded) => {
            let _ = timeout(CLOSE_PATIENCE, &mut writing).await;
            linger(&outbox).await;
        }
        Some(Left::Fault(code, sentence)) => {
            outbox.fail(code, sentence);
            let _ = timeout(CLOSE_PATIENCE, &mut writing).await;
            linger(&outbox).await;
        }
        None if outbox.was_cut() => {}
        None => linger(&outbox).await,
    }
    debug!("link ended");
}

/// Tells a device why it is not let in.
pub(crate) async fn refuse(socket: TcpStream, code: ErrorCode, sentence: &str, bounds: &Bounds) {
    say(&Outbox::new(ConnId(0), socket, Arc::default()), code, sentence, bounds).await;
}

async fn say(outbox: &Outbox, code: ErrorCode, sentence: &str, bounds: &Bounds) {
    outbox.fail(code, sentence);
    let _ = timeout(CLOSE_PATIENCE, writer::write(outbox, bounds)).await;
    linger(outbox).await;
}

/// Leaves the other side time to read the last word: a socket that is dropped with bytes unread is reset, and a reset
/// may overtake the reason.
async fn linger(outbox: &Outbox) {
    let mut ignored = [0; 1024];
    let answered = async {
        while outbox.socket().readable().await.is_ok() {
            // Or whoever goes on sending would keep a whole thread, and its clock with it.
            consume_budget().await;
            match outbox.socket().try_read(&mut ignored) {
                Ok(0) => return,
                Ok(_) => {}
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
                Err(_) => return,
            }
        }
    };
    let _ = timeout(CLOSE_PATIENCE, answered).await;
}

/// What a device hears when the task of its room ended under it.
pub(crate) const ROOM_FAILED: &str = "the relay failed in this room; your work is kept, and sent again";

/// What stands in a close frame beside its code. The error frame before it has the sentence.
fn reason(code: ErrorCode) -> &'static str {
    match code {
        ErrorCode::BadFrame => "bad frame",
        ErrorCode::Unproven => "unproven replica",
        ErrorCode::Version => "no common version",
        ErrorCode::Unexpected => "unexpected message",
        ErrorCode::TooMuch => "too much",
        ErrorCode::Silent => "silent for too long",
        ErrorCode::GoingAway => "the relay stops",
        ErrorCode::Full => "full",
        ErrorCode::Store => "the store fails",
        ErrorCode::Superseded => "another link writes in this name",
    }
}
