//! Streams of which a snapshot came to nothing. As logs they go on. What would fail again is left alone until somebody has
//! looked at it; what a busy machine or a bad moment of the disk may have spoilt is tried again, later and later.

use crate::home::Home;
use crate::home::stream::HomeStream;
use crate::ids::StreamId;
use crate::limits::{SNAPSHOT_AGAIN, SNAPSHOT_AGAIN_MOST, SNAPSHOT_FAILURES};
use crate::snapshot::JobError;
use crate::stored::{self, QuarantineRecord};
use crate::time::{Millis, Now};

/// Why a snapshot came to nothing.
#[derive(Debug)]
pub(super) enum Spoilt {
    /// A job failed.
    Job(JobError),
    /// The snapshot that stands cannot be read.
    Parent,
    /// The one that was just written reads back otherwise.
    Draft,
}

/// What that says of the next attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outlook {
    /// It would end in the same way.
    Same,
    /// It may end well, but not if it has ended like this before.
    Doubtful,
    /// It says nothing.
    Open,
}

impl Spoilt {
    fn code(&self) -> &'static str {
        match self {
            Self::Job(error) => error.code(),
            Self::Parent => "snapshot.unreadable",
            Self::Draft => "snapshot.miswritten",
        }
    }

    fn sentence(&self) -> String {
        match self {
            Self::Job(error) => error.to_string(),
            Self::Parent => "the snapshot it has cannot be read from the disk".into(),
            Self::Draft => "its new snapshot read back from the disk as something else".into(),
        }
    }

    fn outlook(&self) -> Outlook {
        match self {
            Self::Job(JobError::Time) | Self::Draft => Outlook::Doubtful,
            Self::Job(JobError::Late | JobError::Busy) => Outlook::Open,
            Self::Job(
                JobError::Panic
                | JobError::Kind
                | JobError::Log
                | JobError::Page
                | JobError::Guard(_)
                | JobError::Apply(_)
                | JobError::Differs
                | JobError::Segment(_),
            )
            | Self::Parent => Outlook::Same,
        }
    }
}

/// The record of a stream after one more attempt.
fn record(before: Option<&QuarantineRecord>, spoilt: &Spoilt, now: Now) -> QuarantineRecord {
    let (since, attempts, doubtful) =
        before.map_or((now.wall, 0, 0), |record| (record.since, record.attempts, record.doubtful));
    let outlook = spoilt.outlook();
    let doubtful = doubtful + u8::from(outlook == Outlook::Doubtful);
    let stays = outlook == Outlook::Same || doubtful >= SNAPSHOT_FAILURES;
    let wait = Millis(SNAPSHOT_AGAIN.0.saturating_mul(1 << attempts.min(16))).min(SNAPSHOT_AGAIN_MOST);
    QuarantineRecord {
        code: spoilt.code().into(),
        sentence: spoilt.sentence(),
        since,
        attempts: attempts.saturating_add(1),
        doubtful,
        again: (!stays).then(|| now.wall.after(wait)),
    }
}

impl Home {
    /// A snapshot came to nothing.
    pub(super) fn set_apart(&mut self, stream: StreamId, spoilt: &Spoilt, now: Now) {
        self.figures.snapshots_failed += 1;
        if let Some(state) = self.streams.get_mut(&stream) {
            let record = record(state.quarantine.as_ref(), spoilt, now);
            self.figures.streams_quarantined += u64::from(record.again.is_none());
            self.queue.put(stored::quarantine_key(&stream), record.encode());
            state.quarantine = Some(record);
        }
        self.give_up(now);
    }

    /// Found when the room was read.
    pub(super) fn restore_quarantine(&mut self, stream: StreamId, value: &[u8]) {
        // Also where its reason cannot be read.
        let record = QuarantineRecord::decode(value).unwrap_or_default();
        self.figures.streams_quarantined += u64::from(record.again.is_none());
        self.stream_mut(stream).quarantine = Some(record);
    }

    /// Somebody has looked at it: it is tried again.
    pub(super) fn handle_release(&mut self, stream: StreamId, now: Now) {
        if !self.load_is_done() {
            self.released.insert(stream);
            return;
        }
        if self.end_quarantine(stream) {
            self.expect_compaction(&stream, now);
        }
    }

    /// Forgets that a stream was ever set apart; whether it was.
    pub(super) fn end_quarantine(&mut self, stream: StreamId) -> bool {
        let record = self.streams.get_mut(&stream).and_then(|state| state.quarantine.take());
        if record.is_some() {
            self.queue.delete(stored::quarantine_key(&stream));
        }
        record.is_some()
    }
}

impl HomeStream {
    /// Whether its snapshot came to nothing for another reason than what its entries cost.
    pub(super) fn is_spoilt_otherwise(&self) -> bool {
        self.quarantine.as_ref().is_some_and(|record| record.code != JobError::Time.code())
    }

    /// From when on a snapshot may be tried: never, unless it was released, for what would fail again.
    pub(super) fn compacts_from(&self, now: Now) -> Option<Millis> {
        let Some(record) = &self.quarantine else { return Some(now.monotonic) };
        let again = record.again?;
        // A clock that was put back must not put it off for years.
        let wait = if now.wall < record.since { Millis(0) } else { again.since(now.wall) };
        Some(now.monotonic.after(wait))
    }
}
