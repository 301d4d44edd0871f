//! The hand that writes: bounds are checked here, because yrs appends silently past the end.

use yrs::updates::decoder::Decode;
use yrs::{Text, TextRef, TransactionMut, Update};

use crate::limits::EDIT_UNITS;
use crate::ydoc::caret::Caret;
use crate::ydoc::{Delta, DeltaOp};

/// One transaction on a text.
pub struct TextEdit<'a> {
    text: &'a TextRef,
    txn: TransactionRef<'a>,
    length: u32,
    inserted: u32,
    deltas: Vec<Delta>,
    hand: Hand,
}

/// Where the hand stands after an edit.
pub(super) enum Hand {
    /// Somewhere.
    Unknown,
    /// At a place of which the neighbours are known.
    At(Caret),
    /// Behind an insertion that ended at this index; its update names the neighbours.
    Behind(u32),
}

/// A borrowed transaction whose own lifetime is hidden.
type TransactionRef<'a> = &'a mut dyn Writes;

/// What an edit does to a transaction.
trait Writes {
    fn insert(&mut self, text: &TextRef, index: u32, chunk: &str);
    fn remove(&mut self, text: &TextRef, index: u32, length: u32);
    /// Whether the update was taken.
    fn apply(&mut self, update: &[u8]) -> bool;
}

impl Writes for TransactionMut<'_> {
    fn insert(&mut self, text: &TextRef, index: u32, chunk: &str) {
        text.insert(self, index, chunk);
    }

    fn remove(&mut self, text: &TextRef, index: u32, length: u32) {
        text.remove_range(self, index, length);
    }

    fn apply(&mut self, update: &[u8]) -> bool {
        Update::decode_v1(update).is_ok_and(|update| self.apply_update(update).is_ok())
    }
}

/// Why an edit was not made. Nothing of the failing call is applied; earlier calls of the transaction stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// The place or the range ends behind the text.
    #[error("position {end} is behind the end of the text, which has {length} UTF-16 units")]
    OutOfBounds {
        /// Where the edit would end.
        end: u64,
        /// Where the text ends.
        length: u32,
    },
    /// More text than one transaction takes; write it in several.
    #[error("one edit takes at most {EDIT_UNITS} UTF-16 units; write longer text in several")]
    TooLarge,
}

impl<'a> TextEdit<'a> {
    pub(super) fn new(text: &'a TextRef, txn: &'a mut TransactionMut<'_>, caret: Option<Caret>) -> Self {
        let length = text.len(txn);
        let hand = caret.map_or(Hand::Unknown, Hand::At);
        Self { text, txn, length, inserted: 0, deltas: Vec::new(), hand }
    }

    /// Length of the text in UTF-16 units.
    pub fn len(&self) -> u32 {
        self.length
    }

    /// Whether there is no text.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Puts `chunk` in front of the unit at `index`.
    ///
    /// # Errors
    /// See [`EditError`].
    pub fn insert(&mut self, index: u32, chunk: &str) -> Result<(), EditError> {
        self.check(index, 0)?;
        let units = utf16_len(chunk);
        if units > u64::from(EDIT_UNITS - self.inserted)
            || u64::from(self.length) + units > u64::from(TEXT_UNITS)
        {
            return Err(EditError::TooLarge);
        }
        if units == 0 {
            return Ok(());
        }
        let units = u32::try_from(units).map_err(|_| EditError::TooLarge)?;
        if !self.typed_on(|caret| caret.insert(index, chunk, units)) {
            self.txn.insert(self.text, index, chunk);
            self.hand = Hand::Behind(index + units);
        }
        self.length += units;
        self.inserted += units;
        self.note(index, DeltaOp::Insert(chunk.to_owned()));
        Ok(())
    }

    /// Takes out `length` units from `index` on.
    ///
    /// # Errors
    /// See [`EditError`].
    pub fn delete(&mut self, index: u32, length: u32) -> Result<(), EditError> {
        self.check(index, length)?;
        if length == 0 {
            return Ok(());
        }
        if !self.typed_on(|caret| caret.delete(index, length)) {
            self.txn.remove(self.text, index, length);
            self.hand = Hand::Unknown;
        }
        self.length -= length;
        self.note(index, DeltaOp::Delete(length));
        Ok(())
    }

    pub(super) fn finish(self) -> (Vec<Delta>, Hand) {
        (self.deltas, self.hand)
    }

    /// Makes a change that goes on where the hand stands; `false`: it does not, and nothing was changed.
    fn typed_on(&mut self, change: impl FnOnce(&mut Caret) -> Option<Vec<u8>>) -> bool {
        let Hand::At(caret) = &mut self.hand else { return false };
        change(caret).is_some_and(|update| self.txn.apply(&update))
    }

    fn check(&self, index: u32, length: u32) -> Result<(), EditError> {
        let end = u64::from(index) + u64::from(length);
        if end > u64::from(self.length) {
            return Err(EditError::OutOfBounds { end, length: self.length });
        }
        Ok(())
    }

    fn note(&mut self, index: u32, op: DeltaOp) {
        let skip = (index > 0).then_some(DeltaOp::Retain(index));
        self.deltas.push(skip.into_iter().chain([op]).collect());
    }
}

impl std::fmt::Debug for TextEdit<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "TextEdit({} units)", self.length)
    }
}

/// Length of a text in UTF-16 units.
pub(crate) fn utf16_len(text: &str) -> u64 {
    text.chars().map(|c| c.len_utf16() as u64).sum()
}

/// A text of a hundred million units is a file, not a document.
const TEXT_UNITS: u32 = 100_000_000;
