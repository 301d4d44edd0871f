//! A file of the write-ahead log that is being written.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::record::FileHead;
use crate::folder::{free_bytes, sync_folder};
use crate::limits::{LOG_GROWS_FIRST, LOG_GROWS_MOST, ZEROS_SPARE_BYTES};
use crate::watch;

/// An open file. Behind what was written it holds zeros that are on the disk already: an fsync of bytes that make a file
/// longer has to write down its new length as well, and takes twice as long.
#[derive(Debug)]
pub(super) struct LogFile {
    file: File,
    path: PathBuf,
    /// Where the next record begins.
    end: u64,
    /// Where the zeros end.
    length: u64,
    /// There was no room for zeros, or too little.
    is_tight: bool,
}

impl LogFile {
    /// Makes a file, in place of one of its name that held nothing; both it and its name are on the disk.
    pub(super) fn create(folder: &Path, head: FileHead) -> io::Result<Self> {
        match fs::create_dir(folder) {
            Ok(()) => folder.parent().map_or(Ok(()), sync_folder)?,
            Err(e) if e.kind() == ErrorKind::AlreadyExists => {}
            Err(e) => return Err(e),
        }
        let path = folder.join(name(head.first));
        let file = OpenOptions::new().write(true).create(true).truncate(true).open(&path)?;
        let mut made = Self { file, path, end: 0, length: 0, is_tight: false };
        made.append(&head.encode())?;
        watch::step();
        made.file.sync_all()?;
        sync_folder(folder)?;
        Ok(made)
    }

    /// Hands bytes to the operating system. Where it takes only some of them none are kept, so that they take no room.
    pub(super) fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        watch::step();
        let after = self.end + bytes.len() as u64;
        if let Err(refused) = (&self.file).write_all(bytes) {
            let _ = self.file.set_len(self.end);
            return Err(refused);
        }
        self.end = after;
        if after > self.length && !self.is_tight {
            self.grow()?;
        }
        Ok(())
    }

    /// Bytes written to it.
    pub(super) fn bytes(&self) -> u64 {
        self.end
    }

    /// Returns when all that was written is on the disk.
    pub(super) fn sync(&self) -> io::Result<()> {
        watch::step();
        self.file.sync_data()
    }

    /// Ends it.
    pub(super) fn into_path(self) -> PathBuf {
        self.path
    }

    /// Puts zeros behind what was written: as many as there were before, so that a small file stays small. Where there is little
    /// room there are none any more: it belongs to rows.
    fn grow(&mut self) -> io::Result<()> {
        let count = self.length.clamp(LOG_GROWS_FIRST, LOG_GROWS_MOST);
        let has_room = free_bytes(&self.path).is_none_or(|free| free >= count + ZEROS_SPARE_BYTES);
        if has_room && self.zeros(count).is_ok() {
            self.length = self.end + count;
        } else {
            self.is_tight = true;
            self.length = self.end;
            self.file.set_len(self.end)?;
        }
        (&self.file).seek(SeekFrom::Start(self.end)).map(drop)
    }

    fn zeros(&self, count: u64) -> io::Result<()> {
        for at in (0..count).step_by(ZEROS.len()) {
            let left = usize::try_from(count - at).unwrap_or(ZEROS.len());
            (&self.file).write_all(&ZEROS[..left.min(ZEROS.len())])?;
        }
        Ok(())
    }
}

/// The name of a file: the number of its first record, in as many digits as any has.
pub(super) fn name(first: u64) -> String {
    format!("{first:020}")
}

/// The number in the name of a file; nothing where it is none of ours.
pub(super) fn number_in(name: &str) -> Option<u64> {
    let number = name.parse().ok()?;
    (name == self::name(number)).then_some(number)
}

static ZEROS: [u8; 64 * 1024] = [0; 64 * 1024];
