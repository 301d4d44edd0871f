//! The walk along a stream's order of arrival: look-ups, then pages, then `synced`.

use crate::home::Home;
use crate::home::archive::looked_up;
use crate::home::catch_up::{Ask, Following};
use crate::home::held::Held;
use crate::home::lane::Lane;
use crate::home::reading::Reading;
use crate::home::stream::HomeStream;
use crate::home::transfer::Fetch;
use crate::ids::{ConnId, StreamId};
use crate::limits::{CATCH_UP_BYTES, FRAME_ENTRIES, SCAN_ROWS};
use crate::log::{Entry, EntryName};
use crate::storage::{Page, Scan};
use crate::stored;
use crate::time::Now;
use crate::wire::{self, Synced};

/// A walk along a stream's order of arrival.
#[derive(Debug)]
pub(super) struct Walk {
    /// Arrival number to go on from; `None` while it is being looked up.
    pub(super) next: Option<u64>,
    /// Scans under way: look-ups, and then one page at a time.
    pub(super) reads: usize,
    /// The earliest answer to a look-up so far, and the earliest that is believed.
    pub(super) earliest: u64,
    pub(super) floor: u64,
    /// What the reader holds already.
    pub(super) held: Held,
    /// The snapshot, if it has to be sent before anything else.
    pub(super) fetch: Option<Fetch>,
    /// It is sent what a snapshot covers as entries: it has asked for them, or the snapshot cannot be read.
    pub(super) by_entries: bool,
    /// It has asked for a chain up to this entry. Behind that the walk goes on where the reader was.
    pub(super) upto: Option<EntryName>,
    /// The first entry it has asked for, until one of its chain has come.
    pub(super) awaits: Option<Awaited>,
    /// The reader has asked again meanwhile; the newest question is answered when no scan is under way.
    pub(super) again: Option<Ask>,
}

/// An entry that was asked for by name.
#[derive(Clone, Copy, Debug)]
pub(super) struct Awaited {
    pub(super) name: EntryName,
    /// A snapshot covers it: it is looked for in the archive.
    pub(super) in_archive: bool,
    /// Something there could not be read on the way to it.
    pub(super) met_damage: bool,
}

impl Walk {
    /// From a place on, for a reader that has nothing from there.
    pub(super) fn from(next: u64) -> Self {
        Self {
            next: Some(next),
            reads: 0,
            earliest: 0,
            floor: 0,
            held: Held::nothing(),
            fetch: None,
            by_entries: false,
            upto: None,
            awaits: None,
            again: None,
        }
    }

    /// Whether the reader is sent everything from where the walk stands, like all others who stand there.
    fn wants_all(&self) -> bool {
        self.next.is_some_and(|next| self.held.ends_before(next))
    }

    /// Whether the reader lacks an entry, and the walk has come to it.
    pub(super) fn wants(&self, arrival: u64, entry: &Entry) -> bool {
        let name = entry.name();
        let unasked = arrival < self.held.as_of && self.is_beyond(&name);
        let ahead = self.next.is_none_or(|next| arrival >= next);
        ahead && !unasked && !self.held.has(arrival, &name.replica, name.seq)
    }

    /// Where it goes on behind a page that ends before `next`: after the last entry that was asked for, where the reader
    /// was when it asked.
    pub(super) fn behind<'a>(&self, page: impl IntoIterator<Item = &'a EntryName>, next: u64) -> u64 {
        let ends = |name: &EntryName| self.upto == Some(*name) || self.is_beyond(name);
        if page.into_iter().any(ends) { next.max(self.held.as_of) } else { next }
    }

    /// Entries have come to the walk. Answers the first that was asked for if these begin behind it: it is gone.
    pub(super) fn meet(&mut self, names: &[EntryName]) -> Option<Awaited> {
        let awaited = self.awaits?;
        let of = |name: &&EntryName| name.replica == awaited.name.replica && name.seq >= awaited.name.seq;
        let met = names.iter().find(of)?;
        self.awaits = None;
        (met.seq > awaited.name.seq).then_some(awaited)
    }

    fn is_beyond(&self, name: &EntryName) -> bool {
        self.upto.is_some_and(|upto| name.replica == upto.replica && name.seq > upto.seq)
    }
}

