//! Figures of the whole process, for `/healthz`.

use std::sync::atomic::{AtomicU64, Ordering};

use causeway_core::home;

/// Counted since the start.
#[derive(Debug, Default)]
pub(crate) struct Figures {
    entries_saved: AtomicU64,
    entries_refused: AtomicU64,
    entries_forwarded: AtomicU64,
    links_behind: AtomicU64,
    links_cut: AtomicU64,
    store_failures: AtomicU64,
}

/// [`Figures`] at one moment.
#[derive(Clone, Copy, Debug, serde::Serialize)]
pub(crate) struct Reading {
    entries_saved: u64,
    entries_refused: u64,
    entries_forwarded: u64,
    links_behind: u64,
    links_cut: u64,
    store_failures: u64,
}

impl Figures {
    /// Adds what a room counted between two looks at it.
    pub(crate) fn add(&self, before: home::Figures, after: home::Figures) {
        let pairs = [
            (&self.entries_saved, before.entries_saved, after.entries_saved),
            (&self.entries_refused, before.entries_refused, after.entries_refused),
            (&self.entries_forwarded, before.entries_forwarded, after.entries_forwarded),
            (&self.links_behind, before.links_behind, after.links_behind),
            (&self.store_failures, before.store_failures, after.store_failures),
        ];
        for (total, before, after) in pairs {
            if after > before {
                total.fetch_add(after - before, Ordering::Relaxed);
            }
        }
    }

    /// A link was cut because it did not take what was sent.
    pub(crate) fn count_cut(&self) {
        self.links_cut.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn read(&self) -> Reading {
        Reading {
            entries_saved: self.entries_saved.load(Ordering::Relaxed),
            entries_refused: self.entries_refused.load(Ordering::Relaxed),
            entries_forwarded: self.entries_forwarded.load(Ordering::Relaxed),
            links_behind: self.links_behind.load(Ordering::Relaxed),
            links_cut: self.links_cut.load(Ordering::Relaxed),
            store_failures: self.store_failures.load(Ordering::Relaxed),
        }
    }
}
