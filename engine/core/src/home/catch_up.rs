//! Readers: from where a reader is, to the end of the log, and then live.
//!
//! The order of arrival on the disk respects dependencies, so catching up is one walk along it. A reader whose queue is
//! full is not sent anything more; when it drains it goes on from the log where it stopped.

use std::collections::BTreeMap;

use crate::home::Home;
use crate::home::conn::Conn;
use crate::home::stream::HomeStream;
use crate::ids::{ConnId, ReplicaId, StreamId};
use crate::limits::{CATCH_UP_BYTES, FRAME_ENTRIES, SCAN_ROWS};
use crate::log::Entry;
use crate::storage::{Page, Scan, StoreFailure};
use crate::stored;
use crate::time::Now;
use crate::wire::{self, ErrorCode, Synced, Version};
use crate::write_queue::OpId;

/// How far a link has been sent a stream.
#[derive(Debug)]
pub(super) enum Following {
    /// Gets entries as they become durable.
    Live,
    /// Gets entries from the log.
    Reading(Walk),
}

/// A walk along a stream's order of arrival.
#[derive(Debug)]
pub(super) struct Walk {
    /// Arrival number to go on from; `None` while it is being looked up.
    next: Option<u64>,
    /// Answers to look-ups that are awaited.
    lookups: usize,
    /// The earliest answer so far.
    earliest: u64,
    /// What the reader holds already.
    held: BTreeMap<ReplicaId, u64>,
    /// Whether a scan is under way.
    scanning: bool,
}

/// What a scan was for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Reading {
    /// The room itself.
    Load,
    /// The arrival number of the first entry a reader lacks.
    Lookup(ConnId, StreamId),
    /// The next entries for a reader.
    Rows(ConnId, StreamId),
}

impl Reading {
    pub(super) fn conn(self) -> Option<ConnId> {
        match self {
            Self::Load => None,
            Self::Lookup(conn, _) | Self::Rows(conn, _) => Some(conn),
        }
    }
}

impl Home {
    pub(super) fn handle_scanned(&mut self, op: OpId, result: Result<Page, StoreFailure>, now: Now) {
        match self.scans.remove(&op) {
            Some(Reading::Load) => self.handle_loaded(result, now),
            Some(Reading::Lookup(conn, stream)) => match result {
                Ok(page) => self.handle_looked_up(conn, stream, &page),
                Err(_) => self.fail_reader(conn),
            },
            Some(Reading::Rows(conn, stream)) => match result {
                Ok(page) => self.handle_rows(conn, stream, page),
                Err(_) => self.fail_reader(conn),
            },
            None => {}
        }
    }

    /// Starts to bring a reader from `version` to the end of the log.
    pub(super) fn follow(&mut self, conn: ConnId, stream: StreamId, version: &Version, in_step: bool) {
        let Some(state) = self.streams.get(&stream) else { return self.follow_unborn(conn, stream) };
        let held: BTreeMap<_, _> = version.above.iter().copied().collect();
        let lacking: Vec<(ReplicaId, u64)> = state
            .durable
            .iter()
            .map(|(replica, (seq, _))| (*replica, held.get(replica).copied().unwrap_or(0), *seq))
            .filter(|(_, from, to)| from < to)
            .map(|(replica, from, _)| (replica, from + 1))
            .collect();
        let end = state.durable_arrivals;
        let nothing = in_step || lacking.is_empty();
        // A newcomer walks from the start; looking up thousands of chains would cost more than passing over entries.
        let from_start = held.is_empty() || lacking.len() > LOOKUPS || self.scans.len() > SCANS;
        let next = match (nothing, from_start) {
            (true, _) => Some(end),
            (false, true) => Some(0),
            (false, false) => None,
        };
        let lookups = if next.is_none() { lacking.len() } else { 0 };
        let walk = Walk { next, lookups, earliest: end, held, scanning: false };
        let Some(link) = self.conns.get_mut(&conn) else { return };
        link.set_following(stream, Following::Reading(walk));
        self.scans.retain(|_, reading| !reading.is_for(conn, stream));
        if lookups == 0 {
            return self.continue_reading(conn, stream);
        }
        for (replica, seq) in lacking {
            let start = stored::index_key(&stream, &replica, seq);
            let end = [start.as_slice(), &[0]].concat();
            self.scan(Scan { start, end, max_bytes: 64, max_rows: 1 }, Reading::Lookup(conn, stream));
        }
    }

    /// Nothing is here yet of the stream, and nothing is kept for it but that this link follows it.
    fn follow_unborn(&mut self, conn: ConnId, stream: StreamId) {
        if let Some(link) = self.conns.get_mut(&conn) {
            link.set_following(stream, Following::Live);
        }
        let empty = HomeStream::new(stream);
        let (version, digest) = (empty.durable_version(), empty.durable_digest());
        self.send(conn, &Synced { stream, version, digest, gone: false }.into());
    }

    /// A reader whose queue was full goes on.
    pub(super) fn handle_drained(&mut self, conn: ConnId) {
        let Some(link) = self.conns.get_mut(&conn) else { return };
        link.drained();
        let reading = link.follows.iter().filter(|(_, following)| matches!(following, Following::Reading(_)));
        let reading: Vec<StreamId> = reading.map(|(stream, _)| *stream).collect();
        let missed = link.take_missed();
        if !missed.is_empty() {
            let latest = self.presence.latest(missed);
            self.send(conn, &latest.into());
        }
        for stream in reading {
            self.continue_reading(conn, stream);
        }
    }

