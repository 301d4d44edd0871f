//! Several automerge authors of one document, and what becomes of a change in automerge.

use std::panic::{AssertUnwindSafe, catch_unwind};

use automerge::transaction::Transactable;
use automerge::{ActorId, AutoCommit, Automerge, Change, ObjId, ObjType, ROOT, ReadDoc, ScalarValue};

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
    pub(crate) fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    pub(crate) fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }
}

pub(crate) const ACTORS: [&[u8]; 3] = [b"ann", b"bob", b"eve"];

/// Changes as their authors wrote them, in an order that respects what builds on what.
pub(crate) fn written(seed: u64, steps: usize) -> Vec<(usize, Vec<u8>)> {
    let mut dice = Dice(seed);
    let mut docs = ACTORS.map(|actor| AutoCommit::new().with_actor(ActorId::from(actor)));
    let mut log: Vec<(usize, Vec<u8>)> = Vec::new();
    for _ in 0..steps {
        let who = dice.below(3);
        if dice.below(3) > 0 {
            let changes = log.iter().map(|(_, bytes)| Change::from_bytes(bytes.clone()).expect("honest"));
            docs[who].apply_changes(changes.collect::<Vec<_>>()).expect("honest");
        }
        let before = docs[who].get_heads();
        for _ in 0..=dice.below(3) {
            edit(&mut docs[who], &mut dice);
        }
        docs[who].commit();
        for change in docs[who].get_changes(&before) {
            log.push((who, change.raw_bytes().to_vec()));
        }
    }
    log
}

fn edit(doc: &mut AutoCommit, dice: &mut Dice) {
    let key = *dice.pick(&["a", "b", "count", "ключ"]);
    let objects = objects(doc);
    let object = dice.pick(&objects).clone();
    let done = match doc.object_type(&object).expect("it exists") {
        ObjType::Map | ObjType::Table => match dice.below(7) {
            0 => doc.delete(&object, key),
            1 => doc.put_object(&object, key, ObjType::List).map(|_| ()),
            2 => doc.put_object(&object, key, ObjType::Text).map(|_| ()),
            3 => doc.put_object(&object, key, ObjType::Map).map(|_| ()),
            4 => doc.put(&object, "count", ScalarValue::counter(5)),
            5 if matches!(doc.get(&object, "count"), Ok(Some((value, _))) if value.is_counter()) => {
                doc.increment(&object, "count", 2)
            }
            _ => doc.put(&object, key, scalar(dice)),
        },
        ObjType::List => {
            let len = doc.length(&object);
            match dice.below(4) {
                0 if len > 0 => doc.delete(&object, dice.below(len)),
                1 if len > 0 => doc.put(&object, dice.below(len), scalar(dice)),
                2 => doc.insert_object(&object, dice.below(len + 1), ObjType::Map).map(|_| ()),
                _ => doc.insert(&object, dice.below(len + 1), scalar(dice)),
            }
        }
        ObjType::Text => {
            let len = doc.length(&object);
            let at = dice.below(len + 1);
            let deleted = dice.below(len - at + 1).min(2) as isize;
            doc.splice_text(&object, at, deleted, ["x", "word", "ü"][dice.below(3)])
        }
    };
    done.expect("an honest edit");
}

/// The root and what stands in it, two levels deep.
fn objects(doc: &AutoCommit) -> Vec<ObjId> {
    let mut found = vec![ROOT];
    for level in 0..2 {
        for parent in found.clone().iter().skip(level) {
            if doc.object_type(parent).is_ok_and(|kind| kind == ObjType::Map) {
                let keys: Vec<String> = doc.keys(parent).collect();
                let inner = keys.iter().filter_map(|key| doc.get(parent, key.as_str()).ok()?);
                let inner = inner.filter(|(value, _)| value.is_object()).map(|(_, id)| id);
                found.extend(inner);
            }
        }
    }
    found
}

fn scalar(dice: &mut Dice) -> ScalarValue {
    match dice.below(8) {
        0 => ScalarValue::Null,
        1 => ScalarValue::Boolean(dice.below(2) == 0),
        2 => ScalarValue::Int(-(dice.below(1000) as i64)),
        3 => ScalarValue::Uint(dice.next() >> 20),
        4 => ScalarValue::F64(0.5),
        5 => ScalarValue::Bytes(vec![0, 255]),
        6 => ScalarValue::Timestamp(7),
        _ => ScalarValue::Str("text 😀".into()),
    }
}

/// A document that holds the changes of a log.
pub(crate) fn doc_of<'a>(log: impl IntoIterator<Item = &'a Vec<u8>>) -> Automerge {
    let mut doc = Automerge::new();
    let changes: Vec<Change> =
        log.into_iter().map(|bytes| Change::from_bytes(bytes.clone()).expect("honest")).collect();
    doc.apply_changes(changes).expect("honest");
    doc
}

/// How a change fared in automerge.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It was applied; the document was saved, opened and read.
    Applied,
    /// automerge said no, or parked it.
    Refused,
    /// automerge panicked, or could not open what it had saved.
    Harmed,
}

/// Applies a change, goes on writing, saves, opens, and reads everything.
pub(crate) fn fate(doc: &Automerge, change: &[u8]) -> Fate {
    let told = catch_unwind(AssertUnwindSafe(|| {
        let mut doc = doc.clone();
        let Ok(change) = Change::from_bytes(change.to_vec()) else { return Fate::Refused };
        let hash = change.hash();
        if doc.apply_changes([change]).is_err() || doc.get_change_by_hash(&hash).is_none() {
            return Fate::Refused;
        }
        let shown = ReadDoc::hydrate(&doc, ROOT, None);
        let Ok(mut opened) = AutoCommit::load(&doc.save()) else { return Fate::Harmed };
        if ReadDoc::hydrate(&opened, ROOT, None).ok() != shown.ok() {
            return Fate::Harmed;
        }
        opened.put(ROOT, "afterwards", 1).expect("a document to work with");
        opened.commit();
        if AutoCommit::load(&opened.save()).is_ok() { Fate::Applied } else { Fate::Harmed }
    }));
    told.unwrap_or(Fate::Harmed)
}
