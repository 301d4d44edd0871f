//! Readers: from where a reader is, to the end of the log, and then live.
//!
//! The order of arrival on the disk respects dependencies, so catching up is one walk along it. Its pages travel in the
//! bulk lane, and so does what follows them until the lane has drained: entries never overtake the pages they build on.
//! A reader whose entries lane is full is not sent anything more; when it drains it goes on from the log where it stopped.

use std::collections::BTreeMap;

use crate::home::Home;
use crate::home::compaction::{Standing, Step};
use crate::home::conn::Conn;
use crate::home::lane::Lane;
use crate::home::pages::Pages;
use crate::home::stream::HomeStream;
use crate::home::transfer::{Fetch, Part, Shared};
use crate::ids::{ConnId, ReplicaId, StreamId};
use crate::limits::{CATCH_UP_BYTES, FRAME_ENTRIES, LINK_READS, SCAN_ROWS, WALK_LOOKUPS};
use crate::log::{Entry, Head};
use crate::storage::{Page, Scan, StoreFailure};
use crate::stored::{self, IndexRecord};
use crate::time::Now;
use crate::wire::{self, ErrorCode, Synced, Version};
use crate::write_queue::OpId;

/// How far a link has been sent a stream.
#[derive(Debug)]
pub(super) enum Following {
    /// Gets entries as they become durable.
    Live,
    /// The same, but behind its last pages, which still wait in the bulk lane.
    Landing,
    /// Gets entries from the log.
    Reading(Walk),
}

/// A walk along a stream's order of arrival.
#[derive(Debug)]
pub(super) struct Walk {
    /// Arrival number to go on from; `None` while it is being looked up.
    pub(super) next: Option<u64>,
    /// Scans under way: look-ups, and then one page at a time.
    reads: usize,
    /// The earliest answer to a look-up so far.
    earliest: u64,
    /// What the reader holds already.
    held: BTreeMap<ReplicaId, u64>,
    /// The snapshot, if it has to be sent before anything else.
    pub(super) fetch: Option<Fetch>,
    /// It is sent what a snapshot covers as entries: the snapshot cannot be read.
    pub(super) by_entries: bool,
    /// The reader has asked again meanwhile; the newest question is answered when no scan is under way.
    again: Option<Ask>,
}

/// What a reader is sent of what a snapshot covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Below {
    /// The entries, out of the archive: it has asked for them by name.
    Entries,
    /// The snapshot, if it lacks anything of it.
    Snapshot,
    /// The snapshot, if it has another one.
    Newest,
}

/// What a reader holds.
#[derive(Debug)]
struct Ask {
    /// Bounded by the chains that are here.
    held: BTreeMap<ReplicaId, u64>,
    snapshot: Option<[u8; 32]>,
    in_step: bool,
    below: Below,
}

impl Walk {
    fn from(next: u64) -> Self {
        Self {
            next: Some(next),
            reads: 0,
            earliest: 0,
            held: BTreeMap::new(),
            fetch: None,
            by_entries: false,
            again: None,
        }
    }

    /// Whether the reader is sent everything from where the walk stands, like all others who stand there.
    pub(super) fn wants_all(&self) -> bool {
        self.held.is_empty()
    }

    /// Whether the reader lacks an entry, and the walk has come to it.
    pub(super) fn wants(&self, arrival: u64, entry: &Entry) -> bool {
        let held = self.held.get(&entry.header().replica).copied().unwrap_or(0);
        self.next.is_none_or(|next| arrival >= next) && entry.header().seq > held
    }
}

/// What a scan was for.
#[derive(Debug)]
pub(super) enum Reading {
    /// The room itself.
    Load,
    /// The arrival number of the first entry a reader lacks.
    Lookup(ConnId, StreamId),
    /// The next entries for a reader.
    Rows(ConnId, StreamId),
    /// The entries from an arrival on, for all readers that stand there.
    Shared(StreamId, u64),
    /// A row of the snapshot that readers are to be sent.
    Part(StreamId, Part),
    /// A segment of the archive for a reader.
    Segment(ConnId, StreamId),
    /// What the next step of a snapshot needs.
    Gather(Step),
    /// The name of the entry whose row at this arrival is damaged.
    Name(StreamId, u64),
    /// The heads around an entry that was brought again.
    Heads(ConnId, Box<Entry>),
    /// The snapshot that covers what such an entry continues, and the head the chain had at the entry.
    Covered(ConnId, Box<Entry>, Head),
}

