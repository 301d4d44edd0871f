//! What keeps rows behind the write-ahead log.

use causeway_core::storage::{Page, Scan, StoreFailure};

use crate::Space;

/// A row on its way into a database: its key in the tree, and its value, or nothing where it goes.
pub(crate) type Row<'a> = (&'a [u8], Option<&'a [u8]>);

/// An embedded database in a data folder. It takes rows in large pieces, seldom, from one thread; whatever has to be fast or
/// to be there whole after a power cut is the business of the log before it.
pub(crate) trait Database: Send + Sync {
    /// The number of the last batch of which everything was in it when it was opened.
    fn batch(&self) -> u64;

    /// Bytes of keys and values that it takes at once: whoever reads may have to wait for one such piece.
    fn piece_bytes(&self) -> usize;

    /// Writes rows, ascending and no key twice. Where a batch is named, they are the last of it: its number is there if and
    /// only if they are.
    ///
    /// # Errors
    /// When it cannot be written; it then refuses everything until it is opened again.
    fn write(&self, rows: &[Row<'_>], batch: Option<u64>) -> Result<(), StoreFailure>;

    /// Returns once everything written before survives a power cut.
    ///
    /// # Errors
    /// As for [`write`](Self::write).
    fn sync(&self) -> Result<(), StoreFailure>;

    /// One value; nothing where there is no row.
    ///
    /// # Errors
    /// Also where the value is not what was written.
    fn get(&self, space: &Space, key: &[u8]) -> Result<Option<Vec<u8>>, StoreFailure>;

    /// The keys that begin with a prefix, ascending.
    ///
    /// # Errors
    /// When the database cannot be read.
    fn keys(&self, space: &Space, prefix: &[u8]) -> Result<Vec<Vec<u8>>, StoreFailure>;

    /// See [`Store::scan`](crate::Store::scan). Of rows that are being written meanwhile it may show anything.
    ///
    /// # Errors
    /// When the database cannot be read.
    fn scan(&self, space: &Space, scan: &Scan) -> Result<Page, StoreFailure>;

    /// See [`Store::spaces`](crate::Store::spaces).
    ///
    /// # Errors
    /// When the database cannot be read.
    fn spaces(&self, after: Option<&Space>, max: usize) -> Result<Vec<Space>, StoreFailure>;
}
