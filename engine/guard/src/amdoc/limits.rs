//! How much of everything an automerge stream may hold.

/// Bounds on one payload and on the changes of one stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one payload.
    pub bytes: usize,
    /// Operations of one change.
    pub operations: u32,
    /// Operations one change replaces, all together.
    pub predecessors: u32,
    /// Changes one change builds on.
    pub dependencies: u32,
    /// Actors one change names beside its own.
    pub actors: u32,
    /// Bytes of the message of a change.
    pub message: usize,
    /// Objects inside objects.
    pub depth: u32,
    /// Operations of a whole stream. [`Ledger`](super::Ledger) counts them, [`scan`](super::scan) does not.
    pub stream_operations: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            bytes: BYTES,
            operations: OPERATIONS,
            predecessors: PREDECESSORS,
            dependencies: DEPENDENCIES,
            actors: ACTORS,
            message: MESSAGE,
            depth: DEPTH,
            stream_operations: STREAM_OPERATIONS,
        }
    }
}

/// One entry travels in one frame, and a frame holds at most 1 MiB.
const BYTES: usize = 1 << 20;

/// Twenty bytes of columns can stand for a million operations, each of which costs automerge about 100 bytes and, when it
/// competes for one place, a comparison with the others there. A form of a thousand fields that is filled at once has a
/// few thousand.
const OPERATIONS: u32 = 8_192;

/// Usually one an operation; more where several people have set one field at the same time.
const PREDECESSORS: u32 = 4 * OPERATIONS;

/// Heads of a document. As many devices as a room has replicas in one year, that all wrote apart.
const DEPENDENCIES: u32 = 1_024;

/// Actors whose work one change replaces or stands beside.
const ACTORS: u32 = 1_024;

/// Causeway writes none; a foreign client writes a line.
const MESSAGE: usize = 1_024;

/// Whatever shows or compares a document walks it by recursion. Data people write stays below ten levels.
const DEPTH: u32 = 64;

/// The ledger holds about 80 bytes an operation: 80 MB for a stream that is at its end. A stream of forms reaches a
/// hundred thousand in years.
const STREAM_OPERATIONS: u32 = 1_000_000;

/// Bytes of an actor's name: the 32 of a replica id.
pub(super) const ACTOR_BYTES: usize = 32;

/// Counters and numbers of changes stay below 2³¹: automerge keeps them in 32 bits and casts in both directions.
pub(super) const COUNTER_MAX: u64 = i32::MAX as u64;
