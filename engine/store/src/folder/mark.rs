//! Whether a database was being written to when whoever had it open ended.
//!
//! Linux counts as clean what an fsync could not write: it can still be read, and no later fsync writes it. A process that
//! ended meanwhile, or could not say what it met, leaves that to the next one, which would trust what the next power cut takes.
//! So a file stands in the folder for as long as the database is written to; it goes when the database's own fsync has
//! answered, and whoever finds it writes the database where it stands (see `again`) before anything read of it is trusted.
//!
//! It also counts attempts of which none ended in order: a database may give up on what lies in it, or end the whole process, each time
//! that it is written to, and that has an end (see [`CARRY_ATTEMPTS`](crate::limits::CARRY_ATTEMPTS)).
//!
//! ```text
//! N unsynced     it is being written to, for the Nth time
//! N synced       it is not, and all of it is on the disk; but no attempt has ended in order yet
//! ```
//!
//! The file needs no fsync: after a power cut only what is on the disk can be read, with the mark or without.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use crate::limits::GAVE_UP_ATTEMPTS;

/// The mark of a data folder.
#[derive(Debug, Clone)]
pub(crate) struct Mark(PathBuf);

/// One attempt to write to the database.
#[derive(Debug)]
pub(crate) struct Attempt<'a> {
    mark: &'a Mark,
    before: u32,
}

impl Mark {
    /// That of this folder, whether it stands or not.
    pub(crate) fn of(folder: &Path) -> Self {
        Self(folder.join(CARRYING))
    }

    /// Whether what is read of the database need not be on the disk; also where that cannot be found out.
    pub(crate) fn stands(&self) -> bool {
        match fs::read_to_string(&self.0) {
            Ok(text) => !text.ends_with(SYNCED),
            Err(e) => e.kind() != ErrorKind::NotFound,
        }
    }

    /// How many attempts in a row were begun and not ended in order, as far as that can be told.
    pub(crate) fn attempts(&self) -> u32 {
        let text = fs::read_to_string(&self.0).unwrap_or_default();
        text.split(' ').next().and_then(|number| number.parse().ok()).unwrap_or_default()
    }

    /// The database is about to be written to.
    pub(crate) fn begin(&self) -> io::Result<Attempt<'_>> {
        let before = self.attempts();
        self.write(before.saturating_add(1), UNSYNCED)?;
        Ok(Attempt { mark: self, before })
    }

    /// All of the database is on the disk, and an attempt may be made once more.
    pub(crate) fn rest(&self) -> io::Result<()> {
        match self.attempts() {
            0 => self.clear(),
            // On a full disk the count is lost sooner than the folder is refused.
            attempts => self.write(attempts, SYNCED).or_else(|_| self.clear()),
        }
    }

    /// An attempt has ended in order: all of the database is on the disk.
    pub(crate) fn clear(&self) -> io::Result<()> {
        match fs::remove_file(&self.0) {
            Err(e) if e.kind() != ErrorKind::NotFound => Err(e),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    fn write(&self, attempts: u32, word: &str) -> io::Result<()> {
        fs::write(&self.0, format!("{attempts}{word}"))
    }
}

impl Attempt<'_> {
    /// It does not count; the database may have been written to.
    pub(crate) fn take_back(&self) {
        // Where the disk does not take this either it counts as one.
        let _ = self.mark.write(self.before, UNSYNCED);
    }

    /// The database gave up.
    pub(crate) fn gave_up(&self) {
        let _ = self.mark.write(self.before.saturating_add(GAVE_UP_ATTEMPTS), UNSYNCED);
    }
}

pub(super) const CARRYING: &str = "carrying";
const UNSYNCED: &str = " unsynced\n";
const SYNCED: &str = " synced\n";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_are_counted_over_openings_until_one_ends_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let mark = Mark::of(folder.path());
        assert!(!mark.stands() && mark.attempts() == 0);
        mark.begin().unwrap();
        assert!(mark.stands() && mark.attempts() == 1);
        mark.rest().unwrap();
        assert!(!mark.stands() && mark.attempts() == 1);
        mark.begin().unwrap().take_back();
        assert!(mark.stands() && mark.attempts() == 1, "a disk that was full does not count");
        mark.begin().unwrap();
        assert!(mark.stands() && mark.attempts() == 2);
        mark.begin().unwrap().gave_up();
        assert!(mark.stands() && mark.attempts() == 2 + GAVE_UP_ATTEMPTS);
        fs::write(folder.path().join(CARRYING), "").unwrap();
        assert!(mark.stands() && mark.attempts() == 0, "it was being written itself");
        mark.rest().unwrap();
        assert!(!folder.path().join(CARRYING).exists());
    }
}
