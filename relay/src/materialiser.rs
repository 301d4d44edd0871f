//! Threads that look into documents, so that no room ever has to: they make and check snapshots and read the archive.
//!
//! A job that panics or takes too long costs its stream a snapshot and nobody anything else.

mod budget;

use std::collections::VecDeque;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::Builder;

use causeway_core::snapshot::{Done, Job, JobError};
use tracing::warn;

use crate::limits::{
    MATERIALISER_BYTES, MATERIALISER_JOBS, MATERIALISER_LATE, MATERIALISER_PATIENCE,
    MATERIALISER_STACK_BYTES, MATERIALISER_THREADS,
};

use budget::{Budget, Patience};

/// A fixed number of threads and a bounded queue. They end with it.
pub(crate) struct Materialiser {
    shared: Arc<Shared>,
}

struct Shared {
    waiting: Mutex<Waiting>,
    arrived: Condvar,
}

#[derive(Default)]
struct Waiting {
    /// Somebody reads and waits for these; they are short.
    readers: VecDeque<Task>,
    /// Nobody waits for these.
    snapshots: VecDeque<Task>,
    bytes: usize,
    ended: bool,
}

struct Task {
    job: Box<Job>,
    bytes: usize,
    reply: Box<dyn FnOnce(Result<Done, JobError>) + Send>,
}

impl Materialiser {
    /// Starts the threads.
    pub(crate) fn start() -> Self {
        let shared = Arc::new(Shared { waiting: Mutex::default(), arrived: Condvar::new() });
        for _ in 0..MATERIALISER_THREADS {
            let shared = Arc::clone(&shared);
            let thread = Builder::new().name("materialiser".into()).stack_size(MATERIALISER_STACK_BYTES);
            thread.spawn(move || shared.work()).expect("the system starts a thread");
        }
        Self { shared }
    }

    /// Queues a job; `reply` gets the answer, on one of the threads, or at once if too much waits.
    pub(crate) fn run(&self, job: Box<Job>, reply: impl FnOnce(Result<Done, JobError>) + Send + 'static) {
        let bytes = job.bytes();
        let mut waiting = self.shared.lock();
        let count = waiting.readers.len() + waiting.snapshots.len();
        let fits = waiting.bytes + bytes <= MATERIALISER_BYTES || count == 0;
        if waiting.ended || count >= MATERIALISER_JOBS || !fits {
            drop(waiting);
            return reply(Err(JobError::Busy));
        }
        waiting.bytes += bytes;
        let task = Task { bytes, reply: Box::new(reply), job };
        match &*task.job {
            Job::Unpack { .. } => waiting.readers.push_back(task),
            Job::Build { .. } | Job::Verify { .. } => waiting.snapshots.push_back(task),
        }
        drop(waiting);
        self.shared.arrived.notify_one();
    }
}

impl Shared {
    fn work(&self) {
        while let Some(Task { job, bytes, reply }) = self.next() {
            let budget = Budget::begin(PATIENCE);
            let done = catch_unwind(AssertUnwindSafe(|| job.run(&mut || budget.is_left())));
            let done = done.unwrap_or(Err(JobError::Panic)).map_err(|error| budget.judge(error));
            if let Err(error) = &done {
                warn!(%error, "a job of the materialiser came to nothing; its stream goes on without a snapshot");
            }
            self.lock().bytes -= bytes;
            // A room that has gone no longer waits, and one whose reply panics must not end this thread.
            let _ = catch_unwind(AssertUnwindSafe(|| reply(done)));
        }
    }

    fn next(&self) -> Option<Task> {
        let mut waiting = self.lock();
        loop {
            if waiting.ended {
                return None;
            }
            let task = waiting.readers.pop_front();
            if let Some(task) = task.or_else(|| waiting.snapshots.pop_front()) {
                return Some(task);
            }
            waiting = self.arrived.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        // No job and no reply runs under this lock.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Materialiser {
    fn drop(&mut self) {
        self.shared.lock().ended = true;
        self.shared.arrived.notify_all();
    }
}

impl fmt::Debug for Materialiser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let waiting = self.shared.lock();
        write!(f, "Materialiser({} wait)", waiting.readers.len() + waiting.snapshots.len())
    }
}

const PATIENCE: Patience = Patience { processor: MATERIALISER_PATIENCE, clock: MATERIALISER_LATE };

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use causeway_core::ids::StreamId;

    use super::*;

    fn nothing() -> Box<Job> {
        Box::new(Job::Build { stream: StreamId::DIRECTORY, base: None, entries: Vec::new(), posts: 0 })
    }

    #[test]
    fn a_reply_that_panics_ends_no_thread() {
        let materialiser = Materialiser::start();
        for _ in 0..2 * MATERIALISER_THREADS {
            materialiser.run(nothing(), |_| panic!("the room does not feel well"));
        }
        let (answers, answered) = mpsc::channel();
        materialiser.run(nothing(), move |done| answers.send(done.is_ok()).expect("the test waits"));
        assert_eq!(answered.recv(), Ok(true));
    }

    #[test]
    fn what_does_not_fit_is_turned_away_at_once() {
        let materialiser = Materialiser::start();
        let (hold, held) = mpsc::channel::<()>();
        let held = Arc::new(Mutex::new(held));
        for _ in 0..MATERIALISER_THREADS {
            let held = Arc::clone(&held);
            materialiser.run(nothing(), move |_| {
                let _ = held.lock().unwrap_or_else(PoisonError::into_inner).recv();
            });
        }
        let (answers, answered) = mpsc::channel();
        for _ in 0..MATERIALISER_JOBS + MATERIALISER_THREADS + 1 {
            let answers = answers.clone();
            materialiser.run(nothing(), move |done| {
                let _ = answers.send(done.err());
            });
        }
        assert_eq!(answered.recv(), Ok(Some(JobError::Busy)));
        drop(hold);
        drop(answers);
        assert!(answered.iter().any(|error| error.is_none()), "and the rest is done");
    }
}
