//! Places of a stream's log that the disk does not read. What lies there is lost to readers for as long as that is so; what
//! lies behind it is not, and neither is the rest of the room.
//!
//! Where such a place ends is looked for when a reader comes to it: further and further behind it, and then back by halves.
//! It is looked for anew by the next reader, as a disk may be better tomorrow.

use std::collections::BTreeMap;

use crate::home::Home;
use crate::home::archive::segment;
use crate::home::reading::{Reading, is_damage};
use crate::ids::{ConnId, StreamId};
use crate::limits::{LOST_NAMES, SCAN_BYTES, SCAN_ROWS, STREAM_HOLES};
use crate::log::EntryName;
use crate::storage::{Page, Scan, StoreFailure};
use crate::stored::{self, IndexRecord, Prefix};
use crate::wire::Lost;

/// What a reader was reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kept {
    /// Rows of entries.
    Entries,
    /// Segments of the archive.
    Archive,
}

/// A place, by its first entry, while its end is looked for.
type Place = (StreamId, Kept, u64);

/// Who waits for the end of which place.
pub(super) type Gaps = BTreeMap<Place, Vec<ConnId>>;

/// A place that was found.
#[derive(Debug)]
pub(super) struct Gap {
    from: u64,
    /// Behind its last entry.
    end: u64,
    /// Entries that lie there, as far as the index tells and a device remembers.
    pub(super) names: Vec<EntryName>,
}

/// How far the end of a place has been looked for.
#[derive(Debug)]
pub(super) struct Search {
    place: Place,
    /// The last entry that is known not to be readable.
    unread: u64,
    /// The first that is known to be, or the end of what is there.
    readable: u64,
    /// How far ahead is looked, while nothing readable is found.
    step: u64,
    /// What was read last: of the archive the first segment behind the place, in the end.
    found: Option<Page>,
}

impl Search {
    /// Where to look next; `None` once the end is found.
    fn next(&self) -> Option<u64> {
        let left = self.readable.saturating_sub(self.unread);
        (left > 1).then(|| self.unread + self.step.min(left / 2))
    }

    fn note(&mut self, at: u64, is_readable: bool) {
        if is_readable {
            self.readable = at;
        } else {
            (self.unread, self.step) = (at, self.step.saturating_mul(2));
        }
    }
}

impl Home {
    /// Readers have come to an entry that the disk does not read: they go on behind it.
    pub(super) fn pass_gap(&mut self, readers: Vec<ConnId>, stream: StreamId, of: Kept, from: u64) {
        let Some(state) = self.streams.get(&stream) else { return };
        let readable = match of {
            Kept::Entries => state.durable_arrivals,
            Kept::Archive => state.snapshot.as_ref().map_or(0, |standing| standing.arrivals),
        };
        let place = (stream, of, from);
        let waiting = self.gaps.entry(place).or_default();
        waiting.extend(readers);
        let is_first = self
            .scans
            .readings()
            .all(|reading| !matches!(reading, Reading::Gap(search) if search.place == place));
        if is_first {
            self.search(Search {
                place,
                unread: from,
                readable: readable.max(from + 1),
                step: 1,
                found: None,
            });
        }
    }

    /// The same for one reader, whose walk stands there.
    pub(super) fn pass_gap_of(&mut self, conn: ConnId, stream: StreamId, of: Kept) {
        if let Some(from) = self.walk_mut(conn, stream).and_then(|walk| walk.next) {
            self.pass_gap(vec![conn], stream, of, from);
        }
    }

    fn search(&mut self, search: Search) {
        let (stream, of, from) = search.place;
        if let Some(at) = search.next() {
            let scan = match of {
                Kept::Entries => {
                    let (start, end) = stored::entry_range(&stream, at, u64::MAX);
                    Scan { start, end, max_bytes: 0, max_rows: 1 }
                }
                Kept::Archive => segment(&stream, at),
            };
            return self.scan(scan, Reading::Gap(search));
        }
        self.note_gap(stream, of, from, search.readable);
        for conn in self.gaps.remove(&search.place).unwrap_or_default() {
            match (of, &search.found) {
                (Kept::Entries, _) => self.finish_page(conn, stream, search.readable),
                // It may begin within the place, as far as its key tells.
                (Kept::Archive, Some(segment)) => self.handle_segment((conn, stream), segment),
                (Kept::Archive, None) => self.end_segment((conn, stream), search.readable),
            }
        }
    }

