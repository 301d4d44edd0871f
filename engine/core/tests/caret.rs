//! Typing on where the hand stands gives what yrs gives when it walks there: the same blocks under the same names.

use causeway_core::ids::EditorId;
use causeway_core::time::Millis;
use causeway_core::ydoc::{ApplyError, DeltaOp, Document, EditError, Edited};
use proptest::prelude::*;
use yrs::block::ClientID;
use yrs::updates::decoder::Decode;
use yrs::{Doc, GetString, OffsetKind, Options, ReadTxn, StateVector, Text, TextRef, Transact, Update};

const HAND: u64 = (1 << 52) | 1;
const OTHER: u64 = (1 << 52) | 2;

/// What a hand does, each relative to where it stands.
#[derive(Debug, Clone)]
enum Step {
    Type(String),
    Back(u32),
    /// In one transaction: some back, and something else in its place.
    Replace(u32, String),
    /// In one transaction: here, and then somewhere else.
    Apart(String, u32, String),
    /// Forwards, with the other key.
    Delete(u32),
    Jump(u32),
    /// Somebody else writes, there and so much.
    Remote(u32, u32, String),
    Undo,
    Redo,
}

fn step() -> impl Strategy<Value = Step> {
    let typed = "[ab🐚é]{1,3}";
    prop_oneof![
        6 => typed.prop_map(Step::Type),
        4 => (1..4u32).prop_map(Step::Back),
        2 => (0..4u32, typed).prop_map(|(back, text)| Step::Replace(back, text)),
        1 => (typed, any::<u32>(), typed).prop_map(|(here, at, there)| Step::Apart(here, at, there)),
        1 => (1..3u32).prop_map(Step::Delete),
        1 => any::<u32>().prop_map(Step::Jump),
        1 => (any::<u32>(), 0..3u32, "[xy🐚]{0,3}").prop_map(|(at, deleted, text)| Step::Remote(at, deleted, text)),
        1 => Just(Step::Undo),
        1 => Just(Step::Redo),
    ]
}

/// The same hand on the library as it is.
struct Bare {
    doc: Doc,
    text: TextRef,
}

impl Bare {
    fn new(client: u64) -> Self {
        let mut options = Options::with_guid_and_client_id("causeway".into(), ClientID::new(client));
        options.offset_kind = OffsetKind::Utf16;
        options.cleanup_formatting = false;
        let doc = Doc::with_options(options);
        let text = doc.get_or_insert_text("text");
        Self { doc, text }
    }

    fn edit(&self, parts: &[(u32, u32, &str)]) -> Vec<u8> {
        let mut txn = self.doc.transact_mut();
        for &(at, deleted, inserted) in parts {
            if deleted > 0 {
                self.text.remove_range(&mut txn, at, deleted);
            }
            if !inserted.is_empty() {
                self.text.insert(&mut txn, at, inserted);
            }
        }
        txn.encode_update_v1()
    }

    fn apply(&self, update: &[u8]) {
        let update = Update::decode_v1(update).expect("an update");
        self.doc.transact_mut().apply_update(update).expect("applies");
    }

    fn state(&self) -> Vec<u8> {
        self.doc.transact().encode_state_as_update_v1(&StateVector::default())
    }
}

/// A document, the bare library beside it, and somebody who gets every update.
struct Story {
    document: Document,
    bare: Bare,
    reader: Bare,
    writer: Bare,
    hand: u32,
}

const EDITOR: EditorId = EditorId(1);

impl Story {
    fn new() -> Self {
        let mut document = Document::new(HAND);
        document.open_editor(EDITOR);
        Self { document, bare: Bare::new(HAND), reader: Bare::new(7), writer: Bare::new(OTHER), hand: 0 }
    }

    fn edit(&mut self, at: u32, deleted: u32, inserted: &str) {
        self.edit_all(&[(at, deleted, inserted)]);
    }