impl Reading {
    pub(super) fn conn(&self) -> Option<ConnId> {
        match self {
            Self::Load
            | Self::Gather(_)
            | Self::Part(..)
            | Self::Shared(..)
            | Self::Name(..)
            | Self::Heads(..)
            | Self::Covered(..) => None,
            Self::Lookup(conn, _) | Self::Rows(conn, _) | Self::Segment(conn, _) => Some(*conn),
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
            Some(Reading::Shared(stream, from)) => self.handle_shared(stream, from, result, now),
            Some(Reading::Segment(conn, stream)) => match result {
                Ok(page) => self.handle_segment(conn, stream, &page),
                Err(_) => self.fail_reader(conn),
            },
            Some(Reading::Part(stream, part)) => self.handle_part(stream, part, result),
            Some(Reading::Gather(step)) => self.handle_gathered(step, result, now),
            // What cannot be read now is found again by the next walk that meets the hole.
            Some(Reading::Name(stream, arrival)) => match result {
                Ok(page) => self.handle_names(stream, arrival, page),
                Err(_) => self.forget_hole(&stream, arrival),
            },
            Some(Reading::Heads(conn, entry)) => {
                if let Ok(page) = result {
                    self.handle_heads(conn, *entry, &page);
                }
            }
            Some(Reading::Covered(conn, entry, here)) => {
                if let Ok(page) = result {
                    self.handle_covered(conn, *entry, here, &page);
                }
            }
            None => {}
        }
    }

    /// Starts to bring a reader from `version` to the end of the log.
    pub(super) fn follow(
        &mut self,
        conn: ConnId,
        stream: StreamId,
        version: &Version,
        in_step: bool,
        below: Below,
    ) {
        let held = self.streams.get(&stream).map(|state| state.held_of(version)).unwrap_or_default();
        self.handle_ask(conn, stream, Ask { held, snapshot: version.snapshot, in_step, below });
    }

    fn handle_ask(&mut self, conn: ConnId, stream: StreamId, ask: Ask) {
        if let Some(walk) = self.walk_mut(conn, stream).filter(|walk| walk.reads > 0) {
            walk.again = Some(ask);
            return;
        }
        let Ask { held, snapshot, in_step, below } = ask;
        let Some(link) = self.conns.get_mut(&conn) else { return };
        if matches!(link.follows.get(&stream), Some(Following::Live)) && !link.fill.is_empty(Lane::Entries) {
            // What it was sent before goes first.
            link.behind.push(stream);
        }
        let Some(state) = self.streams.get(&stream) else {
            // Nothing is here yet of the stream, and nothing is kept for it but that this link follows it.
            return self.walk(conn, stream, Walk::from(0));
        };
        let lacks = |(replica, seq): &(ReplicaId, u64)| held.get(replica).is_none_or(|held| held < seq);
        let covers = |standing: &Standing| {
            let other = snapshot != Some(*standing.id.as_bytes());
            match below {
                Below::Entries => false,
                Below::Snapshot => !in_step && standing.covered.iter().any(lacks),
                Below::Newest => other || (!in_step && standing.covered.iter().any(lacks)),
            }
        };
        if state.snapshot.as_ref().is_some_and(covers) {
            let walk = Walk { held, fetch: Some(Fetch::Wanted), ..Walk::from(0) };
            self.walk(conn, stream, walk);
            return self.fetch(stream);
        }
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
        let Some(link) = self.conns.get_mut(&conn) else { return };
        let many = lacking.len() > WALK_LOOKUPS || link.lookups + lacking.len() > LINK_READS;
        let from_start = held.is_empty() || many;
        let next = match (nothing, from_start) {
            (true, _) => Some(end),
            (false, true) => Some(0),
            (false, false) => None,
        };
        let reads = if next.is_none() { lacking.len() } else { 0 };
        link.lookups += reads;
        self.walk(conn, stream, Walk { next, reads, earliest: end, held, ..Walk::from(0) });
        if reads == 0 {
            return;
        }
        for (replica, seq) in lacking {
            let start = stored::index_key(&stream, &replica, seq);
            let end = [start.as_slice(), &[0]].concat();
            self.scan(Scan { start, end, max_bytes: 64, max_rows: 1 }, Reading::Lookup(conn, stream));
        }
    }

