//! What core asks of a disk: commits and scans, as plain values.
//!
//! Core never touches a disk. It puts these requests out, a shell carries them to a store (sled on a relay or a
//! desktop, IndexedDB in a browser, memory in a simulation), and the answer comes back as input. The types therefore
//! name no store, and storage can always fail.
//!
//! Keys order bytewise. A shell keeps every room in a *space* of its own, so that a key never has to name its room.

use std::fmt;

/// One atomic change to a space: it happens whole or not at all.
///
/// A store works through the parts in this order: every precondition in `expect` is checked against the state before
/// the commit; then the keys in `delete` and everything under `delete_prefix` go; then the pairs in `put` are written.
/// A key that is both deleted and put is therefore present afterwards, and of two puts of one key the later wins.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Commit {
    /// Preconditions; if one does not hold the commit changes nothing and answers [`CommitError::Conflict`].
    pub expect: Vec<Expect>,
    /// Pairs to write, replacing what was there.
    pub put: Vec<(Vec<u8>, Vec<u8>)>,
    /// Keys to remove; a key that is absent is no error.
    pub delete: Vec<Vec<u8>>,
    /// Prefixes to clear: every key that begins with one of them goes. An empty prefix clears the space.
    pub delete_prefix: Vec<Vec<u8>>,
    /// When the commit may be answered.
    pub durability: Durability,
}

/// A precondition of a commit: `key` holds exactly `value`, or is absent when `value` is `None`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expect {
    /// The key to look at.
    pub key: Vec<u8>,
    /// What must be there; `None` says that the key must be absent.
    pub value: Option<Vec<u8>>,
}

/// What an answered commit survives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Durability {
    /// Survives the death of the process, SIGKILL included; a power cut may lose it.
    Relaxed,
    /// Survives a power cut: answered only after fsync returned.
    #[default]
    Strict,
}

/// A range to read, in ascending order of keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scan {
    /// The first key that may be returned (inclusive).
    pub start: Vec<u8>,
    /// The key at which to stop (exclusive). Where it does not lie behind `start` the page is empty.
    pub end: Vec<u8>,
    /// Bytes of keys and values after which the page ends. A page holds at least one row even if that row alone is
    /// larger, so a reader always gets on.
    pub max_bytes: usize,
    /// Rows after which the page ends; zero is read as one.
    pub max_rows: usize,
}

/// The answer to a [`Scan`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Page {
    /// Keys and values, ascending.
    pub rows: Vec<(Vec<u8>, Vec<u8>)>,
    /// Keys of the same range, ascending, whose values are not what was written. They count as rows of the page.
    pub damaged: Vec<Vec<u8>>,
    /// Where the next scan starts; `None` when the range is exhausted.
    pub more: Option<Vec<u8>>,
}

/// Why a commit was not made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CommitError {
    /// A precondition did not hold: someone else wrote in between. Nothing was changed; read again and decide anew.
    #[error("someone else changed key {} in between", KeyText(key))]
    Conflict {
        /// The first key whose precondition failed.
        key: Vec<u8>,
    },
    /// The store failed. Whether the commit is on disk is unknown until the store was opened again and read.
    #[error(transparent)]
    Failed(#[from] StoreFailure),
}

/// A store could not do what was asked. No fault of the request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{sentence}")]
pub struct StoreFailure {
    /// What sort of failure it is, for a decision.
    pub kind: FailureKind,
    /// What happened and what to do, for a person.
    pub sentence: String,
}

impl StoreFailure {
    /// A failure of this kind, told in one sentence.
    #[must_use]
    pub fn new(kind: FailureKind, sentence: impl Into<String>) -> Self {
        Self { kind, sentence: sentence.into() }
    }

    /// A value under `key` that is not what was written there.
    #[must_use]
    pub fn damaged(key: &[u8]) -> Self {
        let key = KeyText(key);
        Self::new(
            FailureKind::Damaged,
            format!(
                "The stored value under key {key} is damaged; restore it from a backup or from another device."
            ),
        )
    }

    /// The machine code of the failure, stable across versions.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.kind.code()
    }
}

/// The sorts of store failure, each with a different way out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureKind {
    /// No space left. Free some, then open the store again.
    Full,
    /// Stored bytes are not what was written. Other keys may be sound.
    Damaged,
    /// The store was closed, or failed earlier and refuses everything until it is opened again.
    Closed,
    /// More requests are waiting than the store takes. Nothing was done; ask again later.
    Busy,
    /// The request exceeds a bound of the store (the length of a key or a value). Nothing was done; a fault of the
    /// caller that no repetition cures.
    TooLarge,
    /// The operating system reported another error.
    Io,
}

impl FailureKind {
    /// The machine code of this kind, stable across versions.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Full => "store-full",
            Self::Damaged => "store-damaged",
            Self::Closed => "store-closed",
            Self::Busy => "store-busy",
            Self::TooLarge => "store-too-large",
            Self::Io => "store-io",
        }
    }
}

/// Shows a key readably: printable ASCII as it is, other bytes in hexadecimal, and a long key cut.
struct KeyText<'a>(&'a [u8]);

/// Bytes of a key shown in a sentence: enough to find it, short enough for one line.
const SHOWN_KEY_BYTES: usize = 48;

impl fmt::Display for KeyText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = &self.0[..self.0.len().min(SHOWN_KEY_BYTES)];
        let cut = if shown.len() < self.0.len() { "…" } else { "" };
        write!(f, "\"{}{cut}\"", shown.escape_ascii())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_damaged_value_is_named_readably() {
        let failure = StoreFailure::damaged(b"entry\x00\xff");
        assert_eq!(failure.code(), "store-damaged");
        assert!(failure.to_string().contains(r#""entry\x00\xff""#), "{failure}");
    }

    #[test]
    fn a_long_key_is_cut_in_a_sentence() {
        let conflict = CommitError::Conflict { key: vec![b'k'; 4096] };
        assert!(conflict.to_string().len() < 200, "{conflict}");
    }
}
