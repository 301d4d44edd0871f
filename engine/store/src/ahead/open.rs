//! Opening a data folder.

use std::mem;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::{Arc, Condvar, Mutex, RwLock};

use tracing::warn;

use super::carry::clear;
use super::failing::Failing;
use super::recovery::{Known, RecoveryError, recover};
use super::shared::Shared;
use super::table::Layers;
use super::tail::Tail;
use super::{WriteAheadLimits, WriteAheadStore};
use crate::database::Database;
use crate::folder::{Claim, Past, damaged, refusal};
use crate::limits::{CARRY_ATTEMPTS, Reading};
use crate::redb_database::RedbDatabase;
use crate::{OpenError, StoreKind};

impl WriteAheadStore {
    /// Opens the store in a data folder, creating the folder where there is none.
    ///
    /// # Errors
    /// One sentence each that says what to do; nothing was touched.
    pub(crate) fn open(folder: &Path, past: Past, limits: WriteAheadLimits) -> Result<Self, OpenError> {
        Self::open_reading(folder, past, limits, Reading::default())
    }

    /// The same with another way of reading the database.
    pub(crate) fn open_reading(
        folder: &Path,
        past: Past,
        limits: WriteAheadLimits,
        reading: Reading,
    ) -> Result<Self, OpenError> {
        let mut claim = Claim::stake(folder, StoreKind::Redb, past)?;
        claim.settle(past)?;
        let database = Box::new(RedbDatabase::open(&mut claim, reading)?);
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
        // All that is read was put on the disk when the folder was settled.
        let mark = claim.mark();
        tip.note(recovered.last).and_then(|()| mark.rest()).map_err(|e| refusal(folder, &e))?;
        let lock = claim.keep()?;
        if recovered.table.rows() == 0 && clear(&recovered.files).is_ok() {
            // All of it is in the database.
            (recovered.files, recovered.bytes) = (Vec::new(), 0);
        }
        let is_unwritable = mark.attempts() >= CARRY_ATTEMPTS;
        if is_unwritable {
            warn!(
                "the database gives up on what is written to it: rows stay in the log until that is full; restore a backup"
            );
        }
        let layers = Layers { newest: mem::take(&mut recovered.table), ..Layers::default() };
        let shared = Shared {
            limits,
            folder: folder.clone(),
            tail: Mutex::new(Tail::after(log, recovered)),
            layers: RwLock::new(layers),
            tip,
            failing: Failing::default(),
            mark,
            is_unwritable: AtomicBool::new(is_unwritable),
            wanted_bytes: AtomicU64::new(0),
            busy: Mutex::new(false),
            idle: Condvar::new(),
            carrying: Arc::default(),
            condition: Arc::default(),
            database,
            _lock: lock,
        };
        shared.note_condition(&shared.tail());
        Ok(Self { shared: Arc::new(shared), carrier: Mutex::new(None) })
    }
}
