//! Where entries wait for what they build on, found by what they wait for: one that lands costs a look-up, however many
//! others wait.

use crate::ids::ReplicaId;
use crate::limits::{PARK_BYTES, PARK_ENTRIES};
use crate::log::{Entry, EntryName, Missing};
use crate::sorted::SortedMap;

/// A bounded waiting room. What does not fit is dropped: the sender is asked for it again with `need`.
#[derive(Debug, Default)]
pub struct Park {
    // Boxed, so that an entry that goes in front of two thousand others moves only their names.
    waiting: SortedMap<EntryName, Box<Entry>>,
    /// What is awaited, and by whom, in order. Each waits for one at a time.
    awaited: Vec<(EntryName, EntryName)>,
    bytes: usize,
}

impl Park {
    /// Lets an entry wait until the first of what it misses has landed, and says whether there was room for it.
    pub fn push(&mut self, entry: Entry, missing: &[Missing]) -> bool {
        let (size, name) = (entry.bytes().len(), entry.name());
        let Some(first) = missing.first() else { return false };
        if self.waiting.contains_key(&name) {
            return true;
        }
        if self.waiting.len() >= PARK_ENTRIES || self.bytes + size > PARK_BYTES {
            return false;
        }
        self.bytes += size;
        let pair = (EntryName { replica: first.replica, seq: first.to }, name);
        self.awaited.insert(self.place(&pair), pair);
        self.waiting.insert(name, Box::new(entry));
        true
    }

    /// Takes out what waited for an entry that has landed. What misses something else is pushed again by the caller.
    pub fn take(&mut self, landed: EntryName) -> Vec<Entry> {
        let first = EntryName { replica: ReplicaId::from_bytes([0; 32]), seq: 0 };
        let at = self.place(&(landed, first));
        let end = self.awaited.partition_point(|(awaited, _)| *awaited <= landed);
        let mut ready = Vec::new();
        // From the end, so that each moves only those that go on waiting.
        for (_, name) in self.awaited.drain(at..end).rev() {
            if let Some(entry) = self.waiting.remove(&name) {
                self.bytes -= entry.bytes().len();
                ready.push(*entry);
            }
        }
        ready
    }

    fn place(&self, pair: &(EntryName, EntryName)) -> usize {
        self.awaited.partition_point(|other| other < pair)
    }

    /// Takes everything out, in the order of names; what still waits is pushed again by the caller.
    pub fn drain(&mut self) -> Vec<Entry> {
        self.bytes = 0;
        self.awaited.clear();
        std::mem::take(&mut self.waiting).into_values().map(|entry| *entry).collect()
    }

    /// Whether this entry waits here.
    pub fn holds(&self, name: EntryName) -> bool {
        self.waiting.contains_key(&name)
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// How many entries wait.
    pub fn len(&self) -> usize {
        self.waiting.len()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::ids::StreamId;
    use crate::log::{EntryKind, Header};
    use crate::time::Millis;
    use crate::wire;

    fn entry(replica: ReplicaId, seq: u64) -> Entry {
        let header = Header {
            stream: StreamId::DIRECTORY,
            replica,
            seq,
            deps: Vec::new(),
            logical: seq,
            time: Millis(0),
            kind: EntryKind::Edit,
            target: None,
            key_epoch: 0,
            payload_hash: [0; 32],
        };
        wire::entry::build(header, b"")
    }

    #[test]
    fn rule_4_ten_thousand_that_wait_come_out_once_each_when_what_they_wait_for_lands() {
        let chains: Vec<ReplicaId> = (0..100).map(|number| ReplicaId::from_bytes([number; 32])).collect();
        let mut parks: Vec<Park> = (0..5).map(|_| Park::default()).collect();
        let mut steps = 0;
        for park in &mut parks {
            for seq in (2..=21).rev() {
                for replica in &chains {
                    let missing = [Missing { replica: *replica, from: 1, to: seq - 1 }];
                    assert!(park.push(entry(*replica, seq), &missing));
                    assert!(park.push(entry(*replica, seq), &missing), "it waits already");
                }
            }
            assert_eq!(park.len(), 2_000);
            for replica in &chains {
                let mut landed = vec![EntryName { replica: *replica, seq: 1 }];
                while let Some(name) = landed.pop() {
                    let ready = park.take(name);
                    steps += ready.len();
                    landed.extend(ready.iter().map(Entry::name));
                }
            }
            assert!(park.is_empty() && park.awaited.is_empty() && park.bytes == 0);
        }
        assert_eq!(steps, 10_000);
    }

    #[test]
    fn rule_4_all_that_wait_for_one_come_out_together_when_it_lands() {
        let chains: Vec<ReplicaId> = (0..=255).map(|number| ReplicaId::from_bytes([number; 32])).collect();
        let (landed, other) = (chains[7], chains[8]);
        let waits_for = |park: &mut Park, replica, seq, awaited| {
            let missing = [Missing { replica: awaited, from: 1, to: 1 }];
            assert!(park.push(entry(replica, seq), &missing));
        };
        let mut park = Park::default();
        for seq in 2..6 {
            for replica in &chains {
                waits_for(&mut park, *replica, seq, landed);
                waits_for(&mut park, *replica, seq + 4, other);
            }
        }
        let ready = park.take(EntryName { replica: landed, seq: 1 });
        let names: BTreeSet<EntryName> = ready.iter().map(Entry::name).collect();
        assert_eq!((names.len(), park.len()), (4 * 256, 4 * 256));
        assert!(names.iter().all(|name| name.seq < 6 && !park.holds(*name)));
        assert_eq!(park.take(EntryName { replica: landed, seq: 1 }), []);
        assert_eq!(park.take(EntryName { replica: other, seq: 1 }).len(), 4 * 256);
        assert!(park.is_empty() && park.awaited.is_empty() && park.bytes == 0);
    }

    #[test]
    fn rule_4_what_does_not_fit_is_dropped() {
        let mut park = Park::default();
        let replica = ReplicaId::from_bytes([1; 32]);
        for seq in 2.. {
            if !park.push(entry(replica, seq), &[Missing { replica, from: 1, to: seq - 1 }]) {
                break;
            }
        }
        assert_eq!(park.len(), PARK_ENTRIES);
        assert_eq!(park.drain().len(), PARK_ENTRIES);
        assert!(park.is_empty() && park.bytes == 0);
    }
}
