//! A copy of a database of sled's, opened whatever it has lost.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use crate::limits::{CACHE_BYTES, sled_cache};

/// sled as it repairs itself, which nobody but whoever looks at the copy ever sees.
pub(crate) struct Copied(Option<sled::Db>);

impl Copied {
    pub(crate) fn open(copy: &Path) -> Result<Self, String> {
        let config =
            || sled::Config::new().path(copy).cache_capacity(sled_cache(CACHE_BYTES)).flush_every_ms(None);
        match catch_unwind(AssertUnwindSafe(|| config().open())) {
            Ok(Ok(db)) => Ok(Self(Some(db))),
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => Err("it gave up".into()),
        }
    }

    pub(crate) fn with<T>(&self, work: impl FnOnce(&sled::Db) -> T) -> Option<T> {
        self.0.as_ref().map(work)
    }
}

impl Drop for Copied {
    fn drop(&mut self) {
        // sled writes as it closes, and may panic on what it then finds.
        let db = self.0.take();
        let _ = catch_unwind(AssertUnwindSafe(|| drop(db)));
    }
}
