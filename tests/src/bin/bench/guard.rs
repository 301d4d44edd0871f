//! What the guard costs beside what the libraries behind it spend on the same bytes: a whole paper, and large inputs that
//! the guard lets through.

use std::cell::Cell;
use std::error::Error;
use std::time::Duration;

use automerge::transaction::Transactable;
use automerge::{ActorId, AutoCommit, Automerge, Change, ObjType, ROOT, ReadDoc};
use causeway_guard::Limits;
use causeway_guard::amdoc::{self, Ledger};
use causeway_guard::ydoc::{CLIENT_BASE, Known, check_text};
use yrs::block::ClientID;
use yrs::updates::decoder::Decode;
use yrs::{Doc, OffsetKind, Options, Transact, Update, merge_updates_v1};

use crate::recording::{Patch, Recording};
use crate::replay::raw_patch;
use crate::stopwatch::Stopwatch;
use crate::table::Table;

/// Keystrokes of the paper that automerge is given: a change each takes it milliseconds.
const AUTOMERGE_KEYS: usize = 5_000;
/// Keystrokes of an entry in the second row.
const MERGED: usize = 50;
/// Blocks of one update that all claim the same place.
const CROWDED: u32 = 8_000;
const AUTHOR: u64 = CLIENT_BASE | 42;
const ACTOR: &[u8] = b"author";

pub(crate) fn run(recording: Recording) -> Result<Table, Box<dyn Error>> {
    let patches = recording.patches();
    let typed = typed(&patches);
    let merged: Vec<Vec<u8>> = typed.chunks(MERGED).map(merge_updates_v1).collect::<Result<_, _>>()?;
    let whole = vec![scattered_deletes()?];
    let fields = changes(1, AUTOMERGE_KEYS, &patches)?;
    let rows = vec![
        of_yrs("yrs, the paper key by key", &typed)?,
        of_yrs("yrs, the paper, fifty keys an entry", &merged)?,
        of_yrs("yrs, 8,000 blocks that claim one place", &[crowded()])?,
        of_yrs("yrs, a text and every other letter of it deleted", &whole)?,
        of_automerge("automerge, 5,000 keys of the paper, one a change", &fields)?,
        of_automerge(
            "automerge, the same, fifty keys a change",
            &changes(MERGED, AUTOMERGE_KEYS, &patches)?,
        )?,
        of_automerge("automerge, a change of 8,192 operations", &[largest()?])?,
    ];
    Ok(Table {
        title: "The guard beside what it guards",
        how: "Each update or change is judged by the guard and then read and applied by the library, in two passes over the \
              same bytes. Processor time of the thread (on Linux)."
            .into(),
        heads: &["what", "updates", "bytes", "guard, each", "library, each", "guard's share"],
        rows,
        verdict: "No bar. The third and fourth and the last row are large inputs that pass, not the worst there are: blocks \
                  written by hand can cost yrs far more (see `limits.rs` of the guard)."
            .into(),
    })
}

fn line(name: &str, updates: &[Vec<u8>], guard: Duration, library: Duration) -> Vec<String> {
    let each = |span: Duration| format!("{:.2} µs", span.as_secs_f64() * 1e6 / updates.len() as f64);
    let bytes: usize = updates.iter().map(Vec::len).sum();
    let share = 100.0 * guard.as_secs_f64() / library.as_secs_f64().max(1e-9);
    let (count, bytes) = (updates.len().to_string(), bytes.to_string());
    vec![name.into(), count, bytes, each(guard), each(library), format!("{share:.1} %")]
}

/// The author's clock, which is all there is to know here.
struct Clock(Cell<u32>);

impl Known for Clock {
    fn clock(&self, client: u64) -> Option<u32> {
        (client == AUTHOR).then(|| self.0.get())
    }
}

