//! What the guard costs beside what the libraries behind it spend on the same bytes: a whole paper, and large inputs that
//! the guard lets through.

pub(crate) mod worst;

use std::cell::RefCell;
use std::collections::BTreeMap;
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
const AUTHOR: u64 = CLIENT_BASE | 42;
const ACTOR: &[u8] = b"author";

pub(crate) fn run(recording: Recording) -> Result<Table, Box<dyn Error>> {
    let patches = recording.patches();
    let typed = typed(&patches);
    let merged: Vec<Vec<u8>> = typed.chunks(MERGED).map(merge_updates_v1).collect::<Result<_, _>>()?;
    let fields = changes(1, AUTOMERGE_KEYS, &patches)?;
    let mut rows = vec![
        of_yrs("yrs, the paper key by key", &typed)?,
        of_yrs("yrs, the paper, fifty keys an entry", &merged)?,
        of_automerge("automerge, 5,000 keys of the paper, one a change", &fields)?,
        of_automerge(
            "automerge, the same, fifty keys a change",
            &changes(MERGED, AUTOMERGE_KEYS, &patches)?,
        )?,
        of_automerge("automerge, a change of 8,192 operations", &[largest()?])?,
        of_automerge("automerge, 1,024 people set one field, and one replaces all", &contested()?)?,
        of_automerge("automerge, a list of 8,192 elements, each put in front", &[backwards()?])?,
    ];
    rows.extend(worst::rows(&merged)?);
    Ok(Table {
        title: "The guard beside what it guards",
        how: "Each update or change is judged by the guard and then read and applied by the library, in two passes over the \
              same bytes. Processor time of the thread (on Linux)."
            .into(),
        heads: &["what", "updates", "bytes", "guard, each", "library, each", "library, all", "guard's share"],
        rows,
        verdict: "No bar. From the change of 8,192 operations on these are the worst inputs of each hazard that are known to \
                  pass, each a single entry: what it takes the library is what it takes each device. Nothing bounds what \
                  many of them take together (M5); devices take them in steps."
            .into(),
    })
}

fn line(name: &str, updates: &[Vec<u8>], guard: Duration, library: Duration) -> Vec<String> {
    let each = |span: Duration| format!("{:.2} µs", span.as_secs_f64() * 1e6 / updates.len() as f64);
    let bytes: usize = updates.iter().map(Vec::len).sum();
    let share = 100.0 * guard.as_secs_f64() / library.as_secs_f64().max(1e-9);
    let (count, bytes) = (updates.len().to_string(), bytes.to_string());
    let all = format!("{:.2} s", library.as_secs_f64());
    vec![name.into(), count, bytes, each(guard), each(library), all, format!("{share:.1} %")]
}

/// The authors' clocks, which is all there is to know here.
#[derive(Default)]
struct Clocks(RefCell<BTreeMap<u64, u32>>);

impl Clocks {
    /// What the guard says of an update, and of those behind it.
    fn check(&self, written: &Written) -> Result<(), Box<dyn Error>> {
        let extension = check_text(&written.update, written.author, "text", self, &Limits::default())?;
        self.0.borrow_mut().insert(written.author, extension.to);
        Ok(())
    }
}

impl Known for Clocks {
    fn clock(&self, client: u64) -> Option<u32> {
        self.0.borrow().get(&client).copied()
    }
}

/// An update, and whose it is.
#[derive(Clone)]
pub(crate) struct Written {
    author: u64,
    pub(crate) update: Vec<u8>,
}

fn of_yrs(name: &str, updates: &[Vec<u8>]) -> Result<Vec<String>, Box<dyn Error>> {
    let written: Vec<Written> =
        updates.iter().map(|update| Written { author: AUTHOR, update: update.clone() }).collect();
    of_yrs_behind(name, &[], &written)
}

/// What `updates` cost in a text that is there.
fn of_yrs_behind(name: &str, text: &[Written], updates: &[Written]) -> Result<Vec<String>, Box<dyn Error>> {
    let clocks = Clocks::default();
    text.iter().try_for_each(|written| clocks.check(written))?;
    let began = Stopwatch::start();
    updates.iter().try_for_each(|written| clocks.check(written))?;
    let guard = began.read();
    let doc = doc(1);
    doc.get_or_insert_text("text");
    let apply = |written: &Written| -> Result<(), Box<dyn Error>> {
        Ok(doc.transact_mut().apply_update(Update::decode_v1(&written.update)?)?)
    };
    text.iter().try_for_each(apply)?;
    let began = Stopwatch::start();
    updates.iter().try_for_each(apply)?;
    let library = began.read();
    let updates: Vec<Vec<u8>> = updates.iter().map(|written| written.update.clone()).collect();
    Ok(line(name, &updates, guard, library))
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

fn of_automerge(name: &str, changes: &[Vec<u8>]) -> Result<Vec<String>, Box<dyn Error>> {
    let author =
        |change: &Vec<u8>| Change::from_bytes(change.clone()).map(|change| change.actor_id().clone());
    let authors: Vec<ActorId> = changes.iter().map(author).collect::<Result<_, _>>()?;
    let mut ledger = Ledger::new();
    let began = Stopwatch::start();
    for (change, author) in changes.iter().zip(&authors) {
        ledger.admit(change, author.to_bytes(), &amdoc::Limits::default())?;
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

/// A field that as many people as a change may build on have set apart from each other, and a change that replaces it.
fn contested() -> Result<Vec<Vec<u8>>, Box<dyn Error>> {
    let mut doc = AutoCommit::new().with_actor(ActorId::from(ACTOR));
    doc.put(ROOT, "field", 0)?;
    doc.commit();
    let mut others = Vec::new();
    for person in 0..amdoc::Limits::default().dependencies {
        let mut other = doc.fork().with_actor(ActorId::from(person.to_be_bytes().as_slice()));
        other.put(ROOT, "field", i64::from(person))?;
        other.commit();
        others.extend(other.get_last_local_change());
    }
    doc.apply_changes(others)?;
    doc.put(ROOT, "field", "settled")?;
    doc.commit();
    Ok(raw(&mut doc))
}

/// One change that makes a list from its end.
fn backwards() -> Result<Vec<u8>, Box<dyn Error>> {
    let mut doc = AutoCommit::new().with_actor(ActorId::from(ACTOR));
    let list = doc.put_object(ROOT, "list", ObjType::List)?;
    for element in 1..amdoc::Limits::default().operations {
        doc.insert(&list, 0, i64::from(element))?;
    }
    doc.commit();
    raw(&mut doc).pop().ok_or_else(|| "a change".into())
}

fn raw(doc: &mut AutoCommit) -> Vec<Vec<u8>> {
    doc.get_changes(&[]).iter().map(|change| change.raw_bytes().to_vec()).collect()
}
