//! Frames on their way from a room to one socket.
//!
//! The room puts frames into lanes and then writes what the socket takes at once; it never waits. What the socket does
//! not take is written on by the link's own task. A frame for many that meets no other goes past the lanes.

mod outgoing;

use std::io::ErrorKind;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use causeway_core::home::Lane;
use causeway_core::ids::ConnId;
use causeway_core::wire::{self, Body, ErrorCode, ErrorFrame, Message};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::lanes::Lanes;
use super::reason;
use super::websocket::Framed;
use crate::limits::{OUTBOX_BYTES, SLOWEST_BYTES_PER_SECOND};
use crate::room::Drains;
use outgoing::Outgoing;

/// A socket and the bounded queues in front of it.
#[derive(Debug)]
pub(crate) struct Outbox {
    conn: ConnId,
    socket: TcpStream,
    queue: Mutex<Queue>,
    /// Wakes the link's task.
    stirred: Notify,
    /// Where the room is told that a lane was written out.
    drains: Arc<Drains>,
}

#[derive(Debug, Default)]
struct Queue {
    lanes: Lanes,
    /// What is being written.
    message: Option<Outgoing>,
    ping: bool,
    pong: Option<Bytes>,
    /// Since when the socket has taken nothing of the message at hand; the link's task waits for it.
    blocked: Option<Instant>,
    /// The room knows that it is to be flushed.
    touched: bool,
    ending: Option<Ending>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    /// After what is queued is written, with this code.
    Close(u16, &'static str),
    /// The last word was written.
    Closed,
    /// At once.
    Cut,
}

/// What became of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pushed {
    /// It waits, and the outbox is to be flushed.
    Flush,
    /// It waits, or nobody will ever take it.
    Waits,
    /// So much waits that the link was cut.
    Cut,
}

/// What became of a frame that was offered to a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Offered {
    /// It is written out, and nothing else waits.
    Written,
    /// It was queued.
    Queued(Pushed),
}

/// How far a socket took what waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flushed {
    /// Everything.
    All,
    /// It takes no more for now.
    Blocked,
    /// The link is over.
    Ended,
}

impl Outbox {
    pub(crate) fn new(conn: ConnId, socket: TcpStream, drains: Arc<Drains>) -> Self {
        Self { conn, socket, queue: Mutex::default(), stirred: Notify::new(), drains }
    }

    pub(crate) fn conn(&self) -> ConnId {
        self.conn
    }

    pub(super) fn socket(&self) -> &TcpStream {
        &self.socket
    }

    /// Queues a frame. A link that has let so much pile up is cut instead.
    pub(crate) fn push(&self, lane: Lane, frame: Bytes) -> Pushed {
        let pushed = self.queue().push(lane, frame);
        if pushed == Pushed::Cut {
            self.stir();
        }
        pushed
    }

    /// Writes a frame at once where nothing waits before it, and queues it otherwise.
    pub(crate) fn offer(&self, lane: Lane, framed: &Framed) -> Offered {
        let mut queue = self.queue();
        if !queue.is_idle() {
            drop(queue);
            return Offered::Queued(self.push(lane, framed.frame()));
        }
        let written = self.socket.try_write(framed.message()).or_else(|error| match error.kind() {
            ErrorKind::WouldBlock => Ok(0),
            _ => Err(error),
        });
        match written {
            Ok(written) if written == framed.message().len() => return Offered::Written,
            Ok(written) => queue.go_on(lane, framed.frame(), written),
            Err(_) => queue.end(Ending::Cut),
        }
        self.stir();
        Offered::Queued(Pushed::Waits)
    }

    /// Writes what the socket takes, without waiting.
    pub(super) fn flush(&self) -> Flushed {
        let mut queue = self.queue();
        queue.touched = false;
        queue.flush(&self.socket)
    }

    /// The same for the room; wakes the link's task where something is left. Tells lanes that have been written out.
    pub(crate) fn flush_from_room(&self) -> impl Iterator<Item = Lane> + use<> {
        let mut queue = self.queue();
        queue.touched = false;
        if queue.flush(&self.socket) != Flushed::All {
            self.stir();
        }
        queue.lanes.take_drained()
    }

    /// Wakes the link's task, which flushes until everything is written.
    pub(crate) fn stir(&self) {
        self.stirred.notify_one();
    }

    pub(super) async fn stirred(&self) {
        self.stirred.notified().await;
    }

    /// Ends the link with this code after what is queued.
    pub(crate) fn close(&self, code: ErrorCode) {
        self.queue().ending.get_or_insert(Ending::Close(code as u16, reason(code)));
        self.stir();
    }

    /// Tells the other side what it did wrong and ends the link.
    pub(crate) fn fail(&self, code: ErrorCode, sentence: &str) {
        let error = ErrorFrame { code: code as u16, sentence: sentence.into() };
        self.push(Lane::Control, wire::encode(&Message::Other(Body::Error(error))));
        self.close(code);
    }

