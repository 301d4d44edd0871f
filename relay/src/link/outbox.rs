//! Frames on their way from a room to one socket.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::{Bytes, BytesMut};
use causeway_core::ids::ConnId;
use causeway_core::wire::{self, Body, ErrorCode, ErrorFrame, Message};
use tokio::sync::Notify;

use crate::limits::{JOINED_BYTES, OUTBOX_BYTES};
use crate::room::Drains;

/// A bounded queue that the room fills without waiting and the link's writer empties.
#[derive(Debug)]
pub(crate) struct Outbox {
    conn: ConnId,
    queue: Mutex<Queue>,
    /// Wakes the writer.
    filled: Notify,
    /// Where the room is told that everything was written.
    drains: Arc<Drains>,
}

#[derive(Debug, Default)]
struct Queue {
    frames: VecDeque<Bytes>,
    bytes: usize,
    writing: bool,
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
    pub(crate) fn push(&self, frame: Bytes) -> bool {
        let mut queue = self.queue();
        if queue.ending.is_some() {
            return true;
        }
        if queue.bytes + frame.len() > OUTBOX_BYTES {
            *queue = Queue { ending: Some(Ending::Cut), ..Queue::default() };
            drop(queue);
            self.filled.notify_one();
            return false;
        }
        queue.bytes += frame.len();
        queue.frames.push_back(frame);
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
        self.push(wire::encode(&Message::Other(Body::Error(error))));
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

    /// Whether everything that was queued has been written.
    pub(crate) fn is_drained(&self) -> bool {
        let queue = self.queue();
        queue.frames.is_empty() && !queue.writing
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
        let wrote = std::mem::take(&mut queue.writing);
        match (queue.frames.is_empty(), queue.ending) {
            (_, Some(Ending::Cut)) => Some(Next::Cut),
            (true, Some(Ending::Close(code))) => Some(Next::Close(code)),
            (true, None) => {
                drop(queue);
                if wrote {
                    self.drains.note(self.conn);
                }
                None
            }
            (false, _) => Some(Next::Write(queue.take_message())),
        }
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        // Nothing panics while it is held.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Queue {
    /// The next frame, joined by those behind it while they are small. Frames tell their own length.
    fn take_message(&mut self) -> Bytes {
        self.writing = true;
        let first = self.frames.pop_front().unwrap_or_default();
        let mut length = first.len();
        let mut more = 0;
        for frame in &self.frames {
            if length + frame.len() > JOINED_BYTES {
                break;
            }
            length += frame.len();
            more += 1;
        }
        self.bytes -= length;
        if more == 0 {
            return first;
        }
        let mut message = BytesMut::with_capacity(length);
        message.extend_from_slice(&first);
        for frame in self.frames.drain(..more) {
            message.extend_from_slice(&frame);
        }
        message.freeze()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outbox() -> Outbox {
        Outbox::new(ConnId(1), Arc::default())
    }

    fn bytes(length: usize) -> Bytes {
        vec![7; length].into()
    }

    #[test]
    fn small_frames_are_joined_and_large_ones_are_not_copied() {
        let outbox = outbox();
        let large = bytes(JOINED_BYTES);
        for frame in [bytes(10), bytes(20), large.clone()] {
            assert!(outbox.push(frame));
        }
        assert_eq!(outbox.take(), Some(Next::Write(bytes(30))));
        let Some(Next::Write(written)) = outbox.take() else { panic!("the large frame is next") };
        assert_eq!(written.as_ptr(), large.as_ptr());
    }

    #[test]
    fn it_is_drained_only_when_the_last_message_was_written() {
        let outbox = outbox();
        outbox.push(bytes(10));
        assert!(!outbox.is_drained());
        outbox.take();
        assert!(!outbox.is_drained(), "it is still being written");
        assert_eq!(outbox.take(), None);
        assert!(outbox.is_drained());
        assert_eq!(outbox.drains.take(), [ConnId(1)]);
    }

    #[test]
    fn a_link_that_takes_nothing_is_cut_and_its_queue_let_go() {
        let outbox = outbox();
        let mut kept = true;
        for _ in 0..OUTBOX_BYTES / JOINED_BYTES + 1 {
            kept = outbox.push(bytes(JOINED_BYTES));
        }
        assert!(!kept);
        assert_eq!(outbox.queue().bytes, 0);
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