    /// One transaction: takes out so much there, puts this in, and so on.
    fn edit_all(&mut self, parts: &[(u32, u32, &str)]) {
        let (done, edited) = self.document.edit(Some(EDITOR), Millis(0), |text| {
            for &(at, deleted, inserted) in parts {
                text.delete(at, deleted)?;
                text.insert(at, inserted)?;
                self.hand = at + inserted.encode_utf16().count() as u32;
            }
            Ok::<_, EditError>(())
        });
        done.expect("within the text");
        let update = self.bare.edit(parts);
        if let Some(edited) = edited {
            assert_eq!(edited.update, update, "what goes to the journal");
            self.pass_on(&update);
        }
    }

    fn pass_on(&self, update: &[u8]) {
        self.reader.apply(update);
        self.writer.apply(update);
    }

    fn carry_out(&mut self, step: &Step) {
        let length = self.document.len();
        match step {
            Step::Type(text) => self.edit(self.hand, 0, text),
            Step::Back(units) => {
                let units = (*units).min(self.hand);
                self.edit(self.hand - units, units, "");
            }
            Step::Replace(units, text) => {
                let units = (*units).min(self.hand);
                self.edit(self.hand - units, units, text);
            }
            Step::Apart(here, at, there) => {
                let units = here.encode_utf16().count() as u32;
                self.edit_all(&[(self.hand, 0, here), (at % (length + units + 1), 0, there)]);
            }
            Step::Delete(units) => self.edit(self.hand, (*units).min(length - self.hand), ""),
            Step::Jump(to) => self.hand = to % (length + 1),
            Step::Remote(at, deleted, text) => {
                let at = at % (length + 1);
                let update = self.writer.edit(&[(at, (*deleted).min(length - at), text)]);
                self.document.apply(&update).expect("applies");
                self.bare.apply(&update);
                self.reader.apply(&update);
                self.hand = self.hand.min(self.document.len());
            }
            Step::Undo => self.step_of_undo(Document::undo),
            Step::Redo => self.step_of_undo(Document::redo),
        }
    }

    fn step_of_undo(&mut self, step: fn(&mut Document, EditorId, Millis) -> Option<Edited>) {
        if let Some(edited) = step(&mut self.document, EDITOR, Millis(0)) {
            self.bare.apply(&edited.update);
            self.pass_on(&edited.update);
        }
        self.hand = self.hand.min(self.document.len());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn an_edit_that_goes_on_is_the_edit_that_walked(steps in prop::collection::vec(step(), 1..60)) {
        let mut story = Story::new();
        for step in &steps {
            story.carry_out(step);
            prop_assert_eq!(story.document.text(), story.bare.text.get_string(&story.bare.doc.transact()));
        }
        prop_assert_eq!(story.bare.state(), story.writer.state());
        prop_assert_eq!(story.bare.state(), story.reader.state());
        let (_, last) = story.document.edit(None, Millis(0), |text| text.insert(0, "."));
        let last = last.expect("a change").update;
        let walked = story.bare.edit(&[(0, 0, ".")]);
        prop_assert_eq!(last, walked, "both stand at the same clock");
    }
}

#[test]
fn typing_brings_nothing_along_that_waits() {
    let mut story = Story::new();
    story.edit(0, 0, "ab");
    // Somebody has taken out what is not here.
    let ahead = Bare::new(HAND);
    let writer = Bare::new(OTHER);
    writer.apply(&ahead.edit(&[(0, 0, "abx")]));
    let damage = writer.edit(&[(2, 1, "")]);
    assert_eq!(story.document.apply(&damage), Err(ApplyError::Incomplete));
    for (at, letter) in [(2, "x"), (3, "y"), (4, "z")] {
        let (typed, edited) = story.document.edit(None, Millis(0), |text| text.insert(at, letter));
        typed.expect("within the text");
        let told = vec![DeltaOp::Retain(at), DeltaOp::Insert(letter.into())];
        assert_eq!(edited.expect("a change").deltas, [told]);
    }
    assert_eq!(story.document.text(), "abxyz", "what was told, and nothing else");
}
