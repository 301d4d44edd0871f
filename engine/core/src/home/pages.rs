//! Pages of the log on their way to readers who want everything from the same place on: read once, encoded once, and
//! shared by all who come by within a second.

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;

use crate::home::Home;
use crate::home::lane::Lane;
use crate::home::reading::Reading;
use crate::home::walk::rows;
use crate::ids::{ConnId, StreamId};
use crate::limits::{SHARED_PAGES, SHARED_PAGES_KEPT};
use crate::storage::{FailureKind, Page, StoreFailure};
use crate::stored;
use crate::time::{Millis, Now};
use crate::wire;

/// What is being read, and what was read last.
#[derive(Debug, Default)]
pub(super) struct Pages {
    /// Who waits for the entries of a stream from an arrival on.
    waiting: BTreeMap<(StreamId, u64), Vec<ConnId>>,
    kept: VecDeque<Shared>,
    kept_until: Option<Millis>,
}

/// A page as a frame.
#[derive(Clone, Debug)]
struct Shared {
    stream: StreamId,
    from: u64,
    /// The walk goes on from here.
    next: u64,
    entries: u64,
    frame: Bytes,
}

impl Pages {
    /// When to hand in the time.
    pub(super) fn kept_until(&self) -> Option<Millis> {
        self.kept_until
    }

    pub(super) fn handle_timeout(&mut self, now: Millis) {
        if self.kept_until.is_some_and(|until| now >= until) {
            (self.kept_until, self.kept) = (None, VecDeque::new());
        }
    }

    /// A link has ended.
    pub(super) fn forget(&mut self, conn: ConnId) {
        self.waiting.values_mut().for_each(|conns| conns.retain(|waits| *waits != conn));
    }

    /// The rows of a stream have gone.
    pub(super) fn forget_stream(&mut self, stream: &StreamId) {
        self.kept.retain(|page| page.stream != *stream);
    }

    fn keep(&mut self, page: Shared, now: Millis) {
        self.kept_until = Some(now.after(SHARED_PAGES_KEPT));
        self.kept.push_back(page);
        if self.kept.len() > SHARED_PAGES {
            self.kept.pop_front();
        }
    }
}

impl Home {
    /// The next page for a reader: one that was just read, one that is being read for somebody else, or read anew.
    pub(super) fn read_shared(&mut self, conn: ConnId, stream: StreamId, from: u64, end: u64) {
        let kept = self.pages.kept.iter().find(|page| (page.stream, page.from) == (stream, from));
        if let Some(page) = kept.cloned() {
            return self.send_page(conn, &page);
        }
        let waiting = self.pages.waiting.entry((stream, from)).or_default();
        waiting.push(conn);
        if waiting.len() == 1 {
            self.scan(rows(&stream, from, end), Reading::Shared(stream, from));
        }
    }

    pub(super) fn handle_shared(
        &mut self,
        stream: StreamId,
        (from, upto): (u64, u64),
        result: Result<Page, StoreFailure>,
        now: Now,
    ) {
        let arrival_of = |key: &Vec<u8>| stored::parse_entry_key(key).map(|(_, arrival)| arrival);
        let page = result.map(|page| {
            let keys = || page.rows.iter().map(|(key, _)| key).chain(&page.damaged);
            let ends = (keys().min().and_then(arrival_of), keys().max().and_then(arrival_of));
            (page, ends)
        });
        let state = self.streams.get(&stream);
        let end = state.map_or(0, |state| state.durable_arrivals);
        let archived =
            state.and_then(|state| state.snapshot.as_ref()).map_or(0, |standing| standing.arrivals);
        if page.as_ref().is_ok_and(|(_, (first, _))| *first != Some(from)) && self.is_replacing(&stream) {
            return self.scans.put_off(rows(&stream, from, end), Reading::Shared(stream, from), now);
        }
        self.forget_gaps(&stream, page.as_ref().ok().and_then(|(_, (first, last))| first.zip(*last)));
        let waiting = self.pages.waiting.remove(&(stream, from)).unwrap_or_default();
        if let Err(failure) = &page
            && failure.kind == FailureKind::Damaged
        {
            return self.pass_gap(waiting, stream, from, upto);
        }
        let Ok((page, (first, last))) = page else {
            return waiting.into_iter().for_each(|conn| self.fail_reader(conn));
        };
        if from < archived && first != Some(from) {
            // The rows went into the archive while they were asked for.
            return waiting.into_iter().for_each(|conn| self.finish_page(conn, stream, from));
        }
        let mut holes: Vec<u64> = page.damaged.iter().filter_map(arrival_of).collect();
        let mut entries = Vec::new();
        for (key, value) in page.rows {
            match stored::decode_entry(value) {
                Ok(entry) => entries.push(entry),
                Err(_) => holes.extend(arrival_of(&key)),
            }
        }
        // A range without rows is one that was deleted under the walk.
        let next = last.map_or(end, |last| last + 1);
        let frame = if entries.is_empty() { Bytes::new() } else { wire::encode_entries(&entries) };
        let page = Shared { stream, from, next, entries: entries.len() as u64, frame };
        if holes.is_empty() && !entries.is_empty() {
            self.pages.keep(page.clone(), now.monotonic);
        }
        for arrival in holes {
            self.note_hole(stream, arrival);
        }
        for conn in waiting {
            self.send_page(conn, &page);
        }
    }

    fn send_page(&mut self, conn: ConnId, page: &Shared) {
        if !page.frame.is_empty() && self.walk_mut(conn, page.stream).is_some() {
            self.figures.entries_forwarded += page.entries;
            self.send_bytes(conn, Lane::Bulk, page.frame.clone());
        }
        self.finish_page(conn, page.stream, page.next);
    }
}