    /// Answers that the other side hangs up.
    pub(super) fn hang_up(&self) {
        self.queue().ending.get_or_insert(Ending::Close(NORMAL, ""));
        self.flush();
    }

    /// Ends the link at once: nobody takes what is written to it.
    pub(super) fn cut(&self) {
        self.queue().end(Ending::Cut);
        self.stir();
    }

    /// Whether the link was cut.
    pub(super) fn was_cut(&self) -> bool {
        self.queue().ending == Some(Ending::Cut)
    }

    /// Asks whether the other side still lives.
    pub(super) fn ping(&self) {
        self.queue().ping = true;
    }

    /// Answers a ping; only the newest is worth an answer.
    pub(super) fn pong(&self, payload: Bytes) {
        self.queue().pong = Some(payload);
        self.stir();
    }

    /// When the message that the socket does not take counts as stuck.
    pub(super) fn stuck_at(&self, patience: Duration) -> Option<Instant> {
        let queue = self.queue();
        let length = queue.message.as_ref().map_or(0, Outgoing::length);
        let slowest = Duration::from_secs((length / SLOWEST_BYTES_PER_SECOND) as u64);
        queue.blocked.map(|since| since + patience + slowest)
    }

    /// Lanes that have been written out since this was last asked, and have nothing waiting now.
    pub(crate) fn take_drained(&self) -> impl Iterator<Item = Lane> + use<> {
        self.queue().lanes.take_drained()
    }

    /// Lets the room know of lanes that were written out.
    pub(super) fn tell_drained(&self) {
        if self.queue().lanes.has_drained() {
            self.drains.note(self.conn);
        }
    }

    /// Writes as the link's own task does, for the story of two at once.
    #[cfg(test)]
    pub(crate) fn flush_as_task(&self) {
        self.flush();
    }

    /// Bytes that wait.
    #[cfg(test)]
    pub(crate) fn queued(&self) -> usize {
        self.queue().lanes.bytes()
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        // Nothing panics while it is held.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Queue {
    /// Whether nothing waits, and nothing is to be said any more.
    fn is_idle(&self) -> bool {
        let quiet = self.ending.is_none() && self.message.is_none() && !self.ping && self.pong.is_none();
        quiet && self.lanes.is_empty()
    }

    fn push(&mut self, lane: Lane, frame: Bytes) -> Pushed {
        if self.ending.is_some() {
            return Pushed::Waits;
        }
        if self.lanes.bytes() + frame.len() > OUTBOX_BYTES {
            self.end(Ending::Cut);
            return Pushed::Cut;
        }
        self.lanes.push(lane, frame);
        if self.blocked.is_some() || std::mem::replace(&mut self.touched, true) {
            return Pushed::Waits;
        }
        Pushed::Flush
    }

    /// A message of one frame is on its way, and the socket takes no more of it for now.
    fn go_on(&mut self, lane: Lane, frame: Bytes, written: usize) {
        self.lanes.writes(lane);
        self.message = Some(Outgoing::begun(frame, written));
        self.blocked = Some(Instant::now());
    }

    fn flush(&mut self, socket: &TcpStream) -> Flushed {
        loop {
            if matches!(self.ending, Some(Ending::Cut | Ending::Closed)) {
                return Flushed::Ended;
            }
            if self.message.is_none() {
                self.message = self.next();
            }
            let Some(message) = &mut self.message else { return Flushed::All };
            match message.write(socket) {
                Ok(true) => self.written(),
                Ok(false) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.blocked.get_or_insert_with(Instant::now);
                    return Flushed::Blocked;
                }
                Err(_) => self.end(Ending::Cut),
            }
        }
    }

    /// The next message: what keeps the link alive, then lanes, then the last word.
    fn next(&mut self) -> Option<Outgoing> {
        if let Some(payload) = self.pong.take() {
            return Some(Outgoing::pong(payload));
        }
        if std::mem::take(&mut self.ping) {
            return Some(Outgoing::ping());
        }
        let frames = self.lanes.take();
        if !frames.is_empty() {
            return Some(Outgoing::frames(frames));
        }
        match self.ending {
            Some(Ending::Close(code, reason)) => Some(Outgoing::close(code, reason)),
            Some(Ending::Closed | Ending::Cut) | None => None,
        }
    }

    fn written(&mut self) {
        self.blocked = None;
        let Some(message) = self.message.take() else { return };
        if message.is_close() {
            self.ending = Some(Ending::Closed);
        }
        self.lanes.written();
    }

    fn end(&mut self, ending: Ending) {
        *self = Self { ending: Some(ending), ..Self::default() };
    }
}

