//! A whole paper, keystroke by keystroke: the engine beside the bare library.

use std::error::Error;
use std::time::Duration;

use causeway::{Engine, EngineConfig, Reach};
use causeway_core::time::Millis;
use causeway_core::ydoc::Document;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use yrs::{Doc, GetString, OffsetKind, Options, Text, Transact};

use crate::lone_room::Pair;
use crate::recording::{Patch, Recording};
use crate::stopwatch::Stopwatch;
use crate::table::Table;

/// Rounds of each, in turn; the fastest counts, since whatever else the machine does only slows things down.
const ROUNDS: usize = 3;
/// DESIGN §9.
const BAR: f64 = 1.3;

type Way = (&'static str, fn(&[Patch], &str) -> Result<Duration, Box<dyn Error>>);

const WAYS: [Way; 6] = [
    ("raw yrs, one transaction per edit", raw),
    ("raw yrs, and each transaction's update encoded", raw_encoding),
    ("`ydoc::Document`", document),
    ("`device::Room`, online, store in memory, without its home", room),
    ("native engine, no relay", engine_alone),
    ("native engine, typing through the relay", engine_online),
];

pub(crate) fn run(recording: Recording) -> Result<Table, Box<dyn Error>> {
    let end = recording.end_content.clone();
    let patches = recording.patches();
    let mut best = [Duration::MAX; WAYS.len()];
    for _ in 0..ROUNDS {
        for ((_, way), best) in WAYS.iter().zip(&mut best) {
            *best = way(&patches, &end)?.min(*best);
        }
    }
    let ratio = |span: Duration| span.as_secs_f64() / best[0].as_secs_f64();
    let rows = WAYS.iter().zip(best).map(|((name, _), span)| {
        let each = span.as_nanos() / patches.len() as u128;
        vec![
            (*name).into(),
            format!("{:.0} ms", span.as_secs_f64() * 1e3),
            format!("{each} ns"),
            format!("{:.2}", ratio(span)),
        ]
    });
    let engine = ratio(best[3]).max(ratio(best[4]));
    let held = if engine <= BAR { "held" } else { "NOT held" };
    Ok(Table {
        title: "Replay of `automerge-paper` through engine edits",
        how: format!(
            "{} keystrokes, each an edit of its own, as fast as they go; the best of {ROUNDS} rounds in turn. \
             The room seals an entry every 50 ms, and the text is compared with the recording at the end. Processor time \
             of the thread that types (on Linux).",
            patches.len()
        ),
        heads: &["way", "time", "per edit", "against raw yrs"],
        rows: rows.collect(),
        verdict: format!(
            "Bar: room and engine at most {BAR} × raw yrs with one transaction per edit: {engine:.2} — {held}. In the \
             last row the relay and its disk work on the same cores meanwhile."
        ),
    })
}

fn raw_doc() -> (Doc, yrs::TextRef) {
    let doc = Doc::with_options(Options {
        offset_kind: OffsetKind::Utf16,
        ..Options::with_guid_and_client_id("bench".into(), yrs::block::ClientID::new(1))
    });
    let text = doc.get_or_insert_text("text");
    (doc, text)
}

fn raw(patches: &[Patch], end: &str) -> Result<Duration, Box<dyn Error>> {
    let (doc, text) = raw_doc();
    let began = Stopwatch::start();
    for patch in patches {
        let mut txn = doc.transact_mut();
        raw_patch(&text, &mut txn, patch);
    }
    let span = began.read();
    compare(&text.get_string(&doc.transact()), end)?;
    Ok(span)
}

fn raw_encoding(patches: &[Patch], end: &str) -> Result<Duration, Box<dyn Error>> {
    let (doc, text) = raw_doc();
    let mut bytes = 0;
    let began = Stopwatch::start();
    for patch in patches {
        let mut txn = doc.transact_mut();
        raw_patch(&text, &mut txn, patch);
        bytes += txn.encode_update_v1().len();
    }
    let span = began.read();
    assert!(bytes > 0);
    compare(&text.get_string(&doc.transact()), end)?;
    Ok(span)
}

pub(crate) fn raw_patch(text: &yrs::TextRef, txn: &mut yrs::TransactionMut<'_>, patch: &Patch) {
    if patch.deleted > 0 {
        text.remove_range(txn, patch.at, patch.deleted);
    }
    if !patch.inserted.is_empty() {
        text.insert(txn, patch.at, &patch.inserted);
    }
}

fn document(patches: &[Patch], end: &str) -> Result<Duration, Box<dyn Error>> {
    let mut document = Document::new(1 << 52);
    let began = Stopwatch::start();
    for patch in patches {
        let (typed, _) = document.edit(None, Millis(0), |text| {
            text.delete(patch.at, patch.deleted)?;
            text.insert(patch.at, &patch.inserted)
        });
        typed?;
    }
    let span = began.read();
    compare(&document.text(), end)?;
    Ok(span)
}

fn room(patches: &[Patch], end: &str) -> Result<Duration, Box<dyn Error>> {
    let mut pair = Pair::online();
    pair.in_home = Duration::ZERO;
    let began = Stopwatch::start();
    for patch in patches {
        pair.type_one(patch.at, patch.deleted, &patch.inserted);
    }
    let span = began.read() - pair.in_home;
    compare(&pair.text(), end)?;
    Ok(span)
}

fn engine_alone(patches: &[Patch], end: &str) -> Result<Duration, Box<dyn Error>> {
    Runtime::new()?.block_on(async { type_into(&Engine::open(EngineConfig::default())?, patches, end).await })
}

fn engine_online(patches: &[Patch], end: &str) -> Result<Duration, Box<dyn Error>> {
    Runtime::new()?.block_on(async {
        let folder = tempfile::tempdir()?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let relay = format!("ws://{}", listener.local_addr()?).parse()?;
        let storage = causeway_relay::Storage::folder(folder.path().into())?;
        let never = std::future::pending();
        tokio::spawn(causeway_relay::run(listener, storage, causeway_relay::Options::default(), never));
        let engine = Engine::open(EngineConfig { relay: Some(relay), ..EngineConfig::default() })?;
        engine.room("bench")?.first_text().synced().await;
        type_into(&engine, patches, end).await
    })
}

async fn type_into(engine: &Engine, patches: &[Patch], end: &str) -> Result<Duration, Box<dyn Error>> {
    let text = engine.room("bench")?.first_text();
    text.ready().await?;
    let mut last = None;
    let began = Stopwatch::start();
    for patch in patches {
        last = Some(text.edit(|text| {
            text.delete(patch.at, patch.deleted)?;
            text.insert(patch.at, &patch.inserted)
        })?);
    }
    let span = began.read();
    compare(&text.read()?, end)?;
    if let Some(last) = last {
        last.reached(Reach::Device).await?;
    }
    engine.close().await?;
    Ok(span)
}

fn compare(text: &str, end: &str) -> Result<(), Box<dyn Error>> {
    if text == end { Ok(()) } else { Err("the text is not the one that was recorded".into()) }
}
