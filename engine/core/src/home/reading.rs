//! What was read from the disk, and whom it is for.

use std::collections::BTreeMap;

use crate::home::Home;
use crate::home::compaction::Step;
use crate::home::retention::Look;
use crate::home::transfer::Part;
use crate::ids::{ConnId, StreamId};
use crate::limits::READ_RETRY;
use crate::log::{Entry, Head};
use crate::storage::{FailureKind, Page, Scan, StoreFailure};
use crate::stored;
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
    /// The names of the entries in places that cannot be read.
    GapNames(StreamId),
    /// The name of the entry whose row at this arrival is damaged.
    Name(StreamId, u64),
    /// The heads around an entry that was brought again.
    Heads(ConnId, Box<Entry>),
    /// The snapshot that covers what such an entry continues, and the head the chain had at the entry.
    Covered(ConnId, Box<Entry>, Head),
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

    /// What is read now or later.
    pub(super) fn readings(&self) -> impl Iterator<Item = &Reading> {
        self.under_way.values().chain(&self.put_off).map(|(_, reading)| reading)
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
            | Self::GapNames(_)
            | Self::Name(..)
            | Self::Heads(..)
            | Self::Covered(..) => None,
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
        let is_damaged = result.as_ref().is_err_and(|failure| failure.kind == FailureKind::Damaged);
        match reading {
            Reading::Load => self.handle_loaded(result, now),
            Reading::Lookup(conn, stream) => match result {
                Ok(page) => self.handle_looked_up(conn, stream, &page),
                Err(_) if is_damaged => {
                    let page = Page { damaged: vec![scan.start], ..Page::default() };
                    self.handle_looked_up(conn, stream, &page);
                }
                Err(_) => self.fail_reader(conn),
            },
            Reading::Rows(conn, stream) => match result {
                Ok(page) => self.handle_rows(conn, stream, page, now),
                Err(_) if is_damaged => {
                    let (from, upto) = asked(&scan);
                    self.pass_gap(vec![conn], stream, from, upto);
                }
                Err(_) => self.fail_reader(conn),
            },
            Reading::Shared(stream, from) => {
                self.handle_shared(stream, (from, asked(&scan).1), result, now);
            }
            Reading::Segment(conn, stream) => match result {
                Ok(page) => self.handle_segment((conn, stream), &page),
                Err(_) if is_damaged => self.pass_archive((conn, stream)),
                Err(_) => self.fail_segment((conn, stream)),
            },
            // What cannot be read is out of the device's reach, and costs it no link.
            Reading::Wanted(conn, want) => self.handle_wanted(conn, want, &result.unwrap_or_default()),
            Reading::Part(stream, part) => self.handle_part(stream, part, result),
            Reading::Strays(stream) => self.handle_strays(stream, result, now),
            Reading::Gather(step) => self.handle_gathered(step, result, now),
            Reading::Expiry(look) => self.handle_expiry(look, result, now),
            // Without the index nobody knows them.
            Reading::GapNames(stream) => self.handle_gap_names(stream, &result.unwrap_or_default()),
            // What cannot be read now is found again by the next walk that meets the hole.
            Reading::Name(stream, arrival) => match result {
                Ok(page) => self.handle_names(stream, arrival, page),
                Err(_) => self.forget_hole(&stream, arrival),
            },
            Reading::Heads(conn, entry) => {
                if let Ok(page) = result {
                    self.handle_heads(conn, *entry, &page);
                }
            }
            Reading::Covered(conn, entry, here) => {
                if let Ok(page) = result {
                    self.handle_covered(conn, *entry, here, &page);
                }
            }
        }
    }

    /// Asks again for what the store was too busy for.
    pub(super) fn tick_scans(&mut self, now: Now) {
        for (scan, reading) in self.scans.take_due(now) {
            self.scan(scan, reading);
        }
    }
}

/// The entries that a page was to be read of: the first, and behind the last.
fn asked(scan: &Scan) -> (u64, u64) {
    let arrival = |key: &[u8]| stored::parse_entry_key(key).map_or(0, |(_, arrival)| arrival);
    let last = scan.end.split_last().map_or(0, |(_, last)| arrival(last));
    (arrival(&scan.start), last + 1)
}
