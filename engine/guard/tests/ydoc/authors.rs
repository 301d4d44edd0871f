//! Several yrs authors who write one document and keep the log of what they wrote.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};

use causeway_guard::ydoc::{CLIENT_BASE, Known};
use yrs::block::ClientID;
use yrs::types::Attrs;
use yrs::updates::decoder::Decode;
use yrs::{
    Any, Array, ArrayPrelim, ArrayRef, Doc, GetString, Map, MapPrelim, MapRef, OffsetKind, Options, ReadTxn,
    StateVector, Text, TextPrelim, TextRef, Transact, TransactionMut, Update, WriteTxn, Xml,
    XmlElementPrelim, XmlFragment, XmlFragmentRef, XmlTextPrelim,
};

/// Pseudo-random numbers from a seed (splitmix64), so that a failing run repeats.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `end`, which is not zero.
    pub(crate) fn below(&mut self, end: u32) -> u32 {
        (self.next() % u64::from(end)) as u32
    }

    pub(crate) fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len() as u32) as usize]
    }
}

/// The clocks of a stream as a plain map.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Clocks(pub(crate) BTreeMap<u64, u32>);

impl Known for Clocks {
    fn clock(&self, client: u64) -> Option<u32> {
        self.0.get(&client).copied()
    }
}

impl Clocks {
    pub(crate) fn of(doc: &Doc) -> Self {
        Clocks(doc.transact().state_vector().iter().map(|(client, clock)| (client.get(), *clock)).collect())
    }

    pub(crate) fn with(client: u64, clock: u32) -> Self {
        Clocks(BTreeMap::from([(client, clock)]))
    }
}

/// One update as its author wrote it.
pub(crate) struct Written {
    pub(crate) author: u64,
    pub(crate) update: Vec<u8>,
}

pub(crate) struct Author {
    pub(crate) id: u64,
    pub(crate) doc: Doc,
    /// How much of the log the author has read.
    read: usize,
    sent: Arc<Mutex<Vec<Vec<u8>>>>,
}

/// What a team writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Genre {
    /// Texts, maps, lists, XML and what nests in them.
    Everything,
    /// The text `text` alone.
    Text,
}

/// The authors of one document and all they wrote, in an order that respects what builds on what.
pub(crate) struct Team {
    pub(crate) authors: Vec<Author>,
    pub(crate) log: Vec<Written>,
    pub(crate) dice: Dice,
    genre: Genre,
}

pub(crate) fn empty_doc(client: u64) -> Doc {
    let mut options = Options::with_guid_and_client_id("doc".into(), ClientID::new(client));
    options.offset_kind = OffsetKind::Utf16;
    Doc::with_options(options)
}

impl Team {
    pub(crate) fn new(size: u64, seed: u64, genre: Genre) -> Self {
        let authors = (0..size)
            .map(|n| {
                let id = CLIENT_BASE | (n * 7919 + 3);
                let doc = empty_doc(id);
                let sent = Arc::new(Mutex::new(Vec::new()));
                let outbox = sent.clone();
                doc.observe_update_v1("outbox", move |txn, event| {
                    // Only what this author wrote: an applied update is announced as well.
                    if txn.origin().is_some() {
                        outbox.lock().expect("no writer panics").push(event.update.clone());
                    }
                })
                .expect("nobody else holds the new document");
                Author { id, doc, read: 0, sent }
            })
            .collect();
        Team { authors, log: Vec::new(), dice: Dice(seed), genre }
    }

    /// One author makes one to three edits in a transaction; sometimes somebody reads the log first.
    pub(crate) fn step(&mut self) {
        let who = self.dice.below(self.authors.len() as u32) as usize;
        if self.dice.below(3) > 0 {
            self.catch_up(who);
        }
        let author = &self.authors[who];
        {
            let mut txn = author.doc.transact_mut_with("edit");
            for _ in 0..=self.dice.below(3) {
                edit(&mut txn, &mut self.dice, self.genre);
            }
        }
        for update in author.sent.lock().expect("no writer panics").drain(..) {
            self.log.push(Written { author: author.id, update });
        }
    }

    pub(crate) fn catch_up(&mut self, who: usize) {
        let author = &mut self.authors[who];
        let mut txn = author.doc.transact_mut();
        for written in &self.log[author.read..] {
            if written.author != author.id {
                let update = Update::decode_v1(&written.update).expect("authors write valid updates");
                txn.apply_update(update).expect("authors write valid updates");
            }
        }
        author.read = self.log.len();
    }
}

/// One edit of a random kind somewhere in the document.
fn edit(txn: &mut TransactionMut, dice: &mut Dice, genre: Genre) {
    let text = txn.get_or_insert_text("text");
    match dice.below(if genre == Genre::Text { 8 } else { 12 }) {
        0..=3 => insert(txn, &text, dice),
        4 | 5 => remove(txn, &text, dice),
        6 => format(txn, &text, dice),
        7 => embed(txn, &text, dice, genre),
        8 => {
            let map = txn.get_or_insert_map("map");
            entry(txn, &map, dice);
        }
        9 => {
            let list = txn.get_or_insert_array("list");
            element(txn, &list, dice);
        }
        10 => {
            let map = txn.get_or_insert_map("map");
            nested(txn, &map, dice);
        }
        _ => {
            let page = txn.get_or_insert_xml_fragment("page");
            markup(txn, &page, dice);
        }
    }
}

fn insert(txn: &mut TransactionMut, text: &TextRef, dice: &mut Dice) {
    let at = boundary(txn, text, dice);
    let piece = *dice.pick(PIECES);
    text.insert(txn, at, piece);
}

