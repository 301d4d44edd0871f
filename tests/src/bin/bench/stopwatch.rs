//! How much work a thread has done, whatever else the machine does meanwhile.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// Times what one thread does: the time it was on a processor.
#[derive(Debug)]
pub(crate) struct Stopwatch {
    began: Duration,
}

impl Stopwatch {
    /// Begins, for the calling thread.
    pub(crate) fn start() -> Self {
        Self { began: worked() }
    }

    /// Since it began, on the same thread.
    pub(crate) fn read(&self) -> Duration {
        worked().saturating_sub(self.began)
    }
}

fn worked() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
}
