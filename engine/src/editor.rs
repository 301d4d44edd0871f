//! An editor: one view of a text, and what it can take back.

use causeway_core::ids::EditorId;
use causeway_core::ydoc::{DeltaOp, EditError, TextEdit};

use crate::follow::Changes;
use crate::receipt::Receipt;
use crate::text::{EditFailure, Text};

/// One view of a text with an undo stack of its own: it takes back only what was written through it, whatever others
/// have written since. Dropped, it forgets the stack.
#[derive(Debug)]
pub struct Editor {
    text: Text,
    id: EditorId,
}

impl Editor {
    pub(crate) fn open(text: Text) -> Result<Self, EditFailure> {
        let shared = &text.room.shared;
        let id = shared.lock().fresh_editor();
        shared.write(|core, _| core.open_editor(text.id(), id))?;
        Ok(Self { text, id })
    }

    /// The text.
    #[must_use]
    pub fn text(&self) -> &Text {
        &self.text
    }

    /// What [`Change::Delta`](crate::Change::Delta) calls this editor.
    #[must_use]
    pub fn id(&self) -> EditorId {
        self.id
    }

    /// As [`Text::edit`]; [`undo`](Editor::undo) takes it back.
    ///
    /// # Errors
    /// As for [`Text::edit`].
    pub fn edit(
        &self,
        change: impl FnOnce(&mut TextEdit<'_>) -> Result<(), EditError>,
    ) -> Result<Receipt, EditFailure> {
        self.text.edit_as(Some(self.id), change)
    }

    /// As [`Text::apply`]; [`undo`](Editor::undo) takes it back.
    ///
    /// # Errors
    /// As for [`Text::apply`].
    pub fn apply(&self, delta: &[DeltaOp]) -> Result<Receipt, EditFailure> {
        self.text.apply_as(Some(self.id), delta)
    }

    /// As [`Text::changes`], without those made through [`edit`](Editor::edit) and [`apply`](Editor::apply) of this
    /// editor, which shows them already. Undo and redo are among them.
    #[must_use]
    pub fn changes(&self) -> Changes {
        Changes::new(&self.text.room.shared, self.text.id(), Some(self.id))
    }

    /// Takes back this editor's last step; `None`: there is nothing to take back.
    ///
    /// # Errors
    /// The document has been deleted, or the engine closed.
    pub fn undo(&self) -> Result<Option<Receipt>, EditFailure> {
        let room = &self.text.room;
        let receipt = room.shared.write(|core, now| core.undo(self.text.id(), self.id, now))?;
        Ok(receipt.map(|receipt| Receipt::new(room, receipt)))
    }

    /// Makes the last undone step again.
    ///
    /// # Errors
    /// As for [`undo`](Editor::undo).
    pub fn redo(&self) -> Result<Option<Receipt>, EditFailure> {
        let room = &self.text.room;
        let receipt = room.shared.write(|core, now| core.redo(self.text.id(), self.id, now))?;
        Ok(receipt.map(|receipt| Receipt::new(room, receipt)))
    }

    /// Whether [`undo`](Editor::undo) has something to do.
    #[must_use]
    pub fn can_undo(&self) -> bool {
        self.text.room.shared.lock().core.can_undo_redo(self.text.id(), self.id).0
    }

    /// Whether [`redo`](Editor::redo) has something to do.
    #[must_use]
    pub fn can_redo(&self) -> bool {
        self.text.room.shared.lock().core.can_undo_redo(self.text.id(), self.id).1
    }

    /// Ends the current step, so that what is written next is taken back apart from it.
    pub fn end_undo_step(&self) {
        self.text.room.shared.command(|core, _| core.end_undo_step(self.text.id(), self.id));
    }
}

impl Drop for Editor {
    fn drop(&mut self) {
        self.text.room.shared.command(|core, _| core.close_editor(self.text.id(), self.id));
    }
}
