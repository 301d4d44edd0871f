//! Opening a data folder.

use std::mem;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Condvar, Mutex, RwLock};

use super::failing::Failing;
use super::recovery::{Known, RecoveryError, recover};
use super::shared::Shared;
use super::table::Layers;
use super::tail::Tail;
use super::{WriteAheadLimits, WriteAheadStore};
use crate::database::Database;
use crate::folder::{Claim, Past, damaged, refusal};
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
    ) -> Result<Self, OpenError> {
        Self::open_reading(kind, folder, past, limits, Reading::default())
    }

    /// The same with another way of reading the database.
    pub(crate) fn open_reading(
        kind: StoreKind,
        folder: &Path,
        past: Past,
        limits: WriteAheadLimits,
        reading: Reading,
    ) -> Result<Self, OpenError> {
        let mut claim = Claim::stake(folder, kind, past)?;
        claim.settle()?;
        let database: Box<dyn Database> = match kind {
            StoreKind::Sled => Box::new(SledDatabase::open(&mut claim, reading)?),
            StoreKind::Redb => Box::new(RedbDatabase::open(&mut claim, reading)?),
        };
        Self::over(database, claim, limits)
    }

    /// The store over a database in a folder that was claimed for it.
    pub(super) fn over(
        database: Box<dyn Database>,
        mut claim: Claim,
        limits: WriteAheadLimits,
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
        // All of the log that is read was put on the disk when the folder was settled.
        let mark = claim.mark();
        tip.note(recovered.last).and_then(|()| mark.clear()).map_err(|e| refusal(folder, &e))?;
        let lock = claim.keep()?;
        let layers = Layers { newest: mem::take(&mut recovered.table), ..Layers::default() };
        let shared = Shared {
            limits,
            folder: folder.clone(),
            tail: Mutex::new(Tail::after(log, recovered)),
            layers: RwLock::new(layers),
            tip,
            failing: Failing::default(),
            mark,
            is_unwritable: AtomicBool::new(false),
            busy: Mutex::new(false),
            idle: Condvar::new(),
            database,
            _lock: lock,
        };
        Ok(Self { shared: Arc::new(shared), carrier: Mutex::new(None) })
    }
}
