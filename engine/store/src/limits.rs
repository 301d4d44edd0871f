//! The bounds of a store, each with its reason.

use std::time::Duration;

use causeway_core::storage::{Commit, FailureKind, StoreFailure};

/// Bytes of a space's name: a room id of 32 bytes in hexadecimal and some words before it fit twice over, and the
/// length still takes one byte in front of a key.
pub const MAX_SPACE_BYTES: usize = 128;

/// Bytes of a key. sled keeps up to some thirty rows in a page and spills pages of 128 KiB and more into files that it
/// never fsyncs; keys of this length beside values of [`INLINE_VALUE_BYTES`] stay below that.
pub const MAX_KEY_BYTES: usize = 1024;

/// Bytes of a value: four times the largest snapshot page we mean to write, and still small enough to hold twice in
/// the memory of a phone.
pub const MAX_VALUE_BYTES: usize = 64 * 1024 * 1024;

/// Bytes of a value up to which a database keeps it in the row; a longer one is cut into rows of this length. See
/// [`MAX_KEY_BYTES`] for the reason.
pub const INLINE_VALUE_BYTES: usize = 3 * 1024;

/// Bytes of rows that wait in memory, and twice that in the log, until they are carried into the database: what a relay with
/// fifty busy rooms takes in within some seconds, in which rows that are written again and again reach the database once.
/// Reading that much of a log when a store is opened takes a tenth of a second.
pub(crate) const CARRY_BYTES: usize = 16 * 1024 * 1024;

/// Bytes of rows in memory at which whoever writes waits until some are in the database.
pub(crate) const FULL_BYTES: usize = 2 * CARRY_BYTES;

/// Zeros that are put behind a file of the log when it is begun: the log of an app with one small document stays about as
/// small as the document.
pub(crate) const LOG_GROWS_FIRST: u64 = 16 * 1024;
/// Zeros that are put behind it at the most: what a busy relay writes in a second.
pub(crate) const LOG_GROWS_MOST: u64 = 4 * 1024 * 1024;

/// Bytes of rows that redb is given at once. Nobody who reads waits for it, each commit costs two fsyncs, and what it changes
/// is in memory until then.
pub(crate) const REDB_PIECE_BYTES: usize = 4 * 1024 * 1024;

/// The same in rows: each may lie in a page of its own, which is written anew.
pub(crate) const REDB_PIECE_ROWS: usize = 4 * 1024;

/// By how many times the bytes of a piece redb's file may grow, which writes all pages above what changes before the ones of
/// before are free.
pub(crate) const REDB_GROWTH: u64 = 4;
/// Bytes by which it may grow beside that for each row of a piece: a page, however short the row.
pub(crate) const REDB_PAGE_BYTES: u64 = 4096;
/// Room that is left beside that: a group of commits and the zeros behind the log, which others write meanwhile.
pub(crate) const SPARE_BYTES: u64 = LOG_GROWS_MOST + GROUP_BYTES as u64;
/// Room without which no zeros are put behind the log: they are there to be fast, and would take it from rows.
pub(crate) const ZEROS_SPARE_BYTES: u64 = 4 * SPARE_BYTES;

/// Attempts to carry rows that one store after the other began and none ended in order, before no more are made. So many
/// processes in a row do not die in the midst of it by chance.
pub(crate) const CARRY_ATTEMPTS: u32 = 60;
/// An attempt counts as so many where the database has said that it gives up: it may do so each time, and each time is written
/// again and looked through as it is opened. Six of them are enough.
pub(crate) const GAVE_UP_ATTEMPTS: u32 = CARRY_ATTEMPTS / 6;

/// Rows of which it is remembered that they are short, and runs of rows whose end is known: those of a few thousand rooms
/// that write, in about 4 MiB.
pub(crate) const KNOWN_ROWS: usize = 16 * 1024;

/// Pages that a database keeps in memory. The default of both, 1 GiB, would be most of a small machine; what the hot path
/// reads (the newest entries) fits in far less.
pub(crate) const CACHE_BYTES: usize = 64 * 1024 * 1024;

/// The same for sled, which counts what a page is on the disk. In memory it is about twice that, each row a piece of its own
/// (10,000 rooms read through: 107 MiB for 64, 50 MiB for 16).
pub(crate) const fn sled_cache(bytes: usize) -> u64 {
    bytes as u64 / 2
}

/// Bytes of a database's file up to which it is looked through when it is opened, redb's page by page and sled's row by
/// row: half a second on a slow core. In a larger one damage shows only where it is read, and what sled cut out of its log
/// does not.
pub(crate) const VERIFY_BYTES: u64 = 256 * 1024 * 1024;

/// How a database reads its file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reading {
    /// See [`CACHE_BYTES`].
    pub(crate) cache_bytes: usize,
    /// See [`VERIFY_BYTES`].
    pub(crate) verify_bytes: u64,
}

impl Default for Reading {
    fn default() -> Self {
        Self { cache_bytes: CACHE_BYTES, verify_bytes: VERIFY_BYTES }
    }
}

/// Commits waiting for the writer thread. A room has at most one commit in flight, so this is a count of busy rooms.
pub(crate) const QUEUE_COMMITS: usize = 65_536;

