//! The embedded store on sled, in a data folder of its own.
//!
//! What sled 0.34 does, and what is built around it:
//!
//! * A batch that was applied lies in sled's own buffer in memory and dies with the process. [`Store::settle`] therefore
//!   flushes: the buffer is written to the file, which the operating system keeps.
//! * On Linux sled's flush calls `sync_file_range`, which neither writes metadata nor empties the disk's cache.
//!   [`Store::sync`] therefore ends with an fsync of the log file on a handle of ours.
//! * Rows or pages beyond 128 KiB go to files that sled never fsyncs. Long values are cut into short rows (see
//!   `rows::layout`), so that this never happens.
//! * Each batch costs two writes, so the commits of a group become one batch.
//! * sled cuts its log at the first record that it cannot read and says nothing. `folder::tip` notices. Sometimes it cuts
//!   only a piece out of it: what was written there is missing, or is what it was before. The [`Ledger`] notices.
//! * sled may panic on damage or a failing disk. Every call is guarded; after a panic the store refuses everything.
//! * A write that fails may leave whoever waits for it waiting for ever. `wake` ends that.
//! * A read that fails is damage of what was asked for: sled goes on, and so does everybody else.
//! * sled's background flush is off: it would fsync every half second for ever, and nothing depends on it, since
//!   segments are also cleaned in passing by writes.

mod copied;
mod open;
mod wake;

pub(crate) use copied::Copied;
pub(crate) use open::LOG;

use std::fmt;
use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{OnceLock, PoisonError, RwLock};

use causeway_core::storage::{Commit, CommitError, FailureKind, Page, Scan, StoreFailure};
use tracing::warn;

use self::wake::Watch;
use crate::folder::tip::Tip;
use crate::folder::{FolderLock, Past, io_failure, refusal};
use crate::limits::Reading;
use crate::rows::draft::Draft;
use crate::rows::known::Known;
use crate::rows::ledger::Ledger;
use crate::rows::{self, Pair, Tree, TreeError, layout};
use crate::{OpenError, Space, Store, limits, watch};

/// A store in a data folder, which it locks for as long as it is open.
///
/// The folder holds `FORMAT` (a version number), `lock`, `tip` (how far it was durable) and `sled/`. Opening touches
/// nothing when it fails.
pub struct SledStore {
    /// Taken out only when the store is dropped.
    db: Option<sled::Db>,
    /// sled's log file, on a handle of ours: it reports every failed write since the store was opened.
    log: File,
    tip: Tip,
    /// Writers hold it while they apply, readers while they fill a page, so that a page shows one moment.
    numbers: RwLock<Numbers>,
    /// The first failure after which nothing is certain any more.
    failed: OnceLock<StoreFailure>,
    watch: Watch,
    /// Released last, after sled has closed its files.
    _lock: FolderLock,
}

/// What the store counts.
struct Numbers {
    /// The number that the next long value gets.
    next_long: u64,
    ledger: Ledger,
    known: Known,
}

impl SledStore {
    /// Opens the store in a data folder, creating the folder where there is none.
    ///
    /// # Errors
    /// One sentence each that says what to do; nothing was touched.
    pub fn open(folder: impl AsRef<Path>) -> Result<Self, OpenError> {
        Self::open_after(folder.as_ref(), Past::Plain)
    }

    pub(crate) fn open_after(folder: &Path, past: Past) -> Result<Self, OpenError> {
        Self::open_reading(folder, past, Reading::default())
    }

    pub(crate) fn open_reading(folder: &Path, past: Past, reading: Reading) -> Result<Self, OpenError> {
        let watch = Watch::start().map_err(|why| refusal(folder, &why))?;
        let opened = open::open(folder, past, reading)?;
        Ok(Self {
            db: Some(opened.db),
            log: opened.log,
            tip: opened.tip,
            numbers: RwLock::new(opened.numbers),
            failed: OnceLock::new(),
            watch,
            _lock: opened.lock,
        })
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
        let _inside = self.watch.enter(db);
        catch_unwind(AssertUnwindSafe(|| work(db))).ok()
    }

    /// Remembers the first failure and refuses everything from now on.
    fn fail(&self, failure: StoreFailure) -> StoreFailure {
        self.failed.get_or_init(|| failure.clone());
        failure
    }

