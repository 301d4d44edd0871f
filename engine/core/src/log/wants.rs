//! What to ask for after a frame.

use crate::ids::{ReplicaId, StreamId};
use crate::limits::WANTED_CHAINS;
use crate::log::{EntryName, Missing};
use crate::sorted::SortedMap;

/// Missing entries, gathered: a thousand entries that wait for one cost one question. Without this, what answers a
/// question asks two more, and two sides that both lack a third's entries drown each other.
#[derive(Debug, Default)]
pub struct Wants {
    ranges: SortedMap<(StreamId, ReplicaId), (u64, u64)>,
}

impl Wants {
    /// Notes what an entry waits for. Of more chains than can be asked for at once the rest is asked for when the entries
    /// that wait for it are offered again.
    pub fn add(&mut self, stream: StreamId, missing: &[Missing]) {
        for Missing { replica, from, to } in missing {
            if self.ranges.len() >= WANTED_CHAINS && !self.ranges.contains_key(&(stream, *replica)) {
                continue;
            }
            let range = self.ranges.entry((stream, *replica)).or_insert((*from, *to));
            *range = (range.0.min(*from), range.1.max(*to));
        }
    }

    /// The questions, without what is `here` already and only waits itself.
    pub fn take(&mut self, here: impl Fn(StreamId, EntryName) -> bool) -> Vec<(StreamId, Missing)> {
        let ranges = std::mem::take(&mut self.ranges);
        let lacking = ranges.into_iter().filter_map(|((stream, replica), (from, to))| {
            let from = (from..=to).find(|seq| !here(stream, EntryName { replica, seq: *seq }))?;
            Some((stream, Missing { replica, from, to }))
        });
        lacking.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::LANE_CONTROL_BYTES;
    use crate::wire::{self, Need};

    #[test]
    fn many_that_wait_for_one_are_one_question() {
        let (a, b) = (ReplicaId::from_bytes([1; 32]), ReplicaId::from_bytes([2; 32]));
        let mut wants = Wants::default();
        for seq in 3..=9 {
            wants.add(StreamId::DIRECTORY, &[Missing { replica: a, from: 1, to: 4 }]);
            wants.add(StreamId::DIRECTORY, &[Missing { replica: b, from: 2, to: seq - 1 }]);
        }
        let here = |_, name: EntryName| name.replica == b && name.seq >= 3;
        let asked = wants.take(here);
        assert_eq!(
            asked.iter().map(|(_, missing)| *missing).collect::<Vec<_>>(),
            [Missing { replica: a, from: 1, to: 4 }, Missing { replica: b, from: 2, to: 8 },]
        );
        assert!(wants.take(here).is_empty(), "asked once");
    }

    #[test]
    fn no_frame_makes_more_questions_than_a_link_may_have_waiting() {
        let mut wants = Wants::default();
        for number in 0..30_000u32 {
            let mut name = [0; 32];
            name[..4].copy_from_slice(&number.wrapping_mul(0x9e37_79b1).to_le_bytes());
            let replica = ReplicaId::from_bytes(name);
            wants.add(StreamId::DIRECTORY, &[Missing { replica, from: 1, to: 1 }]);
        }
        let asked = wants.take(|_, _| false);
        assert_eq!(asked.len(), WANTED_CHAINS);
        let bytes: usize = asked
            .into_iter()
            .map(|(stream, Missing { replica, from, to })| {
                wire::encode(&Need { stream, replica, from, to }.into()).len() + 64
            })
            .sum();
        assert!(bytes <= LANE_CONTROL_BYTES, "{bytes}");
    }

    #[test]
    fn what_only_waits_itself_is_not_asked_for() {
        let a = ReplicaId::from_bytes([1; 32]);
        let mut wants = Wants::default();
        wants.add(StreamId::DIRECTORY, &[Missing { replica: a, from: 11, to: 14 }]);
        assert!(wants.take(|_, _| true).is_empty());
    }
}