    /// Takes the next step of a walk: read more, or be done with it.
    pub(super) fn continue_reading(&mut self, conn: ConnId, stream: StreamId) {
        if !self.load_is_done() {
            return;
        }
        let end = self.streams.get(&stream).map_or(0, |state| state.durable_arrivals);
        let Some(link) = self.conns.get_mut(&conn) else { return };
        let room = link.has_room_for_page();
        let Some(Following::Reading(walk)) = link.follows.get_mut(&stream) else { return };
        match walk.next {
            Some(next) if next >= end => self.finish_reading(conn, stream),
            Some(next) if room && !walk.scanning => {
                walk.scanning = true;
                link.pages += 1;
                let (start, end) = stored::entry_range(&stream, next, end);
                let scan =
                    Scan { start, end, max_bytes: CATCH_UP_BYTES, max_rows: SCAN_ROWS.min(FRAME_ENTRIES) };
                self.scan(scan, Reading::Rows(conn, stream));
            }
            Some(_) | None => {}
        }
    }

    /// After the room was read anew: walks whose scans were given up begin again.
    pub(super) fn resume_reading(&mut self) {
        let mut walks = Vec::new();
        for (conn, link) in &mut self.conns {
            link.pages = 0;
            for (stream, following) in &mut link.follows {
                if let Following::Reading(walk) = following {
                    walk.scanning = false;
                    walk.lookups = 0;
                    walk.next.get_or_insert(0);
                    walks.push((*conn, *stream));
                }
            }
        }
        for (conn, stream) in walks {
            self.continue_reading(conn, stream);
        }
    }

    /// A link's queue is full: it goes on from the log at `arrival` when it has drained.
    pub(super) fn fall_behind(&mut self, conn: ConnId, stream: StreamId, arrival: u64) {
        let Some(link) = self.conns.get_mut(&conn) else { return };
        let walk =
            Walk { next: Some(arrival), lookups: 0, earliest: 0, held: BTreeMap::new(), scanning: false };
        link.set_following(stream, Following::Reading(walk));
        self.figures.links_behind += 1;
    }

    /// What cannot be read now costs the reader its link and nobody else anything; it comes back by itself.
    fn fail_reader(&mut self, conn: ConnId) {
        self.figures.store_failures += 1;
        self.fail(
            conn,
            ErrorCode::Store,
            "the relay cannot read this room from its disk now; your work is kept",
        );
    }

    fn handle_looked_up(&mut self, conn: ConnId, stream: StreamId, page: &Page) {
        let Some(walk) = self.walk_mut(conn, stream) else { return };
        // An index row that is missing or damaged means a walk from the start, which finds everything.
        let found = page.rows.first().and_then(|(_, value)| stored::decode_number(value).ok()).unwrap_or(0);
        walk.earliest = walk.earliest.min(found);
        walk.lookups = walk.lookups.saturating_sub(1);
        if walk.lookups == 0 {
            walk.next = Some(walk.earliest);
            self.continue_reading(conn, stream);
        }
    }

    fn handle_rows(&mut self, conn: ConnId, stream: StreamId, page: Page) {
        let last =
            page.rows.last().and_then(|(key, _)| stored::parse_entry_key(key)).map(|(_, arrival)| arrival);
        let Some(link) = self.conns.get_mut(&conn) else { return };
        let Some(Following::Reading(walk)) = link.follows.get_mut(&stream) else { return };
        if std::mem::take(&mut walk.scanning) {
            link.pages -= 1;
        }
        let entries: Vec<Entry> = page
            .rows
            .into_iter()
            .filter_map(|(_, value)| stored::decode_entry(value).ok())
            .filter(|entry| {
                walk.held.get(&entry.header().replica).is_none_or(|seq| entry.header().seq > *seq)
            })
            .collect();
        let more = page.more.is_some();
        let next = last.map(|arrival| arrival + 1);
        let asked_end = next.unwrap_or(0);
        let end = self.streams.get(&stream).map_or(asked_end, |state| state.durable_arrivals);
        if let Some(walk) = self.walk_mut(conn, stream) {
            // A range without rows is one that was deleted under the walk.
            walk.next = Some(if more { asked_end } else { next.unwrap_or(end) });
        }
        if !entries.is_empty() {
            self.figures.entries_forwarded += entries.len() as u64;
            self.send_bytes(conn, wire::encode_entries(&entries));
        }
        self.continue_reading(conn, stream);
    }

    fn finish_reading(&mut self, conn: ConnId, stream: StreamId) {
        let Some(state) = self.streams.get(&stream) else { return self.follow_unborn(conn, stream) };
        let synced = Synced {
            stream,
            version: state.durable_version(),
            digest: state.durable_digest(),
            gone: state.log.is_gone(),
        };
        if let Some(link) = self.conns.get_mut(&conn) {
            link.set_following(stream, Following::Live);
        }
        self.send(conn, &synced.into());
    }

    fn walk_mut(&mut self, conn: ConnId, stream: StreamId) -> Option<&mut Walk> {
        match self.conns.get_mut(&conn)?.follows.get_mut(&stream)? {
            Following::Reading(walk) => Some(walk),
            Following::Live => None,
        }
    }
}

impl Conn {
    /// Follows a stream from another place; a page under way for the old one is no longer waited for.
    fn set_following(&mut self, stream: StreamId, following: Following) {
        if let Some(Following::Reading(walk)) = self.follows.insert(stream, following)
            && walk.scanning
        {
            self.pages -= 1;
        }
    }
}

impl Reading {
    fn is_for(self, conn: ConnId, stream: StreamId) -> bool {
        match self {
            Self::Load => false,
            Self::Lookup(c, s) | Self::Rows(c, s) => c == conn && s == stream,
        }
    }
}

/// Chains looked up for one reader.
const LOOKUPS: usize = 64;
/// Scans of a room under way, after which nothing more is looked up: a device that keeps asking must not fill the store's
/// queue, in which all rooms wait.
const SCANS: usize = 1024;
