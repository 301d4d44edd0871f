//! History that is older than whoever runs the home wants it kept (rule 9): segments of the archive go, the oldest first.
//!
//! What they hold is covered by the snapshot that stands. Before anything goes, that snapshot is read back whole from the disk;
//! where it cannot be, the archive may be all there is, and stays. What is left of the archive begins at an arrival that is
//! written down in the same commit, so nobody takes what went for lost.
//!
//! Clocks are wrong now and then. That history is too old is written down first, and it goes only when that was still so
//! [`HISTORY_DOUBT`] later; a segment from before [`CLOCKS_BEGIN`] is only known to be older than those behind it.
//!
//! Rows that cannot be read stay, with those behind them: to write where the disk does not read may close the store.

use crate::home::Home;
use crate::home::append::Appended;
use crate::home::compaction::read_page;
use crate::home::reading::Reading;
use crate::home::stream::HomeStream;
use crate::home::walk::Awaited;
use crate::ids::{ConnId, StreamId};
use crate::limits::{
    CLOCKS_BEGIN, HISTORY_DOUBT, HISTORY_FIRST, HISTORY_LOOK, HISTORY_STEP, SCAN_BYTES, SCAN_ROWS,
    SNAPSHOT_RETRY,
};
use crate::log::EntryName;
use crate::snapshot::{PageId, SignedRoot};
use crate::storage::{Durability, FailureKind, Page, Scan, StoreFailure};
use crate::stored::{self, HistoryRecord, Prefix};
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
    /// Where the commit that was to let it go has failed.
    failed: Option<StreamId>,
}

/// Segments of one stream that are too old.
#[derive(Debug)]
struct Expiring {
    stream: StreamId,
    /// Their rows, each by the arrival behind its last entry.
    segments: Vec<u64>,
    /// The arrival behind the last that is known to be too old.
    upto: u64,
    /// Pages of the snapshot that were not read back yet.
    unread: Vec<PageId>,
    /// Rows that say where in these segments chains are.
    places: Vec<Vec<u8>>,
    /// Whether the commit that lets them go is under way.
    is_leaving: bool,
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
    /// When to hand in the time.
    pub(super) fn look_at(&self) -> Option<Millis> {
        self.look_at
    }

    /// Whether rows are on their way out.
    pub(super) fn is_at_work(&self) -> bool {
        self.at_work.is_some()
    }

    /// Whether the room may be let go: a room that nobody opens for long is opened for this now and then.
    pub(super) fn may_rest(&self, is_stopping: bool) -> bool {
        self.at_work.is_none() && (is_stopping || self.keep.is_none() || self.has_looked)
    }

    /// What was being read is read again another time.
    pub(super) fn give_up(&mut self) {
        let leaving = self.at_work.take().filter(|expiring| expiring.is_leaving);
        self.failed = leaving.map(|expiring| expiring.stream).or(self.failed);
        self.left.clear();
    }
}

impl HomeStream {
    /// Where a walk for entries asked for by name goes on when their place in the archive has expired: with those above the
    /// snapshot, or nowhere if all of them were covered.
    pub(super) fn behind_history(&self, asked: (Option<Awaited>, Option<EntryName>)) -> Option<u64> {
        let has_expired = self.history.begins > 0 && asked.0.is_some_and(|awaited| awaited.in_archive);
        let standing = self.snapshot.as_ref().filter(|_| has_expired)?;
        let is_covered = asked.1.is_some_and(|upto| upto.seq <= standing.covered(&upto.replica));
        Some(if is_covered { u64::MAX } else { standing.arrivals })
    }
}

impl Expiring {
    /// Whether as much is too old as goes in one commit.
    fn is_full(&self) -> bool {
        self.upto > 0 && self.segments.len() >= HISTORY_STEP
    }

    /// What goes: the first of those before the last that is known to be too old.
    fn choose(&mut self) {
        self.segments.retain(|end| *end <= self.upto);
        self.segments.truncate(HISTORY_STEP);
        self.upto = self.segments.last().copied().unwrap_or(0);
    }
}

impl Home {
    /// How long history below a snapshot is kept; without it, for ever.
    pub fn keep_history(&mut self, keep: Option<Millis>) {
        self.retention.keep = keep;
    }

