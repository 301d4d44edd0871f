//! Where a gate's store is kept.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use causeway_core::storage::StoreFailure;

use crate::folder::Past;
use crate::limits::STANDS_STILL;
use crate::{MemoryStore, OpenError, Store, StoreKind, WriteAheadLimits};

/// Where rooms are kept, and how to open it again.
pub struct Storage {
    pub(super) first: Arc<dyn Store>,
    pub(super) reopen: Reopen,
    pub(super) patience: Duration,
}

pub(super) type Reopen = Box<dyn Fn(Past) -> Result<Arc<dyn Store>, OpenError> + Send + Sync>;

impl Storage {
    /// The embedded store in a data folder, of the kind that keeps it; one of the default kind is made where there is none.
    ///
    /// # Errors
    /// One sentence; nothing was touched.
    pub fn folder(folder: PathBuf) -> Result<Self, OpenError> {
        Self::folder_of(StoreKind::of(&folder)?.unwrap_or_default(), folder)
    }

    /// The embedded store of this kind in a data folder, which is made where there is none.
    ///
    /// # Errors
    /// One sentence; nothing was touched.
    pub fn folder_of(kind: StoreKind, folder: PathBuf) -> Result<Self, OpenError> {
        Self::folder_within(kind, folder, WriteAheadLimits::default())
    }

    /// The same with other limits of the write-ahead log than the usual ones.
    ///
    /// # Errors
    /// One sentence; nothing was touched.
    pub fn folder_within(
        kind: StoreKind,
        folder: PathBuf,
        limits: WriteAheadLimits,
    ) -> Result<Self, OpenError> {
        let open = move |past| {
            let store = kind.open_after(&folder, past, limits)?;
            // What a process wrote before it died, or before an fsync failed, may be readable and not yet on the disk.
            // Rooms call saved what they read, so it is put there first.
            let refuse = |why: StoreFailure| OpenError::Io { folder: folder.clone(), what: why.to_string() };
            store.sync().map_err(refuse)?;
            Ok(store)
        };
        Ok(Self { first: open(Past::Plain)?, reopen: Box::new(open), patience: STANDS_STILL })
    }

    /// The same store behind another that watches what passes, also when it is opened again.
    #[must_use]
    pub fn watched(self, watch: impl Fn(Arc<dyn Store>) -> Arc<dyn Store> + Send + Sync + 'static) -> Self {
        let Self { first, reopen, patience } = self;
        let first = watch(first);
        Self { first, reopen: Box::new(move |past| reopen(past).map(&watch)), patience }
    }

    /// The same store, which counts as one that stands still when a call has got no further for so long, at least a millisecond; ten
    /// seconds unless said.
    #[must_use]
    pub fn patient(self, patience: Duration) -> Self {
        Self { patience: patience.max(Duration::from_millis(1)), ..self }
    }

    /// Nothing on a disk: everything is gone when the process ends.
    #[must_use]
    pub fn memory() -> Self {
        Self::of(Arc::new(MemoryStore::new()))
    }

    /// Any other store, which recovers from its failures by itself.
    #[must_use]
    pub fn of(store: Arc<dyn Store>) -> Self {
        let again = Arc::clone(&store);
        Self { first: store, reopen: Box::new(move |_| Ok(Arc::clone(&again))), patience: STANDS_STILL }
    }
}

impl fmt::Debug for Storage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Storage")
    }
}
