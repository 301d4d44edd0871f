//! Carrying rows from the log into the database.

use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;

use causeway_core::storage::StoreFailure;

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
}

/// Writes all rows of a table, which the log holds and which are on the disk there. When it returns the database holds
/// everything up to the batch, on the disk. It may be broken off at any point and done again. `go_on` is asked between pieces.
pub(super) fn carry(
    table: &Table,
    load: &Load,
    database: &dyn Database,
    piece_bytes: usize,
    go_on: impl Fn() -> Result<(), StoreFailure>,
) -> Result<(), StoreFailure> {
    let mut piece: Vec<Row<'_>> = Vec::new();
    let mut bytes = 0;
    for (key, value) in table.iter() {
        if bytes >= piece_bytes {
            go_on()?;
            database.write(&piece, None)?;
            piece.clear();
            bytes = 0;
        }
        bytes += key.len() + value.map_or(0, <[u8]>::len);
        piece.push((key, value));
    }
    go_on()?;
    database.write(&piece, Some(load.batch))?;
    database.sync()
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