    /// The room was read. What could not be let go, as the disk may not write beside a place that it does not read, is doubted
    /// anew before it is tried again.
    pub(super) fn expect_retention(&mut self, now: Now) {
        if self.retention.keep.is_none() {
            return;
        }
        self.retention.look_at.get_or_insert(now.monotonic.after(HISTORY_FIRST));
        let failed = self.retention.failed.take();
        if let Some((stream, state)) = failed.and_then(|stream| Some((stream, self.streams.get(&stream)?))) {
            self.note_history(stream, HistoryRecord { noticed: Some(now.wall), ..state.history });
        }
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
        // One round at a time: what an earlier one asked the disk for is not this one's answer.
        if self.compaction.is_some() || self.retention.is_at_work() || self.stopping {
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
        let expiring = Expiring { stream, segments, upto: 0, unread, places, is_leaving: false };
        self.retention.at_work = Some(expiring);
        self.read_age(stream, 0);
    }

    fn read_age(&mut self, stream: StreamId, behind: u64) {
        let start = stored::archive_key(&stream, behind + 1);
        let end = stored::archive_key(&stream, u64::MAX);
        self.scan(Scan { start, end, max_bytes: 0, max_rows: 1 }, Reading::Expiry(Look::Segment));
    }

    pub(super) fn handle_expiry(&mut self, look: Look, result: Result<Page, StoreFailure>, now: Now) {
        match (look, result) {
            (Look::Segment, Ok(page)) => self.handle_age(&page, now),
            // What stands before it was read.
            (Look::Segment, Err(failure)) if failure.kind == FailureKind::Damaged => self.weigh(now),
            (Look::Root, Ok(page)) => self.handle_root_read_back(&page),
            (Look::Page, Ok(page)) => self.handle_page_read_back(&page),
            (Look::Places, Ok(page)) => self.handle_places(page),
            // What cannot be read now is looked at in the next round.
            (Look::Segment | Look::Root | Look::Page | Look::Places, Err(_)) => self.expire_next(),
        }
    }

    fn handle_age(&mut self, page: &Page, now: Now) {
        let Some(keep) = self.retention.keep else { return self.expire_next() };
        let Some(expiring) = &mut self.retention.at_work else { return };
        let end = |key: &[u8]| stored::parse_archive_key(key).map(|(_, end)| end);
        let stream = expiring.stream;
        let Some((key, value)) = page.rows.first() else {
            return match page.damaged.first().and_then(|key| end(key)) {
                Some(end) => self.read_age(stream, end),
                None => self.weigh(now),
            };
        };
        let since = stored::decode_segment(value).ok().map(|(since, _)| since);
        match (end(key), since) {
            (Some(end), None) => self.read_age(stream, end),
            (Some(end), Some(since)) if now.wall.since(since) >= keep && !expiring.is_full() => {
                expiring.segments.push(end);
                if since >= CLOCKS_BEGIN {
                    expiring.upto = end;
                }
                self.read_age(stream, end);
            }
            (None | Some(_), _) => self.weigh(now),
        }
    }

    /// The ages are known. What is too old was so some time ago, too, unless the clock has jumped.
    fn weigh(&mut self, now: Now) {
        let Some(keep) = self.retention.keep else { return self.expire_next() };
        let Some(expiring) = &mut self.retention.at_work else { return };
        expiring.choose();
        let (stream, upto) = (expiring.stream, expiring.upto);
        let Some(state) = self.streams.get(&stream) else { return self.expire_next() };
        let history = state.history;
        let covered = state.snapshot.as_ref().is_some_and(|standing| upto <= standing.arrivals);
        let noticed = history.noticed.filter(|noticed| *noticed <= now.wall);
        match (upto > 0 && covered, noticed) {
            (true, Some(noticed)) if now.wall.since(noticed) >= keep.min(HISTORY_DOUBT) => {
                // The snapshot is read before anything goes.
                self.read_row(stored::snapshot_key(&stream), Look::Root);
            }
            (true, Some(_)) => self.expire_next(),
            (is_old, _) => {
                self.note_history(stream, HistoryRecord { noticed: is_old.then_some(now.wall), ..history });
                self.expire_next();
            }
        }
    }

    /// Writes down what is known of a stream's history, where that is news.
    fn note_history(&mut self, stream: StreamId, history: HistoryRecord) {
        let state = self.streams.get_mut(&stream).filter(|state| !state.log.is_gone());
        if let Some(state) = state.filter(|state| state.history != history) {
            state.history = history;
            self.queue.put(stored::history_key(&stream), history.encode());
        }
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
        let Some(state) = self.streams.get(&stream).filter(|state| !state.log.is_gone()) else {
            // All its rows go with it.
            return self.expire_next();
        };
        // The next of a long history need not be doubted again.
        let noticed = state.history.noticed.filter(|_| expiring.is_full());
        let history = HistoryRecord { begins: upto, noticed };
        expiring.is_leaving = true;
        let places = std::mem::take(&mut expiring.places);
        let segments = expiring.segments.iter().map(|end| stored::archive_key(&stream, *end));
        for key in segments.chain(places) {
            self.queue.delete(key);
        }
        self.queue.put(stored::history_key(&stream), history.encode());
        self.queue.tag(Appended::Expired { stream, history }, Durability::Strict);
    }

    /// It is gone, and more of the same stream may be too old.
    pub(super) fn handle_expired(&mut self, stream: StreamId, history: HistoryRecord) {
        if let Some(state) = self.streams.get_mut(&stream).filter(|state| !state.log.is_gone()) {
            state.history = history;
        }
        let Some(expired) = &self.retention.at_work else { return };
        self.figures.segments_expired += expired.segments.len() as u64;
        if expired.is_full() { self.expire(stream) } else { self.expire_next() }
    }

    /// Says that an entry which was asked for by name is not to be had, and why.
    pub(super) fn tell_gone(&mut self, conn: ConnId, stream: StreamId, gone: Option<Awaited>) {
        let Some(Awaited { name, met_damage, in_archive }) = gone else { return };
        let begins = self.streams.get(&stream).map_or(0, |state| state.history.begins);
        match (met_damage, in_archive && begins > 0) {
            (true, _) => self.send(conn, &Lost::damaged(stream, name).into()),
            (false, true) => self.send(conn, &Lost::expired(stream, name).into()),
            (false, false) => {}
        }
    }
}
