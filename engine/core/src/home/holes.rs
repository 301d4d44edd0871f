//! Entries whose rows on the disk are damaged: found by a reader's walk, named by the index, asked of their author, and
//! put back where they stood. Until then whoever lacks one is told so and does not ask again and again.

use crate::home::Home;
use crate::home::catch_up::Following;
use crate::home::conn::Conn;
use crate::home::reading::Reading;
use crate::home::stream::HomeStream;
use crate::ids::{ConnId, ReplicaId, StreamId};
use crate::limits::{SCAN_BYTES, SCAN_ROWS, STREAM_HOLES};
use crate::log::{Entry, EntryName};
use crate::storage::{Durability, Page, Scan};
use crate::stored::{self, IndexRecord, Prefix};
use crate::wire::{Lost, Need};

use super::append::Appended;

/// What is known of a row that cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hole {
    /// The index is being read for the name of the entry.
    Unnamed,
    /// Its row in the index is damaged too: nobody can bring it back.
    Nameless,
    Named(EntryName),
}

impl Hole {
    fn name(&self) -> Option<EntryName> {
        match self {
            Self::Named(name) => Some(*name),
            Self::Unnamed | Self::Nameless => None,
        }
    }
}

impl HomeStream {
    /// Where an entry stood whose row is damaged.
    pub(super) fn hole_of(&self, name: &EntryName) -> Option<u64> {
        self.holes.iter().find(|(_, hole)| hole.name().as_ref() == Some(name)).map(|(arrival, _)| *arrival)
    }

    fn lost(&self) -> Vec<EntryName> {
        self.holes.values().filter_map(Hole::name).collect()
    }
}

impl Home {
    pub(super) fn is_hole(&self, stream: &StreamId, name: &EntryName) -> bool {
        self.streams.get(stream).is_some_and(|state| state.hole_of(name).is_some())
    }

    /// A row cannot be read. Which entry it was is found out from the index.
    pub(super) fn note_hole(&mut self, stream: StreamId, arrival: u64) {
        let Some(state) = self.streams.get_mut(&stream) else { return };
        // Rows of a stream that is gone are on their way out.
        let known = state.log.is_gone() || state.holes.contains_key(&arrival);
        if known || state.holes.len() >= STREAM_HOLES {
            return;
        }
        state.holes.insert(arrival, Hole::Unnamed);
        self.figures.entries_damaged += 1;
        let start = stored::stream_prefix(Prefix::Index, &stream);
        self.scan_names(stream, arrival, start);
    }

    fn scan_names(&mut self, stream: StreamId, arrival: u64, start: Vec<u8>) {
        let end = [stored::stream_prefix(Prefix::Index, &stream).as_slice(), &[0xff; 41]].concat();
        let scan = Scan { start, end, max_bytes: SCAN_BYTES, max_rows: SCAN_ROWS };
        self.scan(scan, Reading::Name(stream, arrival));
    }

    pub(super) fn handle_names(&mut self, stream: StreamId, arrival: u64, page: Page) {
        let found = page.rows.iter().find_map(|(key, value)| {
            let (_, replica, seq) = stored::parse_index_key(key)?;
            let index = IndexRecord::decode(value).ok()?;
            (index.arrival == arrival).then_some(EntryName { replica, seq })
        });
        match (found, page.more) {
            (Some(name), _) => self.name_hole(stream, arrival, name),
            (None, Some(start)) => self.scan_names(stream, arrival, start),
            (None, None) => {
                let state = self.streams.get_mut(&stream);
                if let Some(hole) = state.and_then(|state| state.holes.get_mut(&arrival)) {
                    *hole = Hole::Nameless;
                }
                self.go_on_with_readers(stream);
            }
        }
    }

    pub(super) fn forget_hole(&mut self, stream: StreamId, arrival: u64) {
        if let Some(state) = self.streams.get_mut(&stream) {
            state.holes.remove(&arrival);
        }
        self.go_on_with_readers(stream);
    }

