//! The embedded store on redb, in a data folder of its own.
//!
//! What redb 4 does, and what is built around it:
//!
//! * A commit is there whole after a crash, and its fsync is inside: what was applied is durable at once, so `settle` and
//!   `sync` have nothing left to do. All commits of a group are one of redb's.
//! * After a crash redb walks the whole file unless each commit wrote down which pages are in use. Ours do (its *quick
//!   repair*, which also makes commits two-phase): opening takes milliseconds whatever the size, and the price is a few
//!   per cent of the commits.
//! * redb looks at the checksums of its pages only when asked. Opening asks, see [`open`]; every value has a sum of its
//!   own besides (see `rows::layout`), and the [`Ledger`] tells whether the keys are those that were written.
//! * An older header that passes for the newest loses what came after it. `folder::tip` notices.
//! * redb may panic on damage. Every call is guarded; after a panic while applying the store refuses everything, while one
//!   in a read counts as damage of what was read.
//! * redb gives up its file after one read that fails. `disk` makes such a read a page that is damaged.

mod copied;
mod disk;
mod open;

pub(crate) use copied::Copied;

use std::fmt;
use std::io::ErrorKind;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Mutex, OnceLock, PoisonError};

use causeway_core::storage::{Commit, CommitError, FailureKind, Page, Scan, StoreFailure};
use redb::{AccessGuard, Database, ReadableDatabase, ReadableTable, TableDefinition, WriteTransaction};

use crate::folder::tip::Tip;
use crate::folder::{FolderLock, Past, io_failure};
use crate::limits::Reading;
use crate::rows::draft::{Draft, Writes};
use crate::rows::known::Known;
use crate::rows::ledger::Ledger;
use crate::rows::{self, Pair, Tree, TreeError, layout};
use crate::{OpenError, Space, Store, limits};

/// A store in a data folder, which it locks for as long as it is open.
///
/// The folder holds `FORMAT` (kind and version), `lock`, `tip` (how far it was durable) and `rows.redb`. Opening touches
/// nothing when it fails.
pub struct RedbStore {
    /// Taken out only when the store is dropped.
    db: Option<Database>,
    tip: Tip,
    /// Held by whoever writes.
    numbers: Mutex<Numbers>,
    known: Mutex<Known>,
    /// The first failure after which nothing is certain any more.
    failed: OnceLock<StoreFailure>,
    /// Released last, after redb has closed its file.
    _lock: FolderLock,
}

/// What the store counts.
#[derive(Clone, Copy)]
struct Numbers {
    /// The number that the next long value gets.
    next_long: u64,
    ledger: Ledger,
}

/// Every row of ours is in this one table.
const ROWS: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("rows");

impl RedbStore {
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
        let opened = open::open(folder, past, reading)?;
        Ok(Self {
            db: Some(opened.db),
            tip: opened.tip,
            numbers: Mutex::new(opened.numbers),
            known: Mutex::default(),
            failed: OnceLock::new(),
            _lock: opened.lock,
        })
    }

    /// The database, unless the store has failed.
    fn db(&self) -> Result<&Database, StoreFailure> {
        if let Some(first) = self.failed.get() {
            let sentence =
                format!("The store is closed after a failure; open it again. First failure: {first}");
            return Err(StoreFailure::new(FailureKind::Closed, sentence));
        }
        Ok(self.db.as_ref().expect("taken out only by drop"))
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

    /// Reads at one moment. A panic inside redb is damage near `key` and concerns nobody else.
    fn read<T>(
        &self,
        key: &[u8],
        work: impl FnOnce(&Rows<redb::ReadOnlyTable<&'static [u8], &'static [u8]>>) -> Result<T, StoreFailure>,
    ) -> Result<T, StoreFailure> {
        let db = self.db()?;
        let read = || {
            let moment = db.begin_read().map_err(|e| failure_of(e.into()))?;
            let table = moment.open_table(ROWS).map_err(|e| failure_of(e.into()))?;
            work(&Rows(table))
        };
        catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|_| Err(StoreFailure::damaged(key)))
    }

    /// Stages a group and makes it one commit of redb's; answers what was staged.
    fn write(
        &self,
        change: WriteTransaction,
        group: &[(Space, Commit)],
        answers: &mut Vec<Result<(), CommitError>>,
    ) -> Result<(), redb::Error> {
        let mut numbers = self.numbers.lock().unwrap_or_else(PoisonError::into_inner);
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let mut after = *numbers;
        {
            let rows = Rows(change.open_table(ROWS)?);
            let mut draft = Draft::new(&rows, &mut known, numbers.next_long);
            for (space, commit) in group {
                let staged = limits::check(commit).map_err(CommitError::from);
                let staged = staged.and_then(|()| stage(&mut draft, space, commit));
                answers.push(staged.inspect_err(|e| self.note(e)));
            }
            if draft.is_empty() {
                drop(rows);
                return Ok(change.abort()?);
            }
            after.next_long = draft.next_long();
            let writes = draft.into_writes();
            apply(rows.0, writes, &mut after.ledger)?;
        }
        change.commit()?;
        *numbers = after;
        Ok(self.tip.note(after.ledger.batch).map_err(redb::StorageError::Io)?)
    }
}

impl Store for RedbStore {
    fn apply(&self, space: &Space, commit: &Commit) -> Result<(), CommitError> {
        let group = [(space.clone(), commit.clone())];
        self.apply_group(&group).pop().expect("one answer for one commit")
    }

