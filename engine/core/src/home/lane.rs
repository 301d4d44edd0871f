//! The four queues of a link: what must not wait does not stand behind what may.
//!
//! A lane keeps its order. Between lanes the control lane goes first and the others take turns, so whatever has an order
//! across lanes says so where it is sent: a reader whose walk has ended gets its entries behind the last page until the
//! bulk lane has drained, and a `saved` that must not overtake a `synced` goes behind it.

use crate::limits::{LANE_BULK_BYTES, LANE_CONTROL_BYTES, LANE_ENTRIES_BYTES, LANE_PRESENCE_BYTES};

/// Which queue of a link bytes wait in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lane {
    /// Handshake, answers and errors. More than it holds means that a link asks faster than it reads: it is cut.
    Control,
    /// Entries as they become durable. What does not fit is sent from the log once the lane has drained.
    Entries,
    /// Presence. What does not fit is told as it then is, once the lane has drained.
    Presence,
    /// What is read from the log, and what must not overtake it. The next page is read when there is room.
    Bulk,
}

impl Lane {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 4] = [Self::Control, Self::Entries, Self::Presence, Self::Bulk];

    /// Bytes that may wait in it. A lane that is empty takes a frame of any size, so that everybody gets on.
    pub const fn budget(self) -> usize {
        match self {
            Self::Control => LANE_CONTROL_BYTES,
            Self::Entries => LANE_ENTRIES_BYTES,
            Self::Presence => LANE_PRESENCE_BYTES,
            Self::Bulk => LANE_BULK_BYTES,
        }
    }
}

/// Bytes handed to the lanes of one link and not yet written out, as far as the home was told.
#[derive(Debug, Default)]
pub(super) struct Fill([usize; Lane::ALL.len()]);

impl Fill {
    /// Counts a frame. A small one costs memory beside its bytes, so it counts for more.
    pub(super) fn add(&mut self, lane: Lane, bytes: usize) {
        self.0[lane as usize] += bytes + FRAME_OVERHEAD;
    }

    pub(super) fn drained(&mut self, lane: Lane) {
        self.0[lane as usize] = 0;
    }

    pub(super) fn is_empty(&self, lane: Lane) -> bool {
        self.0[lane as usize] == 0
    }

    pub(super) fn has_room(&self, lane: Lane, bytes: usize) -> bool {
        let waiting = self.0[lane as usize];
        waiting == 0 || waiting + bytes <= lane.budget()
    }
}

/// What a queued frame costs beside its bytes: its place in a queue and its share of an allocation.
const FRAME_OVERHEAD: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rl8_lanes_fill_apart_and_an_empty_one_takes_anything() {
        let mut fill = Fill::default();
        assert!(
            fill.has_room(Lane::Bulk, 10 * Lane::Bulk.budget()),
            "an empty lane takes a frame of any size"
        );
        fill.add(Lane::Bulk, 10 * Lane::Bulk.budget());
        assert!(!fill.has_room(Lane::Bulk, 1));
        assert!(fill.has_room(Lane::Entries, 1), "the other lanes do not notice");
        fill.add(Lane::Entries, 1);
        fill.drained(Lane::Bulk);
        assert!(fill.is_empty(Lane::Bulk) && !fill.is_empty(Lane::Entries));
    }

    #[test]
    fn rl8_all_lanes_together_stay_within_what_one_link_may_cost() {
        let all: usize = Lane::ALL.into_iter().map(Lane::budget).sum();
        assert!(all <= 512 * 1024, "{all}");
        assert!(Lane::ALL.into_iter().enumerate().all(|(number, lane)| lane as usize == number));
    }
}
