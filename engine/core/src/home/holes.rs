//! Entries whose rows on the disk are damaged: found by a reader's walk, named by the index, asked of their author, and
//! put back where they stood. Until then whoever lacks one is told so and does not ask again and again.

use crate::home::Home;
use crate::home::reading::Reading;
use crate::home::stream::HomeStream;
use crate::ids::{ConnId, ReplicaId, StreamId};
use crate::limits::{SCAN_BYTES, SCAN_ROWS, STREAM_HOLES};
use crate::log::{Entry, EntryName};
use crate::storage::{Durability, Page, Scan};
use crate::stored::{self, IndexRecord, Prefix};
use crate::wire::{Lost, Need};

use super::append::Appended;

impl HomeStream {
    /// Where an entry stood whose row is damaged.
    pub(super) fn hole_of(&self, name: &EntryName) -> Option<u64> {
        self.holes.iter().find(|(_, hole)| hole.as_ref() == Some(name)).map(|(arrival, _)| *arrival)
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
        state.holes.insert(arrival, None);
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
            // Its index row is damaged too: nobody can bring it back.
            (None, None) => {}
        }
    }

    pub(super) fn forget_hole(&mut self, stream: &StreamId, arrival: u64) {
        if let Some(state) = self.streams.get_mut(stream) {
            state.holes.remove(&arrival);
        }
    }

    fn name_hole(&mut self, stream: StreamId, arrival: u64, name: EntryName) {
        let Some(state) = self.streams.get_mut(&stream) else { return };
        state.holes.insert(arrival, Some(name));
        let authors = self.conns.iter().filter(|(_, link)| link.proven.contains(&name.replica));
        for conn in authors.map(|(conn, _)| *conn).collect::<Vec<_>>() {
            self.ask_for(conn, stream, name);
        }
        let readers = self.conns.iter().filter(|(_, link)| link.following(&stream).is_some());
        for conn in readers.map(|(conn, _)| *conn).collect::<Vec<_>>() {
            self.send(conn, &Lost::damaged(stream, name).into());
        }
    }

    /// An author has come: what is damaged of its entries is asked of it.
    pub(super) fn ask_for_holes(&mut self, conn: ConnId, replica: ReplicaId) {
        let of = |state: &HomeStream| {
            state.holes.values().flatten().filter(|name| name.replica == replica).copied().collect()
        };
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
        for name in state.holes.values().flatten().copied().collect::<Vec<_>>() {
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
