//! From a keystroke on one device to the change on another, everything durable on the way.

use std::error::Error;
use std::path::Path;
use std::time::{Duration, Instant};

use causeway::{Change, DeltaOp, Engine, EngineConfig, RelayAddress, StoreChoice, Text};
use futures_util::StreamExt;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};

use crate::disk;
use crate::samples::Samples;
use crate::table::Table;

const QUIET_EDITS: u32 = 200;
const STEADY_EDITS: u32 = 300;
const SYNCS: usize = 500;

/// DESIGN §9.
const BAR_P50: Duration = Duration::from_millis(3);
const BAR_P99: Duration = Duration::from_millis(15);

pub(crate) fn run() -> Result<Table, Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let floor = disk::fdatasync(folder.path(), SYNCS)?;
    let in_memory = Runtime::new()?.block_on(measure(folder.path(), |_| StoreChoice::Memory))?;
    let on_disk = Runtime::new()?
        .block_on(measure(folder.path(), |name| StoreChoice::Folder(folder.path().join(name))))?;
    let again = disk::fdatasync(folder.path(), SYNCS)?;
    let rows = vec![
        floor.row("fdatasync of 200 bytes, before"),
        in_memory.quiet.row("first edit after 250 ms of quiet, writer in memory"),
        in_memory.steady.row("steady typing, 10/s, writer in memory"),
        in_memory.fast.row("fast typing, 30/s, writer in memory"),
        on_disk.quiet.row("first edit after 250 ms of quiet, writer on disk"),
        on_disk.steady.row("steady typing, 10/s, writer on disk"),
        on_disk.fast.row("fast typing, 30/s, writer on disk"),
        again.row("fdatasync of 200 bytes, after"),
    ];
    let held = |samples: &Samples| samples.quantile(0.5) <= BAR_P50 && samples.quantile(0.99) <= BAR_P99;
    let all = [&in_memory.quiet, &in_memory.steady, &on_disk.quiet, &on_disk.steady].into_iter().all(held);
    Ok(Table {
        title: "Edit → other client, over loopback, durable",
        how: "Two native engines and the real relay on redb, in one process. The relay syncs before it forwards; a \
              writer on disk also syncs before it sends, so two fdatasyncs stand in a row. Of fast typing every other \
              keystroke waits for the next seal, up to 50 ms."
            .into(),
        heads: &["way", "edits", "p50", "p99", "longest"],
        rows,
        verdict: format!(
            "Bar: p50 ≤ {} ms and p99 ≤ {} ms for quiet and steady — {}.",
            BAR_P50.as_millis(),
            BAR_P99.as_millis(),
            if all { "held" } else { "NOT held" }
        ),
    })
}

struct Measured {
    quiet: Samples,
    steady: Samples,
    fast: Samples,
}

async fn measure(folder: &Path, store: impl Fn(&str) -> StoreChoice) -> Result<Measured, Box<dyn Error>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let relay: RelayAddress = format!("ws://{}", listener.local_addr()?).parse()?;
    let kept = tempfile::tempdir_in(folder)?;
    let storage = causeway_relay::Storage::folder(kept.path().into())?;
    let never = std::future::pending();
    tokio::spawn(causeway_relay::run(listener, storage, causeway_relay::Options::default(), never));
    let open =
        |store| Engine::open(EngineConfig { relay: Some(relay.clone()), store, ..EngineConfig::default() });
    let (writer, reader) = (open(store("writer"))?, open(store("reader"))?);
    let (writing, reading) = (text_of(&writer).await?, text_of(&reader).await?);
    let mut arrivals = watch(&reading);
    // The first entry of a document also makes it: not what is measured.
    one(&writing, &mut arrivals).await?;
    let quiet = spaced(&writing, &mut arrivals, QUIET_EDITS, Duration::from_millis(250)).await?;
    let steady = spaced(&writing, &mut arrivals, STEADY_EDITS, Duration::from_millis(100)).await?;
    let fast = paced(&writing, &mut arrivals, STEADY_EDITS, Duration::from_millis(33)).await?;
    writer.close().await?;
    reader.close().await?;
    Ok(Measured { quiet, steady, fast })
}

async fn text_of(engine: &Engine) -> Result<Text, Box<dyn Error>> {
    let text = engine.room("bench")?.first_text();
    text.ready().await?;
    text.synced().await;
    Ok(text)
}

/// Tells when each character has arrived.
fn watch(text: &Text) -> mpsc::UnboundedReceiver<Instant> {
    let mut changes = text.changes();
    let (tell, arrivals) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Some(change) = changes.next().await {
            let now = Instant::now();
            let Change::Delta { delta, .. } = change else { continue };
            let inserted = delta.iter().map(|op| if let DeltaOp::Insert(text) = op { text.len() } else { 0 });
            for _ in 0..inserted.sum() {
                let _ = tell.send(now);
            }
        }
    });
    arrivals
}

/// Edits that each wait for the one before and then for a pause.
async fn spaced(
    text: &Text,
    arrivals: &mut mpsc::UnboundedReceiver<Instant>,
    edits: u32,
    pause: Duration,
) -> Result<Samples, Box<dyn Error>> {
    let mut samples = Samples::default();
    for _ in 0..edits {
        // pace: the pause is what is measured after
        sleep(pause).await;
        samples.push(one(text, arrivals).await?);
    }
    Ok(samples)
}

/// Edits at a steady pace, whatever has arrived.
async fn paced(
    text: &Text,
    arrivals: &mut mpsc::UnboundedReceiver<Instant>,
    edits: u32,
    every: Duration,
) -> Result<Samples, Box<dyn Error>> {
    let mut typed = Vec::new();
    for _ in 0..edits {
        // pace: as fast as a fast person types
        sleep(every).await;
        typed.push(Instant::now());
        text.edit(|text| text.insert(text.len(), "x"))?;
    }
    let mut samples = Samples::default();
    for typed in typed {
        samples.push(next(arrivals).await?.duration_since(typed));
    }
    Ok(samples)
}

async fn one(
    text: &Text,
    arrivals: &mut mpsc::UnboundedReceiver<Instant>,
) -> Result<Duration, Box<dyn Error>> {
    let typed = Instant::now();
    text.edit(|text| text.insert(text.len(), "x"))?;
    Ok(next(arrivals).await?.duration_since(typed))
}

async fn next(arrivals: &mut mpsc::UnboundedReceiver<Instant>) -> Result<Instant, Box<dyn Error>> {
    let arrived = timeout(Duration::from_secs(10), arrivals.recv()).await;
    arrived?.ok_or_else(|| "the reader has ended".into())
}
