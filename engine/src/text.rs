//! A text.

use causeway_core::anchor::{Anchor, Side};
use causeway_core::device::{DocumentError, SaveStatus};
use causeway_core::ids::{EditorId, StreamId};
use causeway_core::ydoc::{DeltaOp, EditError, TextEdit};

use crate::editor::Editor;
use crate::follow::{Changes, SaveStatuses};
use crate::receipt::Receipt;
use crate::room::Room;
use crate::shared::State;

/// A text, open for reading and writing. Cheap to clone. Positions and lengths are UTF-16 units.
#[derive(Clone, Debug)]
pub struct Text {
    pub(crate) room: Room,
    id: StreamId,
}

/// Why something was not written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EditFailure {
    /// The document, or the edit.
    #[error(transparent)]
    Document(#[from] DocumentError),
    /// The engine has been closed; nothing more can be written.
    #[error("the engine is closed")]
    Closed,
}

impl Text {
    pub(crate) fn new(room: Room, id: StreamId) -> Self {
        Self { room, id }
    }

    /// Its id inside the room.
    #[must_use]
    pub fn id(&self) -> StreamId {
        self.id
    }

    /// Waits until what this device holds of the text has been read; before, it can neither be read nor written.
    ///
    /// # Errors
    /// It has been deleted, or the engine was closed.
    pub async fn ready(&self) -> Result<(), EditFailure> {
        let look = |state: &mut State| match state.core.text_len(self.id) {
            Ok(_) => Some(Ok(())),
            Err(DocumentError::NotOpen) if state.is_closed => Some(Err(EditFailure::Closed)),
            Err(DocumentError::NotOpen) => None,
            Err(error) => Some(Err(error.into())),
        };
        self.room.shared.until(look).await
    }

    /// Waits until the relay has sent all it had, on the link there is. For ever while there is none.
    pub async fn synced(&self) {
        self.room.shared.until(|state| state.core.is_synced(self.id).then_some(())).await;
    }

    /// The whole text.
    ///
    /// # Errors
    /// It is not [ready](Text::ready), or deleted.
    pub fn read(&self) -> Result<String, DocumentError> {
        self.room.shared.lock().core.text(self.id)
    }

    /// Its length in UTF-16 units.
    ///
    /// # Errors
    /// As for [`read`](Text::read).
    pub fn len(&self) -> Result<u32, DocumentError> {
        self.room.shared.lock().core.text_len(self.id)
    }

    /// Whether there is nothing in it.
    ///
    /// # Errors
    /// As for [`read`](Text::read).
    pub fn is_empty(&self) -> Result<bool, DocumentError> {
        Ok(self.len()? == 0)
    }

    /// Changes the text in one step, at once: no disk and no relay is waited for. The room is locked while `change`
    /// runs, so it must not use this engine.
    ///
    /// # Errors
    /// The text is not [ready](Text::ready); or what `change` answered: what it did before stays.
    pub fn edit(
        &self,
        change: impl FnOnce(&mut TextEdit<'_>) -> Result<(), EditError>,
    ) -> Result<Receipt, EditFailure> {
        self.edit_as(None, change)
    }

    /// Changes the text as a delta says, in several steps if it is long.
    ///
    /// # Errors
    /// The text is not [ready](Text::ready), or shorter than the delta says; nothing was changed then.
    pub fn apply(&self, delta: &[DeltaOp]) -> Result<Receipt, EditFailure> {
        self.apply_as(None, delta)
    }

    /// A view of the text with an undo stack of its own.
    ///
    /// # Errors
    /// The text is not [ready](Text::ready).
    pub fn editor(&self) -> Result<Editor, EditFailure> {
        Editor::open(self.clone())
    }

    /// A place that stays where it is while others write.
    ///
    /// # Errors
    /// The text is not [ready](Text::ready), or `index` is behind its end.
    pub fn anchor(&self, index: u32, side: Side) -> Result<Anchor, DocumentError> {
        self.room.shared.lock().core.anchor(self.id, index, side)
    }

    /// Where a place is now; `None` if the text it stands in is not here.
    #[must_use]
    pub fn resolve(&self, anchor: &Anchor) -> Option<u32> {
        self.room.shared.lock().core.resolve(self.id, anchor)
    }

    /// The whole text as soon as it is ready, then every change; a [`futures_util::Stream`]. A follower that falls far
    /// behind gets the whole text again.
    #[must_use]
    pub fn changes(&self) -> Changes {
        Changes::new(&self.room.shared, self.id, None)
    }

    /// Where the work on it is.
    #[must_use]
    pub fn save_status(&self) -> SaveStatus {
        self.room.shared.lock().core.save_status(self.id)
    }

    /// The same, now and whenever it changes; a [`futures_util::Stream`].
    #[must_use]
    pub fn save_statuses(&self) -> SaveStatuses {
        SaveStatuses::new(&self.room.shared, self.id)
    }

    pub(crate) fn edit_as(
        &self,
        editor: Option<EditorId>,
        change: impl FnOnce(&mut TextEdit<'_>) -> Result<(), EditError>,
    ) -> Result<Receipt, EditFailure> {
        let receipt = self.room.shared.write(|core, now| core.edit(self.id, editor, now, change))?;
        Ok(Receipt::new(&self.room, receipt))
    }

    pub(crate) fn apply_as(
        &self,
        editor: Option<EditorId>,
        delta: &[DeltaOp],
    ) -> Result<Receipt, EditFailure> {
        let receipt = self.room.shared.write(|core, now| core.apply_delta(self.id, editor, delta, now))?;
        Ok(Receipt::new(&self.room, receipt))
    }
}
