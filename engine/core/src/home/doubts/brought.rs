//! Entries of one chain in the order they were brought.

use std::collections::{BTreeMap, VecDeque};

use crate::log::Entry;

/// Entries that wait to be compared, and what came behind them.
#[derive(Debug, Default)]
pub(super) struct Brought {
    entries: VecDeque<Entry>,
    /// The last of each number: to look through all of them for each that comes would cost their square.
    newest: BTreeMap<u64, Entry>,
}

impl Brought {
    /// Whether an entry is the last that was brought of its number.
    pub(super) fn has(&self, entry: &Entry) -> bool {
        self.newest.get(&entry.name().seq).is_some_and(|newest| newest.bytes() == entry.bytes())
    }

    pub(super) fn push(&mut self, entry: Entry) {
        self.newest.insert(entry.name().seq, entry.clone());
        self.entries.push_back(entry);
    }

    pub(super) fn pop(&mut self) -> Option<Entry> {
        let first = self.entries.pop_front()?;
        if self.has(&first) {
            self.newest.remove(&first.name().seq);
        }
        Some(first)
    }

    pub(super) fn front(&self) -> Option<&Entry> {
        self.entries.front()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter()
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}
