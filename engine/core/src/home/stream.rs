//! One stream at its home.

use std::collections::BTreeMap;

use crate::home::compaction::Standing;
use crate::home::durable::Durable;
use crate::home::heads::Vouched;
use crate::home::holes::Hole;
use crate::home::seen::Readers;
use crate::home::transfer::Shared;
use crate::home::waiting::Waiting;
use crate::ids::{ReplicaId, StreamId};
use crate::log::{Digest, EntryName, Refusal, StreamLog, Tip};
use crate::stored::{HistoryRecord, QuarantineRecord};

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
    pub(super) durable: Durable,
    /// Replicas that were refused whoever brings them, from which entry on.
    pub(super) refused: BTreeMap<ReplicaId, (u64, Refusal)>,
    /// Entries that somebody else than their author brought and that were refused: nobody is asked for what stands there.
    pub(super) unwanted: BTreeMap<ReplicaId, u64>,
    /// Who has applied what.
    pub(super) readers: Readers,
    /// Damaged rows of entries, by arrival.
    pub(super) holes: BTreeMap<u64, Hole>,
    /// Bytes of all entries so far, also of those on their way to the disk.
    pub(super) bytes: u64,
    /// The same, of those on the disk.
    pub(super) durable_bytes: u64,
    /// The snapshot that stands.
    pub(super) snapshot: Option<Standing>,
    /// Where what is left of its archive begins.
    pub(super) history: HistoryRecord,
    /// Signed heads of its chains, but of those that the snapshot before the newest covers.
    pub(super) vouched: BTreeMap<ReplicaId, Vouched>,
    /// Its snapshot on the way to readers.
    pub(super) shared: Shared,
    /// Snapshots of it came to nothing; as a log it is whole.
    pub(super) quarantine: Option<QuarantineRecord>,
    /// A draft that cannot be read has left pages.
    pub(super) has_strays: bool,
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
            durable: Durable::default(),
            refused: BTreeMap::new(),
            unwanted: BTreeMap::new(),
            readers: Readers::default(),
            holes: BTreeMap::new(),
            bytes: 0,
            durable_bytes: 0,
            snapshot: None,
            history: HistoryRecord::default(),
            vouched: BTreeMap::new(),
            shared: Shared::default(),
            quarantine: None,
            has_strays: false,
            damaged: false,
        }
    }

    pub(super) fn restore(&mut self, replica: ReplicaId, tip: Tip) {
        self.log.restore(replica, tip);
        self.durable.restore(replica, tip.seq, tip.head);
    }

    /// Whether nothing was ever let in and nothing waits.
    pub(super) fn is_empty(&self) -> bool {
        self.arrivals == 0 && self.waiting.is_empty() && !self.log.is_gone() && !self.damaged
    }

    /// Whether something of it is on the disk and it is not deleted.
    pub(super) fn is_alive(&self) -> bool {
        !self.log.is_gone() && self.durable.digest() != Digest::NOTHING
    }

    /// Whether an entry was refused, itself or one before it in its chain.
    pub(super) fn has_refused(&self, name: &EntryName) -> bool {
        self.refused.get(&name.replica).is_some_and(|(from, _)| name.seq >= *from)
    }

    /// Up to which entry the snapshot covers a chain; zero for none.
    pub(super) fn covered(&self, replica: &ReplicaId) -> u64 {
        self.snapshot.as_ref().map_or(0, |standing| standing.covered(replica))
    }

    pub(super) fn durable_seq(&self, replica: &ReplicaId) -> u64 {
        self.durable.get(replica).map_or(0, |(seq, _)| seq)
    }
}
