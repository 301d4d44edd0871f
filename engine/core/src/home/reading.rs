//! What was read from the disk, and whom it is for.

use std::collections::BTreeMap;

use crate::home::Home;
use crate::home::compaction::Step;
use crate::home::doubts::{ChainOf, Source};
use crate::home::retention::Look;
use crate::home::transfer::Part;
use crate::ids::{ConnId, StreamId};
use crate::limits::READ_RETRY;
use crate::storage::{FailureKind, Page, Scan, StoreFailure};
use crate::time::{Millis, Now};
use crate::wire::Want;
use crate::write_queue::OpId;

/// What a scan was for.
#[derive(Debug)]
pub(super) enum Reading {
    /// The room itself.
    Load,
    /// The arrival number of the first entry a reader lacks.
    Lookup(ConnId, StreamId),
    /// The next entries for a reader.
    Rows(ConnId, StreamId),
    /// The entries from an arrival on, for all readers that stand there.
    Shared(StreamId, u64),
    /// A row of the snapshot that readers are to be sent.
    Part(StreamId, Part),
    /// A segment of the archive for a reader.
    Segment(ConnId, StreamId),
    /// A page of a snapshot that a link has asked for.
    Wanted(ConnId, Want),
    /// Pages among which there may be some of a draft that cannot be read.
    Strays(StreamId),
    /// What the next step of a snapshot needs.
    Gather(Step),
    /// Whether history has expired, and what goes with it.
    Expiry(Look),
    /// The name of the entry whose row at this arrival is damaged.
    Name(StreamId, u64),
    /// What stands where entries of a chain were brought again, from this one on.
    Doubt(ChainOf, u64, Source),
}

/// What the disk was asked for and has not answered.
#[derive(Debug, Default)]
pub(super) struct Scans {
    under_way: BTreeMap<OpId, (Scan, Reading)>,
    /// What the store was too busy for. It is asked again, so that nobody pays for the haste of others.
    put_off: Vec<(Scan, Reading)>,
    again_at: Option<Millis>,
}

impl Scans {
    pub(super) fn is_empty(&self) -> bool {
        self.under_way.is_empty() && self.put_off.is_empty()
    }

    pub(super) fn insert(&mut self, op: OpId, scan: Scan, reading: Reading) {
        self.under_way.insert(op, (scan, reading));
    }

    /// A link has ended.
    pub(super) fn forget(&mut self, conn: ConnId) {
        self.under_way.retain(|_, (_, reading)| reading.conn() != Some(conn));
        self.put_off.retain(|(_, reading)| reading.conn() != Some(conn));
    }

    /// Asks for it a little later.
    pub(super) fn put_off(&mut self, scan: Scan, reading: Reading, now: Now) {
        self.put_off.push((scan, reading));
        self.again_at.get_or_insert(now.monotonic.after(READ_RETRY));
    }

    /// When to hand in the time.
    pub(super) fn again_at(&self) -> Option<Millis> {
        self.again_at
    }

    fn take_due(&mut self, now: Now) -> Vec<(Scan, Reading)> {
        if self.again_at.is_none_or(|at| now.monotonic < at) {
            return Vec::new();
        }
        self.again_at = None;
        std::mem::take(&mut self.put_off)
    }
}

impl Reading {
    fn conn(&self) -> Option<ConnId> {
        match self {
            Self::Load
            | Self::Gather(_)
            | Self::Expiry(_)
            | Self::Strays(_)
            | Self::Part(..)
            | Self::Shared(..)
            | Self::Name(..)
            | Self::Doubt(..) => None,
            Self::Lookup(conn, _) | Self::Rows(conn, _) | Self::Segment(conn, _) | Self::Wanted(conn, _) => {
                Some(*conn)
            }
        }
    }
}

impl Home {
    pub(super) fn handle_scanned(&mut self, op: OpId, result: Result<Page, StoreFailure>, now: Now) {
        let Some((scan, reading)) = self.scans.under_way.remove(&op) else { return };
        if result.as_ref().is_err_and(|failure| failure.kind == FailureKind::Busy) {
            return self.scans.put_off(scan, reading, now);
        }
        match reading {
            Reading::Load => self.handle_loaded(result, now),
            Reading::Lookup(conn, stream) => match result {
                Ok(page) => self.handle_looked_up(conn, stream, &page),
                Err(_) => self.fail_reader(conn),
            },
            Reading::Rows(conn, stream) => match result {
                Ok(page) => self.handle_rows(conn, stream, page, now),
                Err(_) => self.fail_reader(conn),
            },
            Reading::Shared(stream, from) => self.handle_shared(stream, from, result, now),
            Reading::Segment(conn, stream) => match result {
                Ok(page) => self.handle_segment((conn, stream), &page),
                Err(_) => self.fail_segment((conn, stream)),
            },
            // What cannot be read is out of the device's reach, and costs it no link.
            Reading::Wanted(conn, want) => self.handle_wanted(conn, want, &result.unwrap_or_default()),
            Reading::Part(stream, part) => self.handle_part(stream, part, result),
            Reading::Strays(stream) => self.handle_strays(stream, result, now),
            Reading::Gather(step) => self.handle_gathered(step, result, now),
            Reading::Expiry(look) => self.handle_expiry(look, result, now),
            // What cannot be read now is found again by the next walk that meets the hole.
            Reading::Name(stream, arrival) => match result {
                Ok(page) => self.handle_names(stream, arrival, page),
                Err(_) => self.forget_hole(stream, arrival),
            },
            Reading::Doubt(chain, seq, source) => self.handle_doubt_read(chain, seq, source, result, now),
        }
    }

    /// Asks again for what the store was too busy for.
    pub(super) fn tick_scans(&mut self, now: Now) {
        for (scan, reading) in self.scans.take_due(now) {
            self.scan(scan, reading);
        }
    }
}
