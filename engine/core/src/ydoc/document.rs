//! One text document and the editors on it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use yrs::block::ClientID;
use yrs::types::text::TextEvent;
use yrs::types::{Delta as YrsDelta, Observable};
use yrs::updates::decoder::Decode;
use yrs::{
    Assoc, Doc, GetString, ID, IndexScope, IndexedSequence, OffsetKind, Options, Origin, Out, ReadTxn,
    StateVector, StickyIndex, Text, TextRef, Transact, TransactionMut, Update,
};

use crate::anchor::{Anchor, Side};
use crate::ids::EditorId;
use crate::sorted::SortedMap;
use crate::time::Millis;
use crate::ydoc::caret::Caret;
use crate::ydoc::edit::{Hand, TextEdit};
use crate::ydoc::undo::{Clock, Editor};
use crate::ydoc::{Delta, DeltaOp, ROOT};

/// A text, written by one replica of this device and by any number of others.
pub struct Document {
    doc: Doc,
    text: TextRef,
    client: u64,
    captured: Arc<Mutex<Captured>>,
    editors: SortedMap<EditorId, Editor>,
    clock: Clock,
    /// Where the last edit ended, until anything else changes the text.
    caret: Option<Caret>,
    /// Bytes of the updates that made it.
    taken: u64,
}

/// What the observers of the running transaction note.
#[derive(Default)]
struct Captured {
    /// Whether to note the update: an undo step makes its own transaction.
    wants_update: bool,
    /// Whether to note what changed: known already for edits made here.
    wants_delta: bool,
    update: Option<Vec<u8>>,
    delta: Option<Delta>,
}

/// Why an update could not be applied. The guard lets none of these through; they mean damage (rule 16).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ApplyError {
    /// It is no update.
    #[error("the update cannot be read: {0}")]
    Decode(String),
    /// yrs would not take it.
    #[error("the update cannot be applied: {0}")]
    Apply(String),
    /// yrs waits for something that its dependencies should have brought.
    #[error("the update builds on something that is not here")]
    Incomplete,
}

/// What a change made here has done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edited {
    /// The update for the journal.
    pub update: Vec<u8>,
    /// The changes, one after the other.
    pub deltas: Vec<Delta>,
}

impl Document {
    /// An empty document that writes under `client` (see [`crate::ids::ReplicaId::client`]).
    pub fn new(client: u64) -> Self {
        BUILT.fetch_add(1, Ordering::Relaxed);
        let mut options = Options::with_guid_and_client_id("causeway".into(), ClientID::new(client));
        options.offset_kind = OffsetKind::Utf16;
        // A clean-up on arrival would be a change that nobody made.
        options.cleanup_formatting = false;
        let doc = Doc::with_options(options);
        let text = doc.get_or_insert_text(ROOT);
        let captured = Arc::new(Mutex::new(Captured::default()));
        observe(&doc, &text, &captured);
        Self {
            doc,
            text,
            client,
            captured,
            editors: SortedMap::new(),
            clock: Clock::default(),
            caret: None,
            taken: 0,
        }
    }

    /// The same text to be written under another client id, and whether it could be copied.
    pub(crate) fn under(self, client: u64) -> (Self, Result<(), ApplyError>) {
        if self.client == client {
            return (self, Ok(()));
        }
        let state = self.doc.transact().encode_diff_v1(&StateVector::default());
        let mut copy = Self::new(client);
        let copied = copy.load(&[&state]);
        (copy, copied)
    }

    /// The client id this document writes under.
    pub fn client(&self) -> u64 {
        self.client
    }

    /// The whole text.
    pub fn text(&self) -> String {
        self.text.get_string(&self.doc.transact())
    }

    /// Its length in UTF-16 units.
    pub fn len(&self) -> u32 {
        self.text.len(&self.doc.transact())
    }

