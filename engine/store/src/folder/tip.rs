//! How far the store was known to be durable, kept outside the database.
//!
//! sled takes the first record that it cannot read for the end of its log, so that a bit flipped in the middle would cut
//! off all that follows, in silence. Every batch therefore carries its number in a row, and after each fsync the number
//! is written to the file `tip`. A log that ends before its tip has lost something that was saved.
//!
//! The file itself is never fsynced: an older number only makes the check weaker, and it is never ahead of the log.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use crate::rows::layout;

/// The file with the number of the last batch that was fsynced.
pub(crate) struct Tip {
    file: Mutex<File>,
}

impl Tip {
    /// Opens the file, creating an empty one, and tells the number in it. One that cannot be read as ours counts as
    /// none: it is worth less than the log.
    pub(crate) fn open(path: &Path) -> io::Result<(Self, u64)> {
        let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        let mut bytes = Vec::new();
        (&mut file).take(READ_BYTES).read_to_end(&mut bytes)?;
        let number = layout::decode_number(TIP_KEY, &bytes).unwrap_or(0);
        Ok((Self { file: Mutex::new(file) }, number))
    }

    /// Notes that everything up to this batch is on the disk.
    pub(crate) fn note(&self, number: u64) -> io::Result<()> {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.seek(SeekFrom::Start(0))?;
        // Always of the same length and within one sector, so that it is never there in half.
        file.write_all(&layout::encode_number(TIP_KEY, number))
    }
}

/// The number in the file, of a folder that is only looked at; zero where there is none.
pub(crate) fn read(path: &Path) -> io::Result<u64> {
    let mut bytes = Vec::new();
    match File::open(path) {
        Ok(file) => file.take(READ_BYTES).read_to_end(&mut bytes)?,
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(0),
        Err(e) => return Err(e),
    };
    Ok(layout::decode_number(TIP_KEY, &bytes).unwrap_or(0))
}

/// What the number's checksum is bound to, in place of a tree key.
const TIP_KEY: &[u8] = b"tip";

/// More than a number takes, so that a longer file is noticed.
const READ_BYTES: u64 = 64;
