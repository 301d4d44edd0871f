//! History that is older than whoever runs the home wants it kept (rule 9): segments of the archive go, the oldest first.
//!
//! What they hold is covered by the snapshot that stands. Before anything goes, that snapshot is read back whole from the disk;
//! where it cannot be, the archive may be all there is, and stays. What is left of the archive begins at an arrival that is
//! written down in the same commit, so nobody takes what went for lost.
//!
//! Clocks are wrong now and then. What is too old is written down first, and goes only if it still is [`HISTORY_DOUBT`] later; a
//! segment from before [`CLOCKS_BEGIN`], or from a time that is still to come, is only known to be older than those behind it.
//!
//! Rows that cannot be read stay, with those behind them: to write where the disk does not read may close the store.

use crate::home::Home;
use crate::home::append::Appended;
use crate::home::compaction::read_page;
#[cfg(feature = "planted-bugs")]
use crate::home::planted;
use crate::home::reading::Reading;
use crate::home::stream::HomeStream;
use crate::home::walk::Awaited;
use crate::ids::{ConnId, StreamId};
use crate::limits::{
    CLOCKS_BEGIN, HISTORY_DOUBT, HISTORY_FIRST, HISTORY_LOOK, HISTORY_NOTICED, HISTORY_STEP, SCAN_BYTES,
    SCAN_ROWS, SNAPSHOT_RETRY,
};
use crate::log::EntryName;
use crate::snapshot::{PageId, SignedRoot};
use crate::storage::{Durability, Expect, FailureKind, Page, Scan, StoreFailure};
use crate::stored::{self, HistoryRecord, Noticed, Prefix};
use crate::time::{Millis, Now};
use crate::wire::Lost;

/// How long history is kept, and what of it is on its way out.
#[derive(Debug, Default)]
pub(super) struct Retention {
    /// None: for ever.
    keep: Option<Millis>,
    look_at: Option<Millis>,
    has_looked: bool,
    /// What the clock said when this round began.
    wall: Millis,
    /// Streams that are still to be looked at, in this round.
    left: Vec<StreamId>,
    at_work: Option<Expiring>,
    /// A snapshot is waited for: the round goes on behind it, then.
    resume_at: Option<Millis>,
    /// Where the commit that was to let it go has failed.
    failed: Option<StreamId>,
}

