//! Places of a stream's log that the disk does not read. What lies there is lost to readers for as long as that is so; what
//! lies before and behind it is not, and neither is the rest of the room.
//!
//! A page of rows that meets such a place is read again in smaller parts, down to one entry alone: only what cannot be read by
//! itself is passed over. The next reader tries the first entry of each place that is known, and goes on behind the place or
//! forgets it. Nothing is written there, as that might close the store, so authors are not asked to bring it again.

use std::collections::BTreeMap;

use crate::home::Home;
use crate::home::reading::Reading;
use crate::home::stream::HomeStream;
use crate::ids::{ConnId, StreamId};
use crate::limits::{FRAME_ENTRIES, SCAN_BYTES, SCAN_ROWS, STREAM_HOLES};
use crate::log::EntryName;
use crate::storage::{Page, Scan};
use crate::stored::{self, IndexRecord, Prefix};
use crate::wire::Lost;

/// The places of one stream.
#[derive(Debug, Default)]
pub(super) struct Gaps {
    /// By their first entry, each with the arrival behind its last: [`STREAM_HOLES`] at most. Beyond that each reader finds them.
    places: BTreeMap<u64, u64>,
    /// Of each chain the first entry that lies in one, and the last.
    lost: Vec<EntryName>,
    naming: Naming,
}

/// Whether it is known which entries lie there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Naming {
    /// It is to be found out.
    #[default]
    Due,
    /// The index is being read.
    Asked,
    /// As far as the index tells.
    Known,
}

impl Gaps {
    /// The place around an arrival.
    fn around(&self, arrival: u64) -> Option<(u64, u64)> {
        let (from, end) = self.places.range(..=arrival).next_back()?;
        (arrival < *end).then_some((*from, *end))
    }

    /// Up to where is read at once from an arrival on: to the next place, or of a place its first entry.
    fn read_to(&self, from: u64, end: u64) -> u64 {
        match (self.around(from), self.places.range(from..).next()) {
            (Some(_), _) => from + 1,
            (None, Some((place, _))) => end.min(*place),
            (None, None) => end,
        }
    }

    /// An entry cannot be read by itself. Answers whether that is news.
    fn note(&mut self, arrival: u64) -> bool {
        if self.around(arrival).is_some() {
            return false;
        }
        let end = self.places.remove(&(arrival + 1)).unwrap_or(arrival + 1);
        let before = arrival.checked_sub(1).and_then(|before| self.around(before));
        match before {
            Some((from, _)) => drop(self.places.insert(from, end)),
            None if self.places.len() < STREAM_HOLES => drop(self.places.insert(arrival, end)),
            None => {}
        }
        self.naming = Naming::Due;
        true
    }

    /// These rows were read, or are covered by a snapshot: the disk is better, and what still is not is found anew.
    pub(super) fn forget(&mut self, first: u64, end: u64) {
        let before = self.places.len();
        self.places.retain(|from, behind| *behind <= first || *from >= end);
        if self.places.len() < before {
            (self.lost, self.naming) = (Vec::new(), Naming::Due);
        }
    }

    fn holds(&self, arrival: u64) -> bool {
        self.around(arrival).is_some()
    }

    /// An entry lies in one.
    fn name(&mut self, name: EntryName) {
        let of: Vec<usize> =
            (0..self.lost.len()).filter(|at| self.lost[*at].replica == name.replica).collect();
        match of[..] {
            [first] if self.lost[first].seq > name.seq => self.lost.insert(first, name),
            [first, ..] if self.lost[first].seq > name.seq => self.lost[first] = name,
            [_, last] if self.lost[last].seq < name.seq => self.lost[last] = name,
            [only] if self.lost[only].seq < name.seq => self.lost.insert(only + 1, name),
            [] => self.lost.push(name),
            _ => {}
        }
        self.lost.truncate(STREAM_HOLES);
    }
}

impl Home {
    /// What is read of a stream's entries at once, for a reader at `from`.
    pub(super) fn read_to(&self, stream: &StreamId, from: u64, end: u64) -> u64 {
        self.streams.get(stream).map_or(end, |state| state.gaps.read_to(from, end))
    }

    /// The disk did not read these entries for these readers.
    pub(super) fn pass_gap(&mut self, readers: Vec<ConnId>, stream: StreamId, from: u64, end: u64) {
        let rows = (end.saturating_sub(from)).min(MOST_ROWS);
        let (mut next, mut narrow) = (from, Some((rows / 2).max(1)));
        if rows <= 1 {
            let Some(state) = self.streams.get_mut(&stream) else { return };
            let is_news = state.gaps.note(from);
            next = state.gaps.around(from).map_or(from + 1, |(_, end)| end);
            narrow = is_news.then_some(1);
            self.figures.entries_damaged += u64::from(is_news);
        }
        for conn in readers {
            if let Some(walk) = self.walk_mut(conn, stream) {
                walk.narrow = narrow;
                walk.met_gap |= rows <= 1;
                if let Some(awaited) = walk.awaits.as_mut().filter(|_| rows <= 1) {
                    awaited.met_damage = true;
                }
            }
            self.finish_page(conn, stream, next);
        }
    }

    /// Entries were read: what was known not to be readable among them is.
    pub(super) fn forget_gaps(&mut self, stream: &StreamId, rows: Option<(u64, u64)>) {
        let Some((first, last)) = rows else { return };
        if let Some(state) = self.streams.get_mut(stream) {
            state.gaps.forget(first, last + 1);
        }
    }

