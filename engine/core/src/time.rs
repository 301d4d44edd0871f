//! Time as the core knows it: numbers the caller hands in.

use serde::{Deserialize, Serialize};

/// A moment or a span in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Millis(pub u64);

impl Millis {
    /// This moment and `span` more; stops at the end of time instead of wrapping.
    #[must_use]
    pub fn after(self, span: Millis) -> Millis {
        Millis(self.0.saturating_add(span.0))
    }

    /// How long ago `earlier` was; zero if it lies ahead.
    #[must_use]
    pub fn since(self, earlier: Millis) -> Millis {
        Millis(self.0.saturating_sub(earlier.0))
    }
}

/// The two clocks of a device at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Now {
    /// Never goes back; timers count on it. Its zero means nothing.
    pub monotonic: Millis,
    /// Milliseconds since 1970, as wrong as the device's clock is; only ever displayed, and to count days: between attempts,
    /// and of history that is kept for so long.
    pub wall: Millis,
}