/// Segments of one stream that are too old.
#[derive(Debug)]
struct Expiring {
    stream: StreamId,
    /// Where what was noticed long enough ago ends; without it, what is too old is noticed now.
    doubted: Option<u64>,
    /// Their rows, each by the arrival behind its last entry.
    segments: Vec<u64>,
    /// Of those among them that cannot be read, and stay, the arrivals of their first entry and behind their last.
    kept: Vec<(u64, u64)>,
    /// The arrival behind the last that was looked at.
    reached: u64,
    /// The arrival behind the last that is known to be too old.
    upto: u64,
    /// The row of the snapshot, as it was read back.
    root: Vec<u8>,
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
        self.look_at.into_iter().chain(self.resume_at).min()
    }

    /// A snapshot is to be made: it is next, once what is being looked at is done.
    pub(super) fn make_way(&mut self, now: Now) {
        self.resume_at.get_or_insert(now.monotonic.after(Millis(2 * SNAPSHOT_RETRY.0)));
    }

    /// Whether rows are on their way out.
    pub(super) fn is_at_work(&self) -> bool {
        self.at_work.is_some()
    }

    /// Whether a round is not at its end.
    fn is_under_way(&self) -> bool {
        self.is_at_work() || !self.left.is_empty()
    }

    /// Whether the room may be let go: a room that nobody opens for long is opened for this now and then.
    pub(super) fn may_rest(&self, is_stopping: bool) -> bool {
        let has_looked = self.has_looked && self.left.is_empty();
        self.at_work.is_none() && (is_stopping || self.keep.is_none() || has_looked)
    }

    /// What was being read is read again another time.
    pub(super) fn give_up(&mut self) {
        let leaving = self.at_work.take().filter(|expiring| expiring.is_leaving);
        self.failed = leaving.map(|expiring| expiring.stream).or(self.failed);
        self.left.clear();
        self.resume_at = None;
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
    fn new(stream: StreamId, doubted: Option<u64>) -> Self {
        let (segments, kept, unread) = (Vec::new(), Vec::new(), Vec::new());
        let (root, places) = (Vec::new(), Vec::new());
        let (reached, upto, is_leaving) = (0, 0, false);
        Self { stream, doubted, segments, kept, reached, upto, root, unread, places, is_leaving }
    }

    /// Whether a segment that is too old is for now.
    fn takes(&self, end: u64) -> bool {
        let most = if self.doubted.is_some() && self.upto > 0 { HISTORY_STEP } else { HISTORY_NOTICED };
        self.segments.len() < most && self.doubted.is_none_or(|upto| end <= upto)
    }

    /// A segment that cannot be read stays. Answers whether the next is looked at.
    fn keeps(&mut self, end: u64) -> bool {
        self.kept.push((self.reached, end));
        self.reached = end;
        self.kept.len() < HISTORY_NOTICED
    }

    /// Whether the row that says where in a segment a chain begins goes with the segment.
    fn takes_place(&self, begins: u64) -> bool {
        let stays = |&(first, end): &(u64, u64)| (first..end).contains(&begins);
        begins < self.upto && !self.kept.iter().any(stays)
    }

    /// What goes: the first of those before the last that is known to be too old.
    fn choose(&mut self) {
        self.segments.retain(|end| *end <= self.upto);
        if self.doubted.is_some() {
            self.segments.truncate(HISTORY_STEP);
        }
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
            let anew = |noticed| Noticed { since: now.wall, ..noticed };
            self.note_history(
                stream,
                HistoryRecord { noticed: state.history.noticed.map(anew), ..state.history },
            );
        }
    }

    pub(super) fn tick_retention(&mut self, now: Now) {
        self.resume_retention(now);
        if self.retention.look_at.is_none_or(|at| now.monotonic < at) {
            return;
        }
        if !self.load_is_done() {
            // Once the room is read.
            self.retention.look_at = None;
            return;
        }
        // One round at a time: what an earlier one asked the disk for is not this one's answer.
        if self.compaction.is_some() || self.retention.is_under_way() || self.stopping {
            self.retention.look_at = Some(now.monotonic.after(SNAPSHOT_RETRY));
            return;
        }
        let every = self.retention.keep.map_or(HISTORY_LOOK, |keep| keep.clamp(HISTORY_FIRST, HISTORY_LOOK));
        self.retention.look_at = Some(now.monotonic.after(every));
        (self.retention.has_looked, self.retention.wall) = (true, now.wall);
        let Some(keep) = self.retention.keep else { return };
        // What was noticed a short while ago is left alone.
        let waits = |noticed: Noticed| {
            noticed.since <= now.wall && now.wall.since(noticed.since) < keep.min(HISTORY_DOUBT)
        };
        let may_go =
            |state: &HomeStream| state.snapshot.is_some() && !state.history.noticed.is_some_and(waits);
        let has_history = self.streams.iter().filter(|(_, state)| !state.damaged && may_go(state));
        self.retention.left = has_history.map(|(stream, _)| *stream).collect();
        self.expire_next();
    }

    /// Goes on behind a snapshot that was waited for.
    fn resume_retention(&mut self, now: Now) {
        if self.retention.resume_at.is_none_or(|at| now.monotonic < at) {
            return;
        }
        self.retention.resume_at = None;
        if self.compaction.is_some() {
            return self.retention.make_way(now);
        }
        if !self.retention.is_at_work() {
            self.retention.wall = now.wall;
            self.expire_next();
        }
    }

    /// Looks at the next stream.
    fn expire_next(&mut self) {
        self.retention.at_work = None;
        if self.stopping {
            self.retention.left.clear();
        }
        if self.retention.resume_at.is_some() {
            return;
        }
        if let Some(stream) = self.retention.left.pop() {
            self.expire(stream);
        }
    }

    fn expire(&mut self, stream: StreamId) {
        let noticed = self.streams.get(&stream).and_then(|state| state.history.noticed);
        let doubted = noticed.filter(|noticed| noticed.since <= self.retention.wall);
        let doubted = doubted.map(|noticed| noticed.upto);
        self.retention.at_work = Some(Expiring::new(stream, doubted));
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
        let row = page.rows.first().map(|(key, value)| (key, stored::decode_segment(value).ok()));
        let row = row.or_else(|| Some((page.damaged.first()?, None)));
        let end = row.as_ref().and_then(|(key, _)| stored::parse_archive_key(key)).map(|(_, end)| end);
        let goes_on = match (end, row.and_then(|(_, segment)| segment)) {
            (Some(end), None) => expiring.keeps(end),
            (Some(end), Some((since, _))) if expiring.takes(end) => {
                let is_dated = (CLOCKS_BEGIN..=now.wall).contains(&since);
                let is_old = !is_dated || now.wall.since(since) >= keep;
                if is_old {
                    expiring.segments.push(end);
                    (expiring.reached, expiring.upto) = (end, if is_dated { end } else { expiring.upto });
                }
                is_old
            }
            (None | Some(_), _) => false,
        };
        let (stream, reached) = (expiring.stream, expiring.reached);
        if goes_on { self.read_age(stream, reached) } else { self.weigh(now) }
    }

    /// The ages are known. What is too old now and was so some time ago goes. Not of a stream of which no snapshot comes to anything:
    /// whoever looks into it may need all there is.
    fn weigh(&mut self, now: Now) {
        let Some(expiring) = &mut self.retention.at_work else { return };
        expiring.choose();
        let (stream, upto, doubted) = (expiring.stream, expiring.upto, expiring.doubted);
        let Some(state) = self.streams.get(&stream) else { return self.expire_next() };
        let history = state.history;
        let is_covered = state.snapshot.as_ref().is_some_and(|standing| upto <= standing.arrivals);
        let is_old = upto > 0 && is_covered && state.quarantine.is_none();
        if is_old && doubted.is_some() {
            // The snapshot is read before anything goes.
            return self.read_row(stored::snapshot_key(&stream), Look::Root);
        }
        let noticed = is_old.then_some(Noticed { since: now.wall, upto });
        self.note_history(stream, HistoryRecord { noticed, ..history });
        self.expire_next();
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
        let row = page.rows.first().and_then(|(_, row)| Some((row, SignedRoot::decode(row).ok()?.root)));
        match row.filter(|(_, root)| standing.is_some_and(|standing| standing.id == root.id())) {
            Some((row, root)) => {
                (expiring.root, expiring.unread) = (row.clone(), root.pages);
                #[cfg(feature = "planted-bugs")]
                planted::read_back_nothing(self.planted, &mut expiring.unread);
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
        for (key, value) in page.rows {
            if stored::decode_number(&value).is_ok_and(|begins| expiring.takes_place(begins)) {
                expiring.places.push(key);
            }
        }
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
        // The rest of what was noticed goes with the next commits.
        let noticed = state.history.noticed.filter(|noticed| upto < noticed.upto);
        let history = HistoryRecord { begins: upto.max(state.history.begins), noticed };
        #[cfg(feature = "planted-bugs")]
        let history = planted::begin_too_far(self.planted, history, state);
        expiring.is_leaving = true;
        let segments = expiring.segments.iter().map(|end| stored::archive_key(&stream, *end));
        let mut goes: Vec<Vec<u8>> = segments.chain(std::mem::take(&mut expiring.places)).collect();
        goes.sort_unstable();
        let root = Some(std::mem::take(&mut expiring.root));
        self.queue.expect(Expect { key: stored::snapshot_key(&stream), value: root });
        self.queue.delete_all(goes);
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
        self.retention.left.push(stream);
        self.expire_next();
    }

    /// Says that an entry which was asked for by name is not to be had from the archive, and why.
    pub(super) fn tell_gone(&mut self, conn: ConnId, stream: StreamId, gone: Option<Awaited>) {
        let Some(Awaited { name, met_damage, .. }) = gone.filter(|gone| gone.in_archive) else { return };
        let begins = self.streams.get(&stream).map_or(0, |state| state.history.begins);
        match (met_damage, begins > 0) {
            (true, _) => self.send(conn, &Lost::damaged(stream, name).into()),
            (false, true) => self.send(conn, &Lost::expired(stream, name).into()),
            (false, false) => {}
        }
    }
}
