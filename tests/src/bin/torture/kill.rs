//! *kill*: SIGKILL at random moments under fifty clients. After each death the relay serves again and holds everything
//! that it ever called saved; in the end all clients agree.

use std::path::Path;
use std::time::Duration;

use causeway_store::StoreKind;
use tokio::runtime::Runtime;
use tokio::time::sleep;

use crate::Outcome;
use crate::crowd::{come_home, set_off, writers};
use crate::ledger::audit;
use crate::options::Options;
use crate::people::People;
use crate::relay::{CARRY_BYTES, Setup};
use crate::rng::Rng;
use crate::row::Row;
use crate::samples::Samples;

/// Deaths of a run unless said.
const ROUNDS: u64 = 300;
/// Clients that write entries by hand and keep books of them.
const WRITERS: usize = 45;
/// Clients that are native engines, writing one text.
const PEOPLE: usize = 5;
/// Deaths that one room lives through before the next is begun.
const ROUNDS_OF_A_ROOM: u64 = 20;
/// The longest that a relay lives.
const LIFE: Duration = Duration::from_millis(600);
/// The longest pause of a writer.
const PAUSE: Duration = Duration::from_millis(120);
/// Deaths between two lines of progress.
const TOLD_EVERY: u64 = 25;

pub(crate) fn run(options: &Options) -> Outcome<Vec<Row>> {
    let rounds = options.rounds_or(ROUNDS);
    options.stores.iter().map(|kind| on(*kind, rounds, options.seed)).collect()
}

fn on(kind: StoreKind, rounds: u64, seed: u64) -> Outcome<Row> {
    let folder = tempfile::tempdir()?;
    let outcome = Runtime::new()?.block_on(deaths(kind, rounds, seed, folder.path()));
    if outcome.is_err() {
        println!("what is left of it lies in {}", folder.keep().display());
    }
    outcome
}

async fn deaths(kind: StoreKind, rounds: u64, seed: u64, folder: &Path) -> Outcome<Row> {
    let mut setup = Setup::new(folder, kind);
    let mut rng = Rng::new(seed);
    let (mut rooms, mut again) = (Vec::new(), Samples::default());
    let mut relay = setup.start()?;
    let people = People::arrive(PEOPLE, setup.listen, "people").await?;
    for round in 0..rounds {
        if round % ROUNDS_OF_A_ROOM == 0 {
            rooms.push(writers(WRITERS, &format!("deaths-{round}"), &mut rng)?);
        }
        let newest = rooms.len() - 1;
        let writing = set_off(std::mem::take(&mut rooms[newest]), &setup, PAUSE);
        // pace: it dies at a random moment
        sleep(LIFE.mul_f64(rng.below(1000) as f64 / 1000.0)).await;
        relay.kill()?;
        rooms[newest] = come_home(writing).await?;
        setup.carry_bytes = CARRY_BYTES[rng.index(CARRY_BYTES.len())];
        relay = setup.start()?;
        people.reconnect();
        audit(setup.listen, &rooms[newest]).await?;
        again.push(relay.began.elapsed());
        audit(setup.listen, &rooms[rng.index(rooms.len())]).await?;
        if (round + 1) % TOLD_EVERY == 0 {
            println!("{kind}: {} deaths, serves again after {again}", round + 1);
        }
    }
    let typed = people.agree().await?;
    let mut saved = 0;
    for room in &mut rooms {
        for writer in room.iter_mut() {
            writer.finish(setup.listen).await?;
        }
        saved += audit(setup.listen, room).await?;
    }
    if !relay.terminate()?.success() {
        return Err("the relay does not end in order".into());
    }
    setup.no_panic()?;
    Ok(Row {
        name: format!("kill, {kind}"),
        counts: vec![
            ("kills".into(), rounds),
            ("entries called saved".into(), saved + typed),
            ("of them lost".into(), 0),
        ],
        figures: format!("a room served again: {again}"),
        command: format!("cargo xtask torture kill --store {kind} --rounds {rounds}"),
    })
}
