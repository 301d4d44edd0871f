//! The embedded database redb, in a data folder.
//!
//! What redb 4 does, and what is built around it:
//!
//! * A commit is there whole after a crash, and its fsync is inside: what was written is durable at once, so `sync` has
//!   nothing left to do. Commits are few and large, as each writes every page above the rows that it changes.
//! * After a crash redb walks the whole file unless each commit wrote down which pages are in use. Ours do (its *quick
//!   repair*, which also makes commits two-phase): opening takes milliseconds whatever the size, and the price is a few
//!   per cent of the commits.
//! * redb looks at the checksums of its pages only when asked. Opening asks, see [`open`]; every value has a sum of its
//!   own besides (see `rows::layout`), and the [`Ledger`] tells whether the keys are those that were written.
//! * An older header that passes for the newest loses what came after it. `folder::tip` notices.
//! * redb gives up its file after one read that fails. `disk` makes such a read a page that is damaged.
//! * redb may panic on damage, and where that lies in its own tables the process ends: they are looked at before it is
//!   given a file, see [`own_tables`]. Every call is guarded; after a panic while writing the database refuses everything,
//!   while one in a read counts as damage of what was read.

mod copied;
mod disk;
mod open;
mod own_tables;

pub(crate) use copied::Copied;

use std::io::ErrorKind;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, OnceLock, PoisonError};

use causeway_core::storage::{FailureKind, Page, Scan, StoreFailure};
use redb::{AccessGuard, ReadableDatabase, ReadableTable, TableDefinition};

use crate::database::{Database, Row};
use crate::folder::{Claim, io_failure};
use crate::limits::Reading;
use crate::rows::draft::{Draft, Writes};
use crate::rows::known::Known;
use crate::rows::ledger::Ledger;
use crate::rows::{self, Pair, Tree, TreeError, layout};
use crate::{OpenError, Space, limits, watch};

/// redb, open in a data folder.
pub(crate) struct RedbDatabase {
    /// Taken out only when the database is dropped.
    db: Option<redb::Database>,
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
}

/// Every row of ours is in this one table.
const ROWS: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("rows");

impl RedbDatabase {
    /// Opens it in a folder that was claimed, making it where there is none.
    pub(crate) fn open(claim: &mut Claim, reading: Reading) -> Result<Self, OpenError> {
        let open::Opened { db, numbers } = open::open(claim, reading)?;
        let batch = numbers.ledger.batch;
        Ok(Self { db: Some(db), batch, numbers: Mutex::new(numbers), failed: OnceLock::new() })
    }

    /// The database, unless it has failed.
    fn db(&self) -> Result<&redb::Database, StoreFailure> {
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

    /// What rows become, once each place that this touches was read.
    fn stage(&self, rows: &[Row<'_>], numbers: &mut Numbers) -> Result<Writes, StoreFailure> {
        let Numbers { next_long, known, .. } = numbers;
        let staged = self.read(&[], |table| {
            rows::reach(table, layout::NUMBER_KEY)?;
            let mut draft = Draft::new(table, known, *next_long);
            draft.rows(rows.iter().copied())?;
            *next_long = draft.next_long();
            let writes = draft.into_writes();
            writes.keys().try_for_each(|key| rows::reach(table, key))?;
            Ok(writes)
        });
        staged.map_err(|failure| {
            // It holds what was staged for written.
            *known = Known::default();
            self.unwritten(failure)
        })
    }

    /// Makes writes one commit of redb's.
    fn commit(&self, db: &redb::Database, writes: Writes, ledger: &mut Ledger) -> Result<(), StoreFailure> {
        let refuse = |e: redb::Error| broken_off(failure_of(e));
        let mut change = db.begin_write().map_err(|e| refuse(e.into()))?;
        change.set_quick_repair(true);
        let table = change.open_table(ROWS).map_err(|e| refuse(e.into()))?;
        apply(table, writes, ledger).map_err(|e| refuse(e.into()))?;
        change.commit().map_err(|e| refuse(e.into()))
    }

    /// Why rows were not written, of which none was: damage where one of them belongs concerns only that one.
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
}

impl Database for RedbDatabase {
    fn batch(&self) -> u64 {
        self.batch
    }

    fn check(&self) -> Result<(), StoreFailure> {
        self.db().map(drop)
    }

    fn grows_by(&self, rows: usize, bytes: u64) -> u64 {
        let pages = (rows as u64).saturating_mul(limits::REDB_PAGE_BYTES);
        bytes.saturating_mul(limits::REDB_GROWTH).saturating_add(pages)
    }

    fn reach(&self, tree_keys: &[Vec<u8>]) -> Result<Vec<Result<(), StoreFailure>>, StoreFailure> {
        self.read(&[], |table| {
            let reach = |key: &Vec<u8>| {
                catch_unwind(AssertUnwindSafe(|| rows::reach(table, key)))
                    .unwrap_or_else(|_| Err(StoreFailure::damaged(layout::key_of(key))))
            };
            Ok(tree_keys.iter().map(reach).collect())
        })
    }

    fn write(&self, rows: &[Row<'_>], batch: Option<u64>) -> Result<(), StoreFailure> {
        let db = self.db()?;
        let mut numbers = self.numbers.lock().unwrap_or_else(PoisonError::into_inner);
        // Before anything is changed: a change that comes upon what is no page of redb's leaves a file that may not open again.
        let writes = self.stage(rows, &mut numbers)?;
        let ledger = &mut numbers.ledger;
        ledger.batch = batch.unwrap_or(ledger.batch);
        let written = catch_unwind(AssertUnwindSafe(|| self.commit(db, writes, ledger)));
        written.unwrap_or_else(|_| Err(gave_up())).map_err(|e| self.fail(e))
    }

    fn sync(&self) -> Result<(), StoreFailure> {
        self.db().map(drop)
    }

    fn get(&self, space: &Space, key: &[u8]) -> Result<Option<Vec<u8>>, StoreFailure> {
        self.read(key, |rows| rows::get(rows, space, key))
    }

    fn keys(&self, space: &Space, prefix: &[u8]) -> Result<Vec<Vec<u8>>, StoreFailure> {
        self.read(prefix, |rows| rows::keys(rows, space, prefix))
    }

    fn scan(&self, space: &Space, scan: &Scan) -> Result<Page, StoreFailure> {
        self.read(&scan.start, |rows| rows::scan(rows, space, scan))
    }

    fn spaces(&self, after: Option<&Space>, max: usize) -> Result<Vec<Space>, StoreFailure> {
        self.read(after.map_or(&[], Space::as_bytes), |rows| rows::spaces(rows, after, max))
    }
}

impl Drop for RedbDatabase {
    fn drop(&mut self) {
        let db = self.db.take();
        // redb writes down a clean end here; where the disk refuses, the next opening does without.
        let _ = catch_unwind(AssertUnwindSafe(|| drop(db)));
    }
}

/// Writes what was staged, and the ledger with it.
fn apply(
    mut table: redb::Table<'_, &'static [u8], &'static [u8]>,
    writes: Writes,
    ledger: &mut Ledger,
) -> Result<(), redb::StorageError> {
    for (key, value) in writes {
        watch::step();
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

/// Why rows were not written, of which nobody knows how many are there: damage that is met on the way closes the database.
fn broken_off(failure: StoreFailure) -> StoreFailure {
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
