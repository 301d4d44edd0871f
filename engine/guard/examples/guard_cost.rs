//! What the guard costs beside what yrs spends on the same updates: a text typed key by key, and the same merged.
//!
//! `cargo run --release -p causeway-guard --example guard_cost`

use std::cell::Cell;
use std::error::Error;
use std::time::{Duration, Instant};

use causeway_guard::Limits;
use causeway_guard::ydoc::{CLIENT_BASE, Known, check_text};
use yrs::updates::decoder::Decode;
use yrs::{Doc, Text, Transact, Update, merge_updates_v1};

const AUTHOR: u64 = CLIENT_BASE | 42;
const KEYS: u32 = 20_000;

/// The author's clock, which is all there is to know here.
struct Clock(Cell<u32>);

impl Known for Clock {
    fn clock(&self, client: u64) -> Option<u32> {
        (client == AUTHOR).then(|| self.0.get())
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let typed = typed();
    row("key by key", &typed)?;
    row("merged by fifty", &merged(&typed, 50)?)?;
    row("merged into one", &merged(&typed, typed.len())?)
}

/// Mostly typing forward, with a jump now and then and every seventh key a deletion.
fn typed() -> Vec<Vec<u8>> {
    let doc = Doc::with_client_id(AUTHOR);
    let text = doc.get_or_insert_text("text");
    let mut at = 0;
    let mut updates = Vec::new();
    for key in 0..KEYS {
        let mut txn = doc.transact_mut();
        let len = text.len(&txn);
        if key % 97 == 0 {
            at = key.wrapping_mul(7919) % (len + 1);
        }
        if key % 7 == 6 && at > 0 {
            at -= 1;
            text.remove_range(&mut txn, at, 1);
        } else {
            text.insert(&mut txn, at, "e");
            at += 1;
        }
        updates.push(txn.encode_update_v1());
    }
    updates
}

fn merged(updates: &[Vec<u8>], run: usize) -> Result<Vec<Vec<u8>>, yrs::encoding::read::Error> {
    updates.chunks(run).map(merge_updates_v1).collect()
}

fn row(name: &str, updates: &[Vec<u8>]) -> Result<(), Box<dyn Error>> {
    let clock = Clock(Cell::new(0));
    let start = Instant::now();
    for update in updates {
        clock.0.set(check_text(update, AUTHOR, "text", &clock, &Limits::default())?.to);
    }
    let guard = start.elapsed();

    let doc = Doc::with_client_id(1);
    let start = Instant::now();
    for update in updates {
        doc.transact_mut().apply_update(Update::decode_v1(update)?)?;
    }
    let yrs = start.elapsed();

    let bytes: usize = updates.iter().map(Vec::len).sum();
    println!("{name}: {} updates, {bytes} bytes", updates.len());
    println!("  guard {:>9.3} µs an update", each(guard, updates.len()));
    println!("  yrs   {:>9.3} µs an update (decode and apply)", each(yrs, updates.len()));
    println!("  share {:>9.2} %", 100.0 * guard.as_secs_f64() / yrs.as_secs_f64());
    Ok(())
}

fn each(time: Duration, count: usize) -> f64 {
    time.as_secs_f64() * 1e6 / count as f64
}
