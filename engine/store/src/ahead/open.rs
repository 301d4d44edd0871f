//! Opening a data folder.

use std::fs::OpenOptions;
use std::io;
use std::mem;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, RwLock};

use super::failing::Failing;
use super::recovery::{Known, RecoveryError, recover};
use super::shared::Shared;
use super::table::Layers;
use super::tail::Tail;
use super::{WriteAheadLimits, WriteAheadStore};
use crate::database::Database;
use crate::folder::{Claim, Past, Trouble, damaged, refusal, sync_folder};
use crate::limits::Reading;
use crate::redb_database::RedbDatabase;
use crate::sled_database::SledDatabase;
use crate::{OpenError, StoreKind};

impl WriteAheadStore {
    /// Opens the store in a data folder, creating the folder where there is none.
    ///
    /// # Errors
    /// One sentence each that says what to do; nothing was touched.
    pub(crate) fn open(
        kind: StoreKind,
        folder: &Path,
        past: Past,
        limits: WriteAheadLimits,
        trouble: Trouble,
    ) -> Result<Self, OpenError> {
        Self::open_reading(kind, folder, past, limits, trouble, Reading::default())
    }

    /// The same with another way of reading the database.
    pub(crate) fn open_reading(
        kind: StoreKind,
        folder: &Path,
        past: Past,
        limits: WriteAheadLimits,
        trouble: Trouble,
        reading: Reading,
    ) -> Result<Self, OpenError> {
        let mut claim = Claim::stake(folder, kind, past)?;
        claim.settle(past)?;
        let database: Box<dyn Database> = match kind {
            StoreKind::Sled => Box::new(SledDatabase::open(&mut claim, reading)?),
            StoreKind::Redb => Box::new(RedbDatabase::open(&mut claim, reading)?),
        };
        Self::over(database, claim, limits, trouble)
    }

    /// The store over a database in a folder that was claimed for it.
    pub(super) fn over(
        database: Box<dyn Database>,
        mut claim: Claim,
        limits: WriteAheadLimits,
        trouble: Trouble,
    ) -> Result<Self, OpenError> {
        let folder = &claim.folder.clone();
        let log = claim.log();
        let mut recovered = recover(&log, Known { held: database.batch(), saved: claim.saved() }).map_err(
            |why| match why {
                RecoveryError::Damaged(what) => damaged(folder, what),
                RecoveryError::Io(e) => refusal(folder, &e),
            },
        )?;
        let tip = claim.open_tip(recovered.last)?;
        // What a process wrote before it died need not be on the disk, and the next file says that it is.
        let sync = |file: &PathBuf| OpenOptions::new().write(true).open(file)?.sync_all();
        let synced = recovered.files.iter().try_for_each(sync);
        let synced = synced.and_then(|()| if log.exists() { sync_folder(&log) } else { Ok(()) });
        let noted = synced.and_then(|()| tip.note(recovered.last));
        noted.map_err(|e: io::Error| refusal(folder, &e))?;
        let lock = claim.keep()?;
        let layers = Layers { newest: mem::take(&mut recovered.table), carried: None };
        let shared = Shared {
            limits,
            tail: Mutex::new(Tail::after(log, recovered)),
            layers: RwLock::new(layers),
            tip,
            failing: Failing::noting(trouble),
            busy: Mutex::new(false),
            idle: Condvar::new(),
            database,
            _lock: lock,
        };
        Ok(Self { shared: Arc::new(shared), carrier: Mutex::new(None) })
    }
}
