//! A store whose syncs are timed.

use std::sync::Arc;
use std::time::Instant;

use causeway_core::storage::{Commit, CommitError, Page, Scan, StoreFailure};
use causeway_store::{Condition, Space, Store};

use crate::figures::Figures;

/// Passes everything on and notes how long each sync took.
pub(crate) struct TimedStore {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) figures: Arc<Figures>,
}

impl Store for TimedStore {
    fn apply(&self, space: &Space, commit: &Commit) -> Result<(), CommitError> {
        self.store.apply(space, commit)
    }

    fn apply_group(&self, group: &[(Space, Commit)]) -> Vec<Result<(), CommitError>> {
        self.store.apply_group(group)
    }

    fn settle(&self) -> Result<(), StoreFailure> {
        self.store.settle()
    }

    fn sync(&self) -> Result<(), StoreFailure> {
        let began = Instant::now();
        let outcome = self.store.sync();
        self.figures.fsyncs.record(began.elapsed());
        outcome
    }

    fn scan(&self, space: &Space, scan: &Scan) -> Result<Page, StoreFailure> {
        self.store.scan(space, scan)
    }

    fn spaces(&self, after: Option<&Space>, max: usize) -> Result<Vec<Space>, StoreFailure> {
        self.store.spaces(after, max)
    }

    fn condition(&self) -> Arc<Condition> {
        self.store.condition()
    }
}
