//! Relays that keep history for a while only: what may go and what must.

use causeway_core::ids::StreamId;
use causeway_core::snapshot::{Root, SignedRoot};
use causeway_core::storage::Commit;
use causeway_core::stored::{self, HistoryRecord, Prefix};
use causeway_core::time::Millis;

use crate::sim::agenda::Happening;
use crate::sim::device::EPOCH;
use crate::sim::plan::Trouble;
use crate::sim::tally::Fault;
use crate::sim::world::World;

/// Longest way of a commit to the relay's disk.
const COMMIT_DELAY: u64 = 1_500;

impl World {
    /// Half of the relays keep history for some seconds. Not one that is put back to yesterday: a device may then hold what
    /// that one lacks, and for the rest of the stream needs the history of a time in which it was away.
    pub(crate) fn draw_history(&mut self) {
        let kept = self.rng.chance(50) && !self.plan.kinds.contains(&Trouble::Restore);
        let span = self.rng.between(1_000, 15_000);
        self.plan.history = kept.then_some(Millis(span));
        if kept {
            self.draw_clock(span);
        }
    }

    /// Once the relay's wall clock is ahead by up to a year, for less than history is kept: two looks of which one doubts the
    /// other do not both fall into that.
    fn draw_clock(&mut self, keep: u64) {
        let at = self.rng.below(self.plan.trouble);
        let ahead = self.rng.between(60 * 60 * 1_000, 365 * 24 * 60 * 60 * 1_000);
        let until = at + self.rng.between(keep / 2, keep);
        self.plan(at, Happening::RelayClock(ahead));
        self.plan(until, Happening::RelayClock(0));
    }

    pub(crate) fn set_relay_clock(&mut self, ahead: u64) {
        // A device lets covered entries of its own go after thirty days by the relay's clock, and a hub would want them.
        if ahead > 0 && (!self.troubled || self.school.is_held()) {
            return;
        }
        if ahead > 0 {
            self.tally.note(Fault::RelayClockAhead);
        }
        self.relay.clock_ahead = ahead;
        self.chronicle.line(self.now, || format!("the relay's clock is ahead by {ahead} ms"));
    }

    /// Rule 9 and promise 4, of a commit that the relay begins: what it lets go is the oldest there is, has been old enough for as
    /// long as it is doubted, and is covered by a snapshot that was read back meanwhile; and it is written down as it is.
    pub(crate) fn check_history(&mut self, commit: &Commit) {
        for (key, value) in &commit.put {
            if is_of(Prefix::Archive, key) {
                self.relay.archived_at.insert(key.clone(), self.now);
            } else if is_of(Prefix::History, key)
                && let Some(stream) = stored::parse_stream_key(key)
                && let Ok(history) = HistoryRecord::decode(value)
            {
                if let Some(what) = self.goes_wrongly(stream, history.begins, commit) {
                    return self.fail(|| format!("history of {stream} up to {} goes {what}", history.begins));
                }
                if history.noticed.is_some() {
                    self.relay.noticed_at.insert(stream, self.now);
                }
            }
        }
    }

    /// What is wrong with a commit that writes down where the history of a stream begins. Segments do not rot in this world, so
    /// none stays in the midst of those that go.
    fn goes_wrongly(&self, stream: StreamId, begins: u64, commit: &Commit) -> Option<String> {
        let goes = |key: &[u8]| commit.delete.iter().any(|gone| gone == key);
        let mut gone = self.segments(stream).filter(|(key, ..)| goes(key)).peekable();
        gone.peek()?;
        let age = |key: &[u8]| self.now - self.relay.archived_at.get(key).copied().unwrap_or(0);
        let keep = self.plan.history.map_or(u64::MAX, |keep| keep.0);
        if let Some(young) = gone.map(|(key, ..)| age(key)).find(|age| age + COMMIT_DELAY < keep) {
            return Some(format!("after {young} ms, and {keep} were said"));
        }
        if self.segments(stream).any(|(key, end, _)| goes(key) != (end <= begins)) {
            return Some("with other segments than its own".into());
        }
        let places = self.rows_of(Prefix::Place, stream);
        let mut places = places.filter_map(|(key, value)| Some((key, stored::decode_number(value).ok()?)));
        if places.any(|(key, place)| goes(key) != (place < begins)) {
            return Some("with other places than its own".into());
        }
        let Some(root) = self.root_at_home(stream).filter(|root| begins <= root.arrivals) else {
            return Some("and nothing covers it".into());
        };
        let noticed = self.relay.noticed_at.get(&stream).copied().unwrap_or(0);
        let pages = root.pages.iter().map(|page| stored::page_key(&stream, page));
        let mut covering = pages.chain([stored::snapshot_key(&stream)]);
        let is_unread = |key: &Vec<u8>| self.relay.read_at.get(key).is_none_or(|at| *at < noticed);
        covering.any(|key| is_unread(&key)).then(|| "though its snapshot was not read back".into())
    }

