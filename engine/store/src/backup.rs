//! Backups: the rows of a store in a file, independent of the store that keeps them.
//!
//! * `format` is how one lies in a file; [`BackupWriter`] and [`BackupReader`] write and read it with a sum for every record,
//!   and never hold more than a block or one row.
//! * [`copy`] writes a store that others are writing to: each space as it was at one moment of the copying.
//! * [`restore`] fills an empty folder from it, in a new epoch.

mod copy;
mod epoch;
mod format;
mod reader;
mod restore;
mod writer;

use std::fmt;
use std::io;

use causeway_core::time::Millis;

pub use copy::{CopyError, copy, copy_part};
pub use epoch::{Fresh, epoch_of, own_space};
pub use format::Change;
pub use reader::{BackupReader, Step};
pub use restore::{RestoreError, fill, restore};
pub use writer::BackupWriter;

/// What a backup holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Summary {
    /// When it was made, by the wall clock.
    pub made: Millis,
    /// Spaces.
    pub rooms: u64,
    /// Rows; one that changed while it was copied counts more than once.
    pub rows: u64,
    /// Rows and whole rooms that could not be read, and are not in it.
    pub lost: u64,
    /// Bytes of keys and values.
    pub bytes: u64,
}

/// How rows are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packing {
    /// As they are: for a socket.
    Plain,
    /// Deflated: for a file.
    Deflated,
}

/// Where in a backup.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Place {
    /// From the beginning of the file, where the record at fault begins.
    pub byte: u64,
    /// The room it belongs to.
    pub room: Option<String>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "behind byte {}", self.byte)?;
        match &self.room {
            Some(room) => write!(f, ", in the room {room}"),
            None => Ok(()),
        }
    }
}

/// Why a backup cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// Something else.
    #[error("it is no backup of a relay")]
    NotABackup,
    /// A newer version wrote it.
    #[error("it has format {found} and this version knows {known}; install a newer version")]
    Newer {
        /// Its format.
        found: u32,
        /// The newest that this version reads.
        known: u32,
    },
    /// It is not what was written.
    #[error("it is damaged {place}: {what}")]
    Damaged {
        /// Where.
        place: Place,
        /// What is wrong.
        what: String,
    },
    /// It ends too early.
    #[error("it is cut off {0}")]
    CutOff(Place),
    /// Whoever made it could not go on, and said why.
    #[error("it was broken off: {0}")]
    BrokenOff(String),
    /// It cannot be read.
    #[error("it cannot be read: {0}")]
    Read(#[source] io::Error),
}