/// The close code of a link that ends as its device wishes.
const NORMAL: u16 = 1000;

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;
    use crate::limits::JOINED_BYTES;

    async fn pair() -> (Outbox, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (socket, _) = listener.accept().await.unwrap();
        (Outbox::new(ConnId(1), socket, Arc::default()), client)
    }

    async fn read(client: &TcpStream, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        let mut have = 0;
        while have < length {
            client.readable().await.unwrap();
            match client.try_read(&mut bytes[have..]) {
                Ok(read) => have += read,
                Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock),
            }
        }
        bytes
    }

    #[tokio::test]
    async fn small_frames_share_a_message_and_the_last_word_comes_behind_them() {
        let (outbox, client) = pair().await;
        assert_eq!(outbox.push(Lane::Entries, Bytes::from_static(b"ab")), Pushed::Flush);
        assert_eq!(outbox.push(Lane::Control, Bytes::from_static(b"c")), Pushed::Waits);
        outbox.close(ErrorCode::Full);
        assert_eq!(outbox.flush(), Flushed::Ended);
        assert_eq!(read(&client, 13).await, b"\x82\x03cab\x88\x06\x11\xa1full");
    }

    #[tokio::test]
    async fn what_a_socket_does_not_take_waits_and_goes_on_where_it_stopped() {
        let (outbox, client) = pair().await;
        let (mut pushed, mut blocked) = (0usize, false);
        while !blocked {
            assert_ne!(outbox.push(Lane::Bulk, vec![7; JOINED_BYTES].into()), Pushed::Cut);
            pushed += 1;
            blocked = outbox.flush() == Flushed::Blocked;
        }
        assert_eq!(outbox.push(Lane::Bulk, Bytes::from_static(b"later")), Pushed::Waits);
        assert!(outbox.stuck_at(Duration::from_secs(1)).is_some());
        assert_eq!(outbox.take_drained().filter(|lane| *lane == Lane::Bulk).count(), 0);
        let reading = tokio::spawn(async move { read(&client, pushed * (JOINED_BYTES + 10) + 7).await });
        while outbox.flush() == Flushed::Blocked {
            outbox.socket().writable().await.unwrap();
        }
        assert_eq!(outbox.take_drained().collect::<Vec<_>>(), [Lane::Bulk]);
        assert!(reading.await.unwrap().ends_with(b"\x82\x05later"));
    }

    #[tokio::test]
    async fn what_nothing_waits_before_goes_past_the_lanes_and_the_rest_behind_what_waits() {
        let (outbox, client) = pair().await;
        assert_eq!(outbox.offer(Lane::Entries, &Framed::new(b"ab")), Offered::Written);
        assert_eq!(outbox.push(Lane::Entries, Bytes::from_static(b"c")), Pushed::Flush);
        assert_eq!(outbox.offer(Lane::Entries, &Framed::new(b"d")), Offered::Queued(Pushed::Waits));
        assert_eq!(outbox.flush_from_room().collect::<Vec<_>>(), [Lane::Entries]);
        assert_eq!(outbox.offer(Lane::Bulk, &Framed::new(b"e")), Offered::Written);
        outbox.close(ErrorCode::Full);
        assert_eq!(outbox.offer(Lane::Entries, &Framed::new(b"f")), Offered::Queued(Pushed::Waits));
        assert_eq!(outbox.flush(), Flushed::Ended);
        assert_eq!(read(&client, 19).await, b"\x82\x02ab\x82\x02cd\x82\x01e\x88\x06\x11\xa1full");
    }

    #[tokio::test]
    async fn of_a_frame_past_the_lanes_the_rest_is_written_when_the_socket_takes_it() {
        let (outbox, client) = pair().await;
        let framed = Framed::new(&[7; JOINED_BYTES]);
        // Told of nothing yet, and not to be told of what is on its way behind it.
        outbox.push(Lane::Entries, Bytes::from_static(b"first"));
        outbox.flush();
        let mut offered = 1;
        while outbox.offer(Lane::Entries, &framed) == Offered::Written {
            offered += 1;
        }
        assert!(outbox.stuck_at(Duration::from_secs(1)).is_some());
        assert_eq!(outbox.offer(Lane::Presence, &Framed::new(b"later")), Offered::Queued(Pushed::Waits));
        assert_eq!(outbox.take_drained().count(), 0, "not while some of it waits");
        let reading = tokio::spawn(async move { read(&client, 7 + offered * (JOINED_BYTES + 10) + 7).await });
        while outbox.flush() == Flushed::Blocked {
            outbox.socket().writable().await.unwrap();
        }
        assert_eq!(outbox.take_drained().collect::<Vec<_>>(), [Lane::Presence, Lane::Entries]);
        assert!(reading.await.unwrap().ends_with(b"\x07\x82\x05later"));
    }

    #[tokio::test]
    async fn a_link_that_takes_nothing_is_cut_and_its_queues_let_go() {
        let (outbox, _client) = pair().await;
        let mut pushed = Pushed::Flush;
        for _ in 0..OUTBOX_BYTES / JOINED_BYTES + 1 {
            pushed = outbox.push(Lane::Bulk, vec![7; JOINED_BYTES].into());
        }
        assert_eq!(pushed, Pushed::Cut);
        assert_eq!(outbox.queue().lanes.bytes(), 0);
        assert!(outbox.was_cut());
        assert_eq!(outbox.flush(), Flushed::Ended);
    }
}
