//! How much work a thread has done, whatever else the machine does meanwhile.

use std::fs;
use std::time::{Duration, Instant};

/// Times what one thread does: on Linux the time it was on a processor, elsewhere the time on the wall.
#[derive(Debug)]
pub(crate) struct Stopwatch {
    began: Instant,
    worked: Option<Duration>,
}

impl Stopwatch {
    /// Begins, for the calling thread.
    pub(crate) fn start() -> Self {
        Self { began: Instant::now(), worked: worked() }
    }

    /// Since it began, on the same thread.
    pub(crate) fn read(&self) -> Duration {
        match (self.worked, worked()) {
            (Some(before), Some(now)) => now.saturating_sub(before),
            _ => self.began.elapsed(),
        }
    }
}

/// The first number of `schedstat` is the nanoseconds the thread has been on a processor.
fn worked() -> Option<Duration> {
    let text = fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split(' ').next()?.parse().ok().map(Duration::from_nanos)
}
