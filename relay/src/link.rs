//! One WebSocket and the room it belongs to.
//!
//! Reading and writing run beside each other in one task, so neither waits for the other. Reading stops while the room
//! is busy, which TCP passes on to the sender. Writing takes from an [`Outbox`] that the room fills and never waits for.

mod lanes;
mod outbox;
mod reader;
mod writer;

use axum::extract::ws::WebSocket;
use causeway_core::wire::ErrorCode;
use futures_util::StreamExt;
use futures_util::stream::SplitStream;
use tokio::time::timeout;
use tracing::debug;

use crate::limits::CLOSE_PATIENCE;
use crate::rooms::Seat;

pub(crate) use outbox::Outbox;
use reader::Left;

/// Carries frames between a socket and its room until one of them ends.
pub(crate) async fn carry(socket: WebSocket, seat: Seat) {
    let (mut sink, mut stream) = socket.split();
    let outbox = seat.outbox();
    let writing = writer::write(&mut sink, &outbox);
    tokio::pin!(writing);
    let left = tokio::select! {
        left = reader::read(&mut stream, &seat) => Some(left),
        () = &mut writing => None,
    };
    let _alive = seat.leave().await;
    match left {
        Some(Left::Gone) => {}
        Some(Left::Fault(code, sentence)) => {
            outbox.fail(code, sentence);
            let _ = timeout(CLOSE_PATIENCE, &mut writing).await;
            linger(stream).await;
        }
        None if outbox.was_cut() => {}
        None => linger(stream).await,
    }
    debug!("link ended");
}

/// Leaves the other side time to read the last word: a socket that is dropped with bytes unread is reset, and a reset
/// may overtake the reason.
async fn linger(mut stream: SplitStream<WebSocket>) {
    let answered = async {
        loop {
            match stream.next().await {
                Some(Ok(_)) => {}
                None => return,
                // A message beyond the bounds cannot be read past.
                Some(Err(_)) => std::future::pending().await,
            }
        }
    };
    let _ = timeout(CLOSE_PATIENCE, answered).await;
}

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
    }
}
