//! Readers below the snapshot: entries come out of the archive, a segment at a time, byte for byte as they went in.

use crate::home::Home;
use crate::home::jobs::Work;
use crate::home::lane::Lane;
use crate::home::reading::Reading;
use crate::ids::{ConnId, StreamId};
use crate::log::Entry;
use crate::snapshot::Job;
use crate::storage::{Page, Scan};
use crate::stored;
use crate::wire;

impl Home {
    /// Reads the segment that holds the entry which arrived as `next`.
    pub(super) fn read_segment(&mut self, conn: ConnId, stream: StreamId, next: u64) {
        let start = stored::archive_key(&stream, next + 1);
        let end = stored::archive_key(&stream, u64::MAX);
        self.scan(Scan { start, end, max_bytes: 0, max_rows: 1 }, Reading::Segment(conn, stream));
    }

    pub(super) fn handle_segment(&mut self, conn: ConnId, stream: StreamId, page: &Page) {
        if let Some((_, end)) = page.damaged.first().and_then(|key| stored::parse_archive_key(key)) {
            return self.handle_unreadable(conn, stream, end);
        }
        let row = page.rows.first().and_then(|(key, value)| Some((stored::parse_archive_key(key)?.1, value)));
        let Some((end, value)) = row else {
            // The archive does not reach so far: it goes on with what there is.
            let standing = self.streams.get(&stream).and_then(|state| state.snapshot.as_ref());
            let end = standing.map_or(u64::MAX, |standing| standing.arrivals);
            return self.finish_page(conn, stream, end);
        };
        match stored::decode_piece(value) {
            Ok(segment) => {
                self.materialise(
                    Job::Unpack { segment: segment.to_vec() },
                    Work::Segment { conn, stream, end },
                );
            }
            Err(_) => self.handle_unreadable(conn, stream, end),
        }
    }

    /// A damaged segment costs the reader its entries, which it cannot get another way; it is counted and passed over.
    pub(super) fn handle_unreadable(&mut self, conn: ConnId, stream: StreamId, end: u64) {
        self.figures.entries_damaged += 1;
        self.finish_page(conn, stream, end);
    }

    pub(super) fn handle_unpacked(&mut self, conn: ConnId, stream: StreamId, end: u64, entries: Vec<Entry>) {
        let Some(walk) = self.walk_mut(conn, stream) else { return self.finish_page(conn, stream, 0) };
        let first = end.saturating_sub(entries.len() as u64);
        let numbered = (first..).zip(entries);
        let wanted: Vec<Entry> =
            numbered.filter(|(arrival, entry)| walk.wants(*arrival, entry)).map(|(_, entry)| entry).collect();
        if !wanted.is_empty() {
            self.figures.entries_forwarded += wanted.len() as u64;
            self.send_bytes(conn, Lane::Bulk, wire::encode_entries(&wanted));
        }
        self.finish_page(conn, stream, end);
    }
}
