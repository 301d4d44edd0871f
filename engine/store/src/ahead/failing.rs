//! The first failure of a store, after which it refuses everything.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use causeway_core::storage::{FailureKind, StoreFailure};

/// Nothing, or why the store takes nothing more.
#[derive(Debug, Default)]
pub(super) struct Failing {
    first: OnceLock<StoreFailure>,
    told: AtomicBool,
}

impl Failing {
    /// Passes who reads as long as nothing has failed.
    pub(super) fn check(&self) -> Result<(), StoreFailure> {
        let Some(first) = self.first.get() else { return Ok(()) };
        let sentence = format!("The store is closed after a failure; open it again. First failure: {first}");
        Err(StoreFailure::new(FailureKind::Closed, sentence))
    }

    /// Passes who writes as long as nothing has failed. A failure that nobody heard of, as it was met in passing, is told as it
    /// is to whoever writes first.
    pub(super) fn check_writing(&self) -> Result<(), StoreFailure> {
        match self.first.get() {
            Some(first) if !self.told.swap(true, Ordering::SeqCst) => Err(first.clone()),
            Some(_) | None => self.check(),
        }
    }

    /// The first failure.
    pub(super) fn first(&self) -> Option<&StoreFailure> {
        self.first.get()
    }

    /// Notes a failure that the caller is about to be told.
    pub(super) fn fail(&self, failure: StoreFailure) -> StoreFailure {
        self.told.store(true, Ordering::SeqCst);
        self.fail_in_passing(failure.clone());
        failure
    }

    /// Notes a failure that nobody is told now.
    pub(super) fn fail_in_passing(&self, failure: StoreFailure) {
        self.first.get_or_init(|| failure);
    }
}