    /// Whether it is still to be found out what has been lost. Until then no reader is told that this is all: who holds by chance as
    /// many entries would take the others for damage.
    pub(super) fn is_naming_holes(&self, stream: &StreamId) -> bool {
        self.streams.get(stream).is_some_and(|state| state.holes.values().any(|hole| *hole == Hole::Unnamed))
    }

    fn go_on_with_readers(&mut self, stream: StreamId) {
        let reads = |link: &Conn| matches!(link.following(&stream), Some(Following::Reading(_)));
        let readers = self.conns.iter().filter(|(_, link)| reads(link));
        for conn in readers.map(|(conn, _)| *conn).collect::<Vec<_>>() {
            self.continue_reading(conn, stream);
        }
    }

    fn name_hole(&mut self, stream: StreamId, arrival: u64, name: EntryName) {
        let hole = self.streams.get_mut(&stream).and_then(|state| state.holes.get_mut(&arrival));
        let Some(hole) = hole else { return self.go_on_with_readers(stream) };
        *hole = Hole::Named(name);
        let authors = self.conns.iter().filter(|(_, link)| link.proven.contains(&name.replica));
        for conn in authors.map(|(conn, _)| *conn).collect::<Vec<_>>() {
            self.ask_for(conn, stream, name);
        }
        // Who is still reading is told at the end of that.
        let told = |link: &Conn| {
            link.following(&stream).is_some_and(|following| !matches!(following, Following::Reading(_)))
        };
        let readers = self.conns.iter().filter(|(_, link)| told(link));
        for conn in readers.map(|(conn, _)| *conn).collect::<Vec<_>>() {
            self.send(conn, &Lost::damaged(stream, name).into());
        }
        self.go_on_with_readers(stream);
    }

    /// An author has come: what is damaged of its entries is asked of it.
    pub(super) fn ask_for_holes(&mut self, conn: ConnId, replica: ReplicaId) {
        let of =
            |state: &HomeStream| state.lost().into_iter().filter(|name| name.replica == replica).collect();
        let holes: Vec<(StreamId, Vec<EntryName>)> =
            self.streams.iter().map(|(stream, state)| (*stream, of(state))).collect();
        for (stream, names) in holes {
            for name in names {
                self.ask_for(conn, stream, name);
            }
        }
    }

    fn ask_for(&mut self, conn: ConnId, stream: StreamId, name: EntryName) {
        let EntryName { replica, seq } = name;
        self.send(conn, &Need { stream, replica, from: seq, to: seq }.into());
    }

    /// Tells a reader what it was not sent.
    pub(super) fn tell_holes(&mut self, conn: ConnId, stream: StreamId) {
        let Some(state) = self.streams.get(&stream) else { return };
        for name in state.lost() {
            self.send(conn, &Lost::damaged(stream, name).into());
        }
    }

    /// Its author has brought an entry again whose row is damaged, and it gives the head the chain had there.
    pub(super) fn put_back(&mut self, conn: ConnId, entry: Entry) {
        let (stream, name) = (entry.header().stream, entry.name());
        let is_it = |appended: &Appended| {
            matches!(appended, Appended::Mended { entry, .. }
                if entry.header().stream == stream && entry.name() == name)
        };
        if self.queue.waiting().any(is_it) {
            return;
        }
        let alive = self.streams.get(&stream).filter(|state| !state.log.is_gone());
        if let Some(arrival) = alive.and_then(|state| state.hole_of(&name)) {
            self.queue.put(stored::entry_key(&stream, arrival), stored::encode_entry(&entry));
            self.queue.tag(Appended::Mended { conn, arrival, entry }, Durability::Strict);
        }
    }

    /// It is on the disk again: everybody who follows the stream may have missed it.
    pub(super) fn handle_mended(&mut self, conn: ConnId, arrival: u64, entry: &Entry) {
        let stream = entry.header().stream;
        if let Some(state) = self.streams.get_mut(&stream) {
            state.holes.remove(&arrival);
        }
        self.forward(stream, conn, arrival, std::slice::from_ref(entry));
        self.answer_saved(conn, stream, entry.header().replica);
    }
}
