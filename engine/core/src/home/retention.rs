//! History that is older than whoever runs the home wants it kept (rule 9): segments of the archive go, the oldest first.
//!
//! What they hold is covered by the snapshot that stands. Before anything goes, that snapshot is read back whole from the disk;
//! where it cannot be, the archive may be all there is, and stays. What is left of the archive begins at an arrival that is
//! written down in the same commit, so nobody takes what went for lost.

use crate::home::Home;
use crate::home::append::Appended;
use crate::home::compaction::read_page;
use crate::home::reading::Reading;
use crate::ids::{ConnId, StreamId};
use crate::limits::{HISTORY_FIRST, HISTORY_LOOK, HISTORY_STEP, SCAN_BYTES, SCAN_ROWS, SNAPSHOT_RETRY};
use crate::log::EntryName;
use crate::snapshot::{PageId, SignedRoot};
use crate::storage::{Durability, Page, Scan, StoreFailure};
use crate::stored::{self, Prefix};
use crate::time::{Millis, Now};
use crate::wire::Lost;

/// How long history is kept, and what of it is on its way out.
#[derive(Debug, Default)]
pub(super) struct Retention {
    /// None: for ever.
    keep: Option<Millis>,
    look_at: Option<Millis>,
    has_looked: bool,
    /// Streams that are still to be looked at, in this round.
    left: Vec<StreamId>,
    at_work: Option<Expiring>,
}

/// Segments of one stream that are too old.
#[derive(Debug)]
struct Expiring {
    stream: StreamId,
    /// Their rows, each by the arrival behind its last entry. One that cannot be read has no age and goes with those behind it.
    segments: Vec<u64>,
    /// The arrival behind the last that is too old.
    upto: u64,
    /// Pages of the snapshot that were not read back yet.
    unread: Vec<PageId>,
    /// Rows that say where in these segments chains are.
    places: Vec<Vec<u8>>,
}

/// What is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    /// The next segment, for its age.
    Segment,
    /// The snapshot that covers what goes.
    Root,
    /// A page of it.
    Page,
    /// Where chains are in segments.
    Places,
}

impl Retention {
    /// The room was read.
    pub(super) fn expect(&mut self, now: Now) {
        if self.keep.is_some() {
            self.look_at.get_or_insert(now.monotonic.after(HISTORY_FIRST));
        }
    }

    /// When to hand in the time.
    pub(super) fn look_at(&self) -> Option<Millis> {
        self.look_at
    }

    /// Whether rows are on their way out.
    pub(super) fn is_at_work(&self) -> bool {
        self.at_work.is_some()
    }

    /// Whether the room may be let go: a room that nobody opens for long is opened for this now and then.
    pub(super) fn has_looked(&self) -> bool {
        self.at_work.is_none() && (self.keep.is_none() || self.has_looked)
    }

    /// What was being read is read again another time.
    pub(super) fn give_up(&mut self) {
        (self.at_work, self.left) = (None, Vec::new());
    }
}

impl Home {
    /// How long history below a snapshot is kept; without it, for ever.
    pub fn keep_history(&mut self, keep: Option<Millis>) {
        self.retention.keep = keep;
    }

    pub(super) fn tick_retention(&mut self, now: Now) {
        if self.retention.look_at.is_none_or(|at| now.monotonic < at) {
            return;
        }
        if !self.load_is_done() {
            // Once the room is read.
            self.retention.look_at = None;
            return;
        }
        if self.compaction.is_some() || self.stopping {
            self.retention.look_at = Some(now.monotonic.after(SNAPSHOT_RETRY));
            return;
        }
        let every = self.retention.keep.map_or(HISTORY_LOOK, |keep| keep.clamp(HISTORY_FIRST, HISTORY_LOOK));
        self.retention.look_at = Some(now.monotonic.after(every));
        self.retention.has_looked = true;
        let has_history = self.streams.iter().filter(|(_, state)| state.snapshot.is_some() && !state.damaged);
        self.retention.left = has_history.map(|(stream, _)| *stream).collect();
        self.expire_next();
    }

    /// Looks at the next stream.
    fn expire_next(&mut self) {
        self.retention.at_work = None;
        if let Some(stream) = self.retention.left.pop() {
            self.expire(stream);
        }
    }

    fn expire(&mut self, stream: StreamId) {
        let (segments, unread, places) = (Vec::new(), Vec::new(), Vec::new());
        self.retention.at_work = Some(Expiring { stream, segments, upto: 0, unread, places });
        self.read_age(stream, 0);
    }

    fn read_age(&mut self, stream: StreamId, behind: u64) {
        let start = stored::archive_key(&stream, behind + 1);
        let end = stored::archive_key(&stream, u64::MAX);
        self.scan(Scan { start, end, max_bytes: 0, max_rows: 1 }, Reading::Expiry(Look::Segment));
    }

    pub(super) fn handle_expiry(&mut self, look: Look, result: Result<Page, StoreFailure>, now: Now) {
        // What cannot be read now is looked at in the next round.
        let Ok(page) = result else { return self.expire_next() };
        match look {
            Look::Segment => self.handle_age(&page, now),
            Look::Root => self.handle_root_read_back(&page),
            Look::Page => self.handle_page_read_back(&page),
            Look::Places => self.handle_places(page),
        }
    }

