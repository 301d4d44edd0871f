//! How much of everything the guard lets through.

/// Bounds on one update. Each is checked while reading, before yrs would spend memory or time on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the whole update.
    pub bytes: usize,
    /// Blocks over all clients.
    pub blocks: u32,
    /// Blocks at which an update of one author begins anew: all but those that go on behind the block before, in front of
    /// what that stands in front of. [`check`](crate::ydoc::check) counts them, [`scan`](crate::ydoc::scan) does not.
    pub jumps: u32,
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
    /// What a new update may hold.
    fn default() -> Self {
        Limits {
            bytes: BYTES,
            blocks: BLOCKS,
            jumps: JUMPS,
            clients: CLIENTS,
            delete_ranges: DELETE_RANGES,
            depth: DEPTH_MAX,
            nested: NESTED,
        }
    }
}

impl Limits {
    /// What may be read of what was let in once: builds before these bounds let in more.
    pub fn kept() -> Self {
        Limits {
            blocks: BLOCKS_KEPT,
            jumps: BLOCKS_KEPT,
            delete_ranges: DELETE_RANGES_KEPT,
            ..Limits::default()
        }
    }
}

/// Whole documents have as many of everything as their streams, and what is to be cut as its author made.
pub(crate) const UNBOUNDED: Limits = Limits {
    bytes: usize::MAX,
    blocks: u32::MAX,
    jumps: u32::MAX,
    clients: u32::MAX,
    delete_ranges: u32::MAX,
    depth: DEPTH_MAX,
    nested: u32::MAX,
};

/// One entry travels in one frame, and a frame holds at most 1 MiB. yrs spends at most about 50 bytes of memory per
/// byte of a nested value, so an update within this bound stays under 64 MiB while it is decoded.
const BYTES: usize = 1 << 20;

/// yrs merges updates without joining what was typed key by key: each key stays a block of some twenty bytes. When a
/// transaction ends it joins them, from the last to the first, and copies all that is joined so far each time: blocks that fill
/// an entry cost half their number times a megabyte (1.5 s for 2,048, 3 s for 4,096, 37 s for 32,768, measured). Whoever has
/// more cuts it: see [`parts`](crate::ydoc::parts).
const BLOCKS: u32 = 2_048;

/// A block that begins anew costs yrs at most a walk over all that stands in the text, 6 ms for 32,768 pieces, and cuts two
/// strings of any length, 4 ms for a megabyte: seconds together, in texts of a size that people write. A replacement in fifty
/// thousand places becomes two hundred entries.
const JUMPS: u32 = 256;

/// What builds before [`BLOCKS`] and [`JUMPS`] let in. The worst of it takes minutes, so nothing new of the kind is taken.
const BLOCKS_KEPT: u32 = 32_768;

/// An entry extends one replica only; what needs more clients is a whole document that is scanned on its way in, and a
/// room has at most some thousand replicas over its life. yrs walks empty-looking sections by recursion, which this
/// bounds too.
const CLIENTS: u32 = 4_096;

/// Selecting all of a long, much edited text and deleting it names one range per run of one author's clocks; what is more is
/// cut. Each splits a string twice, which copies what is left of it: 60 µs in a megabyte.
const DELETE_RANGES: u32 = 2_048;

/// The same for [`DELETE_RANGES`].
const DELETE_RANGES_KEPT: u32 = 65_536;

/// yrs decodes nested values by recursion and dies of about ten thousand levels on a thread of 2 MiB; its JSON reader
/// stops at 128. Documents people write stay below ten levels.
pub(crate) const DEPTH_MAX: u32 = 64;

/// Deleting a shared type deletes what is inside by recursion: with yrs 0.28.1 a chain of 3,000 types is deleted on a
/// thread of 2 MiB, one of 10,000 (60 kB) kills the process. A page of this many paragraphs can be pasted at once.
const NESTED: u32 = 1_024;
