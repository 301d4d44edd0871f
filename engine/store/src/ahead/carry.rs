//! Carrying rows from the log into the database.

use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;

use causeway_core::storage::{FailureKind, StoreFailure};

use super::HeldUp;
use super::table::Table;
use crate::database::{Database, Row};
use crate::folder::{io_failure, sync_folder};
use crate::limits::REDB_PIECE_ROWS;

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

/// Where rows were no longer carried, although nothing failed.
#[derive(Debug)]
pub(super) struct Stop {
    pub(super) why: HeldUp,
    /// The key of the last row that is in the database; nothing where none is.
    pub(super) behind: Option<Vec<u8>>,
}

/// How rows are carried.
#[derive(Clone, Copy)]
pub(super) struct Carry<'a> {
    pub(super) database: &'a dyn Database,
    /// Bytes of rows that the database is given at once; one row may be longer.
    pub(super) piece_bytes: usize,
}

impl Carry<'_> {
    /// Writes all rows of a table, which the log holds and which are on the disk there, or those before the one at which it
    /// stops. It may be broken off at any point and done again. Before each piece is asked whether there is room for so many
    /// rows of so many bytes.
    pub(super) fn rows(
        &self,
        table: &Table,
        has_room: impl Fn(usize, usize) -> Result<bool, StoreFailure>,
    ) -> Result<Option<Stop>, StoreFailure> {
        let mut rows = table.iter().peekable();
        let mut piece = Vec::new();
        let mut behind = None;
        while rows.peek().is_some() {
            piece.clear();
            let mut bytes = 0;
            while let Some(row) = rows.next_if(|row| {
                piece.is_empty()
                    || (piece.len() < REDB_PIECE_ROWS && bytes + length(*row) <= self.piece_bytes)
            }) {
                bytes += length(row);
                piece.push(row);
            }
            if !has_room(piece.len(), bytes)? {
                return Ok(Some(Stop { why: HeldUp::NoRoom, behind }));
            }
            match self.database.write(&piece, None) {
                Err(failure) if failure.kind == FailureKind::Damaged => {
                    return Ok(Some(Stop { why: HeldUp::Unwritable, behind }));
                }
                written => written?,
            }
            behind = piece.last().map(|(key, _)| key.to_vec());
        }
        Ok(None)
    }
}

fn length((key, value): Row<'_>) -> usize {
    key.len() + value.map_or(0, <[u8]>::len)
}

/// Takes away files that hold nothing but what is in the database. One after the other, so that what is left after a power cut
/// is never without something between.
pub(super) fn clear(files: &[PathBuf]) -> Result<(), StoreFailure> {
    for file in files {
        match fs::remove_file(file) {
            Err(e) if e.kind() != ErrorKind::NotFound => return Err(io_failure(&e)),
            Ok(()) | Err(_) => {}
        }
        file.parent().map_or(Ok(()), sync_folder).map_err(|e| io_failure(&e))?;
    }
    Ok(())
}
