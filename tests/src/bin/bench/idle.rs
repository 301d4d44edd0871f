//! What links and rooms cost that are only there.

use std::error::Error;
use std::time::Duration;

use causeway_core::ids::StreamId;
use tokio::time::sleep;

use crate::load::{Author, Kind, Link, Server, alone};
use crate::table::Table;

const LINKS: usize = 4_000;
/// Rooms of the first round: people are in company.
const COMPANY: usize = 40;
/// Rooms of the second, with one link each, and one entry that was written before.
const LONELY: usize = 2_000;

/// DESIGN §9.
const BAR: f64 = 8.0 * 1024.0;

pub(crate) fn run() -> Result<Table, Box<dyn Error>> {
    let company = alone(Kind::Relay, |server| Box::pin(fill(server, LINKS, COMPANY)))?;
    let lonely = alone(Kind::Relay, |server| Box::pin(fill(server, LONELY, LONELY)))?;
    let held = company.each <= BAR && company.rooms == 0.0 && lonely.rooms == 0.0;
    let kibibytes = |bytes: f64| format!("{:.1} KiB", bytes / 1024.0);
    let row = |what: String, figure: String, bar: &str| vec![what, figure, bar.into()];
    let again = |filled: &Filled| format!("{} then {}", kibibytes(filled.left), kibibytes(filled.left_again));
    Ok(Table {
        title: "Memory of links and rooms that are only there",
        how: "The relay on redb in a process of its own; its resident memory as the kernel counts it. A room leaves memory \
              five seconds after its last link. What the allocator keeps is there for whoever comes next: the same links \
              come and go twice, and it does not grow."
            .into(),
        heads: &["what", "figure", "bar"],
        rows: vec![
            row(format!("idle link, {LINKS} in {COMPANY} rooms"), kibibytes(company.each), "≤ 8 KiB"),
            row(format!("idle link with a room of its own, {LONELY}"), kibibytes(lonely.each), "–"),
            row("rooms in memory after all have left".into(), format!("{}", lonely.rooms), "0"),
            row("kept by the allocator, for each link that left".into(), again(&company), "–"),
            row("the same, for each room that left".into(), again(&lonely), "–"),
        ],
        verdict: format!("Bars: {}.", if held { "held" } else { "NOT held" }),
    })
}

/// Bytes for each link, and what is left when they have gone.
struct Filled {
    each: f64,
    left: f64,
    /// After the same once more.
    left_again: f64,
    rooms: f64,
}

async fn fill(server: &Server, links: usize, rooms: usize) -> Result<Filled, Box<dyn Error>> {
    for room in 0..rooms {
        let mut author = Author::new(room as u32, StreamId::DIRECTORY);
        let mut link =
            Link::join(server, &format!("idle-{room}"), &author.identity, StreamId::DIRECTORY).await?;
        for frame in author.names(1) {
            link.send(&frame).await?;
        }
        link.next().await?;
    }
    // pace: the relay lets idle rooms go after a while
    sleep(EMPTIED).await;
    let before = server.resident();
    let mut figures = Vec::new();
    for _ in 0..2 {
        let mut open = Vec::new();
        for number in 0..links {
            let author = Author::new((rooms + number) as u32, StreamId::DIRECTORY);
            let room = format!("idle-{}", number % rooms);
            open.push(Link::join(server, &room, &author.identity, StreamId::DIRECTORY).await?);
        }
        // pace: what is measured is the memory at rest
        sleep(SETTLED).await;
        let each = (server.resident() - before) / links as f64;
        drop(open);
        // pace: the relay lets idle rooms go after a while
        sleep(EMPTIED).await;
        figures.push((each, (server.resident() - before) / links as f64));
    }
    let [(each, left), (_, left_again)] = figures[..] else { return Err("two rounds".into()) };
    Ok(Filled { each, left, left_again, rooms: server.figure("causeway_rooms").await? })
}

/// Everything that was begun has come to rest.
const SETTLED: Duration = Duration::from_secs(1);
/// Rooms that nobody is in have left memory: five seconds, and some.
const EMPTIED: Duration = Duration::from_secs(8);