    /// A reader has met a place: which entries lie there is found out from the index.
    pub(super) fn name_gaps(&mut self, stream: StreamId) {
        let Some(state) = self.streams.get_mut(&stream) else { return };
        if state.gaps.naming == Naming::Due && !state.gaps.places.is_empty() {
            state.gaps.naming = Naming::Asked;
            state.gaps.lost.clear();
            self.scan_gap_names(stream, stored::stream_prefix(Prefix::Index, &stream));
        }
    }

    fn scan_gap_names(&mut self, stream: StreamId, start: Vec<u8>) {
        let end = [stored::stream_prefix(Prefix::Index, &stream).as_slice(), &[0xff; 41]].concat();
        let scan = Scan { start, end, max_bytes: SCAN_BYTES, max_rows: SCAN_ROWS };
        self.scan(scan, Reading::GapNames(stream));
    }

    pub(super) fn handle_gap_names(&mut self, stream: StreamId, page: &Page) {
        let Some(state) = self.streams.get_mut(&stream) else { return };
        for (key, value) in &page.rows {
            if let (Some((_, replica, seq)), Ok(index)) =
                (stored::parse_index_key(key), IndexRecord::decode(value))
                && state.gaps.holds(index.arrival)
            {
                state.gaps.name(EntryName { replica, seq });
            }
        }
        if let Some(start) = &page.more {
            return self.scan_gap_names(stream, start.clone());
        }
        if state.gaps.naming == Naming::Asked {
            state.gaps.naming = Naming::Known;
        }
        let readers = self.conns.iter().filter(|(_, link)| link.following(&stream).is_some());
        for conn in readers.map(|(conn, _)| *conn).collect::<Vec<_>>() {
            self.tell_gaps(conn, stream);
        }
    }

    /// Tells a reader what it is not sent: of each chain the first entry and the last. Whoever has written one has it. What a
    /// full lane does not take is told when the reader asks again.
    pub(super) fn tell_gaps(&mut self, conn: ConnId, stream: StreamId) {
        let Some((state, link)) = self.streams.get(&stream).zip(self.conns.get(&conn)) else { return };
        let lost = state.gaps.lost.iter().filter(|name| !link.proven.contains(&name.replica));
        for name in lost.copied().collect::<Vec<_>>() {
            self.tell_lost(conn, stream, name);
        }
    }

    pub(super) fn tell_lost(&mut self, conn: ConnId, stream: StreamId, name: EntryName) {
        if self.conns.get(&conn).is_some_and(|link| link.may_be_told()) {
            self.send(conn, &Lost::damaged(stream, name).into());
        }
    }
}

impl HomeStream {
    /// The room is read anew: so is what could not be read, and what was being found out of damaged rows.
    pub(super) fn forget_damage(&mut self) {
        self.gaps = Gaps::default();
        self.holes.retain(|_, name| name.is_some());
    }
}

/// Entries that are read at once.
pub(super) const MOST_ROWS: u64 =
    if SCAN_ROWS < FRAME_ENTRIES { SCAN_ROWS as u64 } else { FRAME_ENTRIES as u64 };

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::ReplicaId;

    #[test]
    fn st4_places_grow_together_and_are_forgotten_where_the_disk_reads_again() {
        let mut gaps = Gaps::default();
        for arrival in [5, 7, 6, 20, 6] {
            gaps.note(arrival);
        }
        assert_eq!(gaps.places, BTreeMap::from([(5, 8), (20, 21)]));
        assert_eq!(
            [gaps.read_to(0, 30), gaps.read_to(5, 30), gaps.read_to(8, 30), gaps.read_to(21, 30)],
            [5, 6, 20, 30]
        );
        gaps.forget(0, 5);
        gaps.forget(8, 20);
        assert_eq!(gaps.places.len(), 2, "what stands beside them was never in doubt");
        gaps.forget(5, 6);
        assert_eq!(gaps.places, BTreeMap::from([(20, 21)]));
    }

    #[test]
    fn st4_of_each_chain_the_first_and_the_last_that_is_lost_are_told() {
        let (a, b) = (ReplicaId::from_bytes([1; 32]), ReplicaId::from_bytes([2; 32]));
        let mut gaps = Gaps::default();
        for (replica, seq) in [(a, 5), (b, 9), (a, 3), (a, 4), (a, 8), (a, 2)] {
            gaps.name(EntryName { replica, seq });
        }
        let told = |replica| -> Vec<u64> {
            gaps.lost.iter().filter(|name| name.replica == replica).map(|name| name.seq).collect()
        };
        assert_eq!([told(a), told(b)], [vec![2, 8], vec![9]]);
    }

    #[test]
    fn st4_a_disk_full_of_places_is_bounded() {
        let mut gaps = Gaps::default();
        (0..10 * STREAM_HOLES as u64).for_each(|at| drop(gaps.note(2 * at)));
        assert_eq!(gaps.places.len(), STREAM_HOLES);
        for at in 0..=u8::MAX {
            gaps.name(EntryName { replica: ReplicaId::from_bytes([at; 32]), seq: 1 });
        }
        assert_eq!(gaps.lost.len(), STREAM_HOLES);
    }
}
