//! Refused work as people meet it: listed, read, put back, discarded (rule 6).

mod held;
mod id;
mod moved;

use crate::device::Room;
use crate::device::documents::DocumentError;
use crate::device::event::Event;
use crate::device::journal::Tag;
use crate::device::pages::Role;
use crate::device::receipts::Receipt;
use crate::device::stream::{Phase, Stream};
use crate::directory::DirectoryOp;
use crate::ids::{StreamId, StreamKind};
use crate::limits::DONE_PIECES;
use crate::storage::Durability;
use crate::time::{Millis, Now};
use crate::wire::{self, Aside, Place};
use crate::ydoc::{Delta, DeltaOp};

pub(super) use held::Forks;
pub use id::ForkId;
pub(super) use moved::Return;

/// Work the home did not take, kept on this device until it is put back or discarded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fork {
    /// Its name.
    pub id: ForkId,
    /// Machine code of the first refusal.
    pub code: String,
    /// The reason, for people.
    pub sentence: String,
    /// When the newest of it was set aside, by this device's wall clock.
    pub time: Millis,
    /// Bytes it takes on the disk.
    pub bytes: u64,
}

/// What a fork says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForkText {
    /// The text as its author had it, with what others have written since; of the directory, one decision a line.
    pub text: String,
    /// What putting it back would do to the text it goes into.
    pub delta: Delta,
    /// Whether all of it is there. What builds on something that is missing cannot be shown, nor put back.
    pub is_complete: bool,
}

/// Why something could not be done with a fork.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ForkError {
    /// There is none of that name any more.
    #[error("this work was put back or discarded already")]
    Unknown,
    /// It builds on something that is not here. It can be read as far as it goes, and stays.
    #[error("a part of this work is missing, so it cannot be put back")]
    Incomplete,
    /// The document it goes into.
    #[error(transparent)]
    Document(#[from] DocumentError),
}

impl Room {
    /// Work on documents and on their list that the home did not take. That on channels are their drafts.
    pub fn forks(&self) -> Vec<Fork> {
        let mut forks: Vec<Fork> = Vec::new();
        for piece in &self.forks.pieces {
            let (id, record) = (ForkId::of(&piece.aside), &piece.aside.record);
            // That a stream begins is no work.
            if piece.leaving.is_some() || record.payload.is_empty() || id.stream.kind() == StreamKind::Chat {
                continue;
            }
            let bytes = record.payload.len() as u64;
            match forks.iter_mut().find(|fork| fork.id == id) {
                Some(fork) => {
                    fork.bytes += bytes;
                    fork.time = fork.time.max(record.time);
                    // What was written on top of refused work names no reason of its own.
                    if fork.code == LATER {
                        (fork.code, fork.sentence) = (record.code.clone(), record.sentence.clone());
                    }
                }
                None => forks.push(Fork {
                    id,
                    code: record.code.clone(),
                    sentence: record.sentence.clone(),
                    time: record.time,
                    bytes,
                }),
            }
        }
        forks
    }

    /// How many forks there are of a stream.
    pub(super) fn count_forks(&self, stream: StreamId) -> u32 {
        let mut count = 0;
        for fork in self.forks() {
            count += u32::from(fork.id.stream == stream);
        }
        count
    }

    /// What a fork says, beside what its document says now.
    ///
    /// # Errors
    /// There is no such fork; or its document is not open, unless it is kept whole.
    pub fn fork_text(&self, id: ForkId) -> Result<ForkText, ForkError> {
        let pieces = self.forks.of(id);
        if pieces.is_empty() {
            return Err(ForkError::Unknown);
        }
        let kind = id.stream.kind();
        if id.whole.is_none() && kind != StreamKind::Directory {
            let document = self.settled_document(id.stream)?;
            let changes: Vec<&[u8]> = pieces.iter().map(|aside| aside.record.payload.as_slice()).collect();
            let merged = document.with_changes(&changes);
            let (text, delta, is_complete) = merged.map_err(|_| ForkError::Incomplete)?;
            return Ok(ForkText { text, delta, is_complete });
        }
        let mut text = String::new();
        for aside in pieces {
            let payload = &aside.record.payload;
            if id.whole.is_some() {
                text.push_str(std::str::from_utf8(payload).unwrap_or_default());
            } else if let Some(op) = decided(aside) {
                text.push_str(&line(op));
            }
        }
        Ok(ForkText { delta: vec![DeltaOp::Insert(text.clone())], text, is_complete: true })
    }

