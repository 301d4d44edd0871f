//! The log: what an entry is, how entries chain, and when one may join a stream.
//!
//! [`StreamLog`] is the same on a home and on a device: it knows the chains of a stream and judges every entry before it
//! is stored, forwarded or applied. It holds no payloads.

mod chain;
mod chains;
mod digest;
mod entry;
mod park;
mod signed_head;
mod stream_log;
mod wants;

pub use chain::Chain;
pub use digest::{Digest, Group, MARK_BYTES, RoomDigest, differing, groups_of, marks_of};
pub use entry::{Dep, Entry, EntryKind, EntryName, Head, Header};
pub use park::Park;
pub use signed_head::SignedHead;
pub use stream_log::{Accepted, Introduced, Missing, Refusal, StreamLog, Tip, Verdict};
pub use wants::Wants;
