//! The end of the write-ahead log, where commits are added.

use std::io;
use std::mem;
use std::path::PathBuf;

use causeway_core::storage::{FailureKind, StoreFailure};

use super::carry::Load;
use super::file::LogFile;
use super::record::{self, Change, FILE_HEAD_BYTES, FileHead, Key, Stamp, fresh_key};
use super::recovery::Recovered;
use crate::Space;
use crate::rows::layout::Sum;

/// The file that is written to, and how far the log has come.
#[derive(Debug)]
pub(super) struct Tail {
    folder: PathBuf,
    /// None until there is something to write.
    file: Option<LogFile>,
    /// Files that were written before it, of rows that are not being carried yet.
    older: Vec<PathBuf>,
    /// Bytes of them.
    older_bytes: u64,
    /// Records that are not in the file yet.
    waiting: Vec<u8>,
    /// Of the file that is open, or of the next.
    key: Key,
    /// The last record, also of those that wait.
    last: Place,
    /// The last record in the file.
    written: Place,
    /// The number of the last record on the disk.
    synced: u64,
    /// A commit was taken since the store was opened.
    has_taken: bool,
}

/// A record, for the one that follows it.
#[derive(Debug, Clone, Copy)]
struct Place {
    number: u64,
    sum: Sum,
}

impl Tail {
    /// Goes on behind what was read of a log, all of which is on the disk.
    pub(super) fn after(folder: PathBuf, recovered: Recovered) -> Self {
        let last = Place { number: recovered.last, sum: recovered.sum };
        let Recovered { files: older, bytes: older_bytes, last: synced, .. } = recovered;
        Self {
            folder,
            file: None,
            older,
            older_bytes,
            waiting: Vec::new(),
            key: fresh_key(),
            last,
            written: last,
            synced,
            has_taken: false,
        }
    }

    /// Adds a commit to the records that wait.
    pub(super) fn stage<'a>(
        &mut self,
        space: &Space,
        changes: impl Iterator<Item = Change<'a>>,
    ) -> Result<(), StoreFailure> {
        let stamp = Stamp { number: self.last.number + 1, synced: self.synced, before: self.last.sum };
        let sum = record::encode(&self.key, stamp, space, changes, &mut self.waiting).ok_or_else(|| {
            StoreFailure::new(
                FailureKind::TooLarge,
                "A commit of 4 GiB is more than the store takes at once.",
            )
        })?;
        self.last = Place { number: stamp.number, sum };
        Ok(())
    }

    /// Hands what waits to the operating system.
    pub(super) fn write(&mut self) -> io::Result<()> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let mut file = match self.file.take() {
            Some(file) => file,
            None => {
                let Place { number, sum } = self.written;
                LogFile::create(&self.folder, FileHead { first: number + 1, before: sum, key: self.key })?
            }
        };
        self.has_taken = true;
        file.append(&self.waiting)?;
        self.file = Some(file);
        self.waiting.clear();
        // One long value is no reason to keep as much for ever.
        self.waiting.shrink_to(KEPT_BYTES);
        self.written = self.last;
        Ok(())
    }

    /// Puts what was written on the disk, and answers the number of the last record where that is news.
    pub(super) fn sync(&mut self) -> io::Result<Option<u64>> {
        if self.synced == self.written.number {
            return Ok(None);
        }
        if let Some(file) = &self.file {
            file.sync()?;
        }
        self.synced = self.written.number;
        Ok(Some(self.synced))
    }

    /// Bytes of all that a carrying makes needless.
    pub(super) fn bytes(&self) -> u64 {
        self.older_bytes + self.bytes_of_file()
    }

    /// Whether a commit was taken since the store was opened.
    pub(super) fn has_taken(&self) -> bool {
        self.has_taken
    }

    /// Bytes of commits in the file.
    fn bytes_of_file(&self) -> u64 {
        self.file.as_ref().map_or(0, |file| file.bytes().saturating_sub(FILE_HEAD_BYTES as u64))
    }

    /// Whether there are files of another life.
    pub(super) fn has_older_files(&self) -> bool {
        !self.older.is_empty()
    }

    /// Ends the file, which was synced: the next commit begins another. Answers what is to be carried.
    pub(super) fn turn(&mut self) -> Load {
        let bytes = self.bytes();
        let mut files = mem::take(&mut self.older);
        files.extend(self.file.take().map(LogFile::into_path));
        self.key = fresh_key();
        self.older_bytes = 0;
        Load { batch: self.written.number, files, bytes }
    }

    /// Takes back what was not carried after all.
    pub(super) fn take_back(&mut self, load: &Load) {
        self.older = [&load.files[..], &self.older[..]].concat();
        self.older_bytes += load.bytes;
    }
}

/// As much as a group of commits usually takes.
const KEPT_BYTES: usize = 256 * 1024;