    /// Does again what a fork says, as edits of this page: changes go into the document as it is now, merged with what
    /// others have written; a text that is kept whole becomes a new document under `path`. A document that is not open
    /// is opened first. The fork goes when the edits are on this device's disk. Answers the document.
    ///
    /// # Errors
    /// See [`ForkError`]; the fork stays.
    pub fn reapply_fork(&mut self, id: ForkId, path: &str, now: Now) -> Result<StreamId, ForkError> {
        let pieces = self.forks.of(id);
        if pieces.is_empty() {
            return Err(ForkError::Unknown);
        }
        if let Some((_, target)) = self.forks.returning.iter().find(|(waiting, _)| *waiting == id) {
            return Ok(*target);
        }
        if id.stream == StreamId::DIRECTORY {
            let names = names_of(&pieces);
            let ops: Vec<DirectoryOp> = pieces.into_iter().filter_map(decided).collect();
            for op in ops {
                self.decide(op, now)?;
            }
            self.leave_fork(&names, id.stream);
            return Ok(id.stream);
        }
        let target = match id.whole {
            Some(_) => self.create_text(path, now)?,
            None => {
                self.open_text(id.stream)?;
                id.stream
            }
        };
        if self.is_up_to_date(target) && !self.fork_text(id)?.is_complete {
            return Err(ForkError::Incomplete);
        }
        self.forks.returning.push((id, target));
        self.put_back(target, now);
        Ok(target)
    }

    /// Forgets a fork for good.
    pub fn discard_fork(&mut self, id: ForkId) {
        let names = names_of(&self.forks.of(id));
        self.drop_pieces(&names);
    }

    /// A document can be written: what waits for it goes there.
    pub(super) fn put_back(&mut self, target: StreamId, now: Now) {
        while self.is_up_to_date(target)
            && let Some(at) = self.forks.returning.iter().position(|(_, into)| *into == target)
        {
            let (id, _) = self.forks.returning.remove(at);
            let Ok(ForkText { delta, is_complete: true, .. }) = self.fork_text(id) else { continue };
            // What is refused again is a fork of its own by the time that it has been applied.
            let names = names_of(&self.forks.of(id));
            if self.apply_delta(target, None, &delta, now).is_ok() {
                self.leave_fork(&names, target);
            }
        }
    }

    /// The work of these pieces has been done again, by the newest edit of a document.
    fn leave_fork(&mut self, names: &[Place], target: StreamId) {
        let receipt = self.receipt_now(target);
        self.forks.leave(names, receipt);
        if let Some(name) = names.first() {
            self.tell_forks(name.stream);
        }
        if self.is_handed_over(target) {
            self.take_forks_along(target, receipt.edit);
        }
        self.settle_forks();
    }

    /// Whether all edits of a stream are in what is on the disk or goes there next, be it as a fork.
    fn is_handed_over(&self, id: StreamId) -> bool {
        let handing = |stream: &&Stream| matches!(stream.phase, Phase::Ready | Phase::Rebuilding);
        let stream = self.streams.get(&id).filter(handing);
        stream.is_some_and(|stream| stream.journal.written == stream.journal.updates.len())
    }

    /// Edits up to this one go to the disk with the next commit: the forks whose work they are leave it with the same, so
    /// that a page which ends finds them in the text or as a fork, and not as both.
    pub(super) fn take_forks_along(&mut self, id: StreamId, upto: u64) {
        if self.role == Role::Following {
            return;
        }
        let goes = |receipt: Receipt| receipt.stream == id && receipt.edit <= upto;
        let names = self.forks.leaving(goes);
        self.delete_pieces(&names);
    }

    fn delete_pieces(&mut self, names: &[Place]) {
        let mut keys = Vec::new();
        for name in names {
            keys.push(name.fork_key());
        }
        self.queue.delete_all(keys);
    }

