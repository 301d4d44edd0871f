//! The embedded database sled, in a data folder.
//!
//! What sled 0.34 does, and what is built around it:
//!
//! * A batch that was applied lies in sled's own buffer in memory and dies with the process. [`Database::sync`] therefore
//!   flushes: the buffer is written to the file, which the operating system keeps.
//! * On Linux sled's flush calls `sync_file_range`, which neither writes metadata nor empties the disk's cache.
//!   [`Database::sync`] therefore ends with an fsync of the log file on a handle of ours.
//! * Rows or pages beyond 128 KiB go to files that sled never fsyncs. Long values are cut into short rows (see
//!   `rows::layout`), so that this never happens.
//! * Whoever reads waits while a batch is applied, so batches are small. They are written out one by one and synced soon, because
//!   sled takes a log that lacks something before its end for damaged.
//! * sled cuts its log at the first record that it cannot read and says nothing. `folder::tip` notices. Sometimes it cuts
//!   only a piece out of it: what was written there is missing, or is what it was before. The [`Ledger`] notices.
//! * sled may panic on damage or a failing disk. Every call is guarded; after a panic the database refuses everything.
//! * A read that fails is damage of what was asked for: sled goes on, and so does everybody else.
//! * sled's background flush is off: it would fsync every half second for ever, and nothing depends on it, since
//!   segments are also cleaned in passing by writes.

mod copied;
mod open;

pub(crate) use copied::Copied;
pub(crate) use open::LOG;

use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, OnceLock, PoisonError};

use causeway_core::storage::{FailureKind, Page, Scan, StoreFailure};
use tracing::warn;

use crate::database::{Database, Row};
use crate::folder::{Claim, io_failure};
use crate::limits::Reading;
use crate::rows::draft::{Draft, Writes};
use crate::rows::known::Known;
use crate::rows::layout::Sum;
use crate::rows::ledger::Ledger;
use crate::rows::{self, Pair, Tree, TreeError, layout};
use crate::{OpenError, Space, limits};

/// sled, open in a data folder.
pub(crate) struct SledDatabase {
    /// Taken out only when the database is dropped.
    db: Option<sled::Db>,
    /// sled's log file, on a handle of ours: it reports every failed write since it was opened.
    log: File,
    /// What was found when it was opened.
    batch: u64,
    numbers: Mutex<Numbers>,
    /// The first failure after which nothing is certain any more.
    failed: OnceLock<StoreFailure>,
}

/// What the database counts.
struct Numbers {
    /// The number that the next long value gets.
    next_long: u64,
    ledger: Ledger,
    known: Known,
    /// Bytes of rows that were written since the last fsync.
    unsynced: usize,
}

impl SledDatabase {
    /// Opens it in a folder that was claimed, making it where there is none.
    pub(crate) fn open(claim: &mut Claim, reading: Reading) -> Result<Self, OpenError> {
        let open::Opened { db, log, numbers } = open::open(claim, reading)?;
        let batch = numbers.ledger.batch;
        Ok(Self { db: Some(db), log, batch, numbers: Mutex::new(numbers), failed: OnceLock::new() })
    }

    fn db(&self) -> &sled::Db {
        self.db.as_ref().expect("taken out only by drop")
    }

    /// Changes something unless the store has failed; a panic inside sled, which may be a write that failed, fails it.
    fn change<T>(&self, work: impl FnOnce(&sled::Db) -> Result<T, StoreFailure>) -> Result<T, StoreFailure> {
        self.guarded(work).unwrap_or_else(|| Err(self.fail(gave_up(FailureKind::Io))))
    }

    /// Reads at or behind a key unless the store has failed. A panic inside sled is damage there; nobody knows in which state
    /// it leaves what sled keeps in memory, so the store has to be opened again.
    fn read<T>(
        &self,
        key: &[u8],
        work: impl FnOnce(&sled::Db) -> Result<T, StoreFailure>,
    ) -> Result<T, StoreFailure> {
        self.guarded(work).unwrap_or_else(|| {
            self.fail(gave_up(FailureKind::Closed));
            Err(StoreFailure::damaged(key))
        })
    }

    /// Runs `work` unless the store has failed; nothing where sled panics.
    fn guarded<T>(
        &self,
        work: impl FnOnce(&sled::Db) -> Result<T, StoreFailure>,
    ) -> Option<Result<T, StoreFailure>> {
        if let Some(first) = self.failed.get() {
            let sentence =
                format!("The store is closed after a failure; open it again. First failure: {first}");
            return Some(Err(StoreFailure::new(FailureKind::Closed, sentence)));
        }
        let db = self.db();
        catch_unwind(AssertUnwindSafe(|| work(db))).ok()
    }

    /// Remembers the first failure and refuses everything from now on.
    fn fail(&self, failure: StoreFailure) -> StoreFailure {
        self.failed.get_or_init(|| failure.clone());
        failure
    }

    /// Why rows were not written, of which none was applied: damage where one of them belongs concerns only that one.
    fn unwritten(&self, failure: StoreFailure) -> StoreFailure {
        match failure.kind {
            FailureKind::Damaged => failure,
            FailureKind::Full
            | FailureKind::Closed
            | FailureKind::Busy
            | FailureKind::TooLarge
            | FailureKind::Io => self.fail(failure),
        }
    }

    fn write_out(&self, db: &sled::Db) -> Result<(), StoreFailure> {
        db.flush().map_err(|e| self.fail(failure_of(&e)))?;
        self.log.sync_data().map_err(|e| self.fail(io_failure(&e)))
    }
}

impl Database for SledDatabase {
    fn batch(&self) -> u64 {
        self.batch
    }