fn of_yrs(name: &str, updates: &[Vec<u8>]) -> Result<Vec<String>, Box<dyn Error>> {
    let clock = Clock(Cell::new(0));
    let began = Stopwatch::start();
    for update in updates {
        clock.0.set(check_text(update, AUTHOR, "text", &clock, &Limits::default())?.to);
    }
    let guard = began.read();
    let doc = doc(1);
    doc.get_or_insert_text("text");
    let began = Stopwatch::start();
    for update in updates {
        doc.transact_mut().apply_update(Update::decode_v1(update)?)?;
    }
    Ok(line(name, updates, guard, began.read()))
}

fn doc(client: u64) -> Doc {
    let options = Options::with_guid_and_client_id("guard".into(), ClientID::new(client));
    Doc::with_options(Options { offset_kind: OffsetKind::Utf16, ..options })
}

fn typed(patches: &[Patch]) -> Vec<Vec<u8>> {
    let doc = doc(AUTHOR);
    let text = doc.get_or_insert_text("text");
    let typed = patches.iter().map(|patch| {
        let mut txn = doc.transact_mut();
        raw_patch(&text, &mut txn, patch);
        txn.encode_update_v1()
    });
    typed.collect()
}

/// Blocks without neighbours, one character each, as no editor writes them.
fn crowded() -> Vec<u8> {
    let mut update = vec![1];
    put_varint(&mut update, u64::from(CROWDED));
    put_varint(&mut update, AUTHOR);
    update.push(0);
    for _ in 0..CROWDED {
        // A string below the root named `text`.
        update.extend([4, 1, 4]);
        update.extend(b"text");
        update.extend([1, b'x']);
    }
    update.push(0);
    update
}

fn put_varint(into: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        into.push(number as u8 | 0x80);
        number >>= 7;
    }
    into.push(number as u8);
}

/// As many separate deletions as an entry may name, of a text that comes with them.
fn scattered_deletes() -> Result<Vec<u8>, Box<dyn Error>> {
    use yrs::Text;

    let ranges = Limits::default().delete_ranges.min(Limits::default().blocks / 2);
    let doc = doc(AUTHOR);
    let text = doc.get_or_insert_text("text");
    let mut txn = doc.transact_mut();
    text.insert(&mut txn, 0, &"ab".repeat(ranges as usize));
    for at in 0..ranges - 1 {
        text.remove_range(&mut txn, at, 1);
    }
    Ok(txn.encode_update_v1())
}

fn of_automerge(name: &str, changes: &[Vec<u8>]) -> Result<Vec<String>, Box<dyn Error>> {
    let mut ledger = Ledger::new();
    let began = Stopwatch::start();
    for change in changes {
        ledger.admit(change, ACTOR, &amdoc::Limits::default())?;
    }
    let guard = began.read();
    let mut doc = Automerge::new();
    let began = Stopwatch::start();
    for change in changes {
        doc.apply_changes([Change::from_bytes(change.clone())?])?;
    }
    Ok(line(name, changes, guard, began.read()))
}

/// The paper as a text of automerge's, so many keys a change.
fn changes(keys: usize, all: usize, patches: &[Patch]) -> Result<Vec<Vec<u8>>, Box<dyn Error>> {
    let mut doc = AutoCommit::new().with_actor(ActorId::from(ACTOR));
    let text = doc.put_object(ROOT, "text", ObjType::Text)?;
    for patches in patches[..all.min(patches.len())].chunks(keys) {
        for patch in patches {
            let at = (patch.at as usize).min(doc.length(&text));
            doc.splice_text(&text, at, patch.deleted as isize, &patch.inserted)?;
        }
        doc.commit();
    }
    Ok(raw(&mut doc))
}

/// One change with as many operations as the guard lets through.
fn largest() -> Result<Vec<u8>, Box<dyn Error>> {
    let mut doc = AutoCommit::new().with_actor(ActorId::from(ACTOR));
    for field in 0..amdoc::Limits::default().operations {
        doc.put(ROOT, format!("field {}", field % 2_000), i64::from(field))?;
    }
    doc.commit();
    raw(&mut doc).pop().ok_or_else(|| "a change".into())
}

fn raw(doc: &mut AutoCommit) -> Vec<Vec<u8>> {
    doc.get_changes(&[]).iter().map(|change| change.raw_bytes().to_vec()).collect()
}
