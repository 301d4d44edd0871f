//! What a store has met that whoever opens it again has to know.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::Past;

/// Whether a write or an fsync of a store has failed since it was last opened, also one that nobody was told of. Clones are one.
#[derive(Debug, Clone, Default)]
pub(crate) struct Trouble(Arc<AtomicBool>);

impl Trouble {
    pub(crate) fn note(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    /// What has happened to the store, given what others heard of it. It has ended; from here on the next is meant.
    pub(crate) fn take(&self, heard: Past) -> Past {
        if self.0.swap(false, Ordering::SeqCst) { Past::DiskFailed } else { heard }
    }
}
