//! What people cost who are only there: idle links, empty rooms, presence, and many who come at once.

use std::collections::BTreeMap;
use std::error::Error;
use std::time::{Duration, Instant};

use causeway_core::ids::StreamId;
use causeway_core::presence::{Lease, State, Status};
use causeway_core::wire::{self, Body, Message};
use tokio::runtime::Builder;
use tokio::task::LocalSet;
use tokio::time::{interval, sleep, timeout};

use crate::load::{Author, Kind, Link, Server};
use crate::samples::Samples;
use crate::table::Table;

type Row = (Vec<String>, bool);

pub(crate) fn run() -> Result<Table, Box<dyn Error>> {
    let alone = |measure: fn(&Server) -> LocalOutcome<'_>| {
        let server = Server::start(Kind::Relay)?;
        let runtime = Builder::new_current_thread().enable_all().build()?;
        LocalSet::new().block_on(&runtime, measure(&server))
    };
    let mut rows = alone(|server| Box::pin(idle(server)))?;
    rows.extend(alone(|server| Box::pin(presence(server)))?);
    rows.extend(alone(|server| Box::pin(joins(server)))?);
    let held = rows.iter().all(|(_, held)| *held);
    Ok(Table {
        title: "People who are only there",
        how: "The relay on sled in a process of its own; its memory and processor time as the kernel counts them.".into(),
        heads: &["what", "figure", "bar"],
        rows: rows.into_iter().map(|(row, _)| row).collect(),
        verdict: format!("Bars: {}.", if held { "held" } else { "NOT all held" }),
    })
}

type LocalOutcome<'a> = std::pin::Pin<Box<dyn Future<Output = Result<Vec<Row>, Box<dyn Error>>> + 'a>>;

fn row(what: &str, figure: String, bar: &str, held: bool) -> Row {
    (vec![what.into(), figure, if held { bar.into() } else { format!("{bar}, NOT held") }], held)
}

const IDLE_LINKS: usize = 4_000;
const IDLE_ROOMS: usize = 40;

async fn idle(server: &Server) -> Result<Vec<Row>, Box<dyn Error>> {
    // What is reserved once is not counted to anybody.
    drop(
        Link::join(server, "first", &Author::new(1, StreamId::DIRECTORY).identity, StreamId::DIRECTORY)
            .await?,
    );
    // pace: the relay lets idle rooms go after a while
    sleep(EMPTIED).await;
    let before = server.resident();
    let mut links = Vec::new();
    for number in 0..IDLE_LINKS {
        let author = Author::new(number as u32, StreamId::DIRECTORY);
        let room = format!("idle-{}", number % IDLE_ROOMS);
        links.push(Link::join(server, &room, &author.identity, StreamId::DIRECTORY).await?);
    }
    // pace: what is measured is the memory at rest
    sleep(SETTLED).await;
    let each = (server.resident() - before) / IDLE_LINKS as f64;
    drop(links);
    // pace: the relay lets idle rooms go after a while
    sleep(EMPTIED).await;
    let left = (server.resident() - before) / 1024.0;
    let rooms = figure(server, "causeway_rooms ").await?;
    Ok(vec![
        row("idle connection", format!("{:.1} KiB", each / 1024.0), "≤ 8 KiB", each <= 8.0 * 1024.0),
        row("rooms in memory after all have left", format!("{rooms}"), "0", rooms == 0.0),
        (vec!["memory the allocator kept of them".into(), format!("{left:.0} KiB"), "–".into()], true),
    ])
}

const PEOPLE: usize = 500;
const SECONDS: u32 = 10;

async fn presence(server: &Server) -> Result<Vec<Row>, Box<dyn Error>> {
    let mut links = Vec::new();
    for number in 0..PEOPLE {
        let author = Author::new(number as u32, StreamId::DIRECTORY);
        links.push((number, Link::join(server, "crowd", &author.identity, StreamId::DIRECTORY).await?));
    }
    let before = server.worked();
    let began = Instant::now();
    let people = links.into_iter().map(|(number, link)| tokio::task::spawn_local(person(number, link)));
    let mut undelivered = 0;
    for person in people.collect::<Vec<_>>() {
        undelivered += timeout(Duration::from_secs(120), person).await???;
    }
    let share = (server.worked() - before).as_secs_f64() / began.elapsed().as_secs_f64() * 100.0;
    Ok(vec![
        row("500 people's presence at 1 Hz", format!("{share:.1} % of a core"), "≤ 25 %", share <= 25.0),
        row("last states of others that did not arrive", undelivered.to_string(), "0", undelivered == 0),
    ])
}

