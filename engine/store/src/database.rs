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

    /// Passes as long as nothing has failed after which it refuses everything.
    ///
    /// # Errors
    /// What it answers everybody then.
    fn check(&self) -> Result<(), StoreFailure>;

    /// Bytes by which its file may grow, at the most, as so many rows of so many bytes are written.
    fn grows_by(&self, rows: usize, bytes: u64) -> u64;

    /// Of each row whether its place can be read, which it has to be before the row can be written; by their keys in the tree.
    ///
    /// # Errors
    /// When the database cannot be read at all.
    fn reach(&self, tree_keys: &[Vec<u8>]) -> Result<Vec<Result<(), StoreFailure>>, StoreFailure>;

    /// Writes rows, ascending and no key twice: all of them or none. Where a batch is named, everything up to it is there with
    /// them, and its number is noted.
    ///
    /// # Errors
    /// Of kind `Damaged` where one of them cannot be written because of what lies where it belongs; none was, and the database
    /// goes on. With any other error it refuses everything until it is opened again.
    fn write(&self, rows: &[Row<'_>], batch: Option<u64>) -> Result<(), StoreFailure>;

    /// Returns once everything written before survives a power cut.
    ///
    /// # Errors
    /// When it cannot; it then refuses everything until it is opened again.
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
