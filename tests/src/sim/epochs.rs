//! The epochs of the world's stores: one that begins or is put back is in one that nobody has met (rule 10).

use causeway_core::stored::{META, MetaRecord};
use causeway_core::time::Millis;
use causeway_store::backup::{Fresh, epoch_of};

use crate::disk::Disk;
use crate::sim::agenda::Apart;
use crate::sim::device::EPOCH;
use crate::sim::world::World;

/// A device that plays relay may be so much ahead or behind.
const DAY: u64 = 24 * 60 * 60 * 1000;

impl World {
    /// The relay's disk, where there was none or as it was some time ago.
    pub(crate) fn begin_relay(&mut self, disk: Disk) {
        let wall = self.relay.clock(self.now).wall;
        (self.relay.disk, self.relay.epoch) = self.in_new_epoch(disk, |_| wall);
        self.relay.promised.clear();
    }

    /// Another hub's, by the clock of the device that it is on: its epoch may lie below the relay's.
    pub(crate) fn begin_hub(&mut self, disk: Disk) {
        let yesterday = EPOCH + self.now - DAY;
        (self.hub.disk, self.hub.epoch) =
            self.in_new_epoch(disk, |world| Millis(yesterday + world.rng.below(2 * DAY)));
        self.hub.promised.clear();
    }

    fn in_new_epoch(&mut self, mut disk: Disk, wall: impl FnOnce(&mut Self) -> Millis) -> (Disk, u64) {
        let before = epoch_of(disk.row(META)).expect("epochs do not rot");
        let mut epoch = None;
        self.stores += 1;
        self.apart(Apart::Store(self.stores), |world| {
            let chance = world.rng.next() as u32;
            epoch = Fresh { now: wall(world), chance }.epoch_after(before);
        });
        let epoch = epoch.expect("time does not end");
        disk.put(META.to_vec(), MetaRecord { epoch }.encode());
        (disk, epoch)
    }
}
