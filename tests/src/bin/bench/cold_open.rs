//! A long document on a device that has nothing of it, and on one that starts again.

use std::error::Error;
use std::time::Duration;

use causeway_core::time::Millis;

use crate::lone_room::Pair;
use crate::recording::Recording;
use crate::stopwatch::Stopwatch;
use crate::table::Table;

/// Between two keystrokes, so that each is an entry of its own: the worst that a relay can have kept.
const BETWEEN: Millis = Millis(60);
/// DESIGN §9.
const HOME_BAR: Duration = Duration::from_millis(20);
const DEVICE_BAR: Duration = Duration::from_millis(60);

pub(crate) fn run(recording: Recording) -> Result<Table, Box<dyn Error>> {
    let end = recording.end_content.clone();
    let patches = recording.patches();
    let typed = || {
        let mut author = Pair::online();
        for patch in &patches {
            author.skip(BETWEEN);
            author.type_one(patch.at, patch.deleted, &patch.inserted);
        }
        author
    };
    let mut author = typed();
    author.compact();
    let snapshot = apart(author, &end)?;
    let log = apart(typed(), &end)?;
    let held =
        if snapshot.in_home <= HOME_BAR && snapshot.joined <= DEVICE_BAR { "held" } else { "NOT held" };
    Ok(Table {
        title: "Cold open of a document of 260,000 edits",
        how: format!(
            "The home has all {} keystrokes of `automerge-paper`, each an entry of its own; stores in memory, one thread, \
             no sockets. With a snapshot is how a relay keeps them: it makes one after every 500 entries, two seconds \
             after the last. Without one is the worst there can be, and no relay comes to it. Each figure is \
             processor time of the one named, without the other's.",
            patches.len(),
        ),
        heads: &["what", "with its snapshot", "without one, entry by entry"],
        rows: vec![
            vec!["bytes sent to the newcomer".into(), megabytes(&snapshot), megabytes(&log)],
            row("home: everything it does for the newcomer", snapshot.in_home, log.in_home),
            row("newcomer: until the whole text is there", snapshot.joined, log.joined),
            row("the same device again, from its own disk, no link", snapshot.restart, log.restart),
        ],
        verdict: format!("Bars with a snapshot: home {HOME_BAR:?}, newcomer {DEVICE_BAR:?} — {held}."),
    })
}

struct Opened {
    bytes: usize,
    in_home: Duration,
    joined: Duration,
    restart: Duration,
}

/// In a thread of its own, whose memory is as fresh as that of a device that starts.
fn apart(author: Pair, end: &str) -> Result<Opened, Box<dyn Error>> {
    std::thread::scope(|scope| {
        let opening = scope.spawn(|| open(author, end).map_err(|why| why.to_string()));
        Ok(opening.join().map_err(|_| "the thread has ended")??)
    })
}

fn open(author: Pair, end: &str) -> Result<Opened, Box<dyn Error>> {
    compare(&author, end)?;
    let watch = Stopwatch::start();
    let (newcomer, _author) = author.newcomer();
    let (took, in_home) = (watch.read(), newcomer.in_home);
    compare(&newcomer, end)?;
    let bytes = newcomer.answered;
    let watch = Stopwatch::start();
    let (restarted, _newcomer) = newcomer.restarted();
    let restart = watch.read();
    compare(&restarted, end)?;
    Ok(Opened { bytes, in_home, joined: took.saturating_sub(in_home), restart })
}

fn megabytes(opened: &Opened) -> String {
    format!("{:.1} MB", opened.bytes as f64 / 1e6)
}

fn row(what: &str, with: Duration, without: Duration) -> Vec<String> {
    let millis = |span: Duration| format!("{:.0} ms", span.as_secs_f64() * 1e3);
    vec![what.into(), millis(with), millis(without)]
}

fn compare(pair: &Pair, end: &str) -> Result<(), Box<dyn Error>> {
    if pair.text() == end { Ok(()) } else { Err("the text is not the one that was recorded".into()) }
}
