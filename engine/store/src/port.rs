//! The storage port.

use std::sync::Arc;

use causeway_core::storage::{Commit, CommitError, Page, Scan, StoreFailure};

use crate::{Condition, Space};

/// A place that keeps rows of bytes, apart by [`Space`], in ascending order of keys.
///
/// A change passes three stages, and the calls name them:
///
/// 1. [`apply`](Self::apply): the whole commit is visible to every later call, or none of it;
/// 2. [`settle`](Self::settle): everything applied before survives the death of this process;
/// 3. [`sync`](Self::sync): everything applied before survives a power cut.
///
/// A scan may show a commit before it is durable. Who promises something to others waits for the answer of the commit,
/// not for its rows to appear.
///
/// After a failed `settle` or `sync` the store refuses everything until it is opened again, because an fsync that failed
/// once may report success the second time without the bytes being on disk.
pub trait Store: Send + Sync + 'static {
    /// Applies one commit, or tells why not.
    ///
    /// # Errors
    /// [`CommitError::Conflict`] names the first precondition that did not hold. [`CommitError::Failed`] with the kinds
    /// `TooLarge` or `Damaged` changed nothing; with any other kind the store has to be opened again.
    fn apply(&self, space: &Space, commit: &Commit) -> Result<(), CommitError>;

    /// Applies commits one after another and answers each. A store for which one large batch is cheaper than many small
    /// ones makes it one batch; each commit still sees those before it, and one that is refused takes no other with it.
    fn apply_group(&self, group: &[(Space, Commit)]) -> Vec<Result<(), CommitError>> {
        group.iter().map(|(space, commit)| self.apply(space, commit)).collect()
    }

    /// Returns once everything applied before survives the death of this process (SIGKILL included).
    ///
    /// # Errors
    /// When the operating system refuses the bytes; the store then refuses everything until it is opened again.
    fn settle(&self) -> Result<(), StoreFailure>;

    /// Returns once everything applied before survives a power cut, as far as the disk keeps its word.
    ///
    /// # Errors
    /// As for [`settle`](Self::settle).
    fn sync(&self) -> Result<(), StoreFailure>;

    /// Reads one page of a range. All of its rows were there at one moment: no commit shows in half.
    ///
    /// # Errors
    /// When the store cannot be read. A value that is not what was written is no failure: its key stands in
    /// [`Page::damaged`], and what surrounds it stays readable. Of kind `Damaged` where the store cannot pass it over.
    fn scan(&self, space: &Space, scan: &Scan) -> Result<Page, StoreFailure>;

    /// The spaces that hold at least one row, in their order, from behind `after`, at most `max` of them. Fewer than
    /// `max` means that there are no more.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn spaces(&self, after: Option<&Space>, max: usize) -> Result<Vec<Space>, StoreFailure>;

    /// How it stands, from now on; whoever passes calls on to another store has to pass this on as well.
    fn condition(&self) -> Arc<Condition> {
        Arc::default()
    }
}
