//! Carrying rows from the log into the database.

use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;

use causeway_core::storage::{FailureKind, StoreFailure};

use super::table::Table;
use crate::database::{Database, Row};
use crate::folder::{io_failure, sync_folder};

/// What belongs to rows that are carried.
#[derive(Debug, Clone)]
pub(super) struct Load {
    /// The number of the last batch of which something may be among them.
    pub(super) batch: u64,
    /// The files of the log that are of no use once they are carried, the oldest first.
    pub(super) files: Vec<PathBuf>,
    /// Bytes of commits in them.
    pub(super) bytes: u64,
}

/// What was not carried, although nothing failed.
pub(super) struct Rest<'t> {
    /// Rows that cannot be written because of what lies where they belong.
    pub(super) left: Vec<Row<'t>>,
    /// Whether all others were: false where it was stopped.
    pub(super) is_all: bool,
}

/// How rows are carried.
#[derive(Clone, Copy)]
pub(super) struct Carry<'a> {
    pub(super) database: &'a dyn Database,
    /// Bytes that the database is given at once.
    pub(super) piece_bytes: usize,
}

impl Carry<'_> {
    /// Writes all rows of a table, which the log holds and which are on the disk there. It may be broken off at any point and
    /// done again; whether to go on is asked between pieces.
    pub(super) fn rows<'t>(
        &self,
        table: &'t Table,
        goes_on: impl Fn() -> Result<bool, StoreFailure>,
    ) -> Result<Rest<'t>, StoreFailure> {
        let (mut piece, mut left) = (Vec::new(), Vec::new());
        let mut bytes = 0;
        for row in table.iter() {
            if bytes >= self.piece_bytes {
                if !goes_on()? {
                    return Ok(Rest { left, is_all: false });
                }
                self.piece(&piece, &mut left)?;
                piece.clear();
                bytes = 0;
            }
            bytes += row.0.len() + row.1.map_or(0, <[u8]>::len);
            piece.push(row);
        }
        let is_all = goes_on()?;
        if is_all {
            self.piece(&piece, &mut left)?;
        }
        Ok(Rest { left, is_all })
    }

    /// Writes rows, all but those that cannot be written: those are found by halves.
    fn piece<'t>(&self, rows: &[Row<'t>], left: &mut Vec<Row<'t>>) -> Result<(), StoreFailure> {
        if rows.is_empty() {
            return Ok(());
        }
        match self.database.write(rows, None) {
            Err(failure) if failure.kind == FailureKind::Damaged => {}
            written => return written,
        }
        if let [row] = rows {
            left.push(*row);
            return Ok(());
        }
        let (before, behind) = rows.split_at(rows.len() / 2);
        self.piece(before, left)?;
        self.piece(behind, left)
    }
}

/// Takes away files that hold nothing but what is in the database. One after the other, so that what is left after a power cut
/// is never without something between.
pub(super) fn clear(load: &Load) -> Result<(), StoreFailure> {
    for file in &load.files {
        match fs::remove_file(file) {
            Err(e) if e.kind() != ErrorKind::NotFound => return Err(io_failure(&e)),
            Ok(()) | Err(_) => {}
        }
        file.parent().map_or(Ok(()), sync_folder).map_err(|e| io_failure(&e))?;
    }
    Ok(())
}
