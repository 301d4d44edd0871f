//! Whether a database was being written to when whoever had it open ended.
//!
//! Linux counts as clean what an fsync could not write: it can still be read, and no later fsync writes it. A process that
//! ended meanwhile, or could not say what it met, leaves that to the next one, which would trust what the next power cut takes.
//! So a file stands in the folder for as long as the database is written to; it goes when the database's own fsync has
//! answered, and whoever finds it writes the database where it stands (see `again`) before anything read of it is trusted.
//!
//! The file needs no fsync: after a power cut only what is on the disk can be read, with the mark or without.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

/// The mark of a data folder.
#[derive(Debug, Clone)]
pub(crate) struct Mark(PathBuf);

impl Mark {
    /// That of this folder, whether it stands or not.
    pub(crate) fn of(folder: &Path) -> Self {
        Self(folder.join(CARRYING))
    }

    /// Whether it stands; also where that cannot be found out.
    pub(crate) fn stands(&self) -> bool {
        self.0.try_exists().unwrap_or(true)
    }

    /// The database is about to be written to.
    pub(crate) fn set(&self) -> io::Result<()> {
        File::create(&self.0).map(drop)
    }

    /// All of the database is on the disk.
    pub(crate) fn clear(&self) -> io::Result<()> {
        match fs::remove_file(&self.0) {
            Err(e) if e.kind() != ErrorKind::NotFound => Err(e),
            Ok(()) | Err(_) => Ok(()),
        }
    }
}

pub(super) const CARRYING: &str = "carrying";
