//! What an app does with documents.

use crate::anchor::{Anchor, Side};
use crate::device::Room;
use crate::device::event::{Change, Event, Storage};
use crate::device::receipts::Receipt;
use crate::device::stream::{Body, Phase, Stream, Sync};
use crate::directory::{self, DirectoryOp, InvalidOp, Listed};
use crate::ids::{EditorId, StreamId, StreamKind};
use crate::limits::EDIT_UNITS;
use crate::log::EntryKind;
use crate::time::Now;
use crate::wire;
use crate::ydoc::{Delta, DeltaOp, Document, EditError, TextEdit};

/// Why something could not be done with a document.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    /// It is not open, or still being read. Wait for its reset.
    #[error("the document is not open yet")]
    NotOpen,
    /// It is no text.
    #[error("this stream is not a text")]
    NotText,
    /// It has been deleted.
    #[error("the document has been deleted")]
    Gone,
    /// The edit itself.
    #[error(transparent)]
    Edit(#[from] EditError),
    /// The path.
    #[error(transparent)]
    Path(#[from] InvalidOp),
}

impl Room {
    /// Opens a text: reads it from this device's disk and follows it at the home. A reset event says when it can be
    /// read and written. A document nobody has written yet comes into being with its first edit.
    ///
    /// # Errors
    /// The stream is not a text.
    pub fn open_text(&mut self, id: StreamId) -> Result<(), DocumentError> {
        if id.kind() != StreamKind::Ydoc {
            return Err(DocumentError::NotText);
        }
        if self.streams.get(&id).is_some_and(|stream| matches!(stream.body, Body::Text(_))) {
            return Ok(());
        }
        let document = Document::new(self.current.client());
        let mut stream = self.streams.remove(&id).unwrap_or_else(|| self.new_stream(id));
        stream.body = Body::Text(Box::new(document));
        if stream.phase != Phase::Gone {
            stream.phase = Phase::Loading;
            stream.sync = Sync::Off;
        }
        self.streams.insert(id, stream);
        self.load_stream(id);
        Ok(())
    }

    /// Makes a new text under `path` in the directory. It can be written at once.
    ///
    /// # Errors
    /// The path is none.
    pub fn create_text(&mut self, path: &str, now: Now) -> Result<StreamId, DocumentError> {
        let id = StreamId::ydoc(self.entropy.bytes());
        self.list_document(id, path, now)?;
        self.open_text(id)?;
        Ok(id)
    }

    /// Lists a document in the directory, or moves it to another path.
    ///
    /// # Errors
    /// The path is none, or the directory is not read yet.
    pub fn list_document(&mut self, document: StreamId, path: &str, now: Now) -> Result<(), DocumentError> {
        self.decide(DirectoryOp::Put { document, path: path.to_owned() }, now)
    }

    /// Takes a document off the directory. Its text stays where it is.
    ///
    /// # Errors
    /// The directory is not read yet.
    pub fn unlist_document(&mut self, document: StreamId, now: Now) -> Result<(), DocumentError> {
        self.decide(DirectoryOp::Remove { document }, now)
    }

    /// The documents of the room.
    pub fn directory(&self) -> Vec<Listed> {
        match self.streams.get(&StreamId::DIRECTORY).map(|stream| &stream.body) {
            Some(Body::Directory(directory)) => directory.list(),
            _ => Vec::new(),
        }
    }

    /// Whether the home has sent all it had of a stream on the link there is.
    pub fn is_synced(&self, id: StreamId) -> bool {
        self.streams.get(&id).is_some_and(|stream| {
            matches!(stream.sync, Sync::Following(_) | Sync::Waiting(_)) && !stream.backlog.is_full()
        })
    }

    /// Whether a document can be read and written.
    pub fn is_open(&self, id: StreamId) -> bool {
        self.document(id).is_ok()
    }

    /// The whole text.
    ///
    /// # Errors
    /// The document is not open.
    pub fn text(&self, id: StreamId) -> Result<String, DocumentError> {
        Ok(self.document(id)?.text())
    }

    /// Its length in UTF-16 units.
    ///
    /// # Errors
    /// The document is not open.
    pub fn text_len(&self, id: StreamId) -> Result<u32, DocumentError> {
        Ok(self.document(id)?.len())
    }

    /// Changes a text in one transaction. `editor` owns the change and its undo; `None` is a change without undo.
    ///
    /// # Errors
    /// The document is not open; or what `change` answered: what it did before it failed stays.
    pub fn edit(
        &mut self,
        id: StreamId,
        editor: Option<EditorId>,
        now: Now,
        change: impl FnOnce(&mut TextEdit<'_>) -> Result<(), EditError>,
    ) -> Result<Receipt, DocumentError> {
        let edited = self.change(id, editor, now, change);
        self.seal_if_due(id, now);
        edited
    }

    /// The same, not sealed yet.
    fn change(
        &mut self,
        id: StreamId,
        editor: Option<EditorId>,
        now: Now,
        change: impl FnOnce(&mut TextEdit<'_>) -> Result<(), EditError>,
    ) -> Result<Receipt, DocumentError> {
        let (result, edited) = self.document_mut(id)?.edit(editor, now.monotonic, change);
        let receipt = self.take_edited(id, editor, edited, now);
        result?;
        Ok(receipt)
    }

    /// Changes a text as a delta says, in several transactions if it is long; all of them go to the disk with one commit.
    ///
    /// # Errors
    /// The document is not open, or the delta reaches behind its end (nothing is then applied).
    pub fn apply_delta(
        &mut self,
        id: StreamId,
        editor: Option<EditorId>,
        delta: &[DeltaOp],
        now: Now,
    ) -> Result<Receipt, DocumentError> {
        let length = u64::from(self.text_len(id)?);
        let end: u64 = delta.iter().map(passed).sum();
        if end > length {
            return Err(
                EditError::OutOfBounds { end, length: u32::try_from(length).unwrap_or(u32::MAX) }.into()
            );
        }
        let mut edited = Ok(self.receipt_now(id));
        for part in transactions(delta) {
            if edited.is_ok() {
                edited = self.change(id, editor, now, |text| apply_part(text, &part));
            }
        }
        self.seal_if_due(id, now);
        edited
    }

    /// Opens an editor: a view on a document with an undo stack of its own.
    ///
    /// # Errors
    /// The document is not open.
    pub fn open_editor(&mut self, id: StreamId, editor: EditorId) -> Result<(), DocumentError> {
        self.document_mut(id)?.open_editor(editor);
        Ok(())
    }

    /// Closes an editor and forgets its undo stack.
    pub fn close_editor(&mut self, id: StreamId, editor: EditorId) {
        if let Ok(document) = self.document_mut(id) {
            document.close_editor(editor);
        }
    }

    /// Takes back the editor's last step. `None`: there is nothing to take back.
    ///
    /// # Errors
    /// The document is not open.
    pub fn undo(
        &mut self,
        id: StreamId,
        editor: EditorId,
        now: Now,
    ) -> Result<Option<Receipt>, DocumentError> {
        let edited = self.document_mut(id)?.undo(editor, now.monotonic);
        Ok(self.take_step(id, edited, now))
    }

    /// Makes the editor's last undone step again.
    ///
    /// # Errors
    /// The document is not open.
    pub fn redo(
        &mut self,
        id: StreamId,
        editor: EditorId,
        now: Now,
    ) -> Result<Option<Receipt>, DocumentError> {
        let edited = self.document_mut(id)?.redo(editor, now.monotonic);
        Ok(self.take_step(id, edited, now))
    }

    /// Whether undo and redo have something to do.
    pub fn can_undo_redo(&self, id: StreamId, editor: EditorId) -> (bool, bool) {
        self.document(id).map_or((false, false), |document| document.can_undo_redo(editor))
    }

    /// Ends the editor's current undo step.
    pub fn end_undo_step(&mut self, id: StreamId, editor: EditorId) {
        if let Ok(document) = self.document_mut(id) {
            document.end_undo_step(editor);
        }
    }

    /// A place that stays where it is while others write.
    ///
    /// # Errors
    /// The document is not open, or `index` is behind its end.
    pub fn anchor(&self, id: StreamId, index: u32, side: Side) -> Result<Anchor, DocumentError> {
        let document = self.document(id)?;
        let behind = EditError::OutOfBounds { end: u64::from(index), length: document.len() };
        Ok(document.anchor(index, side).ok_or(behind)?)
    }

    /// Where a place is now; `None` if the text it stands in is not here.
    pub fn resolve(&self, id: StreamId, anchor: &Anchor) -> Option<u32> {
        self.document(id).ok()?.resolve(anchor)
    }

    /// The disk of this device, as people see it.
    pub fn storage(&self) -> &Storage {
        &self.storage
    }

    pub(super) fn document(&self, id: StreamId) -> Result<&Document, DocumentError> {
        let stream = self.streams.get(&id).ok_or(DocumentError::NotOpen)?;
        match stream.phase {
            Phase::Ready | Phase::Rebuilding | Phase::Meeting => {
                stream.document().ok_or(DocumentError::NotOpen)
            }
            Phase::Loading => Err(DocumentError::NotOpen),
            Phase::Gone => Err(DocumentError::Gone),
        }
    }

    fn document_mut(&mut self, id: StreamId) -> Result<&mut Document, DocumentError> {
        self.document(id)?;
        self.streams.get_mut(&id).and_then(Stream::document_mut).ok_or(DocumentError::NotOpen)
    }

    /// A step of an undo stack.
    fn take_step(&mut self, id: StreamId, edited: Option<crate::ydoc::Edited>, now: Now) -> Option<Receipt> {
        edited.as_ref()?;
        let receipt = self.take_edited(id, None, edited, now);
        self.seal_if_due(id, now);
        Some(receipt)
    }

    /// A change made here: tell the other views, and keep it.
    fn take_edited(
        &mut self,
        id: StreamId,
        editor: Option<EditorId>,
        edited: Option<crate::ydoc::Edited>,
        now: Now,
    ) -> Receipt {
        let Some(edited) = edited else { return self.receipt_now(id) };
        for delta in edited.deltas {
            self.events.push(Event::Text { stream: id, change: Change::Delta(delta), editor });
        }
        let stream = self.streams.get(&id);
        let rebuilding = stream.is_some_and(|stream| stream.phase == Phase::Rebuilding);
        if rebuilding {
            self.fork_edit(id, self.author(id), edited.update, now)
        } else {
            self.record_edit(id, edited.update, now)
        }
    }

    pub(super) fn receipt_now(&self, id: StreamId) -> Receipt {
        Receipt { stream: id, edit: self.streams.get(&id).map_or(0, |stream| stream.marks.newest()) }
    }

    /// A decision about the directory is an entry at once: there is nothing to gather.
    pub(super) fn decide(&mut self, op: DirectoryOp, now: Now) -> Result<(), DocumentError> {
        directory::validate(&op)?;
        if self
            .streams
            .get(&StreamId::DIRECTORY)
            .is_none_or(|stream| !matches!(stream.phase, Phase::Ready | Phase::Meeting))
        {
            return Err(DocumentError::NotOpen);
        }
        self.remember_replica();
        let payload = wire::payload::encode_directory(&op);
        let replica = self.current;
        let Some(stream) = self.streams.get_mut(&StreamId::DIRECTORY) else {
            return Err(DocumentError::NotOpen);
        };
        let edit = stream.marks.handle_edit();
        self.seal_payload(StreamId::DIRECTORY, replica, EntryKind::Edit, &payload, edit, now);
        if let Some(stream) = self.streams.get_mut(&StreamId::DIRECTORY) {
            let logical = stream.log.tip(&replica).logical;
            let seq = stream.log.tip(&replica).seq;
            if let Body::Directory(directory) = &mut stream.body {
                directory.decide(logical, replica, seq, op);
            }
        }
        self.events.push(Event::Directory);
        Ok(())
    }
}

/// Units of the text before the change that a step passes or takes.
fn passed(op: &DeltaOp) -> u64 {
    match op {
        DeltaOp::Retain(length) | DeltaOp::Delete(length) => u64::from(*length),
        DeltaOp::Insert(_) => 0,
    }
}

/// Cuts a delta so that no part inserts more than one transaction takes. Each part is a delta on the text the parts
/// before it leave.
fn transactions(delta: &[DeltaOp]) -> Vec<Delta> {
    let mut parts = Vec::new();
    let mut part: Delta = Vec::new();
    let mut inserted = 0;
    let mut behind = 0;
    for op in delta {
        let DeltaOp::Insert(text) = op else {
            behind += if let DeltaOp::Retain(length) = op { *length } else { 0 };
            part.push(op.clone());
            continue;
        };
        for chunk in chunks(text) {
            let units = chunk.encode_utf16().count() as u32;
            if inserted + units > EDIT_UNITS {
                parts.push(std::mem::replace(&mut part, vec![DeltaOp::Retain(behind)]));
                inserted = 0;
            }
            inserted += units;
            behind += units;
            part.push(DeltaOp::Insert(chunk.to_owned()));
        }
    }
    parts.push(part);
    parts
}

/// A text in pieces of at most a transaction's worth of units, cut between characters.
pub(super) fn chunks(text: &str) -> Vec<&str> {
    let mut chunks = Vec::new();
    let (mut start, mut units) = (0, 0);
    for (at, c) in text.char_indices() {
        let width = c.len_utf16() as u32;
        if units + width > EDIT_UNITS {
            chunks.push(&text[start..at]);
            (start, units) = (at, 0);
        }
        units += width;
    }
    chunks.push(&text[start..]);
    chunks
}

fn apply_part(text: &mut TextEdit<'_>, delta: &[DeltaOp]) -> Result<(), EditError> {
    let mut at = 0;
    for op in delta {
        match op {
            DeltaOp::Retain(length) => at += length,
            DeltaOp::Insert(chunk) => {
                let before = text.len();
                text.insert(at, chunk)?;
                at += text.len() - before;
            }
            DeltaOp::Delete(length) => text.delete(at, *length)?,
        }
    }
    Ok(())
}