    fn walk(&mut self, conn: ConnId, stream: StreamId, walk: Walk) {
        let Some(link) = self.conns.get_mut(&conn) else { return };
        link.follows.insert(stream, Following::Reading(walk));
        self.continue_reading(conn, stream);
    }

    /// A lane that a link had to wait for is empty.
    pub(super) fn handle_drained(&mut self, conn: ConnId, lane: Lane) {
        let Some(link) = self.conns.get_mut(&conn) else { return };
        link.fill.drained(lane);
        match lane {
            Lane::Control => {}
            Lane::Entries => {
                for stream in std::mem::take(&mut link.behind) {
                    self.continue_reading(conn, stream);
                }
            }
            Lane::Presence => self.send_missed(conn),
            Lane::Bulk => {
                for stream in link.land() {
                    self.continue_reading(conn, stream);
                }
            }
        }
    }

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
            return;
        }
        let state = self.streams.get(&stream);
        let end = state.map_or(0, |state| state.durable_arrivals);
        let archived =
            state.and_then(|state| state.snapshot.as_ref()).map_or(0, |standing| standing.arrivals);
        let Some(link) = self.conns.get_mut(&conn) else { return };
        let room = link.has_room_for_page();
        let Some(Following::Reading(walk)) = link.follows.get_mut(&stream) else { return };
        match walk.next {
            Some(next) if next >= end => self.finish_reading(conn, stream),
            Some(next) if next < archived && walk.reads == 0 && walk.wants_all() && !walk.by_entries => {
                // What it is to be sent went into a snapshot meanwhile.
                walk.fetch = Some(Fetch::Wanted);
                self.fetch(stream);
            }
            Some(next) if room && walk.reads == 0 => {
                let all = walk.wants_all();
                walk.reads = 1;
                link.pages += 1;
                if next < archived {
                    self.read_segment(conn, stream, next);
                } else if all {
                    self.read_shared(conn, stream, next, end);
                } else {
                    self.scan(rows(&stream, next, end), Reading::Rows(conn, stream));
                }
            }
            Some(_) | None => {}
        }
    }

    /// After the room was read anew: walks whose scans were given up begin again.
    pub(super) fn resume_reading(&mut self) {
        for state in self.streams.values_mut() {
            state.shared = Shared::default();
        }
        self.pages = Pages::default();
        let (mut walks, mut wanted) = (Vec::new(), false);
        for (conn, link) in &mut self.conns {
            (link.pages, link.lookups) = (0, 0);
            for (stream, following) in &mut link.follows {
                if let Following::Reading(walk) = following {
                    walk.reads = 0;
                    walk.next.get_or_insert(0);
                    wanted |= matches!(walk.fetch, Some(Fetch::Wanted));
                    walks.push((*conn, *stream));
                }
            }
        }
        for (conn, stream) in walks {
            if wanted {
                self.fetch(stream);
            }
            self.step(conn, stream);
        }
    }

    /// After a commit failed nobody knows what of it is on the disk, so whoever was live reads on from what was there
    /// for certain.
    pub(super) fn doubt_live(&mut self) {
        for (stream, state) in &self.streams {
            for link in self.conns.values_mut() {
                let Some(following) = link.follows.get_mut(stream) else { continue };
                if matches!(following, Following::Reading(_)) {
                    continue;
                }
                // What it was sent before goes first.
                if matches!(following, Following::Live) && !link.fill.is_empty(Lane::Entries) {
                    link.behind.push(*stream);
                }
                *following = Following::Reading(Walk::from(state.durable_arrivals));
            }
        }
    }

    /// A link's lane is full: it goes on from the log at `arrival` when it has drained.
    pub(super) fn fall_behind(&mut self, conn: ConnId, stream: StreamId, arrival: u64) {
        let Some(link) = self.conns.get_mut(&conn) else { return };
        let before = link.follows.insert(stream, Following::Reading(Walk::from(arrival)));
        if matches!(before, Some(Following::Live)) {
            link.behind.push(stream);
        }
        self.figures.links_behind += 1;
    }

    /// What cannot be read now costs the reader its link and nobody else anything; it comes back by itself.
    pub(super) fn fail_reader(&mut self, conn: ConnId) {
        self.figures.store_failures += 1;
        self.fail(
            conn,
            ErrorCode::Store,
            "the relay cannot read this room from its disk now; your work is kept",
        );
    }

    fn handle_looked_up(&mut self, conn: ConnId, stream: StreamId, page: &Page) {
        if let Some(link) = self.conns.get_mut(&conn) {
            link.lookups = link.lookups.saturating_sub(1);
        }
        let Some(walk) = self.walk_mut(conn, stream) else { return };
        // An index row that is missing or damaged means a walk from the start, which finds everything.
        let index = page.rows.first().and_then(|(_, value)| IndexRecord::decode(value).ok());
        walk.earliest = walk.earliest.min(index.map_or(0, |index| index.arrival));
        walk.reads = walk.reads.saturating_sub(1);
        if walk.reads == 0 {
            walk.next = Some(walk.earliest);
            self.step(conn, stream);
        }
    }

    /// No scan is under way for a walk: it begins anew if the reader has asked again, and goes on otherwise.
    fn step(&mut self, conn: ConnId, stream: StreamId) {
        match self.walk_mut(conn, stream).and_then(|walk| walk.again.take()) {
            Some(ask) => self.handle_ask(conn, stream, ask),
            None => self.continue_reading(conn, stream),
        }
    }

    fn handle_rows(&mut self, conn: ConnId, stream: StreamId, page: Page) {
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
        let mut entries = Vec::new();
        let mut holes: Vec<u64> = page.damaged.iter().filter_map(arrival_of).collect();
        for (key, value) in page.rows {
            let Some((_, arrival)) = stored::parse_entry_key(&key) else { continue };
            match decode(value) {
                Ok(entry) if walk.wants(arrival, &entry) => entries.push(entry),
                Ok(_) => {}
                Err(_) => holes.push(arrival),
            }
        }
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
        // A range without rows is one that was deleted under the walk.
        let end = self.streams.get(&stream).map_or(0, |state| state.durable_arrivals);
        self.finish_page(conn, stream, last.map_or(end, |last| last + 1));
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
        let unborn = HomeStream::new(stream);
        let state = self.streams.get(&stream).unwrap_or(&unborn);
        let synced = Synced {
            stream,
            version: state.durable_version(),
            digest: state.durable_digest(),
            gone: state.log.is_gone(),
        };
        let bytes = wire::encode(&synced.into());
        let Some(link) = self.conns.get_mut(&conn) else { return };
        if link.fill.has_room(Lane::Bulk, bytes.len()) {
            link.follows.insert(stream, Following::Landing);
            self.send_bytes(conn, Lane::Bulk, bytes);
            self.tell_holes(conn, stream);
        }
    }

    pub(super) fn walk_mut(&mut self, conn: ConnId, stream: StreamId) -> Option<&mut Walk> {
        match self.conns.get_mut(&conn)?.follows.get_mut(&stream)? {
            Following::Reading(walk) => Some(walk),
            Following::Live | Following::Landing => None,
        }
    }
}

/// The next page of entries.
pub(super) fn rows(stream: &StreamId, next: u64, end: u64) -> Scan {
    let (start, end) = stored::entry_range(stream, next, end);
    Scan { start, end, max_bytes: CATCH_UP_BYTES, max_rows: SCAN_ROWS.min(FRAME_ENTRIES) }
}

impl Conn {
    /// The bulk lane has drained: readers whose walk has ended are live. Those that go on walking are told.
    fn land(&mut self) -> Vec<StreamId> {
        let mut walking = Vec::new();
        for (stream, following) in &mut self.follows {
            match following {
                Following::Landing => *following = Following::Live,
                Following::Reading(_) => walking.push(*stream),
                Following::Live => {}
            }
        }
        walking
    }

    /// In which lane entries of a stream go out as they become durable, if they do.
    pub(super) fn lane_of(&self, stream: &StreamId) -> Option<Lane> {
        match self.follows.get(stream)? {
            Following::Live => Some(Lane::Entries),
            Following::Landing => Some(Lane::Bulk),
            Following::Reading(_) => None,
        }
    }
}
