//! Segments of the archive on their way to readers: a few at a time are read and unpacked, and whoever comes next waits
//! before anything is read for it. A segment that the threads had no time for is kept and handed out again.

use std::collections::VecDeque;

use bytes::Bytes;

use crate::home::Home;
use crate::home::jobs::Work;
use crate::ids::{ConnId, StreamId};
use crate::limits::{READ_RETRY, ROOM_SEGMENTS};
use crate::snapshot::Job;
use crate::time::{Millis, Now};

/// Whom a segment is for: a link reads one of a stream at a time.
pub(super) type Reader = (ConnId, StreamId);

/// A segment as read, up to this arrival.
#[derive(Clone, Debug)]
pub(super) struct Packed {
    pub(super) reader: Reader,
    pub(super) end: u64,
    pub(super) bytes: Bytes,
}

/// The readers of a room's archive.
#[derive(Debug, Default)]
pub(super) struct Segments {
    /// Whose segments are being read or unpacked; [`ROOM_SEGMENTS`] at most.
    at_work: Vec<Reader>,
    /// Those of them that were read, and are to be handed out again.
    put_off: Vec<Packed>,
    waiting: VecDeque<Reader>,
    again_at: Option<Millis>,
}

impl Segments {
    /// Whether a reader may begin; it waits otherwise.
    fn begin(&mut self, reader: Reader) -> bool {
        let may = self.at_work.len() < ROOM_SEGMENTS;
        if may {
            self.at_work.push(reader);
        } else {
            self.waiting.push_back(reader);
        }
        may
    }

    /// Who may begin, now that somebody has ended.
    fn next(&mut self) -> Option<Reader> {
        let room = self.at_work.len() < ROOM_SEGMENTS;
        let next = if room { self.waiting.pop_front() } else { None };
        self.at_work.extend(next);
        next
    }

    fn end(&mut self, reader: Reader) {
        self.at_work.retain(|other| *other != reader);
    }

    fn forget(&mut self, conn: ConnId) {
        self.at_work.retain(|(of, _)| *of != conn);
        self.put_off.retain(|packed| packed.reader.0 != conn);
        self.waiting.retain(|(of, _)| *of != conn);
    }

    /// When to hand in the time.
    pub(super) fn again_at(&self) -> Option<Millis> {
        self.again_at
    }

    fn take_due(&mut self, now: Now) -> Vec<Packed> {
        if self.again_at.is_none_or(|at| now.monotonic < at) {
            return Vec::new();
        }
        self.again_at = None;
        std::mem::take(&mut self.put_off)
    }
}

impl Home {
    /// Reads the next segment for a reader when its turn has come.
    pub(super) fn queue_segment(&mut self, reader: Reader) {
        if self.segments.begin(reader) && !self.read_segment(reader) {
            self.segments.end(reader);
        }
    }

    /// Has a segment unpacked.
    pub(super) fn unpack_segment(&mut self, packed: Packed) {
        let segment = packed.bytes.clone();
        self.materialise(Job::Unpack { segment }, Work::Segment(packed));
    }

    /// The threads that unpack had too much to do.
    pub(super) fn put_off_segment(&mut self, packed: Packed, now: Now) {
        self.segments.put_off.push(packed);
        self.segments.again_at.get_or_insert(now.monotonic.after(READ_RETRY));
    }

    pub(super) fn tick_segments(&mut self, now: Now) {
        for packed in self.segments.take_due(now) {
            self.unpack_segment(packed);
        }
    }

    /// A reader has its segment, or has none: its walk stands at `next`.
    pub(super) fn end_segment(&mut self, reader: Reader, next: u64) {
        self.segments.end(reader);
        self.begin_segments();
        self.finish_page(reader.0, reader.1, next);
    }

    /// What cannot be read now costs the reader its link, and those who wait behind it nothing.
    pub(super) fn fail_segment(&mut self, reader: Reader) {
        self.fail_reader(reader.0);
        self.end_segment(reader, 0);
    }

    /// A link has ended.
    pub(super) fn forget_segments(&mut self, conn: ConnId) {
        self.segments.forget(conn);
        self.begin_segments();
    }

    fn begin_segments(&mut self) {
        while let Some(reader) = self.segments.next() {
            if !self.read_segment(reader) {
                self.segments.end(reader);
                self.finish_page(reader.0, reader.1, 0);
            }
        }
    }
}
