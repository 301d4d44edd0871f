//! Work the relay did not take.

use causeway_core::device::{DocumentError, Fork, ForkError, ForkId, ForkText};
use causeway_core::ids::StreamId;

use crate::room::Room;
use crate::shared::State;

/// Work on a room's documents that the relay did not take. It is kept on this device until it is put back or discarded;
/// [`Event::Forks`](crate::Event::Forks) says that there is more or less of it.
#[derive(Clone, Debug)]
pub struct Forks {
    room: Room,
}

/// Why something was not done with a fork.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ForkFailure {
    /// The fork, or the document it goes into.
    #[error(transparent)]
    Fork(#[from] ForkError),
    /// The engine has been closed; nothing more can be written.
    #[error("the engine is closed")]
    Closed,
}

impl Forks {
    pub(crate) fn new(room: Room) -> Self {
        Self { room }
    }

    /// What is kept.
    #[must_use]
    pub fn list(&self) -> Vec<Fork> {
        self.room.shared.lock().core.forks()
    }

    /// What a fork says, beside what its document says now. Opens the document.
    ///
    /// # Errors
    /// There is no such fork, its document has been deleted, or the engine was closed.
    pub async fn read(&self, id: ForkId) -> Result<ForkText, ForkFailure> {
        // Whatever is no text needs no opening.
        let _ = self.room.text(id.stream);
        let look = |state: &mut State| match state.core.fork_text(id) {
            Err(ForkError::Document(DocumentError::NotOpen)) => {
                state.is_closed.then_some(Err(ForkFailure::Closed))
            }
            read => Some(read.map_err(ForkFailure::from)),
        };
        self.room.shared.until(look).await
    }

    /// Does again what a fork says, as edits of now; answers the document. A text that was kept whole, because its
    /// document was deleted, becomes a new document at `path`. The fork goes when the edits are on this device's disk.
    ///
    /// # Errors
    /// See [`ForkFailure`]; the fork stays.
    pub fn reapply(&self, id: ForkId, path: &str) -> Result<StreamId, ForkFailure> {
        let reapplied = self.room.shared.while_open(|core, now| core.reapply_fork(id, path, now));
        Ok(reapplied.ok_or(ForkFailure::Closed)??)
    }

    /// Forgets a fork for good.
    pub fn discard(&self, id: ForkId) {
        self.room.shared.command(|core, _| core.discard_fork(id));
    }
}