    fn check(&self) -> Result<(), StoreFailure> {
        self.change(|_| Ok(()))
    }

    fn piece_bytes(&self) -> usize {
        limits::SLED_PIECE_BYTES
    }

    fn grows_by(&self, bytes: u64) -> u64 {
        bytes.saturating_mul(limits::SLED_GROWTH)
    }

    fn write(&self, rows: &[Row<'_>], batch: Option<u64>) -> Result<(), StoreFailure> {
        self.change(|db| {
            let mut numbers = self.numbers.lock().unwrap_or_else(PoisonError::into_inner);
            let Numbers { next_long, ledger, known, unsynced } = &mut *numbers;
            let mut draft = Draft::new(db, known, *next_long);
            let staged = rows.iter().try_for_each(|row| draft.stage(*row));
            let (replaced, next, writes) =
                (draft.replaced().to_vec(), draft.next_long(), draft.into_writes());
            // A batch that comes upon a place that cannot be read is not taken back.
            let reached = staged.and_then(|()| writes.iter().try_for_each(|(key, _)| rows::reach(db, key)));
            if let Err(failure) = reached {
                // It holds what was staged for written.
                *known = Known::default();
                return Err(self.unwritten(failure));
            }
            *next_long = next;
            ledger.batch = batch.unwrap_or(ledger.batch);
            // A batch that fails half way may have shown some of its rows already.
            apply(db, writes, &replaced, ledger).map_err(|e| self.fail(failure_of(&e)))?;
            // Before the next piece, so that no two of sled's segments are written side by side.
            db.flush().map_err(|e| self.fail(failure_of(&e)))?;
            *unsynced +=
                rows.iter().map(|(key, value)| key.len() + value.map_or(0, <[u8]>::len)).sum::<usize>();
            if *unsynced >= limits::SLED_UNSYNCED_BYTES {
                *unsynced = 0;
                self.log.sync_data().map_err(|e| self.fail(io_failure(&e)))?;
            }
            Ok(())
        })
    }

    fn sync(&self) -> Result<(), StoreFailure> {
        self.change(|db| self.write_out(db))
    }

    fn get(&self, space: &Space, key: &[u8]) -> Result<Option<Vec<u8>>, StoreFailure> {
        self.read(key, |db| rows::get(db, space, key))
    }

    fn keys(&self, space: &Space, prefix: &[u8]) -> Result<Vec<Vec<u8>>, StoreFailure> {
        self.read(prefix, |db| rows::keys(db, space, prefix))
    }

    fn scan(&self, space: &Space, scan: &Scan) -> Result<Page, StoreFailure> {
        self.read(&scan.start, |db| rows::scan(db, space, scan))
    }

    fn spaces(&self, after: Option<&Space>, max: usize) -> Result<Vec<Space>, StoreFailure> {
        self.read(after.map_or(&[], Space::as_bytes), |db| rows::spaces(db, after, max))
    }
}

impl Drop for SledDatabase {
    fn drop(&mut self) {
        let db = self.db.take();
        // sled flushes here, and panics where the disk refuses; whoever needed the flush called `sync`.
        let _ = catch_unwind(AssertUnwindSafe(|| drop(db)));
    }
}

impl Tree for sled::Db {
    type Bytes<'a> = sled::IVec;

    fn get(&self, key: &[u8]) -> Result<Option<sled::IVec>, TreeError> {
        sled::Tree::get(self, key).map_err(|e| unread(&e))
    }

    fn range(&self, start: &[u8], end: &[u8]) -> Result<impl Iterator<Item = Pair<sled::IVec>>, TreeError> {
        Ok(sled::Tree::range(self, start..end).map(|found| found.map_err(|e| unread(&e))))
    }
}

/// Applies what was staged, atomically, and the ledger with it.
fn apply(db: &sled::Db, writes: Writes, replaced: &[Sum], ledger: &mut Ledger) -> sled::Result<()> {
    let mut batch = sled::Batch::default();
    replaced.iter().for_each(|old| ledger.census.remove(*old));
    for (key, value) in writes {
        if let Some(row) = value.as_ref().filter(|_| layout::is_row(&key)) {
            ledger.census.add(layout::sum_of_row(row));
        }
        match value {
            Some(value) => batch.insert(key, value),
            None => batch.remove(key),
        }
    }
    batch.insert(layout::NUMBER_KEY, ledger.encode());
    db.apply_batch(batch)
}

/// Why something was not read. A place that the disk does not read is damage there: what else there is can be read.
fn unread(error: &sled::Error) -> TreeError {
    match error {
        sled::Error::Corruption { .. } => TreeError::Damaged,
        sled::Error::Io(why) => {
            warn!(%why, "a place of the store cannot be read");
            TreeError::Damaged
        }
        sled::Error::CollectionNotFound(_) | sled::Error::Unsupported(_) | sled::Error::ReportableBug(_) => {
            TreeError::Failed(failure_of(error))
        }
    }
}

/// Why something was not written.
fn failure_of(error: &sled::Error) -> StoreFailure {
    match error {
        sled::Error::Io(e) => io_failure(e),
        sled::Error::Corruption { .. }
        | sled::Error::CollectionNotFound(_)
        | sled::Error::Unsupported(_)
        | sled::Error::ReportableBug(_) => {
            StoreFailure::new(FailureKind::Io, format!("The embedded database failed: {error}"))
        }
    }
}

fn gave_up(kind: FailureKind) -> StoreFailure {
    let sentence = "The embedded database gave up; open the store again, and restore a backup if that fails.";
    StoreFailure::new(kind, sentence)
}