    /// Whether there is no text.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Takes an accepted update of another replica, or one of this one's from the disk.
    ///
    /// # Errors
    /// See [`ApplyError`]; the text may then hold a part of the update.
    pub fn apply(&mut self, update: &[u8]) -> Result<Option<Delta>, ApplyError> {
        let (deltas, applied) = self.apply_all(&[update]);
        applied.map(|()| deltas.into_iter().next())
    }

    /// The same of several, in as few transactions as is wise, with what each changed; and the first error, beside which the
    /// others are applied.
    pub(crate) fn apply_all(&mut self, updates: &[&[u8]]) -> (Vec<Delta>, Result<(), ApplyError>) {
        let (mut deltas, mut applied) = (Vec::new(), Ok(()));
        for part in together(updates) {
            self.expect_delta();
            applied = applied.and(self.apply_together(part));
            deltas.extend(self.take_captured().delta);
        }
        (deltas, applied)
    }

    /// Takes many updates at once, when a document is opened: nobody looks yet, so nothing is told.
    ///
    /// # Errors
    /// See [`ApplyError`]; with the first error, beside which the others are applied.
    pub fn load(&mut self, updates: &[&[u8]]) -> Result<(), ApplyError> {
        together(updates).map(|part| self.apply_together(part)).fold(Ok(()), Result::and)
    }

    fn apply_together(&mut self, updates: &[&[u8]]) -> Result<(), ApplyError> {
        self.caret = None;
        self.taken += updates.iter().map(|update| update.len() as u64).sum::<u64>();
        let mut txn = self.doc.transact_mut();
        updates.iter().map(|update| apply_in(&mut txn, update)).fold(Ok(()), Result::and)
    }

    /// A state of the whole text comes next: it says how much there is.
    pub(crate) fn weigh_anew(&mut self) {
        self.taken = 0;
    }

    /// What may be done with this text in about a second.
    pub(crate) fn begin_step(&self) -> Step {
        Step { left: STEP_PIECES, pieces: self.taken / PIECE_BYTES + u64::from(self.len()) / UNITS_CUT }
    }

    /// What this text would be with further changes: the text, how it differs from this one, and whether all that the
    /// changes build on is here.
    ///
    /// # Errors
    /// See [`ApplyError`].
    pub fn with_changes(&self, changes: &[&[u8]]) -> Result<(String, Delta, bool), ApplyError> {
        let copy = Self::new(self.client);
        let state = self.doc.transact().encode_diff_v1(&StateVector::default());
        apply_in(&mut copy.doc.transact_mut(), &state)?;
        copy.expect_delta();
        let mut is_complete = true;
        {
            let mut txn = copy.doc.transact_mut();
            for change in changes.iter().filter(|change| !change.is_empty()) {
                // What waits for a later one is found whole when that has come.
                match apply_in(&mut txn, change) {
                    Ok(()) => is_complete = true,
                    Err(ApplyError::Incomplete) => is_complete = false,
                    Err(error) => return Err(error),
                }
            }
        }
        Ok((copy.text(), copy.take_captured().delta.unwrap_or_default(), is_complete))
    }

