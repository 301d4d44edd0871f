//! redb's file on a disk of which a place may be unreadable.
//!
//! redb gives up its file at the first read that fails, and with it every room there is. But a place that cannot be read is
//! a page that is not what was written, and with those the store can live: whoever asks for what lies there hears that it is
//! damaged. So such a page is handed out as zeros, which are a page of no kind of redb's: it never takes them for rows.
//!
//! A page that was handed out so may be kept in memory: what a disk reads only at the second attempt is damaged until then.

use std::io;
use std::ops::Bound;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use redb::backends::FileBackend;
use redb::{BackendError, DatabaseError, StorageBackend};
use tracing::warn;

/// The file, and whether it is opened already.
#[derive(Debug)]
pub(super) struct Disk {
    file: FileBackend,
    opened: Opened,
}

/// Says when a file has been opened: until then a read that fails is a failure, as nothing is known of what would be missing.
#[derive(Debug, Clone, Default)]
pub(super) struct Opened(Arc<AtomicBool>);

impl Opened {
    pub(super) fn set(&self) {
        self.0.store(true, Ordering::Release);
    }
}

impl Disk {
    /// Opens the file, or makes it.
    pub(super) fn open(path: &Path, opened: Opened) -> Result<Self, DatabaseError> {
        let file = std::fs::OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path);
        Ok(Self { file: FileBackend::new(file.map_err(redb::StorageError::Io)?)?, opened })
    }
}

impl StorageBackend for Disk {
    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        match self.file.read(offset, out) {
            Err(why) if self.opened.0.load(Ordering::Acquire) => {
                warn!(offset, bytes = out.len(), %why, "a place of the store cannot be read");
                out.fill(0);
                Ok(())
            }
            read => read,
        }
    }

    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.file.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.file.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.file.write(offset, data)
    }

    fn close(&self) -> io::Result<()> {
        self.file.close()
    }

    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.file.try_lock_range(start, end)
    }

    fn try_lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.file.try_lock_shared_range(start, end)
    }

    fn lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.file.lock_range(start, end)
    }

    fn lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.file.lock_shared_range(start, end)
    }

    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.file.unlock_range(start, end)
    }

    fn query_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.file.query_lock_range(start, end)
    }
}
