//! One stream at its home.

use std::collections::BTreeMap;

use crate::home::compaction::Standing;
use crate::home::seen::Readers;
use crate::home::transfer::Shared;
use crate::home::waiting::Waiting;
use crate::ids::{ReplicaId, StreamId};
use crate::log::{Dep, Digest, EntryName, Head, Refusal, StreamLog, Tip};
use crate::wire::Version;

/// The log of a stream as judged, and how much of it is on the disk.
#[derive(Debug)]
pub(super) struct HomeStream {
    /// Everything judged, also what is still on its way to the disk.
    pub(super) log: StreamLog,
    /// Entries waiting for what they build on, with the link that sent them.
    pub(super) waiting: Waiting,
    /// Arrival number of the next entry.
    pub(super) arrivals: u64,
    /// The same, of those on the disk.
    pub(super) durable_arrivals: u64,
    /// Chains on the disk.
    pub(super) durable: BTreeMap<ReplicaId, (u64, Head)>,
    /// Replicas that were refused, from which entry on.
    pub(super) refused: BTreeMap<ReplicaId, (u64, Refusal)>,
    /// Who has applied what.
    pub(super) readers: Readers,
    /// Damaged rows of entries, by arrival, with the names of the entries once they are known.
    pub(super) holes: BTreeMap<u64, Option<EntryName>>,
    /// Bytes of all entries so far, also of those on their way to the disk.
    pub(super) bytes: u64,
    /// The same, of those on the disk.
    pub(super) durable_bytes: u64,
    /// The snapshot that stands.
    pub(super) snapshot: Option<Standing>,
    /// Its snapshot on the way to readers.
    pub(super) shared: Shared,
    /// No snapshot can be made of it; as a log it is whole.
    pub(super) unbuildable: bool,
    /// Its records on the disk are damaged.
    pub(super) damaged: bool,
}

impl HomeStream {
    pub(super) fn new(stream: StreamId) -> Self {
        Self {
            log: StreamLog::new(stream),
            waiting: Waiting::default(),
            arrivals: 0,
            durable_arrivals: 0,
            durable: BTreeMap::new(),
            refused: BTreeMap::new(),
            readers: Readers::default(),
            holes: BTreeMap::new(),
            bytes: 0,
            durable_bytes: 0,
            snapshot: None,
            shared: Shared::default(),
            unbuildable: false,
            damaged: false,
        }
    }

    pub(super) fn restore(&mut self, replica: ReplicaId, tip: Tip) {
        self.log.restore(replica, tip);
        self.durable.insert(replica, (tip.seq, tip.head));
    }

    /// Whether nothing was ever let in and nothing waits.
    pub(super) fn is_empty(&self) -> bool {
        self.arrivals == 0 && self.waiting.is_empty() && !self.log.is_gone() && !self.damaged
    }

    pub(super) fn durable_seq(&self, replica: &ReplicaId) -> u64 {
        self.durable.get(replica).map_or(0, |(seq, _)| *seq)
    }

    /// What a reader holds of the chains that are here. What it says of others is not kept: that is its own to bound.
    pub(super) fn held_of(&self, version: &Version) -> BTreeMap<ReplicaId, u64> {
        let here = version.above.iter().filter(|mark| self.durable.contains_key(&mark.replica));
        here.map(|mark| (mark.replica, mark.seq)).collect()
    }

    pub(super) fn durable_digest(&self) -> Digest {
        Digest::of_chains(self.durable.iter().map(|(replica, (seq, head))| (replica, *seq, head)))
    }

    pub(super) fn durable_version(&self) -> Version {
        let mark = |(replica, (seq, head)): (&ReplicaId, &(u64, Head))| Dep {
            replica: *replica,
            seq: *seq,
            head: head.short(),
        };
        Version { snapshot: None, above: self.durable.iter().map(mark).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rl8_what_a_reader_says_of_chains_that_are_not_here_is_not_kept() {
        let (here, invented) = (ReplicaId::from_bytes([1; 32]), ReplicaId::from_bytes([2; 32]));
        let mut stream = HomeStream::new(StreamId::DIRECTORY);
        stream.restore(here, Tip { seq: 3, head: Head::START, logical: 3, clock: 0, introduced: None });
        let mark = |replica| Dep { replica, seq: 2, head: [0; 8] };
        let version = Version { snapshot: None, above: vec![mark(here), mark(invented)] };
        assert_eq!(stream.held_of(&version), BTreeMap::from([(here, 2)]));
    }
}
