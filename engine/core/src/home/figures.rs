//! What a room counts.

/// Figures of a room, for metrics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Entries on disk since the room was opened.
    pub entries_saved: u64,
    /// Entries refused.
    pub entries_refused: u64,
    /// Copies of entries handed to readers.
    pub entries_forwarded: u64,
    /// Links that were told to catch up from the log because their queue was full.
    pub links_behind: u64,
    /// Commits the disk did not take.
    pub store_failures: u64,
    /// Entries whose rows were found damaged.
    pub entries_damaged: u64,
    /// Snapshots that stand.
    pub snapshots_made: u64,
    /// Snapshots sent whole to a reader.
    pub snapshots_sent: u64,
    /// Streams that were put into quarantine, or found there when the room was read.
    pub streams_quarantined: u64,
    /// Times the room was given up because its rows cannot be read.
    pub rooms_unreadable: u64,
    /// Pages sent to somebody who looked at them.
    pub pages_sent: u64,
    /// Entries that somebody other than their author brought, with a signed head.
    pub entries_brought: u64,
    /// Segments of the archive that were older than they are kept, and went.
    pub segments_expired: u64,
    /// Snapshots that could not be made: their streams go on as logs.
    pub snapshots_failed: u64,
}
