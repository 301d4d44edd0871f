//! The relay of the simulated world: a home over a disk.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use causeway_core::home::Home;
use causeway_core::ids::{ReplicaId, StreamId};
use causeway_core::storage::{Commit, Page, Scan, StoreFailure};
use causeway_core::stored::{self, TipRecord};
use causeway_core::time::{Millis, Now};
use causeway_core::write_queue::OpId;

use crate::disk::Disk;
use crate::sim::device::EPOCH;

/// Where a room is kept: at its relay, or meanwhile on a device that plays relay for those around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum At {
    Relay,
    Hub,
}

impl At {
    pub(crate) const ALL: [Self; 2] = [Self::Relay, Self::Hub];
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Relay => "the relay",
            Self::Hub => "the hub",
        })
    }
}

/// The relay, or a hub: its disk outlives its process.
#[derive(Debug)]
pub(crate) struct Relay {
    pub(crate) life: u32,
    pub(crate) home: Option<Home>,
    pub(crate) disk: Disk,
    pub(crate) pending: Option<(OpId, Commit)>,
    /// Whether it is to end in the middle of its next commit.
    pub(crate) doomed: bool,
    pub(crate) backup: Option<Disk>,
    /// Whether a row of it has ever rotted.
    pub(crate) has_rotted: bool,
    /// Rows that have rotted and were not read since.
    pub(crate) unread_rot: BTreeSet<Vec<u8>>,
    /// Whether it is to write the page of its next draft wrongly.
    pub(crate) miswrites: bool,
    /// Whether it ever has.
    pub(crate) has_miswritten: bool,
    pub(crate) epoch: u64,
    /// Whether its disk was ever put back to what it was some time ago.
    pub(crate) was_put_back: bool,
    /// Up to where it has called each chain saved, as long as it has this disk.
    pub(crate) promised: BTreeMap<(StreamId, ReplicaId), u64>,
    pub(crate) failing_until: u64,
    pub(crate) slow_disk_until: u64,
    /// How far its wall clock is ahead of the world's.
    pub(crate) clock_ahead: u64,
    /// When rows were last read.
    pub(crate) read_at: BTreeMap<Vec<u8>, u64>,
    /// When segments of the archive were written, and when it was last written down what of a stream's is too old.
    pub(crate) archived_at: BTreeMap<Vec<u8>, u64>,
    pub(crate) noticed_at: BTreeMap<StreamId, u64>,
}

impl Relay {
    pub(crate) fn new() -> Self {
        Self {
            life: 0,
            home: None,
            disk: Disk::default(),
            pending: None,
            doomed: false,
            backup: None,
            has_rotted: false,
            unread_rot: BTreeSet::new(),
            miswrites: false,
            has_miswritten: false,
            epoch: 1,
            was_put_back: false,
            promised: BTreeMap::new(),
            failing_until: 0,
            slow_disk_until: 0,
            clock_ahead: 0,
            read_at: BTreeMap::new(),
            archived_at: BTreeMap::new(),
            noticed_at: BTreeMap::new(),
        }
    }

    /// Its clocks.
    pub(crate) fn clock(&self, world: u64) -> Now {
        Now { monotonic: Millis(world), wall: Millis(EPOCH + world + self.clock_ahead) }
    }

    /// When its home wants to be woken.
    pub(crate) fn due(&self) -> Option<u64> {
        self.home.as_ref()?.poll_timeout().map(|at| at.0)
    }

    /// What it has called saved and would not survive a power cut.
    pub(crate) fn broken_promise(&self) -> Option<String> {
        let mut broken =
            self.promised.iter().filter(|((stream, replica), seq)| self.durable_seq(stream, replica) < **seq);
        broken.next().map(|((stream, replica), seq)| {
            format!("has called {replica}/{seq} of {stream} saved, and does not have it")
        })
    }

    /// Reads a page.
    pub(crate) fn read(&mut self, scan: &Scan, now: u64) -> Result<Page, StoreFailure> {
        let page = self.disk.scan(scan)?;
        self.read_at.extend(page.rows.iter().map(|(key, _)| (key.clone(), now)));
        self.unread_rot.retain(|key| page.rows.iter().all(|(read, _)| read != key));
        Ok(page)
    }

    /// Up to where a replica's entries would survive a power cut now.
    pub(crate) fn durable_seq(&self, stream: &StreamId, replica: &ReplicaId) -> u64 {
        let row = self.disk.durable_row(&stored::tip_key(stream, replica));
        row.and_then(|value| TipRecord::decode(value).ok()).map_or(0, |tip| tip.seq)
    }
}
