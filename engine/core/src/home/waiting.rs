//! Entries of one stream that wait for what they build on, found by what they wait for: an entry that lands costs a
//! look-up, however many others wait.

use std::collections::BTreeMap;

use crate::ids::ConnId;
use crate::limits::{PARK_BYTES, PARK_ENTRIES};
use crate::log::{Entry, EntryName, Missing};

/// A bounded waiting room. What does not fit is dropped: the sender is asked for it again with `need`.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    entries: BTreeMap<EntryName, (ConnId, Entry)>,
    /// For each entry that is awaited, those that wait for it. Each waits for one at a time.
    awaited: BTreeMap<EntryName, Vec<EntryName>>,
    bytes: usize,
}

impl Waiting {
    /// Lets an entry wait until the first of what it misses has landed, and says how many bytes that costs: none if it
    /// waits here already or does not fit.
    pub(super) fn push(&mut self, from: ConnId, entry: &Entry, missing: &[Missing]) -> usize {
        let (size, name) = (entry.bytes().len(), entry.name());
        let full = self.entries.len() >= PARK_ENTRIES || self.bytes + size > PARK_BYTES;
        let Some(first) = missing.first().filter(|_| !full && !self.entries.contains_key(&name)) else {
            return 0;
        };
        self.bytes += size;
        self.awaited.entry(EntryName { replica: first.replica, seq: first.to }).or_default().push(name);
        self.entries.insert(name, (from, entry.detached()));
        size
    }

    /// Takes out what waited for an entry that has landed. What misses something else is pushed again by the caller.
    pub(super) fn take(&mut self, landed: &EntryName) -> Vec<(ConnId, Entry)> {
        let names = self.awaited.remove(landed).unwrap_or_default();
        let ready: Vec<_> = names.iter().filter_map(|name| self.entries.remove(name)).collect();
        self.bytes -= ready.iter().map(|(_, entry)| entry.bytes().len()).sum::<usize>();
        ready
    }

    /// Lets go of what a link brought that has ended.
    pub(super) fn forget(&mut self, conn: ConnId) {
        let Self { entries, awaited, bytes } = self;
        entries.retain(|_, (from, _)| *from != conn);
        awaited.retain(|_, names| {
            names.retain(|name| entries.contains_key(name));
            !names.is_empty()
        });
        *bytes = entries.values().map(|(_, entry)| entry.bytes().len()).sum();
    }

    /// Whether this entry waits here.
    pub(super) fn holds(&self, name: &EntryName) -> bool {
        self.entries.contains_key(name)
    }

    /// Whether nothing waits.
    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{ReplicaId, StreamId};
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

    fn gap(replica: ReplicaId, to: u64) -> [Missing; 1] {
        [Missing { replica, from: 1, to }]
    }

    #[test]
    fn an_entry_that_lands_brings_out_those_that_wait_for_it_and_no_other() {
        let (a, conn) = (ReplicaId::from_bytes([1; 32]), ConnId(1));
        let mut waiting = Waiting::default();
        for seq in 2..=2_000 {
            assert!(waiting.push(conn, &entry(a, seq), &gap(a, seq - 1)) > 0);
            assert_eq!(waiting.push(conn, &entry(a, seq), &gap(a, seq - 1)), 0, "it waits already");
        }
        for seq in 1..2_000 {
            let ready = waiting.take(&EntryName { replica: a, seq });
            assert_eq!(ready.iter().map(|(_, entry)| entry.name().seq).collect::<Vec<_>>(), [seq + 1]);
        }
        assert!(waiting.is_empty() && waiting.awaited.is_empty() && waiting.bytes == 0);
    }

    #[test]
    fn what_a_link_brought_goes_with_it() {
        let (a, b) = (ReplicaId::from_bytes([1; 32]), ReplicaId::from_bytes([2; 32]));
        let mut waiting = Waiting::default();
        waiting.push(ConnId(1), &entry(a, 2), &gap(a, 1));
        let kept = waiting.push(ConnId(2), &entry(b, 2), &gap(a, 1));
        waiting.forget(ConnId(1));
        assert_eq!((waiting.bytes, waiting.awaited.len()), (kept, 1));
        assert_eq!(waiting.take(&EntryName { replica: a, seq: 1 }).len(), 1);
        assert!(waiting.awaited.is_empty());
    }
}