    /// Forks whose work is on the disk as edits go.
    pub(super) fn settle_forks(&mut self) {
        let names = self.forks.leaving(|receipt| self.receipt(&receipt).device);
        self.drop_pieces(&names);
    }

    /// Pieces, in the order of their names.
    pub(super) fn drop_pieces(&mut self, names: &[Place]) {
        if names.is_empty() {
            return;
        }
        self.forks.let_go(names);
        match self.role {
            Role::Leading => self.forget_pieces(names),
            Role::Following => {
                self.forks.not_done(names);
                self.send_done(names);
            }
        }
        self.tell_dropped(names);
    }

    /// Takes pieces off the disk. The other pages hear of it when they are gone from there.
    fn forget_pieces(&mut self, names: &[Place]) {
        self.delete_pieces(names);
        self.queue.tag(Tag::AsideDone(names.to_vec()), Durability::Strict);
    }

    pub(super) fn tell_aside_done(&mut self, names: &[Place]) {
        for names in names.chunks(DONE_PIECES) {
            self.send_to_all(&wire::Body::AsideDone(names.to_vec()).into());
        }
    }

    /// Tells the page that leads.
    pub(super) fn send_done(&mut self, names: &[Place]) {
        for names in names.chunks(DONE_PIECES) {
            self.send_if_live(&wire::Body::AsideDone(names.to_vec()).into());
        }
    }

    /// Another page has put pieces back or discarded them; or the one that leads has them off the disk.
    pub(super) fn handle_aside_done(&mut self, names: &[Place]) {
        self.forks.let_go(names);
        match self.role {
            Role::Leading => self.forget_pieces(names),
            Role::Following => self.forks.done.retain(|done| names.binary_search(done).is_err()),
        }
        self.tell_dropped(names);
    }

    fn tell_dropped(&mut self, names: &[Place]) {
        let mut told = None;
        for Place { stream, .. } in names {
            if told.replace(*stream) != Some(*stream) {
                self.note_forks_on_disk(*stream);
                self.tell_forks(*stream);
            }
        }
    }

    /// The disk is this page's: what it let go of before goes from there.
    pub(super) fn forget_done(&mut self) {
        let done = std::mem::take(&mut self.forks.done);
        self.drop_pieces(&done);
    }

    /// The disk is not this page's any more: what it let go of and has not taken off the disk, the next leader does.
    pub(super) fn hand_on_done(&mut self, abandoned: &[Tag]) {
        for tag in abandoned {
            if let Tag::AsideDone(names) = tag {
                self.forks.not_done(names);
            }
        }
    }

    pub(super) fn tell_forks(&mut self, stream: StreamId) {
        self.events.push(Event::Forks);
        self.events.push(Event::SaveStatus(stream));
        if stream.kind() == StreamKind::Chat {
            self.events.push(Event::Channel(stream));
        }
    }

    /// Whether a text can be written, and shows what the room agrees on.
    fn is_settled(&self, id: StreamId) -> bool {
        let phase = self.streams.get(&id).map(|stream| stream.phase);
        matches!(phase, Some(Phase::Ready | Phase::Meeting)) && self.is_open(id)
    }

    /// Whether it shows all that has come, too.
    fn is_up_to_date(&self, id: StreamId) -> bool {
        self.is_settled(id) && self.streams.get(&id).is_some_and(|stream| stream.backlog.is_empty())
    }

    fn settled_document(&self, id: StreamId) -> Result<&crate::ydoc::Document, DocumentError> {
        let document = self.document(id)?;
        if self.is_settled(id) { Ok(document) } else { Err(DocumentError::NotOpen) }
    }
}

fn names_of(pieces: &[&Aside]) -> Vec<Place> {
    pieces.iter().map(|aside| aside.name()).collect()
}

fn decided(aside: &Aside) -> Option<DirectoryOp> {
    wire::payload::decode_directory(&aside.record.payload)
}

fn line(op: DirectoryOp) -> String {
    match op {
        DirectoryOp::Put { path, .. } => format!("+ {path}\n"),
        DirectoryOp::Remove { document } => format!("− {document}\n"),
    }
}

/// Code of what was written on top of refused work.
pub(super) const LATER: &str = "fork.later";
