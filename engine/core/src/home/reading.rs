//! What was read from the disk, and whom it is for.

use crate::home::Home;
use crate::home::compaction::Step;
use crate::home::transfer::Part;
use crate::ids::{ConnId, StreamId};
use crate::log::{Entry, Head};
use crate::storage::{Page, StoreFailure};
use crate::time::Now;
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
    /// What the next step of a snapshot needs.
    Gather(Step),
    /// The name of the entry whose row at this arrival is damaged.
    Name(StreamId, u64),
    /// The heads around an entry that was brought again.
    Heads(ConnId, Box<Entry>),
    /// The snapshot that covers what such an entry continues, and the head the chain had at the entry.
    Covered(ConnId, Box<Entry>, Head),
}

impl Reading {
    pub(super) fn conn(&self) -> Option<ConnId> {
        match self {
            Self::Load
            | Self::Gather(_)
            | Self::Part(..)
            | Self::Shared(..)
            | Self::Name(..)
            | Self::Heads(..)
            | Self::Covered(..) => None,
            Self::Lookup(conn, _) | Self::Rows(conn, _) | Self::Segment(conn, _) => Some(*conn),
        }
    }
}

impl Home {
    pub(super) fn handle_scanned(&mut self, op: OpId, result: Result<Page, StoreFailure>, now: Now) {
        match self.scans.remove(&op) {
            Some(Reading::Load) => self.handle_loaded(result, now),
            Some(Reading::Lookup(conn, stream)) => match result {
                Ok(page) => self.handle_looked_up(conn, stream, &page),
                Err(_) => self.fail_reader(conn),
            },
            Some(Reading::Rows(conn, stream)) => match result {
                Ok(page) => self.handle_rows(conn, stream, page),
                Err(_) => self.fail_reader(conn),
            },
            Some(Reading::Shared(stream, from)) => self.handle_shared(stream, from, result, now),
            Some(Reading::Segment(conn, stream)) => match result {
                Ok(page) => self.handle_segment(conn, stream, &page),
                Err(_) => self.fail_reader(conn),
            },
            Some(Reading::Part(stream, part)) => self.handle_part(stream, part, result),
            Some(Reading::Gather(step)) => self.handle_gathered(step, result, now),
            // What cannot be read now is found again by the next walk that meets the hole.
            Some(Reading::Name(stream, arrival)) => match result {
                Ok(page) => self.handle_names(stream, arrival, page),
                Err(_) => self.forget_hole(&stream, arrival),
            },
            Some(Reading::Heads(conn, entry)) => {
                if let Ok(page) = result {
                    self.handle_heads(conn, *entry, &page);
                }
            }
            Some(Reading::Covered(conn, entry, here)) => {
                if let Ok(page) = result {
                    self.handle_covered(conn, *entry, here, &page);
                }
            }
            None => {}
        }
    }
}
