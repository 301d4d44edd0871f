//! How long one job may take: so much time of a processor, which says something of the job, and a span of the clock after
//! which the machine has too much to do.

use std::time::{Duration, Instant};

use causeway_core::snapshot::JobError;

/// What each job is given.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    pub(super) processor: Duration,
    pub(super) clock: Duration,
}

/// What one job on this thread has been given.
#[derive(Debug)]
pub(super) struct Budget {
    patience: Patience,
    began: Instant,
    before: Duration,
}

impl Budget {
    pub(super) fn begin(patience: Patience) -> Self {
        Self { patience, began: Instant::now(), before: on_processor() }
    }

    /// Whether there is any left. A thread is on a processor for no longer than the clock says, so that is asked first.
    pub(super) fn is_left(&self) -> bool {
        let Patience { processor, clock } = self.patience;
        let span = self.began.elapsed();
        span < processor || (span < clock && self.spent() < processor)
    }

    /// A job that was given up although it had not used its time met a busy machine.
    pub(super) fn judge(&self, error: JobError) -> JobError {
        if error == JobError::Time && self.spent() < self.patience.processor { JobError::Late } else { error }
    }

    fn spent(&self) -> Duration {
        on_processor().saturating_sub(self.before)
    }
}

/// How long this thread has been on a processor.
#[cfg(unix)]
fn on_processor() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    time.try_into().unwrap_or_default()
}

/// Where the system does not say, all time counts as the job's.
#[cfg(not(unix))]
fn on_processor() -> Duration {
    use std::sync::LazyLock;

    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    START.elapsed()
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(3_600);

    #[test]
    fn rl15_a_job_that_was_given_up_before_it_had_a_processor_is_late() {
        let busy = Budget::begin(Patience { processor: LONG, clock: LONG });
        assert!(busy.is_left());
        assert_eq!(busy.judge(JobError::Time), JobError::Late);
        assert_eq!(busy.judge(JobError::Differs), JobError::Differs);
    }

    #[test]
    fn rl15_a_job_that_has_had_its_time_has_none_left() {
        let budget = Budget::begin(Patience { processor: Duration::from_millis(20), clock: LONG });
        let mut turns = 0u64;
        while budget.is_left() {
            turns = std::hint::black_box(turns + 1);
        }
        assert_eq!(budget.judge(JobError::Time), JobError::Time);
        let none = Budget::begin(Patience { processor: Duration::ZERO, clock: Duration::ZERO });
        assert!(!none.is_left());
    }
}