    /// Once, however many readers come there. Which entries they are is found out from the index.
    fn note_gap(&mut self, stream: StreamId, of: Kept, from: u64, end: u64) {
        let Some(state) = self.streams.get_mut(&stream) else { return };
        let is_known = state.gaps.iter().any(|gap| gap.from <= from && end <= gap.end);
        if is_known || state.gaps.len() >= STREAM_HOLES {
            return;
        }
        state.gaps.push(Gap { from, end, names: Vec::new() });
        self.figures.entries_damaged += end - from;
        if of == Kept::Entries {
            self.scan_gap(stream, from, stored::stream_prefix(Prefix::Index, &stream));
        }
    }

    fn scan_gap(&mut self, stream: StreamId, from: u64, start: Vec<u8>) {
        let end = [stored::stream_prefix(Prefix::Index, &stream).as_slice(), &[0xff; 41]].concat();
        let scan = Scan { start, end, max_bytes: SCAN_BYTES, max_rows: SCAN_ROWS };
        self.scan(scan, Reading::GapNames(stream, from));
    }

    /// Whoever follows the stream is told what it is not sent, and asks for it no more. It is not asked of its authors: what
    /// is written to such a place may not arrive there.
    pub(super) fn handle_gap_names(&mut self, stream: StreamId, from: u64, page: Page) {
        let state = self.streams.get_mut(&stream);
        let Some(gap) = state.and_then(|state| state.gaps.iter_mut().find(|gap| gap.from == from)) else {
            return;
        };
        for (key, value) in &page.rows {
            let (Some((_, replica, seq)), Ok(index)) =
                (stored::parse_index_key(key), IndexRecord::decode(value))
            else {
                continue;
            };
            if (gap.from..gap.end).contains(&index.arrival) && gap.names.len() < LOST_NAMES {
                gap.names.push(EntryName { replica, seq });
            }
        }
        if let Some(start) = page.more {
            return self.scan_gap(stream, from, start);
        }
        let names = gap.names.clone();
        let readers = self.conns.iter().filter(|(_, link)| link.following(&stream).is_some());
        for conn in readers.map(|(conn, _)| *conn).collect::<Vec<_>>() {
            for name in &names {
                self.send(conn, &Lost::damaged(stream, *name).into());
            }
        }
    }

    pub(super) fn handle_sought(&mut self, mut search: Search, result: Result<Page, StoreFailure>) {
        let at = search.next().unwrap_or(search.readable);
        let is_damaged = is_damage(&result);
        if let Ok(page) = result {
            search.note(at, true);
            search.found = Some(page);
            return self.search(search);
        } else if is_damaged {
            search.note(at, false);
            return self.search(search);
        }
        let (stream, of, _) = search.place;
        for conn in self.gaps.remove(&search.place).unwrap_or_default() {
            match of {
                Kept::Entries => self.fail_reader(conn),
                Kept::Archive => self.fail_segment((conn, stream)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_place_is_found_wherever_it_is() {
        let stream = StreamId::ydoc([1; 16]);
        for (from, end, all) in
            [(0, 1, 1), (0, 1, 9), (3, 4, 4), (3, 40, 1_000), (7, 1_000, 1_000), (0, 65_536, 100_000)]
        {
            let place = (stream, Kept::Entries, from);
            let mut search = Search { place, unread: from, readable: all, step: 1, found: None };
            let mut looks = 0;
            while let Some(at) = search.next() {
                assert!(from < at && at < all, "{at} of {from}..{all}");
                search.note(at, at >= end);
                looks += 1;
            }
            assert_eq!(search.readable, end, "from {from}, of {all}");
            assert!(looks <= 40, "{looks} looks for the end of {from}..{end}");
        }
    }
}
