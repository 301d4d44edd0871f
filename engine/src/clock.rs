//! The clocks of this process, as the core wants them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use causeway_core::time::{Millis, Now};
use tokio::time::Instant;

/// Turns the system's clocks into [`Now`] and back.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    origin: Instant,
}

impl Clock {
    pub(crate) fn start() -> Self {
        Self { origin: Instant::now() }
    }

    pub(crate) fn now(self) -> Now {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Now { monotonic: millis(self.origin.elapsed()), wall: millis(wall) }
    }

    /// The moment of a timer of the core.
    pub(crate) fn instant(self, due: Millis) -> Instant {
        self.origin + Duration::from_millis(due.0)
    }
}

fn millis(span: Duration) -> Millis {
    Millis(u64::try_from(span.as_millis()).unwrap_or(u64::MAX))
}
