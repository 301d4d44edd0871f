//! A copy of a file of redb's, opened whatever it has lost.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use redb::{Database, ReadOnlyTable, ReadableDatabase};

use super::{ROWS, Rows};
use crate::limits::CACHE_BYTES;

/// redb without a look at its pages.
pub(crate) struct Copied(Option<Database>);

impl Copied {
    pub(crate) fn open(copy: &Path) -> Result<Self, String> {
        let open = || Database::builder().set_cache_size(CACHE_BYTES).open(copy);
        match catch_unwind(AssertUnwindSafe(open)) {
            Ok(Ok(db)) => Ok(Self(Some(db))),
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => Err("it gave up".into()),
        }
    }

    /// Nothing where the table cannot be found.
    pub(crate) fn with<T>(
        &self,
        work: impl FnOnce(&Rows<ReadOnlyTable<&'static [u8], &'static [u8]>>) -> T,
    ) -> Option<T> {
        let table = self.0.as_ref()?.begin_read().ok()?.open_table(ROWS).ok()?;
        Some(work(&Rows(table)))
    }
}

impl Drop for Copied {
    fn drop(&mut self) {
        // redb writes as it closes, and may panic on what it then finds.
        let db = self.0.take();
        let _ = catch_unwind(AssertUnwindSafe(|| drop(db)));
    }
}