    fn rows_of(&self, prefix: Prefix, stream: StreamId) -> impl Iterator<Item = (&[u8], &[u8])> {
        let start = stored::stream_prefix(prefix, &stream);
        self.relay.disk.rows_of(prefix as u8).filter(move |(key, _)| key.starts_with(&start))
    }

    /// Segments of a stream's archive: the row's key, the arrival behind the last entry, the row.
    fn segments(&self, stream: StreamId) -> impl Iterator<Item = (&[u8], u64, &[u8])> {
        let rows = self.rows_of(Prefix::Archive, stream);
        rows.filter_map(|(key, value)| Some((key, stored::parse_archive_key(key)?.1, value)))
    }

    fn root_at_home(&self, stream: StreamId) -> Option<Root> {
        let row = self.relay.disk.row(&stored::snapshot_key(&stream))?;
        SignedRoot::decode(row).ok().map(|signed| signed.root)
    }

    /// Where the history of a stream begins at the relay.
    pub(crate) fn history_begins(&self, stream: StreamId) -> u64 {
        let row = self.relay.disk.row(&stored::history_key(&stream));
        row.and_then(|row| HistoryRecord::decode(row).ok()).map_or(0, |history| history.begins)
    }

    /// Rule 9: nothing goes that the snapshot which stands does not cover, what is left hangs together, and nothing outlives
    /// its time, when nobody has written for long.
    pub(crate) fn compare_history(&mut self) {
        let streams = self.documents.iter().copied().chain([StreamId::DIRECTORY, self.channel()]);
        if let Some(what) = streams.collect::<Vec<_>>().into_iter().find_map(|stream| self.untimely(stream)) {
            self.fail(|| what);
        }
    }

    fn untimely(&self, stream: StreamId) -> Option<String> {
        let disk = &self.relay.disk;
        let begins = self.history_begins(stream);
        let covered = self.root_at_home(stream).map_or(0, |root| root.arrivals);
        if begins > covered {
            return Some(format!("history of {stream} up to {begins} is gone, and {covered} are covered"));
        }
        let places = self.rows_of(Prefix::Place, stream);
        if places.filter_map(|(_, value)| stored::decode_number(value).ok()).any(|place| place < begins) {
            return Some(format!("a place of {stream} lies in history that is gone"));
        }
        // Of a stream that is set apart nothing goes.
        let is_apart = disk.row(&stored::quarantine_key(&stream)).is_some();
        let keep = self.plan.history.filter(|_| !is_apart)?;
        let wall = Millis(EPOCH + self.now);
        // It is of age, what was noticed before it goes first, it is noticed and goes: each may be a look later than it could, and
        // looks are put off while something else is being done.
        let late = Millis(8 * keep.0 + 10_000);
        let age =
            |value: &[u8]| stored::decode_segment(value).map_or(Millis(0), |(since, _)| wall.since(since));
        let oldest = self.segments(stream).map(|(.., value)| age(value)).max().filter(|age| *age > late)?;
        Some(format!("history of {stream} is {} ms old and is kept for {}", oldest.0, keep.0))
    }
}

fn is_of(prefix: Prefix, key: &[u8]) -> bool {
    key.first() == Some(&(prefix as u8))
}
