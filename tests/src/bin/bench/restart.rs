//! A relay that was killed with ten thousand rooms on its disk.

use std::error::Error;
use std::path::Path;
use std::time::{Duration, Instant};

use causeway_core::ids::StreamId;
use causeway_core::storage::{Commit, Scan};
use causeway_store::{Space, StoreKind};
use tokio::runtime::Builder;

use crate::load::{Author, Link, Server};
use crate::store_open::copy;
use crate::table::Table;

const ROOMS: usize = 10_000;
const ENTRIES: usize = 20;
/// Rooms in one batch of the store.
const BATCH: usize = 100;
/// Rooms that are opened one after the other once it listens.
const OPENED: usize = 100;

/// DESIGN §9.
const BAR: Duration = Duration::from_secs(2);

pub(crate) fn run() -> Result<Table, Box<dyn Error>> {
    let (mut rows, mut held) = (Vec::new(), true);
    for kind in StoreKind::ALL {
        let folder = tempfile::tempdir()?;
        let killed = folder.path().join("killed");
        let runtime = Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(fill(kind, folder.path(), &killed))?;
        let began = Instant::now();
        let server = Server::start_relay(kind, &killed)?;
        let listening = began.elapsed();
        let (first, hundred) = runtime.block_on(async {
            enter(&server, ROOMS / 2).await?;
            let first = began.elapsed();
            for room in 0..OPENED {
                enter(&server, room * ROOMS / OPENED).await?;
            }
            Ok::<_, Box<dyn Error>>((first, began.elapsed()))
        })?;
        held &= first <= BAR;
        let seconds = |span: Duration| format!("{:.2} s", span.as_secs_f64());
        let mebibytes = format!("{:.0} MiB", server.resident() / 1024.0 / 1024.0);
        rows.push(vec![format!("{kind}"), seconds(listening), seconds(first), seconds(hundred), mebibytes]);
    }
    Ok(Table {
        title: "A relay that starts again with 10,000 rooms",
        how: format!(
            "{ROOMS} rooms of {ENTRIES} entries, in a folder as a killed process leaves it. From the start of the process."
        ),
        heads: &["store", "listens after", "one room synced after", "and a hundred more", "memory then"],
        rows,
        verdict: format!(
            "Bar: serving within {} s — {}.",
            BAR.as_secs(),
            if held { "held" } else { "NOT held" }
        ),
    })
}

/// One room as a relay wrote it, ten thousand times.
pub(crate) async fn fill(kind: StoreKind, folder: &Path, killed: &Path) -> Result<(), Box<dyn Error>> {
    let data = folder.join("data");
    let server = Server::start_relay(kind, &data)?;
    let mut author = Author::new(1, StreamId::DIRECTORY);
    let mut link = Link::join(&server, "pattern", &author.identity, StreamId::DIRECTORY).await?;
    for frame in author.names(ENTRIES) {
        link.send(&frame).await?;
        link.next().await?;
    }
    drop((link, server));
    let store = kind.open(&data)?;
    let all = Scan { start: Vec::new(), end: vec![0xff], max_bytes: 1 << 20, max_rows: 1000 };
    let page = store.scan(&Space::new("pattern")?, &all)?;
    if page.more.is_some() || page.rows.len() < 2 * ENTRIES {
        return Err("the pattern is not whole".into());
    }
    let room = Commit { put: page.rows, ..Commit::default() };
    for first in (0..ROOMS).step_by(BATCH) {
        let spaces = (first..first + BATCH).map(|number| Space::new(name(number)));
        let group: Vec<_> =
            spaces.map(|space| Ok((space?, room.clone()))).collect::<Result<_, Box<dyn Error>>>()?;
        for answer in store.apply_group(&group) {
            answer?;
        }
        store.sync()?;
    }
    copy(&data, killed)
}

/// Until all of the room has come.
async fn enter(server: &Server, room: usize) -> Result<(), Box<dyn Error>> {
    let author = Author::new(2, StreamId::DIRECTORY);
    Link::join(server, &name(room), &author.identity, StreamId::DIRECTORY).await.map(drop)
}

fn name(room: usize) -> String {
    format!("room-{room:06}")
}
