//! One device of the simulated world.

use std::collections::{BTreeMap, BTreeSet};

use causeway_core::device::{Input, Room};
use causeway_core::ids::StreamId;
use causeway_core::storage::Commit;
use causeway_core::time::{Millis, Now};
use causeway_core::write_queue::OpId;

use crate::mirror::Mirror;
use crate::sim::ledger::Life;
use crate::sim::talk::Talk;

/// How the life of a device ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// Its process is gone, its disk is as it was.
    Killed,
    /// The power goes, and with it what the disk has not answered for.
    PowerCut,
    /// Its disk is gone for good.
    Wiped,
}

/// A page of a device: the device's disk outlives it.
#[derive(Debug)]
pub(crate) struct Device {
    pub(crate) number: usize,
    pub(crate) machine: usize,
    pub(crate) life: u32,
    /// What people have done on it, in all its lives.
    pub(crate) acts: u64,
    pub(crate) room: Option<Room>,
    /// The commit under way; it may be carried out even if nobody is left to hear of it.
    pub(crate) pending: Option<(OpId, Commit)>,
    pub(crate) link: Option<u64>,
    pub(crate) connecting: bool,
    /// Counts the links it has asked for.
    pub(crate) asked: u64,
    /// Whether it looks for the page that leads.
    pub(crate) joining: bool,
    /// Its link to the page that leads.
    pub(crate) channel: Option<u64>,
    pub(crate) mirrors: BTreeMap<StreamId, Mirror>,
    /// Per stream: up to which edit the disk survives a power cut.
    pub(crate) durable: BTreeMap<StreamId, u64>,
    /// This device's clocks against the world's.
    pub(crate) monotonic_offset: u64,
    pub(crate) wall_offset: i64,
    pub(crate) offline_until: u64,
    pub(crate) failing_until: u64,
    pub(crate) slow_disk_until: u64,
    pub(crate) presence: Option<String>,
    /// How its life ends with its next commit, if it is to end in the middle of one.
    pub(crate) doom: Option<End>,
    /// Texts whose editors have moved since they were last compared.
    pub(crate) moved: BTreeSet<StreamId>,
    pub(crate) looks: u64,
    /// The channel as its app shows it.
    pub(crate) talk: Talk,
    /// The browser lets it sleep: it hears nothing before this moment.
    pub(crate) asleep_until: u64,
    /// What it has not heard yet, each with the number of the link it had then.
    pub(crate) mail: Vec<(u64, Input)>,
    /// Until when another page may have taken it for dead without its knowledge; zero if none ever has.
    pub(crate) contested_until: u64,
    /// It has left for good.
    pub(crate) gone: bool,
}

/// The world's clock at its beginning, as people write it.
pub(crate) const EPOCH: u64 = 1_780_000_000_000;

impl Device {
    pub(crate) fn is_awake(&self, world: u64) -> bool {
        self.room.is_some() && self.asleep_until <= world
    }

    pub(crate) fn life(&self) -> Life {
        (self.number, self.life)
    }

    pub(crate) fn now(&self, world: u64) -> Now {
        Now {
            monotonic: Millis(world + self.monotonic_offset),
            wall: Millis((EPOCH + world).saturating_add_signed(self.wall_offset)),
        }
    }

    /// What it had not heard when it fell asleep. Of a link that it has given up since it hears nothing: shells number them.
    pub(crate) fn is_stale(&self, (link, input): &(u64, Input)) -> bool {
        let of_link = matches!(input, Input::Opened | Input::Received(_) | Input::Closed(_));
        of_link && *link != self.asked
    }

    /// When its room wants to be woken, by the world's clock.
    pub(crate) fn due(&self) -> Option<u64> {
        let (at, _) = self.room.as_ref()?.poll_timeout()?;
        Some(at.0.saturating_sub(self.monotonic_offset).max(self.asleep_until))
    }
}
