//! How much of everything the guard lets through.

/// Bounds on one update. Each is checked while reading, before yrs would spend memory or time on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the whole update.
    pub bytes: usize,
    /// Blocks over all clients.
    pub blocks: u32,
    /// Clients in the block section, and again in the delete set.
    pub clients: u32,
    /// Delete ranges over all clients.
    pub delete_ranges: u32,
    /// Levels of arrays and objects inside one value. More than 64 is read as 64.
    pub depth: u32,
    /// Blocks placed into a shared type which the same update creates; so an update nests no deeper than this.
    /// [`check`](crate::ydoc::check) counts them, [`scan`](crate::ydoc::scan) does not.
    pub nested: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            bytes: BYTES,
            blocks: BLOCKS,
            clients: CLIENTS,
            delete_ranges: DELETE_RANGES,
            depth: DEPTH_MAX,
            nested: NESTED,
        }
    }
}

/// One entry travels in one frame, and a frame holds at most 1 MiB. yrs spends at most about 50 bytes of memory per
/// byte of a nested value, so an update within this bound stays under 64 MiB while it is decoded.
const BYTES: usize = 1 << 20;

/// yrs merges updates without joining what was typed key by key: each key stays a block of some twenty bytes, so a
/// journal of 256 KiB holds about thirteen thousand. More is not generous: yrs places concurrent blocks by comparing
/// them pairwise, and the worst update an author can craft costs time with the square of this number (0.3 s for 2,000
/// blocks, 5 s for 8,000, 265 s for 32,768 beside as many of another author, measured). Whoever may not stall that
/// long takes less.
const BLOCKS: u32 = 32_768;

/// An entry extends one replica only; what needs more clients is a whole document that is scanned on its way in, and a
/// room has at most some thousand replicas over its life. yrs walks empty-looking sections by recursion, which this
/// bounds too.
const CLIENTS: u32 = 4_096;

/// Selecting all of a long, much edited text and deleting it names one range per run of one author's clocks.
const DELETE_RANGES: u32 = 65_536;

/// yrs decodes nested values by recursion and dies of about ten thousand levels on a thread of 2 MiB; its JSON reader
/// stops at 128. Documents people write stay below ten levels.
pub(crate) const DEPTH_MAX: u32 = 64;

/// Deleting a shared type deletes what is inside by recursion: with yrs 0.28.1 a chain of 3,000 types is deleted on a
/// thread of 2 MiB, one of 10,000 (60 kB) kills the process. A page of this many paragraphs can be pasted at once.
const NESTED: u32 = 1_024;