/// An index of the text that does not split a character.
fn boundary(txn: &TransactionMut, text: &TextRef, dice: &mut Dice) -> u32 {
    if text.len(txn) != text.get_string(txn).encode_utf16().count() as u32 {
        return 0;
    }
    let content = text.get_string(txn);
    let skipped = dice.below(content.chars().count() as u32 + 1) as usize;
    content.chars().take(skipped).map(|c| c.len_utf16() as u32).sum()
}

fn remove(txn: &mut TransactionMut, text: &TextRef, dice: &mut Dice) {
    let len = text.len(txn);
    if len > 0 {
        let at = dice.below(len);
        text.remove_range(txn, at, 1 + dice.below((len - at).min(6)));
    }
}

fn format(txn: &mut TransactionMut, text: &TextRef, dice: &mut Dice) {
    let len = text.len(txn);
    if len > 1 {
        let at = dice.below(len - 1);
        let value = dice.pick(&[Any::Bool(true), Any::Null, Any::from(1.5), Any::from("x\"\u{1}😀")]).clone();
        let attrs: Attrs = HashMap::from([((*dice.pick(&["bold", "link"])).into(), value)]);
        text.format(txn, at, 1 + dice.below((len - at).min(5)), attrs);
    }
}

fn embed(txn: &mut TransactionMut, text: &TextRef, dice: &mut Dice, genre: Genre) {
    let value = any(dice, 3);
    text.insert_embed(txn, 0, if genre == Genre::Text { as_a_text_takes_it(value) } else { value });
}

/// What a text takes of a value: of each object one member, and short numbers.
fn as_a_text_takes_it(value: Any) -> Any {
    match value {
        Any::Map(members) => {
            Any::from(HashMap::from([("k".to_string(), as_a_text_takes_it(members["k"].clone()))]))
        }
        Any::Array(values) => Any::from(values.iter().cloned().map(as_a_text_takes_it).collect::<Vec<Any>>()),
        Any::Number(_) => Any::from(12.25),
        plain => plain,
    }
}

fn entry(txn: &mut TransactionMut, map: &MapRef, dice: &mut Dice) {
    let key = *dice.pick(&["a", "b", "", "ключ"]);
    if dice.below(4) == 0 {
        map.remove(txn, key);
    } else {
        map.insert(txn, key, any(dice, 3));
    }
}

fn element(txn: &mut TransactionMut, list: &ArrayRef, dice: &mut Dice) {
    let len = list.len(txn);
    let at = dice.below(len + 1);
    match dice.below(5) {
        0 if at < len => list.remove_range(txn, at, 1),
        1 => list.insert_range(txn, at, [any(dice, 1), any(dice, 1), any(dice, 2)]),
        2 => {
            list.insert(txn, at, MapPrelim::from([("k", "v")]));
        }
        3 => {
            list.insert(txn, at, TextPrelim::new("nested"));
        }
        _ => {
            list.insert(txn, at, any(dice, 2));
        }
    }
}

fn nested(txn: &mut TransactionMut, map: &MapRef, dice: &mut Dice) {
    let list = map.insert(txn, *dice.pick(&["x", "y"]), ArrayPrelim::from([Any::from(1i64), Any::Undefined]));
    let inner = list.insert(txn, 1, MapPrelim::default());
    inner.insert(txn, "deep", TextPrelim::new("😀"));
    if dice.below(3) == 0 {
        list.remove_range(txn, 0, 2);
    }
}

fn markup(txn: &mut TransactionMut, page: &XmlFragmentRef, dice: &mut Dice) {
    let len = page.len(txn);
    if len > 0 && dice.below(4) == 0 {
        page.remove_range(txn, dice.below(len), 1);
        return;
    }
    let node = page.insert(txn, dice.below(len + 1), XmlElementPrelim::empty("p"));
    node.insert_attribute(txn, "class", "one");
    node.insert_attribute(txn, "class", "two");
    node.insert(txn, 0, XmlTextPrelim::new("markup"));
}

/// A value with at most `depth` levels.
fn any(dice: &mut Dice, depth: u32) -> Any {
    match dice.below(if depth > 0 { 10 } else { 8 }) {
        0 => Any::Null,
        1 => Any::Bool(true),
        2 => Any::from(dice.next() as i64),
        3 => Any::from(dice.next() as i64 >> 40),
        4 => Any::from(f64::from(dice.below(1000)) / 7.0),
        5 => Any::from("text 😀"),
        6 => Any::from(vec![0u8, 255, 7]),
        7 => Any::from(i64::from(dice.below(100))),
        8 => Any::from(vec![any(dice, depth - 1), any(dice, depth - 1)]),
        _ => Any::from(HashMap::from([("k".to_string(), any(dice, depth - 1)), (String::new(), Any::Null)])),
    }
}

/// The whole document as one update.
pub(crate) fn state_of(doc: &Doc) -> Vec<u8> {
    doc.transact().encode_state_as_update_v1(&StateVector::default())
}

/// A document that holds `state`.
pub(crate) fn doc_with(client: u64, state: &[u8]) -> Doc {
    let doc = empty_doc(client);
    take(&doc, state);
    doc
}

/// Lets a document take an update that yrs is expected to take.
pub(crate) fn take(doc: &Doc, update: &[u8]) {
    let update = Update::decode_v1(update).expect("yrs reads the update");
    doc.transact_mut().apply_update(update).expect("yrs applies the update");
}

const PIECES: &[&str] = &["a", "word ", "grüße", "女の子", "😀", "👩‍👩‍👧x", "\n", "line one\nline two"];
