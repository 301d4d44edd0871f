//! A text as yrs holds it, and what must hold for every update that passed the guard.

use std::collections::BTreeMap;

use causeway_guard::Limits;
use causeway_guard::ydoc::{Extension, Known, check_text, check_whole_text};
use yrs::block::ClientID;
use yrs::updates::decoder::Decode;
use yrs::{Doc, GetString, OffsetKind, Options, ReadTxn, StateVector, Text, Transact, Update};

/// The name of the text; as in the core.
pub(super) const ROOT: &str = "text";

/// The clocks of a stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Clocks(pub(super) BTreeMap<u64, u32>);

impl Known for Clocks {
    fn clock(&self, client: u64) -> Option<u32> {
        self.0.get(&client).copied()
    }
}

/// A document that takes updates the way the core does.
pub(super) struct Reader {
    doc: Doc,
    pub(super) clocks: Clocks,
}

impl Reader {
    pub(super) fn new() -> Self {
        let mut options = Options::with_guid_and_client_id("fuzz".into(), ClientID::new(99));
        options.offset_kind = OffsetKind::Utf16;
        options.cleanup_formatting = false;
        Self { doc: Doc::with_options(options), clocks: Clocks::default() }
    }

    /// A document opened from what another one saved.
    pub(super) fn open(saved: &[u8]) -> Self {
        let mut reader = Self::new();
        reader.apply(saved);
        reader.clocks = reader.held();
        reader
    }

    /// A document that takes all of these at once, as a home makes a page of a log.
    pub(super) fn of<'a>(updates: impl Iterator<Item = &'a [u8]>, clocks: &Clocks) -> Self {
        let reader = Self { clocks: clocks.clone(), ..Self::new() };
        let mut txn = reader.doc.transact_mut();
        for update in updates {
            let update = Update::decode_v1(update).expect("yrs reads what passed");
            txn.apply_update(update).expect("yrs applies what passed");
        }
        drop(txn);
        reader
    }

    /// Takes an update if the guard lets it in, and says whether it did.
    pub(super) fn take(&mut self, author: u64, update: &[u8]) -> bool {
        let judged = check_text(update, author, ROOT, &self.clocks, &Limits::default());
        let Ok(Extension { from, to, .. }) = judged else { return false };
        assert_eq!(from, self.clocks.clock(author).unwrap_or(0));
        self.apply(update);
        if to > 0 {
            self.clocks.0.insert(author, to);
        }
        assert_eq!(self.held(), self.clocks, "exactly the author's clocks grow");
        true
    }

    /// The whole document as one update, which has to pass the guard as well.
    pub(super) fn save(&self) -> Vec<u8> {
        let saved = self.doc.transact().encode_state_as_update_v1(&StateVector::default());
        let held = self.held();
        check_whole_text(&saved, ROOT, held.0.len(), &held, &Limits::default())
            .expect("what yrs saves is a page");
        saved
    }

    /// Goes on working: a word in the middle, and then everything goes.
    pub(super) fn write_and_empty(&self) {
        let text = self.doc.get_or_insert_text(ROOT);
        let mut txn = self.doc.transact_mut();
        let middle = text.len(&txn) / 2;
        text.insert(&mut txn, middle, "x");
        let len = text.len(&txn);
        text.remove_range(&mut txn, 0, len);
        assert_eq!(text.get_string(&txn), "");
    }

    /// What people see.
    pub(super) fn text(&self) -> String {
        self.doc.get_or_insert_text(ROOT).get_string(&self.doc.transact())
    }

    fn apply(&self, update: &[u8]) {
        let update = Update::decode_v1(update).expect("yrs reads what passed");
        let mut txn = self.doc.transact_mut();
        txn.apply_update(update).expect("yrs applies what passed");
        assert!(!txn.has_missing_updates(), "nothing is parked");
    }

    fn held(&self) -> Clocks {
        let vector = self.doc.transact().state_vector();
        Clocks(vector.iter().map(|(client, clock)| (client.get(), *clock)).collect())
    }
}
