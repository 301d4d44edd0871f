//! A long document on a device that has nothing of it, and on one that starts again.

use std::error::Error;
use std::time::{Duration, Instant};

use causeway_core::time::Millis;

use crate::lone_room::Pair;
use crate::recording::Recording;
use crate::table::Table;

/// Between two keystrokes, so that each is an entry of its own: the worst that a relay can have kept.
const BETWEEN: Millis = Millis(60);
/// DESIGN §9.
const HOME_BAR: Duration = Duration::from_millis(20);
const DEVICE_BAR: Duration = Duration::from_millis(60);

pub(crate) fn run(recording: Recording) -> Result<Table, Box<dyn Error>> {
    let end = recording.end_content.clone();
    let patches = recording.patches();
    let mut author = Pair::online();
    for patch in &patches {
        author.skip(BETWEEN);
        author.type_one(patch.at, patch.deleted, &patch.inserted);
    }
    compare(&author, &end)?;

    let began = Instant::now();
    let newcomer = author.newcomer();
    let (joined, in_home) = (began.elapsed(), newcomer.in_home);
    compare(&newcomer, &end)?;
    let on_device = joined.saturating_sub(in_home);
    let bytes = newcomer.answered;

    let began = Instant::now();
    let restarted = newcomer.restarted();
    let restart = began.elapsed();
    compare(&restarted, &end)?;

    let row = |what: &str, span: Duration| vec![what.into(), format!("{:.0} ms", span.as_secs_f64() * 1e3)];
    let held = if in_home <= HOME_BAR && on_device <= DEVICE_BAR { "held" } else { "NOT held" };
    Ok(Table {
        title: "Cold open of a document of 260,000 edits",
        how: format!(
            "The home has all {} keystrokes of `automerge-paper`, each an entry of its own; stores in memory, one thread, \
             no sockets. The newcomer is sent {:.1} MB.",
            patches.len(),
            bytes as f64 / 1e6
        ),
        heads: &["what", "time"],
        rows: vec![
            row("home: everything it does for the newcomer", in_home),
            row("newcomer: until the whole text is there", on_device),
            row("the same device again, from its own disk, no link", restart),
        ],
        verdict: format!("Bars: home {HOME_BAR:?}, newcomer {DEVICE_BAR:?} — {held}."),
    })
}

fn compare(pair: &Pair, end: &str) -> Result<(), Box<dyn Error>> {
    if pair.text() == end { Ok(()) } else { Err("the text is not the one that was recorded".into()) }
}
