//! The epoch of a store: a number that each restore makes anew, and whoever begins with an empty store (rule 10), in a row that
//! belongs to no room.

use causeway_core::stored::MetaRecord;
use causeway_core::time::Millis;

use crate::Space;

/// The space of what concerns all rooms. No room can be called that.
#[must_use]
pub fn own_space() -> Space {
    Space::new(".").expect("one byte is a name")
}

/// The epoch in the store's own row; 1 where nobody has written one, and none where it cannot be read.
#[must_use]
pub fn epoch_of(row: Option<&[u8]>) -> Option<u64> {
    row.map_or(Some(1), |row| MetaRecord::decode(row).ok().map(|meta| meta.epoch))
}

/// What an epoch that nobody has met is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fresh {
    /// The wall clock, which may stand or go back.
    pub now: Millis,
    /// Random: two restores of one backup are two epochs, also where the clock helps nobody.
    pub chance: u32,
}

impl Fresh {
    /// An epoch later than this one; none where it is among the last that there are, which no restore has made.
    #[must_use]
    pub fn epoch_after(self, before: u64) -> Option<u64> {
        let later = (before >> CHANCE_BITS) + 1;
        let moment = later.max(self.now.0.min(LAST_MOMENT));
        let chance = u64::from(self.chance) & ((1 << CHANCE_BITS) - 1);
        (moment <= LAST_MOMENT).then_some(moment << CHANCE_BITS | chance)
    }
}

/// Above them stands the moment in milliseconds, up to the year 2527.
const CHANCE_BITS: u32 = 20;
const LAST_MOMENT: u64 = u64::MAX >> CHANCE_BITS;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn st7_an_epoch_is_later_than_the_one_before_it_whatever_the_clock_says() {
        let last = u64::MAX - (1 << CHANCE_BITS);
        for before in [0, 1, 5 << CHANCE_BITS, u64::from(u32::MAX), last] {
            for now in [0, 1, 1_800_000_000_000, u64::MAX] {
                let epochs = [0, u32::MAX]
                    .map(|chance| Fresh { now: Millis(now), chance }.epoch_after(before).unwrap());
                assert!(epochs[0] > before && epochs[1] > before && epochs[0] != epochs[1]);
            }
        }
        assert_eq!(Fresh { now: Millis(0), chance: 0 }.epoch_after(last + 1), None);
    }
}
