//! Pages of a draft that cannot be read: nobody knows their names, so all pages of the stream are looked through, and what
//! its snapshot does not name goes. The draft goes last, so that a crash on the way leaves it to the next start.

use std::collections::BTreeSet;

use crate::home::Home;
use crate::home::reading::Reading;
use crate::ids::StreamId;
use crate::limits::{SCAN_BYTES, SCAN_ROWS};
use crate::snapshot::PageId;
use crate::storage::{Page, Scan, StoreFailure};
use crate::stored::{self, Prefix};
use crate::time::Now;

impl Home {
    /// Until it has ended no snapshot of the stream is made.
    pub(super) fn look_for_strays(&mut self) {
        let has_strays = self.streams.iter().filter(|(_, state)| state.has_strays);
        for stream in has_strays.map(|(stream, _)| *stream).collect::<Vec<_>>() {
            self.scan_strays(stream, stored::stream_prefix(Prefix::Page, &stream));
        }
    }

    fn scan_strays(&mut self, stream: StreamId, start: Vec<u8>) {
        let end = [stored::stream_prefix(Prefix::Page, &stream).as_slice(), &[0xff; 33]].concat();
        self.scan(Scan { start, end, max_bytes: SCAN_BYTES, max_rows: SCAN_ROWS }, Reading::Strays(stream));
    }

    pub(super) fn handle_strays(&mut self, stream: StreamId, result: Result<Page, StoreFailure>, now: Now) {
        let Some(state) = self.streams.get_mut(&stream) else { return };
        let standing = state.snapshot.as_ref().map_or(&[][..], |standing| &standing.pages);
        let named = |page: &PageId| stored::page_key(&stream, page);
        let named: BTreeSet<Vec<u8>> = standing.iter().map(named).collect();
        // What cannot be read now stays: it takes room and does no harm.
        let page = result.unwrap_or_default();
        let keys = page.rows.into_iter().map(|(key, _)| key).chain(page.damaged);
        for key in keys.filter(|key| !named.contains(key)) {
            self.queue.delete(key);
        }
        if let Some(start) = page.more {
            return self.scan_strays(stream, start);
        }
        self.queue.delete(stored::draft_key(&stream));
        state.has_strays = false;
        self.expect_compaction(&stream, now);
    }
}
