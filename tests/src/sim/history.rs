//! Relays that keep history for a while only: what may go and what must.

use causeway_core::ids::StreamId;
use causeway_core::snapshot::SignedRoot;
use causeway_core::stored::{self, HistoryRecord, Prefix};
use causeway_core::time::Millis;

use crate::sim::device::EPOCH;
use crate::sim::plan::Trouble;
use crate::sim::world::World;

impl World {
    /// Half of the relays keep history for some seconds. Not one that is put back to yesterday: a device may then hold what
    /// that one lacks, and for the rest of the stream needs the history of a time in which it was away.
    pub(crate) fn draw_history(&mut self) {
        let kept = self.rng.chance(50) && !self.plan.kinds.contains(&Trouble::Restore);
        let span = self.rng.between(1_000, 30_000);
        self.plan.history = kept.then_some(Millis(span));
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
        let snapshot = disk.row(&stored::snapshot_key(&stream)).and_then(|row| SignedRoot::decode(row).ok());
        let covered = snapshot.map_or(0, |signed| signed.root.arrivals);
        if begins > covered {
            return Some(format!("history of {stream} up to {begins} is gone, and {covered} are covered"));
        }
        let places = stored::stream_prefix(Prefix::Place, &stream);
        let places = disk.rows_of(Prefix::Place as u8).filter(|(key, _)| key.starts_with(&places));
        if places.filter_map(|(_, value)| stored::decode_number(value).ok()).any(|place| place < begins) {
            return Some(format!("a place of {stream} lies in history that is gone"));
        }
        let keep = self.plan.history?;
        let wall = Millis(EPOCH + self.now);
        let segments = disk.rows_of(Prefix::Archive as u8);
        let mut segments =
            segments.filter(|(key, _)| stored::parse_archive_key(key).is_some_and(|(of, _)| of == stream));
        // Looked at twice in its time, once more where a commit failed, and a little later when something else is being done.
        let late = Millis(5 * keep.0 + 10_000);
        let old =
            |value: &[u8]| stored::decode_segment(value).is_ok_and(|(since, _)| wall.since(since) > late);
        let outlived = segments.any(|(_, value)| old(value));
        outlived.then(|| format!("history of {stream} outlives the {} ms it is kept", keep.0))
    }
}