impl Home {
    /// Takes the next step of a walk: read more, or be done with it.
    pub(super) fn continue_reading(&mut self, conn: ConnId, stream: StreamId) {
        if !self.load_is_done() {
            return;
        }
        if self.conns.get(&conn).is_some_and(|link| link.behind.contains(&stream)) {
            // What it was sent before it fell behind goes first.
            return;
        }
        if !self.send_snapshot(conn, stream) {
            return self.continue_comparing(conn, stream);
        }
        let state = self.streams.get(&stream);
        let end = state.map_or(0, |state| state.durable_arrivals);
        let archived =
            state.and_then(|state| state.snapshot.as_ref()).map_or(0, |standing| standing.arrivals);
        let Some(link) = self.conns.get_mut(&conn) else { return };
        let room = link.has_room_for_page();
        let Some(Following::Reading(walk)) = link.following_mut(&stream) else { return };
        match walk.next {
            Some(next) if next >= end => self.finish_reading(conn, stream),
            Some(next) if next < archived && walk.reads == 0 && walk.wants_all() && !walk.by_entries => {
                // What it is to be sent went into a snapshot meanwhile.
                walk.fetch = Some(Fetch::Wanted);
                self.send_snapshot(conn, stream);
            }
            Some(next) if room && walk.reads == 0 => {
                let all = walk.wants_all();
                walk.reads = 1;
                link.pages += 1;
                if next < archived {
                    self.queue_segment((conn, stream));
                } else if all {
                    self.read_shared(conn, stream, next, end);
                } else {
                    self.scan(rows(&stream, next, end), Reading::Rows(conn, stream));
                }
            }
            Some(_) | None => {}
        }
    }

    pub(super) fn handle_looked_up(&mut self, conn: ConnId, stream: StreamId, page: &Page) {
        if let Some(link) = self.conns.get_mut(&conn) {
            link.lookups = link.lookups.saturating_sub(1);
        }
        let Some(asked) = self.walk_mut(conn, stream).map(|walk| (walk.awaits, walk.upto)) else { return };
        let behind = self.streams.get(&stream).and_then(|state| state.behind_history(asked));
        let Some(walk) = self.walk_mut(conn, stream) else { return };
        walk.earliest = walk.earliest.min(looked_up(page, behind));
        walk.reads = walk.reads.saturating_sub(1);
        if walk.reads == 0 {
            walk.next = Some(walk.earliest.max(walk.floor));
            self.step(conn, stream);
        }
    }

    /// No scan is under way for a walk: it begins anew if the reader has asked again, and goes on otherwise.
    pub(super) fn step(&mut self, conn: ConnId, stream: StreamId) {
        match self.walk_mut(conn, stream).and_then(|walk| walk.again.take()) {
            Some(ask) => self.handle_ask(conn, stream, ask),
            None => self.continue_reading(conn, stream),
        }
    }

