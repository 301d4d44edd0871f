//! *stall*: a thousand readers of a text stop reading while somebody writes it and somebody else reads it. What each of
//! them costs, what the other notices, and whether they have everything when they read again.

use std::time::{Duration, Instant};

use causeway::{Change, Changes, DeltaOp, Engine, EngineConfig, Reach, Text};
use causeway_store::StoreKind;
use futures_util::StreamExt;
use tokio::runtime::Runtime;
use tokio::time::{sleep, timeout};

use crate::Outcome;
use crate::metric::metric;
use crate::options::Options;
use crate::relay::Setup;
use crate::row::Row;
use crate::samples::Samples;
use crate::swarm::{Habit, ROOM_OF_THE_STALLED, Swarm};

/// Readers of a run unless said.
const READERS: u64 = 1_000;
/// What one of them may cost.
const LINK_BYTES: u64 = 512 << 10;
/// And what the relay may take beside them, for the snapshots that it makes of the text meanwhile.
const SNAPSHOT_BYTES: u64 = 64 << 20;
/// Edits that are timed.
const EDITS: u64 = 200;
const EDIT_BYTES: usize = 1 << 10;
/// Edits while the others fill up: more than the system and the relay keep for one of them.
const FILLING: u64 = 60;
const FILLING_BYTES: usize = 40 << 10;
/// Longer than a page is sealed apart, so that each edit leaves at once.
const PAUSE: Duration = Duration::from_millis(60);
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) fn run(options: &Options) -> Outcome<Vec<Row>> {
    let readers = options.rounds_or(READERS);
    let edits = EDITS.min(readers / 4);
    let folder = tempfile::tempdir()?;
    let setup = Setup::new(folder.path(), StoreKind::default());
    let relay = setup.start()?;
    let runtime = Runtime::new()?;
    let mut pair = runtime.block_on(Pair::arrive(&setup))?;
    // Alike before both, so that the text is as long and as old.
    runtime.block_on(pair.fill())?;
    let alone = runtime.block_on(pair.write(edits, EDIT_BYTES))?;

    let mut swarm = Swarm::start(Habit::Stalled, setup.listen, readers as usize, 1)?;
    let before = swarm.next()?;
    // Behind as much work as they will see.
    let live = relay.resident();
    let filling = runtime.block_on(pair.fill())?;
    let beside = runtime.block_on(pair.write(edits, EDIT_BYTES))?;
    let behind = runtime.block_on(metric(setup.listen, "causeway_links_behind_total"))?;
    if behind < readers {
        return Err(format!("only {behind} of them were left behind").into());
    }
    let stalled = relay.resident();
    let each = stalled.saturating_sub(live + SNAPSHOT_BYTES) / readers.max(1);
    println!("{readers} readers have stopped reading: {} MiB, then {} MiB", live >> 20, stalled >> 20);
    println!("from one to another: alone {alone}; while they fill up {filling}; beside them {beside}");
    if each > LINK_BYTES {
        return Err(format!("each of them costs {each} bytes").into());
    }

    let began = Instant::now();
    swarm.go_on()?;
    let cut = swarm.next()? - before;
    let back = began.elapsed();
    runtime.block_on(pair.leave())?;
    drop(swarm);
    relay.terminate()?;
    setup.no_panic()?;
    let times = |samples: &Samples| samples.p99().as_secs_f64() / alone.p99().as_secs_f64().max(1e-9);
    Ok(vec![Row {
        name: "stall".into(),
        counts: vec![("readers that stopped".into(), readers), ("of them lost".into(), 0)],
        figures: format!(
            "relay {} MiB when all were in step, {} MiB when they had stopped; from one to another {alone} alone, {beside} beside them (p99 {:.2} ×), \
             {filling} while they filled up with pieces of 40 KiB; all have read everything {:.1} s after they read again, {cut} of them over another link",
            live >> 20,
            stalled >> 20,
            times(&beside),
            back.as_secs_f64()
        ),
        command: format!("cargo xtask torture stall --rounds {readers}"),
    }])
}

/// Somebody who writes, and somebody who reads.
struct Pair {
    engines: [Engine; 2],
    writer: Text,
    changes: Changes,
    /// UTF-16 units that are in the text, and that the reader was told of.
    written: usize,
    read: usize,
}

impl Pair {
    async fn arrive(setup: &Setup) -> Outcome<Self> {
        let open = || -> Outcome<(Engine, Text)> {
            let relay = Some(format!("ws://{}", setup.listen).parse()?);
            let engine = Engine::open(EngineConfig { relay, ..EngineConfig::default() })?;
            let text = engine.room(ROOM_OF_THE_STALLED)?.first_text();
            Ok((engine, text))
        };
        let ((at_writer, writer), (at_reader, reader)) = (open()?, open()?);
        for text in [&writer, &reader] {
            text.ready().await?;
            timeout(PATIENCE, text.synced()).await?;
        }
        let changes = reader.changes();
        let mut pair = Self { engines: [at_writer, at_reader], writer, changes, written: 0, read: 0 };
        pair.write(1, EDIT_BYTES).await?;
        Ok(pair)
    }

    /// Writes so many pieces; from the edit to when the other was told.
    async fn write(&mut self, edits: u64, bytes: usize) -> Outcome<Samples> {
        let mut spans = Samples::default();
        let piece = "x".repeat(bytes);
        for _ in 0..edits {
            let began = Instant::now();
            // At the end, so that yrs finds the place at once.
            let receipt = self.writer.edit(|text| text.insert(text.len(), &piece))?;
            self.written += piece.len();
            timeout(PATIENCE, self.read_all()).await??;
            spans.push(began.elapsed());
            timeout(PATIENCE, receipt.reached(Reach::Relay)).await??;
            // pace: an edit after a pause leaves at once
            sleep(PAUSE).await;
        }
        Ok(spans)
    }

    /// Writes more than is kept for anybody, and takes it out again: a text that grows would grow slower to write.
    async fn fill(&mut self) -> Outcome<Samples> {
        let spans = self.write(FILLING, FILLING_BYTES).await?;
        let receipt = self.writer.edit(|text| text.delete(0, text.len()))?;
        self.written = 0;
        timeout(PATIENCE, self.read_all()).await??;
        timeout(PATIENCE, receipt.reached(Reach::Relay)).await??;
        Ok(spans)
    }

    async fn read_all(&mut self) -> Outcome<()> {
        while self.read != self.written {
            match self.changes.next().await.ok_or("the reader has ended")? {
                Change::Reset(text) => self.read = text.encode_utf16().count(),
                Change::Delta { delta, .. } => {
                    for op in delta {
                        match op {
                            DeltaOp::Insert(text) => self.read += text.encode_utf16().count(),
                            DeltaOp::Delete(units) => self.read -= units as usize,
                            DeltaOp::Retain(_) => {}
                        }
                    }
                }
            }
        }
        Ok(())
    }

    async fn leave(self) -> Outcome<()> {
        for engine in self.engines {
            timeout(PATIENCE, engine.close()).await??;
        }
        Ok(())
    }
}
