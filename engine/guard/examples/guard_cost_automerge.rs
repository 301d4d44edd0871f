//! What the guard costs beside what automerge spends on the same changes: a form filled field by field, and a list.
//!
//! `cargo run --release -p causeway-guard --example guard_cost_automerge`

use std::error::Error;
use std::time::{Duration, Instant};

use automerge::transaction::Transactable;
use automerge::{ActorId, AutoCommit, Automerge, AutomergeError, Change, ObjId, ObjType, ROOT};
use causeway_guard::amdoc::{Ledger, Limits};

const AUTHOR: &[u8] = b"author";
const CHANGES: usize = 5_000;

fn main() -> Result<(), Box<dyn Error>> {
    row("fields, one a change", &written(1, set_a_field)?)?;
    row("fields, fifty a change", &written(50, set_a_field)?)?;
    row("a list, one element a change", &written(1, add_an_element)?)?;
    row("a list, fifty elements a change", &written(50, add_an_element)?)
}

type Edit = fn(&mut AutoCommit, &ObjId, usize) -> Result<(), AutomergeError>;

fn set_a_field(doc: &mut AutoCommit, _list: &ObjId, n: usize) -> Result<(), AutomergeError> {
    doc.put(ROOT, format!("field {}", n % 200), n as i64)
}

fn add_an_element(doc: &mut AutoCommit, list: &ObjId, n: usize) -> Result<(), AutomergeError> {
    let len = doc_len(doc, list);
    doc.insert(list, n * 7919 % (len + 1), n as i64)
}

fn doc_len(doc: &AutoCommit, list: &ObjId) -> usize {
    automerge::ReadDoc::length(doc, list)
}

/// The changes of one author, of so many edits each.
fn written(edits: usize, edit: Edit) -> Result<Vec<Vec<u8>>, AutomergeError> {
    let mut doc = AutoCommit::new().with_actor(ActorId::from(AUTHOR));
    let list = doc.put_object(ROOT, "list", ObjType::List)?;
    for n in 0..CHANGES {
        edit(&mut doc, &list, n)?;
        if n % edits == edits - 1 {
            doc.commit();
        }
    }
    Ok(doc.get_changes(&[]).iter().map(|change| change.raw_bytes().to_vec()).collect())
}

fn row(name: &str, changes: &[Vec<u8>]) -> Result<(), Box<dyn Error>> {
    let mut ledger = Ledger::new();
    let start = Instant::now();
    for change in changes {
        ledger.admit(change, AUTHOR, &Limits::default())?;
    }
    let guard = start.elapsed();

    let mut doc = Automerge::new();
    let start = Instant::now();
    for change in changes {
        doc.apply_changes([Change::from_bytes(change.clone())?])?;
    }
    let automerge = start.elapsed();

    let bytes: usize = changes.iter().map(Vec::len).sum();
    println!("{name}: {} changes, {bytes} bytes", changes.len());
    println!("  guard     {:>9.3} µs a change", each(guard, changes.len()));
    println!("  automerge {:>9.3} µs a change (read and apply)", each(automerge, changes.len()));
    println!("  share     {:>9.2} %", 100.0 * guard.as_secs_f64() / automerge.as_secs_f64());
    Ok(())
}

fn each(time: Duration, count: usize) -> f64 {
    time.as_secs_f64() * 1e6 / count as f64
}