/// Bytes of commits waiting for the writer thread; what a slow disk may cost in memory.
pub(crate) const QUEUE_BYTES: usize = 128 * 1024 * 1024;

/// Scans waiting for the reader thread; each holds only its two keys.
pub(crate) const QUEUE_SCANS: usize = 65_536;

/// Commits that share one fsync. Beyond this the cost of an fsync per commit is already below that of applying it, and
/// the first of the group should not wait for the last.
pub(crate) const GROUP_COMMITS: usize = 1024;

/// Bytes of commits that share one fsync: about what a disk takes in 10 ms.
pub(crate) const GROUP_BYTES: usize = 4 * 1024 * 1024;

/// Bytes of changes in one record of a backup: enough for deflate to find what repeats, little enough to hold several times.
pub(crate) const BACKUP_BLOCK_BYTES: usize = 256 * 1024;

/// Bytes and rows that a copy reads at once: others who read wait for a page of it, some two milliseconds.
pub(crate) const COPY_PAGE_BYTES: usize = 256 * 1024;
/// See [`COPY_PAGE_BYTES`].
pub(crate) const COPY_PAGE_ROWS: usize = 512;
/// Names of spaces that a copy asks for at once.
pub(crate) const COPY_SPACES: usize = 256;
/// Bytes of commits to one space that may wait while a copy reads and writes it: what the busiest room takes in while a slow
/// disk takes a block.
pub(crate) const TAP_BYTES: usize = 32 * 1024 * 1024;
/// Questions that a copy asks to come behind names that cannot be listed: each takes some microseconds.
pub(crate) const LISTING_PROBES: usize = 16_384;
/// What a row costs beside its bytes while it waits in memory: its two vectors, and what the system keeps of each.
pub(crate) const ROW_COST: usize = 96;
/// How long whoever waits for an answer pauses before asking a busy store again.
pub(crate) const READ_PATIENCE: [Duration; 6] = [
    Duration::from_millis(50),
    Duration::from_millis(200),
    Duration::from_secs(1),
    Duration::from_secs(5),
    Duration::from_secs(5),
    Duration::from_secs(5),
];

/// The first wait before a store that failed is opened again; it doubles from there.
pub(crate) const REOPEN_FIRST: Duration = Duration::from_millis(250);
/// The longest such wait: a person who has freed some space should not have to wait long.
pub(crate) const REOPEN_MOST: Duration = Duration::from_secs(15);
/// How long nothing must have failed since, for a store to count as working although nobody has committed anything: a
/// relay that waits for devices to prove it gets none as long as it says that it is not ready.
pub(crate) const REOPEN_TRUST: Duration = Duration::from_secs(15);

/// How long a call may get no further before the store counts as one that stands still, unless somebody says otherwise. A card that
/// tidies up or a disk that wakes up takes some seconds; calls are of a few megabytes, and what is longer tells of its steps.
pub const STANDS_STILL: Duration = Duration::from_secs(10);
/// What one step of a call may take beside that.
pub(crate) const CALL_PATIENCE: Duration = Duration::ZERO;
/// What one step of an opening may take beside that: sled reads its whole log in one, 20 GB of it at 50 MB/s in some seven minutes.
pub(crate) const OPENING_PATIENCE: Duration = Duration::from_secs(10 * 60);
/// Bytes that are written once more before they are synced: what a slow disk takes in some ten seconds.
pub(crate) const AGAIN_BYTES: usize = 256 * 1024 * 1024;

/// The bytes of keys and values in a commit: what it costs to hold it in a queue.
pub(crate) fn commit_bytes(commit: &Commit) -> usize {
    let expects = commit.expect.iter().map(|e| e.key.len() + e.value.as_ref().map_or(0, Vec::len));
    let puts = commit.put.iter().map(|(key, value)| key.len() + value.len());
    let deletes = commit.delete.iter().chain(&commit.delete_prefix).map(Vec::len);
    expects.chain(puts).chain(deletes).sum()
}

/// The rows and prefixes that a commit touches.
pub(crate) fn commit_rows(commit: &Commit) -> usize {
    commit.expect.len() + commit.put.len() + commit.delete.len() + commit.delete_prefix.len()
}

/// Refuses a commit with a key or a value beyond the bounds; every store calls it first, so all refuse the same.
pub(crate) fn check(commit: &Commit) -> Result<(), StoreFailure> {
    let keys = commit.expect.iter().map(|e| &e.key);
    let keys = keys.chain(commit.put.iter().map(|(key, _)| key)).chain(&commit.delete);
    if let Some(key) = keys.chain(&commit.delete_prefix).find(|key| key.len() > MAX_KEY_BYTES) {
        let sentence =
            format!("A key of {} bytes is longer than the store takes ({MAX_KEY_BYTES}).", key.len());
        return Err(StoreFailure::new(FailureKind::TooLarge, sentence));
    }
    if let Some((_, value)) = commit.put.iter().find(|(_, value)| value.len() > MAX_VALUE_BYTES) {
        let sentence =
            format!("A value of {} bytes is longer than the store takes ({MAX_VALUE_BYTES}).", value.len());
        return Err(StoreFailure::new(FailureKind::TooLarge, sentence));
    }
    Ok(())
}