    fn apply_group(&self, group: &[(Space, Commit)]) -> Vec<Result<(), CommitError>> {
        let mut answers = Vec::with_capacity(group.len());
        let outcome = self.db().and_then(|db| {
            let work = || {
                let mut change = db.begin_write()?;
                change.set_quick_repair(true);
                self.write(change, group, &mut answers)
            };
            match catch_unwind(AssertUnwindSafe(work)) {
                Ok(Ok(())) => Ok(()),
                Ok(Err(e)) => Err(self.fail(write_failure(e))),
                Err(_) => Err(self.fail(gave_up())),
            }
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
        self.db().map(drop)
    }

    fn sync(&self) -> Result<(), StoreFailure> {
        self.db().map(drop)
    }

    fn scan(&self, space: &Space, scan: &Scan) -> Result<Page, StoreFailure> {
        self.read(&scan.start, |rows| rows::scan(rows, space, scan))
    }

    fn spaces(&self, after: Option<&Space>, max: usize) -> Result<Vec<Space>, StoreFailure> {
        self.read(after.map_or(&[], Space::as_bytes), |rows| rows::spaces(rows, after, max))
    }
}

impl fmt::Debug for RedbStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedbStore").field("failed", &self.failed.get()).finish_non_exhaustive()
    }
}

impl Drop for RedbStore {
    fn drop(&mut self) {
        let db = self.db.take();
        // redb writes down a clean end here; where the disk refuses, the next opening does without.
        let _ = catch_unwind(AssertUnwindSafe(|| drop(db)));
    }
}

/// A panic while a commit is staged is damage of what it reads, and nobody else's: the draft is changed only behind all reads.
fn stage<T: Tree>(draft: &mut Draft<'_, T>, space: &Space, commit: &Commit) -> Result<(), CommitError> {
    catch_unwind(AssertUnwindSafe(|| draft.stage(space, commit))).unwrap_or_else(|_| {
        let key = commit.put.first().map(|(key, _)| key).or(commit.delete.first());
        Err(StoreFailure::damaged(key.or(commit.delete_prefix.first()).map_or(&[], Vec::as_slice)).into())
    })
}

/// Writes what was staged, and the ledger with it.
fn apply(
    mut table: redb::Table<'_, &'static [u8], &'static [u8]>,
    writes: Writes,
    ledger: &mut Ledger,
) -> Result<(), redb::StorageError> {
    for (key, value) in writes {
        let (key, value) = (key.as_slice(), value.as_deref());
        let found = match value {
            Some(value) => table.insert(key, value)?.is_some(),
            None => table.remove(key)?.is_some(),
        };
        match (found, value) {
            (false, Some(_)) => ledger.census.add(layout::sum(&[key])),
            (true, None) => ledger.census.remove(layout::sum(&[key])),
            (true, Some(_)) | (false, None) => {}
        }
    }
    ledger.batch += 1;
    table.insert(layout::NUMBER_KEY, ledger.encode().as_slice())?;
    Ok(())
}

/// The table of all rows, at one moment.
pub(crate) struct Rows<T>(T);

/// Bytes in a page of redb's.
pub(crate) struct Guarded<'a>(AccessGuard<'a, &'static [u8]>);

impl AsRef<[u8]> for Guarded<'_> {
    fn as_ref(&self) -> &[u8] {
        self.0.value()
    }
}

impl<T: ReadableTable<&'static [u8], &'static [u8]>> Tree for Rows<T> {
    type Bytes<'a>
        = Guarded<'a>
    where
        T: 'a;

    fn get(&self, key: &[u8]) -> Result<Option<Guarded<'_>>, TreeError> {
        self.0.get(key).map(|found| found.map(Guarded)).map_err(tree_error)
    }

    fn range(&self, start: &[u8], end: &[u8]) -> Result<impl Iterator<Item = Pair<Guarded<'_>>>, TreeError> {
        let range = self.0.range::<&[u8]>(start..end).map_err(tree_error)?;
        Ok(range.map(|found| found.map(|(key, value)| (Guarded(key), Guarded(value))).map_err(tree_error)))
    }
}

fn gave_up() -> StoreFailure {
    let sentence = "The embedded database gave up; open the store again, and restore a backup if that fails.";
    StoreFailure::new(FailureKind::Closed, sentence)
}

/// Why a commit was broken off, of which nobody knows how much is there: damage that it met on the way closes the store.
fn write_failure(error: redb::Error) -> StoreFailure {
    let failure = failure_of(error);
    match failure.kind {
        FailureKind::Damaged => gave_up(),
        FailureKind::Full
        | FailureKind::Closed
        | FailureKind::Busy
        | FailureKind::TooLarge
        | FailureKind::Io => failure,
    }
}

fn failure_of(error: redb::Error) -> StoreFailure {
    match error {
        redb::Error::Corrupted(_) => TreeError::Damaged.anywhere(),
        redb::Error::Io(e) if is_damage(&e) => TreeError::Damaged.anywhere(),
        redb::Error::Io(e) => io_failure(&e),
        error => StoreFailure::new(FailureKind::Io, format!("The embedded database failed: {error}.")),
    }
}

fn tree_error(error: redb::StorageError) -> TreeError {
    match error {
        redb::StorageError::Corrupted(_) => TreeError::Damaged,
        redb::StorageError::Io(e) if is_damage(&e) => TreeError::Damaged,
        error => TreeError::Failed(failure_of(error.into())),
    }
}

/// redb reports a file that is none of its own, or that ends too early, like a disk that refuses.
fn is_damage(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::InvalidData | ErrorKind::UnexpectedEof)
}
