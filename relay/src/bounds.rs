//! Bounds that whoever runs a relay may set, and that stories set to something short.

use std::time::Duration;

use causeway_store::limits::STANDS_STILL;

use crate::limits;

/// How much a relay takes in, and how long it waits. The default is what `serve` runs with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Links open at once; further devices are told [`ErrorCode::Full`](causeway_core::wire::ErrorCode::Full).
    pub links: usize,
    /// Rooms in memory at once; further ones are told the same.
    pub rooms: usize,
    /// How long a client may take to send the head of a request.
    pub head_patience: Duration,
    /// How often a link is asked whether it still lives.
    pub ping_every: Duration,
    /// Nothing heard for so long: the link is dead.
    pub half_open_after: Duration,
    /// A message that is not written by then, and by a second more for each 8 KiB of it, is stuck: the link is cut.
    pub stuck_after: Duration,
    /// How long a room without links stays in memory.
    pub room_linger: Duration,
    /// A call to the store that gets no further for so long: the relay says that it is not ready.
    pub store_notice: Duration,
    /// One that gets no further for so long: the relay ends with [`RunError::StandsStill`](crate::RunError::StandsStill);
    /// without it, never.
    pub store_patience: Option<Duration>,
    /// How long entries that a snapshot covers are kept; without it, for ever.
    pub keep_history: Option<Duration>,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            links: limits::LINKS,
            rooms: limits::ROOMS,
            head_patience: limits::HEAD_PATIENCE,
            ping_every: limits::PING_EVERY,
            half_open_after: limits::HALF_OPEN_AFTER,
            stuck_after: limits::STUCK_AFTER,
            room_linger: limits::ROOM_LINGER,
            store_notice: STANDS_STILL,
            store_patience: Some(limits::STORE_PATIENCE),
            keep_history: None,
        }
    }
}
