//! Opening redb in a data folder that was claimed, and looking whether the file is what was written.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use redb::{
    Database, DatabaseError, ReadableDatabase, ReadableTable, ReadableTableMetadata, StorageError, TableError,
};

use super::disk::{Disk, Opened as FileOpened};
use super::{Numbers, ROWS, is_damage, own_tables};
use crate::folder::{Claim, Made, OPENS_EMPTY, damaged, refusal};
use crate::limits::Reading;
use crate::rows::known::Known;
use crate::rows::layout;
use crate::rows::ledger::{Census, Ledger};
use crate::{OpenError, watch};

/// What an open database holds.
pub(super) struct Opened {
    pub(super) db: Database,
    pub(super) numbers: Numbers,
}

pub(super) fn open(claim: &mut Claim, reading: Reading) -> Result<Opened, OpenError> {
    let folder = claim.folder.clone();
    let path = claim.content();
    let length = path.metadata().map_or(0, |file| file.len());
    if !path.exists() {
        claim.add(Made::File(path.clone()));
    }
    let held_rows = claim.holds_rows_without_tip()?;
    let look = Look { folder: &folder, path: &path, reading, held_rows, opened: FileOpened::default() };
    if !own_tables::are_whole(&path).map_err(|e| refusal(&folder, &e))? {
        return Err(damaged(&folder, "the database's own tables are not what was written"));
    }
    let mut db = look.open()?;
    let sound = if length <= reading.verify_bytes { look.pages_are_sound(&mut db) } else { Ok(true) };
    let sound = match sound {
        Ok(sound) => sound,
        Err(refused) => {
            close(db);
            return Err(refused);
        }
    };
    if !sound {
        // What is left of the file after that is asked anew.
        close(db);
        db = look.open()?;
        if let Err(refused) = look.keys_are_whole(&db) {
            close(db);
            return Err(refused);
        }
    }
    match look.numbers(&db) {
        Ok(numbers) => {
            look.opened.set();
            Ok(Opened { db, numbers })
        }
        Err(refused) => {
            close(db);
            Err(refused)
        }
    }
}

/// redb writes as it closes, and may panic on what it then finds.
fn close(db: Database) {
    let _ = catch_unwind(AssertUnwindSafe(|| drop(db)));
}

/// A look at redb's file, in which any step may find damage.
struct Look<'a> {
    folder: &'a Path,
    path: &'a Path,
    reading: Reading,
    /// There are rows in the file, and the file `tip` is lost.
    held_rows: bool,
    opened: FileOpened,
}

impl Look<'_> {
    fn open(&self) -> Result<Database, OpenError> {
        self.ask(|| {
            let disk = Disk::open(self.path, self.opened.clone())?;
            Ok(Database::builder().set_cache_size(self.reading.cache_bytes).create_with_backend(disk)?)
        })
    }

    /// Holds every page against its checksum.
    fn pages_are_sound(&self, db: &mut Database) -> Result<bool, OpenError> {
        match catch_unwind(AssertUnwindSafe(|| db.check_integrity())) {
            Ok(Ok(_)) => Ok(true),
            Ok(Err(DatabaseError::Storage(StorageError::Corrupted(_)))) | Err(_) => Ok(false),
            Ok(Err(e)) => Err(self.refusal(e.into())),
        }
    }

    /// Where a page is damaged, whether all keys are still there and found: then the damage lies in values, and each
    /// shows when it is read. Anything else would lose rows in silence.
    fn keys_are_whole(&self, db: &Database) -> Result<(), OpenError> {
        let expected = self.numbers(db)?.ledger.census;
        let found = self.ask(|| {
            let table = db.begin_read()?.open_table(ROWS)?;
            let mut keys = Census::default();
            for row in table.iter()? {
                watch::step();
                let key = row?.0;
                if key.value() != layout::NUMBER_KEY && table.get(key.value())?.is_some() {
                    keys.add(layout::sum(&[key.value()]));
                }
            }
            Ok(keys)
        })?;
        if found == expected {
            return Ok(());
        }
        Err(damaged(self.folder, "some of its rows are not to be found"))
    }

    fn numbers(&self, db: &Database) -> Result<Numbers, OpenError> {
        let (ledger, next_long) = self.ask(|| {
            let table = match db.begin_read()?.open_table(ROWS) {
                Err(TableError::TableDoesNotExist(_)) if self.held_rows => return Ok((None, 0)),
                Err(TableError::TableDoesNotExist(_)) => {
                    let change = db.begin_write()?;
                    change.open_table(ROWS)?;
                    change.commit()?;
                    return Ok((Some(Ledger::default()), 0));
                }
                table => table?,
            };
            let ledger = match table.get(layout::NUMBER_KEY)? {
                None if table.is_empty()? && !self.held_rows => Some(Ledger::default()),
                None => None,
                Some(raw) => Ledger::decode(raw.value()),
            };
            let next_long = table.last()?.map_or(0, |(key, _)| layout::next_long(Some(key.value())));
            Ok((ledger, next_long))
        })?;
        let ledger = ledger.ok_or_else(|| {
            let unreadable = "the number of its last batch is not readable";
            damaged(self.folder, if self.held_rows { OPENS_EMPTY } else { unreadable })
        })?;
        Ok(Numbers { next_long, ledger, known: Known::default() })
    }

    /// Runs `work`, in which redb may panic.
    fn ask<T>(&self, work: impl FnOnce() -> Result<T, redb::Error>) -> Result<T, OpenError> {
        match catch_unwind(AssertUnwindSafe(work)) {
            Ok(answer) => answer.map_err(|e| self.refusal(e)),
            Err(_) => Err(damaged(self.folder, "the embedded database gave up")),
        }
    }

    fn refusal(&self, error: redb::Error) -> OpenError {
        match error {
            redb::Error::Io(e) if is_damage(&e) => damaged(self.folder, e.to_string()),
            redb::Error::Io(e) => refusal(self.folder, &e),
            redb::Error::DatabaseAlreadyOpen => OpenError::Locked(self.folder.into()),
            // There is one table, and it is always of the same types.
            redb::Error::Corrupted(_)
            | redb::Error::UpgradeRequired(_)
            | redb::Error::RepairAborted
            | redb::Error::TypeDefinitionChanged { .. }
            | redb::Error::TableTypeMismatch { .. }
            | redb::Error::TableIsMultimap(_) => damaged(self.folder, error.to_string()),
            error => OpenError::Io { folder: self.folder.into(), what: error.to_string() },
        }
    }
}
