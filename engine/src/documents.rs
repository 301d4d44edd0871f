//! The documents of a room and their names.

use causeway_core::device::DocumentError;
use causeway_core::directory::Listed;
use causeway_core::ids::StreamId;

use crate::room::Room;
use crate::text::{EditFailure, Text};

/// The documents of a room.
#[derive(Clone, Debug)]
pub struct Documents {
    room: Room,
}

impl Documents {
    pub(crate) fn new(room: Room) -> Self {
        Self { room }
    }

    /// Waits until the names this device holds have been read; before, the list is empty and cannot be changed.
    ///
    /// # Errors
    /// The engine was closed.
    pub async fn ready(&self) -> Result<(), EditFailure> {
        let look = |state: &mut crate::shared::State| match (state.followers.directory_read, state.is_closed)
        {
            (_, true) => Some(Err(EditFailure::Closed)),
            (true, false) => Some(Ok(())),
            (false, false) => None,
        };
        self.room.shared.until(look).await
    }

    /// The documents, ordered by path.
    #[must_use]
    pub fn list(&self) -> Vec<Listed> {
        self.room.shared.lock().core.directory()
    }

    /// Makes a new text at a path such as `src/main.py`, and opens it.
    ///
    /// # Errors
    /// The path is none, or the list is not [ready](Documents::ready).
    pub fn create(&self, path: &str) -> Result<Text, EditFailure> {
        let id = self.change(|core, now| core.create_text(path, now))?;
        Ok(Text::new(self.room.clone(), id))
    }

    /// Gives a document another path. A document that was not listed is listed.
    ///
    /// # Errors
    /// As for [`create`](Documents::create).
    pub fn rename(&self, document: StreamId, path: &str) -> Result<(), EditFailure> {
        self.change(|core, now| core.list_document(document, path, now))
    }

    /// Takes a document off the list. Its text stays for those who know its id.
    ///
    /// # Errors
    /// The list is not [ready](Documents::ready).
    pub fn remove(&self, document: StreamId) -> Result<(), EditFailure> {
        self.change(|core, now| core.unlist_document(document, now))
    }

    /// The text on which everybody agrees who opens an empty room.
    #[must_use]
    pub fn first_document(&self) -> StreamId {
        StreamId::first_document(self.room.name())
    }

    fn change<T>(
        &self,
        change: impl FnOnce(
            &mut causeway_core::device::Room,
            causeway_core::time::Now,
        ) -> Result<T, DocumentError>,
    ) -> Result<T, EditFailure> {
        self.room.shared.write(change)
    }
}
