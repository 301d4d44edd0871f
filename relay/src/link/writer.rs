//! From the outbox to the socket.

use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, WebSocket};
use bytes::Bytes;
use futures_util::SinkExt;
use futures_util::stream::SplitSink;
use tokio::time::{Instant, MissedTickBehavior, interval_at, timeout};
use tracing::{debug, trace};

use super::outbox::{Next, Outbox};
use super::reason;
use crate::limits::{PING_EVERY, SLOWEST_BYTES_PER_SECOND, STUCK_AFTER};

/// Writes until the link is closed, cut, stuck or gone.
pub(super) async fn write(sink: &mut SplitSink<WebSocket, Message>, outbox: &Outbox) {
    let mut pings = interval_at(Instant::now() + PING_EVERY, PING_EVERY);
    pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let message = tokio::select! {
            next = outbox.next() => match next {
                Next::Write(frames) => Message::Binary(frames),
                Next::Close(code) => {
                    let frame = CloseFrame { code: code as u16, reason: reason(code).into() };
                    send(sink, Message::Close(Some(frame))).await;
                    return;
                }
                Next::Cut => {
                    debug!("the link was cut: it does not take what is sent");
                    return;
                }
            },
            _ = pings.tick() => Message::Ping(Bytes::new()),
        };
        if !send(sink, message).await {
            outbox.cut();
            return;
        }
    }
}

/// Whether the message was written to the end in time.
async fn send(sink: &mut SplitSink<WebSocket, Message>, message: Message) -> bool {
    let bytes = size_of(&message);
    let slowest = Duration::from_secs((bytes / SLOWEST_BYTES_PER_SECOND) as u64);
    trace!(bytes, "sending");
    match timeout(STUCK_AFTER + slowest, sink.send(message)).await {
        Ok(Ok(())) => true,
        Ok(Err(error)) => {
            debug!(%error, "the socket takes nothing more");
            false
        }
        Err(_) => {
            debug!("the socket is stuck");
            false
        }
    }
}

fn size_of(message: &Message) -> usize {
    match message {
        Message::Binary(bytes) | Message::Ping(bytes) | Message::Pong(bytes) => bytes.len(),
        Message::Text(_) | Message::Close(_) => 0,
    }
}
