//! What to ask for after a frame.

use crate::ids::{ReplicaId, StreamId};
use crate::log::{EntryName, Missing};
use crate::sorted::SortedMap;

/// Missing entries, gathered: a thousand entries that wait for one cost one question. Without this, what answers a
/// question asks two more, and two sides that both lack a third's entries drown each other.
#[derive(Debug, Default)]
pub struct Wants {
    ranges: SortedMap<(StreamId, ReplicaId), (u64, u64)>,
}

impl Wants {
    /// Notes what an entry waits for.
    pub fn add(&mut self, stream: StreamId, missing: &[Missing]) {
        for Missing { replica, from, to } in missing {
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
    fn what_only_waits_itself_is_not_asked_for() {
        let a = ReplicaId::from_bytes([1; 32]);
        let mut wants = Wants::default();
        wants.add(StreamId::DIRECTORY, &[Missing { replica: a, from: 11, to: 14 }]);
        assert!(wants.take(|_, _| true).is_empty());
    }
}