/// Shows a new state every second and looks at the others'; how many of their last states never came.
async fn person(number: usize, mut link: Link) -> Result<usize, String> {
    let mut seconds = interval(Duration::from_secs(1));
    // pace: people do not move in step
    sleep(Duration::from_millis(number as u64 * 1_000 / PEOPLE as u64)).await;
    let mut seen: BTreeMap<Lease, String> = BTreeMap::new();
    let mut round = 0;
    // Some look closely; for the others it is enough that the bytes are taken.
    let watches = number.is_multiple_of(25);
    let last = |seen: &BTreeMap<Lease, String>| {
        seen.values().filter(|name| name.ends_with(&format!("/{SECONDS}"))).count()
    };
    let deadline = Instant::now() + Duration::from_secs(u64::from(SECONDS) + 5);
    while Instant::now() < deadline {
        tokio::select! {
            message = link.next_bytes() => {
                let message = message.map_err(|why| why.to_string())?;
                if watches {
                    for message in wire::decode(&message).map_err(|why| why.to_string())? {
                        let Message::Other(Body::Board(changes)) = message else { continue };
                        seen.extend(changes.into_iter().filter_map(|change| Some((change.lease, change.state?.name))));
                    }
                }
            }
            _ = seconds.tick() => if round < SECONDS {
                round += 1;
                let name = format!("person {number}/{round}");
                let state = State { name, colour: 0x33_66_99, status: Status::Editing, cursor: None, typing: None };
                link.send(&wire::encode(&state.into())).await.map_err(|why| why.to_string())?;
            },
        }
    }
    // One's own comes back, too.
    Ok(if watches { PEOPLE.saturating_sub(last(&seen)) } else { 0 })
}

const JOINERS: usize = 150;
const PIECES: usize = 64;
const PIECE: usize = 64 * 1024;

async fn joins(server: &Server) -> Result<Vec<Row>, Box<dyn Error>> {
    let stream = StreamId::first_document(&"large".parse()?);
    let mut author = Author::new(1, stream);
    let mut writer = Link::join(server, "large", &author.identity, stream).await?;
    for frame in author.text(PIECES, &"x".repeat(PIECE)) {
        writer.send(&frame).await?;
    }
    let last = PIECES as u64 + 1;
    let saved =
        |message: &Message| matches!(message, Message::Other(Body::Saved(saved)) if saved.seq == last);
    while !writer.next().await?.iter().any(saved) {}
    let mut links = Vec::new();
    for _ in 0..JOINERS {
        let mut link = Link::open(server, "large").await?;
        link.greet(&"large".parse()?).await?;
        links.push(link);
    }
    let began = Instant::now();
    let joiners = links.into_iter().map(|mut link| {
        tokio::task::spawn_local(async move {
            link.subscribe(stream).await.map_err(|why| why.to_string())?;
            let synced = |message: &Message| matches!(message, Message::Other(Body::Synced(_)));
            while !link.next().await.map_err(|why| why.to_string())?.iter().any(synced) {}
            Ok::<_, String>(began.elapsed())
        })
    });
    let (mut waits, mut most) = (Samples::default(), 0.0f64);
    for joiner in joiners.collect::<Vec<_>>() {
        waits.push(timeout(Duration::from_secs(120), joiner).await???);
        most = most.max(server.resident());
    }
    let p99 = waits.quantile(0.99);
    let mebibytes = most / 1024.0 / 1024.0;
    Ok(vec![
        row(
            "150 join a document of 4 MB at once, p99",
            format!("{:.2} s", p99.as_secs_f64()),
            "≤ 1 s",
            p99 <= Duration::from_secs(1),
        ),
        row("the relay's memory meanwhile", format!("{mebibytes:.0} MiB"), "≤ 400 MB", most <= 400e6),
    ])
}

/// One figure of `/metrics`.
async fn figure(server: &Server, name: &str) -> Result<f64, Box<dyn Error>> {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut stream = tokio::net::TcpStream::connect(&server.address).await?;
    stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: relay\r\nConnection: close\r\n\r\n").await?;
    let mut page = String::new();
    stream.read_to_string(&mut page).await?;
    let line = page.lines().find_map(|line| line.strip_prefix(name)).ok_or("no such figure")?;
    Ok(line.trim().parse()?)
}

/// Everything that was begun has come to rest.
const SETTLED: Duration = Duration::from_secs(1);
/// Rooms that nobody is in have left memory: five seconds, and some.
const EMPTIED: Duration = Duration::from_secs(8);
