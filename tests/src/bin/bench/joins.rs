//! Many who open one large document at once, beside a server that only writes as many bytes to each.

use std::error::Error;
use std::time::{Duration, Instant};

use causeway_core::ids::StreamId;
use causeway_core::wire::{Body, Message};
use tokio::time::timeout;

use crate::load::{Author, Kind, Link, Server, alone, given};
use crate::samples::Samples;
use crate::table::Table;

const JOINERS: usize = 150;
const PIECES: usize = 64;
const PIECE: usize = 64 * 1024;
const ROUNDS: usize = 3;
const ROOM: &str = "large";

/// DESIGN §9.
const BAR: Duration = Duration::from_secs(1);
const BAR_BYTES: f64 = 400e6;

pub(crate) fn run() -> Result<Table, Box<dyn Error>> {
    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        let floor = alone(Kind::Floor, |server| Box::pin(floor(server)))?;
        let (log, snapshot) = alone(Kind::Relay, |server| Box::pin(relay(server)))?;
        rounds.push([floor, log, snapshot]);
    }
    let names = [
        "bare server that only writes the bytes",
        "relay, the moment it was written: entries from the log",
        "relay, later: its snapshot",
    ];
    let median = |way: usize| {
        let mut of: Vec<&Joined> = rounds.iter().map(|round| &round[way]).collect();
        of.sort_by_key(|joined| joined.p99());
        of[ROUNDS / 2]
    };
    let snapshot = median(2);
    let held = snapshot.p99() <= BAR && snapshot.resident <= BAR_BYTES;
    Ok(Table {
        title: "150 open a document of 4 MB at once",
        how: format!(
            "{JOINERS} links that have said hello subscribe at the same moment; until each has the whole. The joiners run \
             in one thread of another process and read {:.0} MB together. The median of {ROUNDS} rounds.",
            (JOINERS * PIECES * PIECE) as f64 / 1e6
        ),
        heads: &["way", "p50", "p99", "CPU of the server", "its memory"],
        rows: names.iter().enumerate().map(|(way, name)| median(way).row(name)).collect(),
        verdict: format!(
            "Bars for the snapshot, which a document has 2 s after the last edit: p99 ≤ 1 s and ≤ 400 MB — {}.",
            if held { "held" } else { "NOT held" }
        ),
    })
}

struct Joined {
    waits: Samples,
    worked: Duration,
    resident: f64,
}

impl Joined {
    fn p99(&self) -> Duration {
        self.waits.quantile(0.99)
    }

    fn row(&self, name: &str) -> Vec<String> {
        let seconds = |span: Duration| format!("{:.2} s", span.as_secs_f64());
        let mebibytes = format!("{:.0} MiB", self.resident / 1024.0 / 1024.0);
        vec![
            name.into(),
            seconds(self.waits.quantile(0.5)),
            seconds(self.p99()),
            seconds(self.worked),
            mebibytes,
        ]
    }
}

async fn floor(server: &Server) -> Result<Joined, Box<dyn Error>> {
    let mut links = Vec::new();
    for _ in 0..JOINERS {
        links.push(Link::open(server, &given(PIECES * PIECE)).await?);
    }
    join(server, links, |mut link| async move {
        link.send(b"go").await?;
        let mut taken = 0;
        while taken < PIECES * PIECE {
            taken += link.next_bytes().await?.len();
        }
        Ok(())
    })
    .await
}

/// From the log, and then from the snapshot.
async fn relay(server: &Server) -> Result<(Joined, Joined), Box<dyn Error>> {
    let stream = StreamId::first_document(&ROOM.parse()?);
    let mut author = Author::new(1, stream);
    let mut writer = Link::join(server, ROOM, &author.identity, stream).await?;
    for frame in author.text(PIECES, &"x".repeat(PIECE)) {
        writer.send(&frame).await?;
    }
    let last = PIECES as u64 + 1;
    let saved =
        |message: &Message| matches!(message, Message::Other(Body::Saved(saved)) if saved.seq == last);
    while !writer.next().await?.iter().any(saved) {}
    let log = join(server, greeted(server).await?, |link| open(link, stream)).await?;
    server.at_rest().await;
    if server.figure("causeway_snapshots_made_total").await? < 1.0 {
        return Err("no snapshot was made".into());
    }
    let snapshot = join(server, greeted(server).await?, |link| open(link, stream)).await?;
    Ok((log, snapshot))
}

async fn greeted(server: &Server) -> Result<Vec<Link>, Box<dyn Error>> {
    let mut links = Vec::new();
    for _ in 0..JOINERS {
        let mut link = Link::open(server, ROOM).await?;
        link.greet(&ROOM.parse()?).await?;
        links.push(link);
    }
    Ok(links)
}

/// Reads the document to its end. What is large is counted and not looked at, as at the floor.
async fn open(mut link: Link, stream: StreamId) -> Result<(), Box<dyn Error>> {
    link.subscribe(stream).await?;
    let mut taken = 0;
    loop {
        let frames = link.next_bytes().await?;
        taken += frames.len();
        if frames.len() > SMALL {
            continue;
        }
        let synced = |message: &Message| matches!(message, Message::Other(Body::Synced(_)));
        if causeway_core::wire::decode(&frames)?.iter().any(synced) {
            return if taken > PIECES * PIECE { Ok(()) } else { Err("it is not all there".into()) };
        }
    }
}

async fn join<F: Future<Output = Result<(), Box<dyn Error>>> + 'static>(
    server: &Server,
    links: Vec<Link>,
    open: impl Fn(Link) -> F,
) -> Result<Joined, Box<dyn Error>> {
    let (before, began) = (server.worked(), Instant::now());
    let joiners: Vec<_> = links
        .into_iter()
        .map(|link| {
            let opening = open(link);
            tokio::task::spawn_local(async move {
                opening.await.map_err(|why| why.to_string())?;
                Ok::<_, String>(began.elapsed())
            })
        })
        .collect();
    let (mut waits, mut resident) = (Samples::default(), 0f64);
    for joiner in joiners {
        waits.push(timeout(Duration::from_secs(120), joiner).await???);
        resident = resident.max(server.resident());
    }
    Ok(Joined { waits, worked: server.worked() - before, resident })
}

/// Messages up to this are looked at: a `synced`, and the joiner's first frames.
const SMALL: usize = 4 * 1024;
