//! Places of the relay's disk that cannot be read for a while, and what may be said of them.

use causeway_core::stored::{self, IndexRecord};
use causeway_core::wire::{ErrorCode, Lost};

use crate::sim::plan::Trouble;
use crate::sim::tally::Fault;
use crate::sim::world::World;

impl World {
    /// A third of the relays have them.
    pub(crate) fn draw_places(&mut self) {
        if self.rng.chance(33) {
            self.plan.kinds.push(Trouble::Place);
        }
    }

    /// Some entries in a row, or all that could not be read can be again.
    pub(crate) fn lose_place(&mut self) {
        if self.rng.chance(30) {
            self.chronicle.line(self.now, || "the relay's disk reads all places again".into());
            return self.relay.disk.make_readable();
        }
        let keys: Vec<Vec<u8>> = self.relay.disk.rows_of(b'e').map(|(key, _)| key.to_vec()).collect();
        if keys.is_empty() {
            return;
        }
        let first = self.rng.index(keys.len());
        let length = self.rng.between(1, 12) as usize;
        let place = &keys[first..(first + length).min(keys.len())];
        let end = [place[place.len() - 1].as_slice(), &[0]].concat();
        self.relay.disk.make_unreadable(place[0].clone(), end);
        self.relay.spoilt.extend(place.iter().cloned());
        self.tally.note(Fault::PlaceUnread);
        self.chronicle.line(self.now, || format!("{} rows of the relay cannot be read", place.len()));
    }

    /// Whether an entry could be read all the time that the home calls lost.
    pub(crate) fn is_sound(&self, lost: &Lost) -> bool {
        let index = stored::index_key(&lost.stream, &lost.name.replica, lost.name.seq);
        let index = self.relay.disk.row(&index).and_then(|row| IndexRecord::decode(row).ok());
        let sound =
            |index: IndexRecord| !self.relay.spoilt.contains(&stored::entry_key(&lost.stream, index.arrival));
        lost.code() == "home.entry" && index.is_some_and(sound)
    }

    /// What the disk does not read costs nobody a link; only one that fails may.
    pub(crate) fn may_close(&self, code: u16) -> bool {
        code != ErrorCode::Store as u16 || self.plan.kinds.contains(&Trouble::RelayDisk)
    }
}