    pub(super) fn handle_rows(&mut self, conn: ConnId, stream: StreamId, page: Page, now: Now) {
        let decode = stored::decode_entry;
        #[cfg(feature = "planted-bugs")]
        let decode = if self.has_bug(crate::planted::Planted::SumsSkipped) {
            stored::decode_entry_unchecked
        } else {
            decode
        };
        let Some(walk) = self.walk_mut(conn, stream) else { return self.finish_page(conn, stream, 0) };
        let arrival_of = |key: &Vec<u8>| stored::parse_entry_key(key).map(|(_, arrival)| arrival);
        let keys = || page.rows.iter().map(|(key, _)| key).chain(&page.damaged);
        let (first, last) = (keys().min().and_then(arrival_of), keys().max().and_then(arrival_of));
        let next = walk.next.unwrap_or(0);
        if first != Some(next) && self.is_replacing(&stream) {
            let end = self.streams.get(&stream).map_or(0, |state| state.durable_arrivals);
            return self.scans.put_off(rows(&stream, next, end), Reading::Rows(conn, stream), now);
        }
        let Some(walk) = self.walk_mut(conn, stream) else { return };
        let (mut entries, mut names) = (Vec::new(), Vec::new());
        let mut holes: Vec<u64> = page.damaged.iter().filter_map(arrival_of).collect();
        for (key, value) in page.rows {
            let Some((_, arrival)) = stored::parse_entry_key(&key) else { continue };
            match decode(value) {
                Ok(entry) => {
                    names.push(entry.name());
                    if walk.wants(arrival, &entry) {
                        entries.push(entry);
                    }
                }
                Err(_) => holes.push(arrival),
            }
        }
        let (after, gone) = (last.map(|last| walk.behind(&names, last + 1)), walk.meet(&names));
        let state = self.streams.get(&stream);
        let archived =
            state.and_then(|state| state.snapshot.as_ref()).map_or(0, |standing| standing.arrivals);
        if next < archived && first != Some(next) {
            // The rows went into the archive while they were asked for: it is read there.
            return self.finish_page(conn, stream, next);
        }
        if !entries.is_empty() {
            self.figures.entries_forwarded += entries.len() as u64;
            self.send_bytes(conn, Lane::Bulk, wire::encode_entries(&entries));
        }
        for arrival in holes {
            self.note_hole(stream, arrival);
        }
        self.tell_gone(conn, stream, gone);
        // A range without rows is one that was deleted under the walk.
        let end = self.streams.get(&stream).map_or(0, |state| state.durable_arrivals);
        self.finish_page(conn, stream, after.unwrap_or(end));
    }

    /// A page has been read and sent: the walk stands at `next`.
    pub(super) fn finish_page(&mut self, conn: ConnId, stream: StreamId, next: u64) {
        if let Some(link) = self.conns.get_mut(&conn) {
            link.pages = link.pages.saturating_sub(1);
        }
        if let Some(walk) = self.walk_mut(conn, stream) {
            walk.reads = 0;
            walk.next = Some(next);
            self.step(conn, stream);
        }
    }

    fn finish_reading(&mut self, conn: ConnId, stream: StreamId) {
        if self.is_naming_holes(&stream) {
            return;
        }
        let walk = self.walk_mut(conn, stream);
        let (gone, held_all) = walk.map_or((None, None), |walk| (walk.awaits.take(), walk.held.all_before()));
        self.tell_gone(conn, stream, gone);
        let unborn = HomeStream::new(stream);
        let state = self.streams.get(&stream).unwrap_or(&unborn);
        let lacked = held_all.is_none_or(|arrivals| arrivals < state.durable_arrivals);
        let Some(link) = self.conns.get_mut(&conn) else { return };
        let synced = Synced {
            stream,
            question: link.question(&stream),
            digest: state.durable.digest(),
            entries: state.durable_arrivals,
            gone: state.log.is_gone(),
        };
        let bytes = wire::encode(&synced.into());
        if link.fill.has_room(Lane::Bulk, bytes.len()) {
            link.follow(stream, Following::Landing);
            // What was not sent comes first: without it equal counts would be taken for damage.
            self.tell_holes(conn, stream);
            self.send_bytes(conn, Lane::Bulk, bytes);
            self.tell_heads(conn, stream, lacked);
            self.note_told(conn, &stream);
        }
    }

    pub(super) fn walk_mut(&mut self, conn: ConnId, stream: StreamId) -> Option<&mut Walk> {
        match self.conns.get_mut(&conn)?.following_mut(&stream)? {
            Following::Reading(walk) => Some(walk),
            Following::Live | Following::Landing | Following::Comparing(_) => None,
        }
    }
}

/// The next page of entries.
pub(super) fn rows(stream: &StreamId, next: u64, end: u64) -> Scan {
    let (start, end) = stored::entry_range(stream, next, end);
    Scan { start, end, max_bytes: CATCH_UP_BYTES, max_rows: SCAN_ROWS.min(FRAME_ENTRIES) }
}
