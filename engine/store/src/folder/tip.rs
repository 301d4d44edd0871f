//! How far the store was known to be durable, kept outside the database.
//!
//! sled takes the first record that it cannot read for the end of its log, so that a bit flipped in the middle would cut
//! off all that follows, in silence. Every batch therefore carries its number in a row, and after each fsync the number
//! is written to the file `tip`. A log that ends before its tip has lost something that was saved.
//!
//! The file is fsynced when it is made and never after: an older number only makes the check weaker, and it is never ahead of
//! the log. So a folder in which it is missing or is none of ours has lost it.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::rows::layout;
use crate::watch;

/// The file with the number of the last batch that was fsynced.
pub(crate) struct Tip {
    file: Mutex<File>,
}

impl Tip {
    /// Opens the file, creating an empty one, and tells the number in it. Nothing where there is none that can be read as
    /// ours: it is worth less than the log.
    pub(crate) fn open(path: &Path) -> io::Result<(Self, Option<u64>)> {
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        let number = number_in(&file);
        Ok((Self { file: Mutex::new(file) }, number))
    }

    /// Notes that nothing is known to be on the disk, for whoever asks after a power cut.
    pub(crate) fn begin(&self) -> io::Result<()> {
        self.lock().set_len(0)?;
        self.note(0)?;
        self.lock().sync_all()
    }

    /// Notes that everything up to this batch is on the disk.
    pub(crate) fn note(&self, number: u64) -> io::Result<()> {
        watch::step();
        let mut file = self.lock();
        file.seek(SeekFrom::Start(0))?;
        // Always of the same length and within one sector, so that it is never there in half.
        file.write_all(&layout::encode_number(TIP_KEY, number))
    }

    fn lock(&self) -> MutexGuard<'_, File> {
        self.file.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the file of a folder says that is only looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Noted {
    /// So many batches are on the disk.
    Saved(u64),
    /// There is something else in it, or it cannot be read.
    Unreadable,
    /// There is none.
    Missing,
}

/// What the file says.
pub(crate) fn read(path: &Path) -> Noted {
    match File::open(path) {
        Ok(file) => number_in(&file).map_or(Noted::Unreadable, Noted::Saved),
        Err(e) if e.kind() == ErrorKind::NotFound => Noted::Missing,
        Err(_) => Noted::Unreadable,
    }
}

fn number_in(file: &File) -> Option<u64> {
    let mut bytes = Vec::new();
    file.take(READ_BYTES).read_to_end(&mut bytes).ok()?;
    layout::decode_number(TIP_KEY, &bytes)
}

/// What the number's checksum is bound to, in place of a tree key.
const TIP_KEY: &[u8] = b"tip";

/// More than a number takes, so that a longer file is noticed.
const READ_BYTES: u64 = 64;
