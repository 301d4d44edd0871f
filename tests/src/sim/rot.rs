//! Disks that do not keep what was written: a row of the relay that rots, and a page that is written wrongly.

use causeway_core::snapshot::SignedRoot;
use causeway_core::storage::Commit;
use causeway_core::stored;

use crate::sim::plan::Trouble;
use crate::sim::rows;
use crate::sim::tally::Fault;
use crate::sim::world::World;

impl World {
    /// One bit of one entry's row at the relay. Its author must still hold it, or it would be lost and nobody lied.
    pub(crate) fn rot(&mut self) {
        if self.plan.kinds.contains(&Trouble::Wipe) {
            return;
        }
        let rows = self.relay.disk.rows_of(b'e');
        let keys: Vec<Vec<u8>> =
            rows.filter(|(_, row)| self.is_held_by_its_author(row)).map(|(key, _)| key.to_vec()).collect();
        if keys.is_empty() {
            return;
        }
        let key = &keys[self.rng.index(keys.len())];
        let bits = self.relay.disk.row(key).map_or(0, <[u8]>::len) as u64 * 8;
        let bit = self.rng.below(bits);
        self.relay.disk.flip(key, bit);
        self.relay.has_rotted = true;
        self.relay.unread_rot.insert(key.clone());
        self.tally.note(Fault::RowRotted);
        self.chronicle.line(self.now, || "a row of the relay rots".into());
    }

    fn is_held_by_its_author(&self, row: &[u8]) -> bool {
        let Ok(entry) = stored::decode_entry(row.to_vec()) else { return false };
        let (stream, name) = (entry.header().stream, entry.name());
        self.machines.iter().any(|machine| {
            machine.disk.durable_row(&stored::replica_key(&name.replica)).is_some()
                && rows::entry_that_survives(&machine.disk, &stream, name)
                    .is_some_and(|held| held.bytes() == entry.bytes())
        })
    }

    /// The relay's disk writes the page of a draft otherwise than it was told, once.
    pub(crate) fn miswrite(&mut self, commit: &mut Commit) {
        let drafted = commit.put.iter().find_map(|(key, value)| {
            let root = (key.first() == Some(&b'd')).then(|| SignedRoot::decode(value).ok())??.root;
            root.pages.first().map(|page| stored::page_key(&root.stream, page))
        });
        let page = drafted.filter(|page| self.relay.disk.row(page).is_none());
        let Some((_, page)) = commit.put.iter_mut().find(|(key, _)| Some(key) == page.as_ref()) else {
            return;
        };
        (self.relay.miswrites, self.relay.has_miswritten) = (false, true);
        let at = self.rng.index(page.len());
        page[at] ^= 1 << self.rng.below(8);
        self.tally.note(Fault::PageMiswritten);
        self.chronicle.line(self.now, || "the relay's disk writes a page wrongly".into());
    }

    /// Whether a row has rotted and nobody has noticed: who came since was sent a page that was read before.
    pub(crate) fn has_unread_rot(&self) -> bool {
        self.rotten().any(|key| self.relay.unread_rot.contains(key))
    }

    fn rotten(&self) -> impl Iterator<Item = &[u8]> {
        let rows = self.relay.disk.rows_of(b'e');
        rows.filter(|(_, row)| stored::decode_entry(row.to_vec()).is_err()).map(|(key, _)| key)
    }

    /// A row of the relay that nobody has mended.
    pub(crate) fn unmended(&self) -> Option<String> {
        let (stream, arrival) = stored::parse_entry_key(self.rotten().next()?)?;
        Some(format!("entry {arrival} of {stream} has rotted at the relay and is not mended"))
    }
}