    /// A commit that met a failing disk while it was staged fails the store as one that was being applied does.
    fn note(&self, error: &CommitError) {
        let CommitError::Failed(failure) = error else { return };
        match failure.kind {
            FailureKind::Full | FailureKind::Io | FailureKind::Closed => drop(self.fail(failure.clone())),
            FailureKind::Damaged | FailureKind::TooLarge | FailureKind::Busy => {}
        }
    }

    fn write_out(&self, db: &sled::Db) -> Result<(), StoreFailure> {
        db.flush().map(drop).map_err(|e| self.fail(failure_of(&e)))
    }
}

impl Store for SledStore {
    fn apply(&self, space: &Space, commit: &Commit) -> Result<(), CommitError> {
        let group = [(space.clone(), commit.clone())];
        self.apply_group(&group).pop().expect("one answer for one commit")
    }

    fn apply_group(&self, group: &[(Space, Commit)]) -> Vec<Result<(), CommitError>> {
        let mut answers = Vec::with_capacity(group.len());
        let outcome = self.change(|db| {
            let mut numbers = self.numbers.write().unwrap_or_else(PoisonError::into_inner);
            let Numbers { next_long, ledger, known } = &mut *numbers;
            let mut draft = Draft::new(db, known, *next_long);
            for (space, commit) in group {
                let staged = limits::check(commit).map_err(CommitError::from);
                let staged = staged.and_then(|()| draft.stage(space, commit));
                answers.push(staged.inspect_err(|e| self.note(e)));
            }
            if draft.is_empty() {
                return Ok(());
            }
            *next_long = draft.next_long();
            // A batch that fails half way may have shown some of its rows already.
            apply(db, draft, ledger).map_err(|e| self.fail(failure_of(&e)))
        });
        if let Err(failure) = outcome {
            // Whatever was staged is not certain, and what comes after a panic was never staged.
            answers.resize(group.len(), Ok(()));
            for answer in answers.iter_mut().filter(|answer| answer.is_ok()) {
                *answer = Err(failure.clone().into());
            }
        }
        answers
    }

    fn settle(&self) -> Result<(), StoreFailure> {
        self.change(|db| self.write_out(db))
    }

    fn sync(&self) -> Result<(), StoreFailure> {
        self.change(|db| {
            let batch = self.numbers.read().unwrap_or_else(PoisonError::into_inner).ledger.batch;
            self.write_out(db)?;
            watch::step();
            self.log.sync_data().and_then(|()| self.tip.note(batch)).map_err(|e| self.fail(io_failure(&e)))
        })
    }

    fn scan(&self, space: &Space, scan: &Scan) -> Result<Page, StoreFailure> {
        self.read(&scan.start, |db| {
            let _one_moment = self.numbers.read().unwrap_or_else(PoisonError::into_inner);
            rows::scan(db, space, scan)
        })
    }

    fn spaces(&self, after: Option<&Space>, max: usize) -> Result<Vec<Space>, StoreFailure> {
        self.read(after.map_or(&[], Space::as_bytes), |db| rows::spaces(db, after, max))
    }
}

impl fmt::Debug for SledStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // sled's own Debug prints every row.
        f.debug_struct("SledStore").field("failed", &self.failed.get()).finish_non_exhaustive()
    }
}

impl Drop for SledStore {
    fn drop(&mut self) {
        let Some(db) = self.db.take() else { return };
        // sled flushes as it is dropped, and panics where the disk refuses; whoever needed the flush called `sync`. This one
        // is watched, and leaves nothing there to wait for.
        let inside = self.watch.enter(&db);
        let _ = catch_unwind(AssertUnwindSafe(|| drop(db.flush())));
        drop(inside);
        self.watch.end();
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
fn apply(db: &sled::Db, draft: Draft<'_, sled::Db>, ledger: &mut Ledger) -> sled::Result<()> {
    let mut batch = sled::Batch::default();
    draft.replaced().iter().for_each(|old| ledger.census.remove(*old));
    for (key, value) in draft.into_writes() {
        if let Some(row) = value.as_ref().filter(|_| layout::is_row(&key)) {
            ledger.census.add(layout::sum_of_row(row));
        }
        match value {
            Some(value) => batch.insert(key, value),
            None => batch.remove(key),
        }
    }
    ledger.batch += 1;
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
