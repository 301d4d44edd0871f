//! Where entries wait for what they build on.

use crate::limits::{PARK_BYTES, PARK_ENTRIES};
use crate::log::{Entry, EntryName};
use crate::sorted::SortedMap;

/// A bounded waiting room. What does not fit is dropped: the sender is asked for it again with `need`.
#[derive(Debug)]
pub struct Park<From> {
    // Boxed, so that an entry that goes in front of two thousand others moves only their names.
    waiting: SortedMap<EntryName, Box<(From, Entry)>>,
    bytes: usize,
}

impl<From> Default for Park<From> {
    fn default() -> Self {
        Self { waiting: SortedMap::new(), bytes: 0 }
    }
}

impl<From> Park<From> {
    /// Lets an entry wait, and says whether there was room for it.
    pub fn push(&mut self, from: From, entry: Entry) -> bool {
        let size = entry.bytes().len();
        if self.waiting.contains_key(&entry.name()) {
            return true;
        }
        if self.waiting.len() >= PARK_ENTRIES || self.bytes + size > PARK_BYTES {
            return false;
        }
        self.bytes += size;
        self.waiting.insert(entry.name(), Box::new((from, entry)));
        true
    }

    /// Takes everything out, in the order of names; what still waits is pushed again by the caller.
    pub fn drain(&mut self) -> Vec<(From, Entry)> {
        self.bytes = 0;
        std::mem::take(&mut self.waiting).into_values().map(|waiting| *waiting).collect()
    }

    /// Lets go of what a link brought that has ended.
    pub fn forget(&mut self, mut brought: impl FnMut(&From) -> bool) {
        self.waiting.retain(|_, waiting| !brought(&waiting.0));
        self.bytes = self.waiting.values().map(|waiting| waiting.1.bytes().len()).sum();
    }

    /// Whether this entry waits here.
    pub fn holds(&self, name: EntryName) -> bool {
        self.waiting.contains_key(&name)
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// How many entries wait.
    pub fn len(&self) -> usize {
        self.waiting.len()
    }
}
