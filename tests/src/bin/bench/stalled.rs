//! A thousand readers that stop reading, and somebody who reads on beside them.

use std::error::Error;
use std::time::{Duration, Instant};

use causeway_core::ids::StreamId;
use causeway_core::wire::Message;
use tokio::time::timeout;

use crate::load::{Author, Kind, Link, Server, alone};
use crate::samples::Samples;
use crate::table::Table;

const READERS: usize = 1_000;
/// So few that no snapshot is made among them.
const EDITS: usize = 1_000;
const WARM_UP: usize = 200;
/// What is written to fill every buffer that a stalled reader has.
const PIECES: usize = 60;
const PIECE: usize = 40 * 1024;
const ROUNDS: usize = 3;
const ROOM: &str = "stalled";

/// DESIGN §9.
const BAR_BYTES: f64 = 512.0 * 1024.0;
const BAR_TIMES: f64 = 1.5;

pub(crate) fn run() -> Result<Table, Box<dyn Error>> {
    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        rounds.push(alone(Kind::Relay, |server| Box::pin(stall(server)))?);
    }
    rounds.sort_by(|a, b| a.times().total_cmp(&b.times()));
    let median = &rounds[ROUNDS / 2];
    let each = rounds.iter().map(|round| round.each).fold(0.0, f64::max);
    let held = each <= BAR_BYTES && median.times() <= BAR_TIMES;
    let row = |what: &str, figure: String, bar: &str| vec![what.into(), figure, bar.into()];
    let spans = |samples: &Samples| {
        let [p50, p99] = [0.5, 0.99].map(|share| samples.quantile(share).as_secs_f64() * 1000.0);
        format!("{p50:.1} ms, {p99:.1} ms")
    };
    let worked = |span: Duration| format!("{:.2} ms", span.as_secs_f64() * 1000.0 / EDITS as f64);
    Ok(Table {
        title: "1,000 stalled readers",
        how: format!(
            "They follow a document and stop reading; {:.1} MB are written until nothing more is kept for them. Then one \
             writes {EDITS} edits one after the other and another reads them, as before the others came. Memory is what \
             the relay's process grew by, the largest of {ROUNDS} rounds; the system's buffers of their sockets are not in \
             it, at most 256 KiB each. Times are those of the median round.",
            (PIECES * PIECE) as f64 / 1e6
        ),
        heads: &["what", "figure", "bar"],
        rows: vec![
            row("memory of a stalled reader", format!("{:.0} KiB", each / 1024.0), "≤ 512 KiB"),
            row("edit → another reader alone, p50 and p99", spans(&median.alone), "–"),
            row("the same beside them", spans(&median.beside), "–"),
            row("p99 beside them, as a multiple", format!("{:.2}", median.times()), "≤ 1.5"),
            row("the relay's processor time of an edit, alone", worked(median.worked_alone), "–"),
            row("the same beside them", worked(median.worked_beside), "–"),
        ],
        verdict: format!("Bars: {}.", if held { "held" } else { "NOT held" }),
    })
}

struct Stalled {
    each: f64,
    alone: Samples,
    beside: Samples,
    worked_alone: Duration,
    worked_beside: Duration,
}

impl Stalled {
    fn times(&self) -> f64 {
        self.beside.quantile(0.99).as_secs_f64() / self.alone.quantile(0.99).as_secs_f64()
    }
}

async fn stall(server: &Server) -> Result<Stalled, Box<dyn Error>> {
    let stream = StreamId::first_document(&ROOM.parse()?);
    let mut author = Author::new(1, stream);
    let mut writer = Link::join(server, ROOM, &author.identity, stream).await?;
    let mut reader = Link::join(server, ROOM, &Author::new(2, stream).identity, stream).await?;
    write(&mut writer, &mut reader, author.text(WARM_UP, "a few words, "), &mut Samples::default()).await?;
    let before = server.worked();
    let mut alone = Samples::default();
    write(&mut writer, &mut reader, author.more_text(EDITS, "a few words, "), &mut alone).await?;
    let worked_alone = server.worked() - before;

    let empty = server.resident();
    let mut stalled = Vec::new();
    for _ in 0..READERS {
        let mut link = Link::open_stalling(server, ROOM).await?;
        link.say_hello(&ROOM.parse()?).await?;
        link.subscribe(stream).await?;
        stalled.push(link);
    }
    let large = author.more_text(PIECES, &"x".repeat(PIECE));
    write(&mut writer, &mut reader, large, &mut Samples::default()).await?;
    server.at_rest().await;
    let each = (server.resident() - empty) / READERS as f64;
    let before = server.worked();
    let mut beside = Samples::default();
    write(&mut writer, &mut reader, author.more_text(EDITS, "a few words, "), &mut beside).await?;
    Ok(Stalled { each, alone, beside, worked_alone, worked_beside: server.worked() - before })
}

/// Each entry is sent when the one before has come to the reader.
pub(crate) async fn write(
    writer: &mut Link,
    reader: &mut Link,
    frames: Vec<bytes::Bytes>,
    spans: &mut Samples,
) -> Result<(), Box<dyn Error>> {
    for frame in frames {
        let began = Instant::now();
        writer.send(&frame).await?;
        let arrives = async {
            while !reader.next().await?.iter().any(|message| matches!(message, Message::Entries(_))) {}
            Ok::<(), Box<dyn Error>>(())
        };
        timeout(Duration::from_secs(60), arrives).await??;
        spans.push(began.elapsed());
        // Its answers are not what is measured, but they must not pile up.
        writer.next_bytes().await?;
    }
    Ok(())
}
