//! Readers below the snapshot: entries come out of the archive, a segment at a time, byte for byte as they went in.
//! Whoever asks for a chain begins at the segment that holds it.

use std::collections::BTreeMap;

use bytes::Bytes;

use crate::home::Home;
use crate::home::lane::Lane;
use crate::home::reading::Reading;
use crate::home::segments::{Packed, Reader};
use crate::ids::{ReplicaId, StreamId};
use crate::log::{Entry, EntryName};
use crate::snapshot::Segment;
use crate::storage::{Page, Scan};
use crate::stored::{self, IndexRecord, Prefix};
use crate::wire;

impl Home {
    /// Reads the segment that holds the next entry of a walk, if there still is one.
    pub(super) fn read_segment(&mut self, (conn, stream): Reader) -> bool {
        let next = self.walk_mut(conn, stream).and_then(|walk| walk.next);
        if let Some(next) = next {
            self.scan(segment(&stream, next), Reading::Segment(conn, stream));
        }
        next.is_some()
    }

    pub(super) fn handle_segment(&mut self, reader: Reader, page: &Page) {
        if let Some((_, end)) = page.damaged.first().and_then(|key| stored::parse_archive_key(key)) {
            return self.handle_unreadable(reader, end);
        }
        let row = page.rows.first().and_then(|(key, value)| Some((stored::parse_archive_key(key)?.1, value)));
        let Some((end, value)) = row else {
            // The archive does not reach so far: it goes on with what there is.
            let standing = self.streams.get(&reader.1).and_then(|state| state.snapshot.as_ref());
            let end = standing.map_or(u64::MAX, |standing| standing.arrivals);
            return self.end_segment(reader, end);
        };
        match stored::decode_segment(value) {
            Ok((_, segment)) => {
                self.unpack_segment(Packed { reader, end, bytes: Bytes::copy_from_slice(segment) });
            }
            Err(_) => self.handle_unreadable(reader, end),
        }
    }

    /// A damaged segment costs the reader its entries, which it cannot get another way; it is counted and passed over.
    pub(super) fn handle_unreadable(&mut self, reader: Reader, end: u64) {
        self.figures.entries_damaged += 1;
        if let Some(awaited) = self.walk_mut(reader.0, reader.1).and_then(|walk| walk.awaits.as_mut()) {
            awaited.met_damage = true;
        }
        self.end_segment(reader, end);
    }

    pub(super) fn handle_unpacked(&mut self, reader: Reader, end: u64, entries: Vec<Entry>) {
        let (conn, stream) = reader;
        let Some(walk) = self.walk_mut(conn, stream) else { return self.end_segment(reader, 0) };
        let first = end.saturating_sub(entries.len() as u64);
        let names: Vec<EntryName> = entries.iter().map(Entry::name).collect();
        let (next, gone) = (walk.behind(&names, end), walk.meet(&names));
        let numbered = (first..).zip(entries);
        let wanted: Vec<Entry> =
            numbered.filter(|(arrival, entry)| walk.wants(*arrival, entry)).map(|(_, entry)| entry).collect();
        self.tell_gone(conn, stream, gone);
        if !wanted.is_empty() {
            self.figures.entries_forwarded += wanted.len() as u64;
            self.send_bytes(conn, Lane::Bulk, wire::encode_entries(&wanted));
        }
        self.end_segment(reader, next);
    }
}

/// The segment that holds the entry which arrived as `next`.
pub(super) fn segment(stream: &StreamId, next: u64) -> Scan {
    let start = stored::archive_key(stream, next + 1);
    let end = stored::archive_key(stream, u64::MAX);
    Scan { start, end, max_bytes: 0, max_rows: 1 }
}

/// A look-up of where a chain's entries from one on begin: in the archive if they are covered.
pub(super) fn look_up(stream: &StreamId, replica: &ReplicaId, seq: u64, covered: u64) -> Scan {
    let (start, end) = if seq <= covered {
        let end = stored::place_key(stream, replica, u64::MAX);
        (stored::place_key(stream, replica, seq), end)
    } else {
        let start = stored::index_key(stream, replica, seq);
        let end = [start.as_slice(), &[0]].concat();
        (start, end)
    };
    Scan { start, end, max_bytes: 64, max_rows: 1 }
}

/// What such a look-up has found. A row that is missing or damaged means a walk from the start, which finds everything;
/// but where history has been let go a row that is missing has gone with it, and the walk goes on behind.
pub(super) fn looked_up(page: &Page, behind: Option<u64>) -> u64 {
    if let Some(behind) = behind.filter(|_| page.rows.is_empty() && page.damaged.is_empty()) {
        return behind;
    }
    let Some((key, value)) = page.rows.first().filter(|_| page.damaged.is_empty()) else { return 0 };
    if key.first() == Some(&(Prefix::Place as u8)) {
        return stored::decode_number(value).unwrap_or(0);
    }
    IndexRecord::decode(value).map_or(0, |index| index.arrival)
}

/// The rows that say where in these segments chains are, for entries that arrived one after the other from `first` on.
pub(super) fn places(
    stream: &StreamId,
    first: u64,
    entries: &[Entry],
    segments: &[Segment],
) -> Vec<(Vec<u8>, Vec<u8>)> {
    let (mut rows, mut begin, mut left) = (Vec::new(), first, entries);
    for segment in segments {
        let length = usize::try_from(segment.end.saturating_sub(begin)).unwrap_or(usize::MAX);
        let (within, behind) = left.split_at(length.min(left.len()));
        rows.extend(places_in(stream, begin, within));
        (begin, left) = (segment.end, behind);
    }
    rows
}

/// The rows that say where in one segment chains are, whose entries arrived one after the other from `first` on.
pub(crate) fn places_in(stream: &StreamId, first: u64, entries: &[Entry]) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut chains: BTreeMap<ReplicaId, (u64, u64)> = BTreeMap::new();
    for (arrival, entry) in (first..).zip(entries) {
        let name = entry.name();
        chains.entry(name.replica).or_insert((arrival, name.seq)).1 = name.seq;
    }
    let rows = chains.iter().map(|(replica, (begins, last))| {
        (stored::place_key(stream, replica, *last), stored::encode_number(*begins))
    });
    rows.collect()
}