    fn handle_age(&mut self, page: &Page, now: Now) {
        let Some(keep) = self.retention.keep else { return self.expire_next() };
        let Some(expiring) = &mut self.retention.at_work else { return };
        let row = page.rows.first().map(|(key, value)| (key, stored::decode_segment(value).ok()));
        let row = row.or(page.damaged.first().map(|key| (key, None)));
        let end = row.as_ref().and_then(|(key, _)| Some(stored::parse_archive_key(key)?.1));
        let since = row.and_then(|(_, segment)| segment).map(|(since, _)| since);
        let old = since.is_none_or(|since| now.wall.since(since) >= keep);
        match end.filter(|_| old && expiring.segments.len() < HISTORY_STEP) {
            Some(end) => {
                expiring.segments.push(end);
                expiring.upto = if since.is_some() { end } else { expiring.upto };
                let stream = expiring.stream;
                self.read_age(stream, end);
            }
            None => self.read_back(),
        }
    }

    /// The ages are known: the snapshot is read before anything goes.
    fn read_back(&mut self) {
        let Some(expiring) = &mut self.retention.at_work else { return };
        let (stream, upto) = (expiring.stream, expiring.upto);
        expiring.segments.retain(|end| *end <= upto);
        let standing = self.streams.get(&stream).and_then(|state| state.snapshot.as_ref());
        if upto == 0 || standing.is_none_or(|standing| standing.arrivals < upto) {
            return self.expire_next();
        }
        self.read_row(stored::snapshot_key(&stream), Look::Root);
    }

    fn read_row(&mut self, start: Vec<u8>, look: Look) {
        let end = [start.as_slice(), &[0]].concat();
        self.scan(Scan { start, end, max_bytes: 0, max_rows: 1 }, Reading::Expiry(look));
    }

    fn handle_root_read_back(&mut self, page: &Page) {
        let Some(expiring) = &mut self.retention.at_work else { return };
        let standing = self.streams.get(&expiring.stream).and_then(|state| state.snapshot.as_ref());
        let root =
            page.rows.first().and_then(|(_, row)| SignedRoot::decode(row).ok()).map(|signed| signed.root);
        match root.filter(|root| standing.is_some_and(|standing| standing.id == root.id())) {
            Some(root) => {
                expiring.unread = root.pages;
                self.read_back_next();
            }
            None => self.expire_next(),
        }
    }

    fn handle_page_read_back(&mut self, page: &Page) {
        let Some(expiring) = &mut self.retention.at_work else { return };
        let (id, row) = (expiring.unread.pop(), page.rows.first());
        match id.zip(row).and_then(|(id, (_, row))| read_page(&id, row)) {
            Some(_) => self.read_back_next(),
            None => self.expire_next(),
        }
    }

    fn read_back_next(&mut self) {
        let Some(expiring) = &self.retention.at_work else { return };
        let stream = expiring.stream;
        match expiring.unread.last() {
            Some(page) => self.read_row(stored::page_key(&stream, page), Look::Page),
            None => self.read_places(stored::stream_prefix(Prefix::Place, &stream)),
        }
    }

    fn read_places(&mut self, start: Vec<u8>) {
        let Some(expiring) = &self.retention.at_work else { return };
        let end = [stored::stream_prefix(Prefix::Place, &expiring.stream).as_slice(), &[0xff; 41]].concat();
        self.scan(
            Scan { start, end, max_bytes: SCAN_BYTES, max_rows: SCAN_ROWS },
            Reading::Expiry(Look::Places),
        );
    }

    fn handle_places(&mut self, page: Page) {
        let Some(expiring) = &mut self.retention.at_work else { return };
        let upto = expiring.upto;
        let goes = |value: &[u8]| stored::decode_number(value).is_ok_and(|begins| begins < upto);
        expiring.places.extend(page.rows.into_iter().filter(|(_, value)| goes(value)).map(|(key, _)| key));
        match page.more {
            Some(start) => self.read_places(start),
            None => self.let_history_go(),
        }
    }

    /// All of it in one commit.
    fn let_history_go(&mut self) {
        let Some(expiring) = &mut self.retention.at_work else { return };
        let (stream, upto) = (expiring.stream, expiring.upto);
        if self.streams.get(&stream).is_none_or(|state| state.log.is_gone()) {
            // All its rows go with it.
            return self.expire_next();
        }
        let places = std::mem::take(&mut expiring.places);
        let segments = expiring.segments.iter().map(|end| stored::archive_key(&stream, *end));
        for key in segments.chain(places) {
            self.queue.delete(key);
        }
        self.queue.put(stored::history_key(&stream), stored::encode_number(upto));
        self.queue.tag(Appended::Expired { stream, upto }, Durability::Strict);
    }

    /// It is gone, and more of the same stream may be too old.
    pub(super) fn handle_expired(&mut self, stream: StreamId, upto: u64) {
        if let Some(state) = self.streams.get_mut(&stream).filter(|state| !state.log.is_gone()) {
            state.history = upto;
        }
        let segments = self.retention.at_work.as_ref().map_or(0, |expiring| expiring.segments.len());
        self.figures.segments_expired += segments as u64;
        if segments == HISTORY_STEP { self.expire(stream) } else { self.expire_next() }
    }

    /// Says that an entry which was asked for by name has gone with its history, if it has.
    pub(super) fn tell_expired(&mut self, conn: ConnId, stream: StreamId, gone: Option<EntryName>) {
        let expired = |name: &EntryName| {
            let state = self.streams.get(&stream);
            state.is_some_and(|state| state.history > 0 && state.covered(&name.replica) >= name.seq)
        };
        if let Some(name) = gone.filter(expired) {
            self.send(conn, &Lost::expired(stream, name).into());
        }
    }
}
