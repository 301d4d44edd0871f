//! Work that the shell does on threads of its own, and what its answers are for.

use crate::home::doubts::ChainOf;
use crate::home::segments::Packed;
use crate::home::{Home, Output, fresh_op};
use crate::snapshot::{Done, Job, JobError};
use crate::time::Now;
use crate::write_queue::OpId;

/// What a job is for.
#[derive(Clone, Debug)]
pub(super) enum Work {
    /// The snapshot that is being made.
    Compaction,
    /// A segment of the archive for a reader.
    Segment(Packed),
    /// A segment of the archive with which entries of a chain are compared, from this one on.
    Doubt(ChainOf, u64),
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
            Some(Work::Segment(packed)) => self.handle_segment_job(packed, result, now),
            Some(Work::Doubt(chain, seq)) => self.handle_doubt_job(chain, seq, result),
            None => {}
        }
    }

    fn handle_segment_job(&mut self, packed: Packed, result: Result<Done, JobError>, now: Now) {
        let Packed { reader, end, .. } = packed;
        match result {
            Ok(Done::Unpacked(entries)) => self.handle_unpacked(reader, end, entries),
            Err(JobError::Busy) => self.put_off_segment(packed, now),
            Ok(Done::Built(_) | Done::Verified(_) | Done::Wants { .. }) => self.fail_segment(reader),
            Err(_) => self.handle_unreadable(reader, end),
        }
    }
}
