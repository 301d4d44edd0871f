//! Work that the shell does on threads of its own, and what its answers are for.

use crate::home::{Home, Output, fresh_op};
use crate::ids::{ConnId, StreamId};
use crate::snapshot::{Done, Job, JobError};
use crate::time::Now;
use crate::write_queue::OpId;

/// What a job is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Work {
    /// The snapshot that is being made.
    Compaction,
    /// A segment of the archive for a reader, up to this arrival.
    Segment { conn: ConnId, stream: StreamId, end: u64 },
}

impl Home {
    pub(super) fn materialise(&mut self, job: Job, work: Work) {
        let op = fresh_op(&mut self.next_op);
        self.jobs.insert(op, work);
        self.outputs.push_back(Output::Materialise(op, Box::new(job)));
    }

    pub(super) fn handle_materialised(&mut self, op: OpId, result: Result<Done, JobError>, now: Now) {
        match self.jobs.remove(&op) {
            Some(Work::Compaction) => self.handle_compacted(result, now),
            Some(Work::Segment { conn, stream, end }) => match result {
                Ok(Done::Unpacked(entries)) => self.handle_unpacked(conn, stream, end, entries),
                Err(JobError::Busy) => self.put_off_segment(conn, stream, now),
                Ok(Done::Built(_) | Done::Verified(_)) => self.fail_reader(conn),
                Err(_) => self.handle_unreadable(conn, stream, end),
            },
            None => {}
        }
    }
}
