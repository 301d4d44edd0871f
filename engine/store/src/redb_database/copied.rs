//! A copy of a file of redb's, opened whatever it has lost.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use redb::{Builder, Database, DatabaseError, ReadOnlyDatabase, ReadOnlyTable, ReadableDatabase};

use super::{ROWS, Rows, own_tables};
use crate::limits::CACHE_BYTES;

/// redb without a look at its pages.
pub(crate) struct Copied {
    database: Option<Kind>,
    own_tables_are_whole: bool,
}

/// A database that is only read writes nothing as it closes, when damage of its own tables would end the process.
enum Kind {
    Read(ReadOnlyDatabase),
    /// One that had to be repaired before it could be read, of which redb has looked at every page.
    Repaired(Database),
}

impl Copied {
    pub(crate) fn open(copy: &Path) -> Result<Self, String> {
        let own_tables_are_whole = own_tables::are_whole(copy).map_err(|error| error.to_string())?;
        let builder = || {
            let mut builder = Builder::new();
            builder.set_cache_size(CACHE_BYTES);
            builder
        };
        let open = || match builder().open_read_only(copy) {
            Err(DatabaseError::RepairAborted) if own_tables_are_whole => {
                builder().open(copy).map(Kind::Repaired)
            }
            opened => opened.map(Kind::Read),
        };
        match catch_unwind(AssertUnwindSafe(open)) {
            Ok(Ok(database)) => Ok(Self { database: Some(database), own_tables_are_whole }),
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => Err("it gave up".into()),
        }
    }

    /// Whether the database may be relied on by a store that opens it.
    pub(crate) fn own_tables_are_whole(&self) -> bool {
        self.own_tables_are_whole
    }

    /// Nothing where the table cannot be found.
    pub(crate) fn with<T>(
        &self,
        work: impl FnOnce(&Rows<ReadOnlyTable<&'static [u8], &'static [u8]>>) -> T,
    ) -> Option<T> {
        let moment = match self.database.as_ref()? {
            Kind::Read(database) => database.begin_read(),
            Kind::Repaired(database) => database.begin_read(),
        };
        let table = moment.ok()?.open_table(ROWS).ok()?;
        Some(work(&Rows(table)))
    }
}

impl Drop for Copied {
    fn drop(&mut self) {
        // redb writes as it closes what was repaired, and may panic on what it then finds.
        let database = self.database.take();
        let _ = catch_unwind(AssertUnwindSafe(|| drop(database)));
    }
}
