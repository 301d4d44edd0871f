//! Backups: the rows of a store in a file, independent of the store that keeps them.
//!
//! * `format` is how one lies in a file; [`BackupWriter`] and [`BackupReader`] write and read it with a sum for every record,
//!   and never hold more than a block or one row.
//! * [`copy`] writes a store that others are writing to: each space as it was at one moment of the copying.
//! * [`restore`] fills an empty folder from it, in a new epoch.

mod copy;
mod epoch;
mod format;
mod listing;
mod reader;
mod rejoin;
mod restore;
mod writer;

use std::fmt;
use std::io;

use causeway_core::time::Millis;

use crate::Space;

pub use copy::{CopyError, Part, copy, copy_part};
pub use epoch::{Fresh, epoch_of, own_space};
pub use format::Change;
pub use listing::Gap;
pub use reader::{BackupReader, Step};
pub use restore::{RestoreError, fill, restore};
pub use writer::BackupWriter;

/// What a backup holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Summary {
    /// When it was made, by the wall clock.
    pub made: Millis,
    /// Rooms of which something is in it. The store's own space is none.
    pub rooms: u64,
    /// Rows; one that changed while it was copied counts more than once.
    pub rows: u64,
    /// Rows and whole rooms that could not be read, and are not in it.
    pub lost: u64,
    /// Bytes of keys and values.
    pub bytes: u64,
}

/// What is counted of the space at hand, alike by who writes and who reads.
#[derive(Debug, Clone, Copy, Default)]
struct Counted {
    rows: u64,
    lost: u64,
    is_room: bool,
}

impl Counted {
    fn begin(space: &Space) -> Self {
        Self { is_room: *space != own_space(), ..Self::default() }
    }

    fn count(&mut self, change: &Change, all: &mut Summary) {
        match change {
            Change::Put(key, value) => {
                self.rows += 1;
                all.rows += 1;
                all.bytes += (key.len() + value.len()) as u64;
            }
            Change::Lost(_) => {
                self.lost += 1;
                all.lost += 1;
            }
            Change::LeftOut => {
                self.lost += 1;
                all.lost += 1;
                self.is_room = false;
            }
            Change::Delete(_) | Change::Clear(_) => {}
        }
    }

    fn end(self, all: &mut Summary) -> [u64; 2] {
        all.rooms += u64::from(self.is_room);
        [self.rows, self.lost]
    }
}

/// Bytes from a file as a terminal may be shown them.
#[must_use]
pub fn printable(bytes: &[u8]) -> String {
    let shown = |c: char| match c {
        '\'' | '"' | '\\' => String::from(c),
        c => c.escape_debug().to_string(),
    };
    String::from_utf8_lossy(bytes).chars().map(shown).collect()
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
