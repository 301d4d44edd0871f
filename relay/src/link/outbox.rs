//! Frames on their way from a room to one socket.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::{Bytes, BytesMut};
use causeway_core::home::Lane;
use causeway_core::ids::ConnId;
use causeway_core::wire::{self, Body, ErrorCode, ErrorFrame, Message};
use tokio::sync::Notify;

use super::lanes::Lanes;
use crate::limits::OUTBOX_BYTES;
use crate::room::Drains;

/// Bounded queues that the room fills without waiting and the link's writer empties.
#[derive(Debug)]
pub(crate) struct Outbox {
    conn: ConnId,
    queue: Mutex<Queue>,
    /// Wakes the writer.
    filled: Notify,
    /// Where the room is told that a lane was written out.
    drains: Arc<Drains>,
}

#[derive(Debug, Default)]
struct Queue {
    lanes: Lanes,
    ending: Option<Ending>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    /// After what is queued is written.
    Close(ErrorCode),
    /// At once.
    Cut,
}

/// What a writer does next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Write this message.
    Write(Bytes),
    /// Say goodbye with this code.
    Close(ErrorCode),
    /// Drop the socket.
    Cut,
}

impl Outbox {
    pub(crate) fn new(conn: ConnId, drains: Arc<Drains>) -> Self {
        Self { conn, queue: Mutex::new(Queue::default()), filled: Notify::new(), drains }
    }

    /// Queues a frame. A link that has let so much pile up is cut instead; false says so, once.
    pub(crate) fn push(&self, lane: Lane, frame: Bytes) -> bool {
        let mut queue = self.queue();
        if queue.ending.is_some() {
            return true;
        }
        if queue.lanes.bytes() + frame.len() > OUTBOX_BYTES {
            *queue = Queue { ending: Some(Ending::Cut), ..Queue::default() };
            drop(queue);
            self.filled.notify_one();
            return false;
        }
        queue.lanes.push(lane, frame);
        drop(queue);
        self.filled.notify_one();
        true
    }

    /// Ends the link with this code after what is queued.
    pub(crate) fn close(&self, code: ErrorCode) {
        self.queue().ending.get_or_insert(Ending::Close(code));
        self.filled.notify_one();
    }

    /// Tells the other side what it did wrong and ends the link.
    pub(super) fn fail(&self, code: ErrorCode, sentence: &str) {
        let error = ErrorFrame { code: code as u16, sentence: sentence.into() };
        self.push(Lane::Control, wire::encode(&Message::Other(Body::Error(error))));
        self.close(code);
    }

    /// Ends the link at once: nobody takes what is written to it.
    pub(super) fn cut(&self) {
        *self.queue() = Queue { ending: Some(Ending::Cut), ..Queue::default() };
        self.filled.notify_one();
    }

    /// Whether the link was cut.
    pub(super) fn was_cut(&self) -> bool {
        self.queue().ending == Some(Ending::Cut)
    }

    /// Lanes that have been written out since this was last asked, and have nothing waiting now.
    pub(crate) fn take_drained(&self) -> impl Iterator<Item = Lane> + use<> {
        self.queue().lanes.take_drained()
    }

    /// Waits for the next thing to do. Calling again says that the last message was written.
    pub(super) async fn next(&self) -> Next {
        loop {
            let filled = self.filled.notified();
            if let Some(next) = self.take() {
                return next;
            }
            filled.await;
        }
    }

    fn take(&self) -> Option<Next> {
        let mut queue = self.queue();
        queue.lanes.written();
        if queue.lanes.has_drained() {
            self.drains.note(self.conn);
        }
        if queue.ending == Some(Ending::Cut) {
            return Some(Next::Cut);
        }
        let frames = queue.lanes.take();
        match (frames.is_empty(), queue.ending) {
            (false, _) => Some(Next::Write(joined(frames))),
            (true, Some(Ending::Close(code))) => Some(Next::Close(code)),
            (true, Some(Ending::Cut) | None) => None,
        }
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        // Nothing panics while it is held.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One message of these frames; one alone is not copied.
fn joined(mut frames: Vec<Bytes>) -> Bytes {
    if frames.len() == 1 {
        return frames.pop().unwrap_or_default();
    }
    let mut message = BytesMut::with_capacity(frames.iter().map(Bytes::len).sum());
    for frame in frames {
        message.extend_from_slice(&frame);
    }
    message.freeze()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::JOINED_BYTES;

    fn outbox() -> Outbox {
        Outbox::new(ConnId(1), Arc::default())
    }

    fn bytes(length: usize) -> Bytes {
        vec![7; length].into()
    }

    #[test]
    fn a_lane_is_drained_only_when_the_last_message_was_written() {
        let outbox = outbox();
        outbox.push(Lane::Entries, bytes(10));
        outbox.take();
        assert_eq!(outbox.take_drained().count(), 0, "it is still being written");
        assert_eq!(outbox.take(), None);
        assert_eq!(outbox.drains.take(), [ConnId(1)]);
        assert_eq!(outbox.take_drained().collect::<Vec<_>>(), [Lane::Entries]);
    }

    #[test]
    fn a_link_that_takes_nothing_is_cut_and_its_queue_let_go() {
        let outbox = outbox();
        let mut kept = true;
        for _ in 0..OUTBOX_BYTES / JOINED_BYTES + 1 {
            kept = outbox.push(Lane::Bulk, bytes(JOINED_BYTES));
        }
        assert!(!kept);
        assert_eq!(outbox.queue().lanes.bytes(), 0);
        assert_eq!(outbox.take(), Some(Next::Cut));
    }

    #[test]
    fn the_last_words_are_written_before_the_end() {
        let outbox = outbox();
        outbox.fail(ErrorCode::BadFrame, "that was no frame");
        assert!(matches!(outbox.take(), Some(Next::Write(_))));
        assert_eq!(outbox.take(), Some(Next::Close(ErrorCode::BadFrame)));
    }
}