    /// Changes the text. `editor` owns the change: its undo takes it back.
    pub fn edit<R>(
        &mut self,
        editor: Option<EditorId>,
        now: Millis,
        change: impl FnOnce(&mut TextEdit<'_>) -> R,
    ) -> (R, Option<Edited>) {
        self.clock.set(now);
        let mut txn = match editor {
            Some(editor) => self.doc.transact_mut_with(origin(editor)),
            None => self.doc.transact_mut(),
        };
        // An update may bring what waits along, and the walk never does.
        let caret = self.caret.take().filter(|_| !txn.has_missing_updates());
        let mut edit = TextEdit::new(&self.text, &mut txn, caret);
        let result = change(&mut edit);
        let (deltas, hand) = edit.finish();
        let edited = (!deltas.is_empty()).then(|| Edited { update: txn.encode_update_v1(), deltas });
        self.taken += edited.as_ref().map_or(0, |edited| edited.update.len() as u64);
        self.caret = match (hand, &edited) {
            (Hand::At(caret), _) => Some(caret),
            (Hand::Behind(index), Some(edited)) => Caret::behind(&edited.update, index),
            (Hand::Behind(_) | Hand::Unknown, _) => None,
        };
        (result, edited)
    }

    /// Opens an undo stack for an editor; a second call changes nothing.
    pub fn open_editor(&mut self, editor: EditorId) {
        self.editors
            .entry(editor)
            .or_insert_with(|| Editor::new(&self.doc, &self.text, origin(editor), &self.clock));
    }

    /// Forgets an editor and its undo stack.
    pub fn close_editor(&mut self, editor: EditorId) {
        self.editors.remove(&editor);
    }

    /// The editors on this document.
    pub fn editors(&self) -> impl Iterator<Item = EditorId> {
        self.editors.keys().copied()
    }

    /// Takes back the editor's last step; others' text stays. `None`: there is nothing to take back.
    pub fn undo(&mut self, editor: EditorId, now: Millis) -> Option<Edited> {
        self.step(editor, now, Editor::undo)
    }

    /// Makes the editor's last undone step again.
    pub fn redo(&mut self, editor: EditorId, now: Millis) -> Option<Edited> {
        self.step(editor, now, Editor::redo)
    }

    /// Whether undo and redo have something to do.
    pub fn can_undo_redo(&self, editor: EditorId) -> (bool, bool) {
        self.editors.get(&editor).map_or((false, false), Editor::can)
    }

    /// Ends the current undo step, as a save or a jump of the cursor does.
    pub fn end_undo_step(&mut self, editor: EditorId) {
        if let Some(editor) = self.editors.get_mut(&editor) {
            editor.end_step();
        }
    }

    /// A place at `index` that stays where it is while others write; `None` if the text is shorter.
    pub fn anchor(&self, index: u32, side: Side) -> Option<Anchor> {
        let txn = self.doc.transact();
        if index > self.text.len(&txn) {
            return None;
        }
        let item = self.text.sticky_index(&txn, index, assoc(side)).and_then(|place| {
            let id = place.id()?;
            Some((id.client.get(), id.clock))
        });
        Some(Anchor { item, side })
    }

    /// Where a place is now; `None` if its text is not here yet.
    pub fn resolve(&self, anchor: &Anchor) -> Option<u32> {
        let txn = self.doc.transact();
        let Some((client, clock)) = anchor.item else {
            return Some(match anchor.side {
                Side::Before => 0,
                Side::After => self.text.len(&txn),
            });
        };
        // A client id beyond 53 bits or a clock at the end is a place nobody can have made.
        if client >= 1 << 53 || clock == u32::MAX {
            return None;
        }
        let scope = IndexScope::Relative(ID::new(ClientID::new(client), clock));
        Some(StickyIndex::new(scope, assoc(anchor.side)).get_offset(&txn)?.index)
    }

    fn step(
        &mut self,
        editor: EditorId,
        now: Millis,
        step: impl FnOnce(&mut Editor) -> bool,
    ) -> Option<Edited> {
        self.clock.set(now);
        self.caret = None;
        self.expect_delta();
        self.lock().wants_update = true;
        let stepped = step(self.editors.get_mut(&editor)?);
        let Captured { update, delta, .. } = self.take_captured();
        stepped.then_some(())?;
        Some(Edited { update: update?, deltas: delta.into_iter().collect() })
    }

    fn expect_delta(&self) {
        *self.lock() = Captured { wants_delta: true, ..Captured::default() };
    }

    fn take_captured(&self) -> Captured {
        std::mem::take(&mut *self.lock())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Captured> {
        self.captured.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Document {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Document({} units)", self.len())
    }
}

/// How many documents this process has built: a relay shows that it builds none for passing edits on.
pub fn documents_built() -> u64 {
    BUILT.load(Ordering::Relaxed)
}

fn observe(doc: &Doc, text: &TextRef, captured: &Arc<Mutex<Captured>>) {
    let seen = Arc::clone(captured);
    text.observe("causeway", move |txn: &TransactionMut, event: &TextEvent| {
        let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.wants_delta {
            seen.delta = Some(event.delta(txn).iter().map(delta_op).collect());
        }
    });
    let seen = Arc::clone(captured);
    doc.observe_after_transaction("causeway", move |txn: &mut TransactionMut| {
        let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.wants_update {
            seen.update = Some(txn.encode_update_v1());
        }
    })
    .expect("no transaction is open on a new document");
}

fn delta_op(op: &YrsDelta) -> DeltaOp {
    match op {
        YrsDelta::Retain(length, _) => DeltaOp::Retain(*length),
        YrsDelta::Deleted(length) => DeltaOp::Delete(*length),
        YrsDelta::Inserted(Out::Any(yrs::Any::String(text)), _) => DeltaOp::Insert(text.to_string()),
        // Whatever else a Yjs document can hold in a text takes one unit, shown as the object replacement character.
        YrsDelta::Inserted(_, _) => DeltaOp::Insert('\u{fffc}'.to_string()),
    }
}

fn apply_in(txn: &mut TransactionMut<'_>, update: &[u8]) -> Result<(), ApplyError> {
    let update = Update::decode_v1(update).map_err(|error| ApplyError::Decode(error.to_string()))?;
    txn.apply_update(update).map_err(|error| ApplyError::Apply(error.to_string()))?;
    if txn.has_missing_updates() { Err(ApplyError::Incomplete) } else { Ok(()) }
}

fn origin(editor: EditorId) -> Origin {
    Origin::from(editor.0)
}

fn assoc(side: Side) -> Assoc {
    match side {
        Side::Before => Assoc::Before,
        Side::After => Assoc::After,
    }
}

/// Updates in parts for one transaction each: small ones share it, a large one has its own. yrs joins neighbouring blocks when
/// a transaction ends, which costs all its blocks times all its bytes; but while it does not, it moves ever longer lists about.
pub(crate) fn together<'a>(mut rest: &'a [&'a [u8]]) -> impl Iterator<Item = &'a [&'a [u8]]> {
    std::iter::from_fn(move || {
        let mut bytes = 0;
        let fits = |update: &&&[u8]| {
            bytes += update.len().max(BYTES_AT_ONCE / LOADED_AT_ONCE);
            bytes <= BYTES_AT_ONCE
        };
        let count = rest.iter().take_while(fits).count().max(1);
        let (part, more) = rest.split_at_checked(count)?;
        rest = more;
        Some(part)
    })
}

/// Updates in one transaction, when many are read, and their bytes, unless one alone has more.
const LOADED_AT_ONCE: usize = 1_024;
const BYTES_AT_ONCE: usize = 64 << 10;

static BUILT: AtomicU64 = AtomicU64::new(0);

/// Work with a text that takes a bounded time: what a change costs shows only when it is applied, so each of its places
/// counts as a walk along all pieces and a cut through the longest.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Step {
    left: u64,
    pieces: u64,
}

impl Step {
    /// Counts a change that touches the text at so many places. Answers whether the time is used up.
    pub(crate) fn take(&mut self, bytes: usize, places: u32) -> bool {
        self.pieces += bytes as u64 / PIECE_BYTES;
        self.left = self.left.saturating_sub(self.pieces * u64::from(places));
        self.left == 0
    }
}

/// Pieces of a text that may be passed in a step: 0.2 µs each, so about a second.
const STEP_PIECES: u64 = 5_000_000;
/// Bytes of updates for each piece they make: about 12 in what people write here and there, and a piece that is cut is two.
const PIECE_BYTES: u64 = 8;
/// Units of a string that are cut in the time of a piece: two cuts through a megabyte cost 2 ms.
const UNITS_CUT: u64 = 100;
