//! What stands above a snapshot.

use causeway_guard::ydoc;

use crate::ids::StreamKind;
use crate::log::{Entry, EntryKind};

/// Entries of a stream that its snapshot does not cover yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Tail {
    pub(crate) entries: u64,
    pub(crate) bytes: u64,
    /// How often they jump about in their text.
    pub(crate) jumps: u64,
}

/// How often an entry that was let in jumps about in its text: what is not known of the cost of applying it (M5).
pub(crate) fn jumps(entry: &Entry) -> u64 {
    let header = entry.header();
    let is_text = header.stream.kind() == StreamKind::Ydoc && header.kind == EntryKind::Edit;
    if is_text { u64::from(ydoc::jumps(entry.payload())) } else { 0 }
}
