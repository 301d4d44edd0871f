//! From the socket to the room.

use std::io::ErrorKind;

use causeway_core::wire::ErrorCode;
use tokio::task::coop::consume_budget;
use tokio::time::timeout;
use tracing::{debug, trace};

use super::outbox::Outbox;
use super::websocket::{Decoder, Fault, Heard};
use crate::bounds::Bounds;
use crate::rooms::Seat;

/// Why reading ended.
#[derive(Debug)]
pub(super) enum Left {
    /// The other side has gone, or is silent for good.
    Gone,
    /// The room has ended; its last words may still wait to be written.
    RoomEnded,
    /// It broke the rules of the socket itself; those of frames are the room's.
    Fault(ErrorCode, &'static str),
}

pub(super) async fn read(mut decoder: Decoder, outbox: &Outbox, seat: &Seat, bounds: &Bounds) -> Left {
    loop {
        // Nothing below waits as long as the other side has sent more: pings alone would keep a whole thread.
        consume_budget().await;
        match decoder.poll() {
            Ok(Some(Heard::Binary(frames))) => {
                trace!(bytes = frames.len(), "received");
                if !seat.received(frames).await {
                    return Left::RoomEnded;
                }
                continue;
            }
            Ok(Some(Heard::Text)) => {
                let sentence = "frames travel in binary messages, this was a text message";
                return Left::Fault(ErrorCode::BadFrame, sentence);
            }
            Ok(Some(Heard::Ping(payload))) => {
                outbox.pong(payload);
                continue;
            }
            Ok(Some(Heard::Pong)) => continue,
            Ok(Some(Heard::Close)) => {
                outbox.hang_up();
                return Left::Gone;
            }
            Ok(None) => {}
            Err(Fault::Malformed(sentence)) => return Left::Fault(ErrorCode::BadFrame, sentence),
            Err(Fault::TooLong) => {
                return Left::Fault(ErrorCode::TooMuch, "a message is larger than a frame may be; split it");
            }
        }
        match timeout(bounds.half_open_after, outbox.socket().readable()).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => return Left::Gone,
            Err(_) => {
                debug!("nothing was heard for too long");
                return Left::Gone;
            }
        }
        match outbox.socket().try_read_buf(decoder.room()) {
            Ok(0) => return Left::Gone,
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => decoder.rest(),
            Err(_) => return Left::Gone,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::ready;

    use causeway_store::{Storage, StoreGate};
    use tokio::io::AsyncWriteExt;
    use tokio::net::{TcpListener, TcpStream};

    use super::*;
    use crate::rooms::Rooms;

    #[tokio::test]
    async fn a_flood_of_pings_leaves_others_their_turn() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (socket, _) = listener.accept().await.unwrap();
        let bounds = Bounds::default();
        let gate = StoreGate::open(Storage::memory());
        let (rooms, _ended) = Rooms::new(gate, 1, std::sync::Arc::default(), bounds);
        let seat = rooms.join(&"flood".parse().unwrap()).unwrap();
        let outbox = seat.outbox(socket);
        let ping = [0x89, 0x80, 0, 0, 0, 0];
        client.write_all(&ping.repeat(8_000)).await.unwrap();
        let mut arrived = vec![0; 32 * 1024];
        while outbox.socket().peek(&mut arrived).await.unwrap() < arrived.len() {}
        tokio::select! {
            biased;
            left = read(Decoder::new(&[]), &outbox, &seat, &bounds) => panic!("{left:?}"),
            () = ready(()) => {}
        }
        let mut rest = [0];
        assert_eq!(outbox.socket().try_read(&mut rest).ok(), Some(1), "it did not read on to the end");
    }
}
