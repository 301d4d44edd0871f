//! *drill*: a backup is made under load, the relay and its disk are lost after it, and the backup is restored into the other
//! kind of store. Devices come back by themselves and bring what the backup lacks.

use std::fs;
use std::path::Path;
use std::time::Duration;

use causeway_store::StoreKind;
use tokio::runtime::Runtime;
use tokio::task::spawn_blocking;
use tokio::time::sleep;

use crate::Outcome;
use crate::crowd::{come_home, set_off, writers};
use crate::ledger::audit;
use crate::options::Options;
use crate::people::People;
use crate::relay::Setup;
use crate::rng::Rng;
use crate::row::Row;
use crate::samples::Samples;

/// Drills of a run unless said.
const ROUNDS: u64 = 20;
/// Clients that write entries by hand, in each of their rooms.
const WRITERS: usize = 20;
/// Clients that are native engines, writing one text.
const PEOPLE: usize = 4;
/// Before and after the backup.
const WRITING: Duration = Duration::from_millis(700);
/// The longest pause of a writer.
const PAUSE: Duration = Duration::from_millis(40);

pub(crate) fn run(options: &Options) -> Outcome<Vec<Row>> {
    let rounds = options.rounds_or(ROUNDS);
    options.stores.iter().map(|kind| on(*kind, rounds, options.seed)).collect()
}

fn on(kind: StoreKind, rounds: u64, seed: u64) -> Outcome<Row> {
    let mut rng = Rng::new(seed);
    let mut figures = Figures::default();
    for _ in 0..rounds {
        let folder = tempfile::tempdir()?;
        let outcome = Runtime::new()?.block_on(drill(kind, &mut rng, folder.path(), &mut figures));
        if let Err(why) = outcome {
            println!("what is left of it lies in {}", folder.keep().display());
            return Err(why);
        }
    }
    let Figures { saved, backups, restores } = figures;
    Ok(Row {
        name: format!("drill, {kind} into {}", other(kind)),
        counts: vec![
            ("relays lost".into(), rounds),
            ("entries called saved".into(), saved),
            ("of them lost".into(), 0),
        ],
        figures: format!("under load a backup took {backups}; restoring it {restores}"),
        command: format!("cargo xtask torture drill --store {kind} --rounds {rounds}"),
    })
}

fn other(kind: StoreKind) -> StoreKind {
    match kind {
        StoreKind::Sled => StoreKind::Redb,
        StoreKind::Redb => StoreKind::Sled,
    }
}

#[derive(Default)]
struct Figures {
    saved: u64,
    backups: Samples,
    restores: Samples,
}

async fn drill(kind: StoreKind, rng: &mut Rng, folder: &Path, figures: &mut Figures) -> Outcome<()> {
    let setup = Setup::new(folder, kind);
    let relay = setup.start()?;
    let people = People::arrive(PEOPLE, setup.listen, "people").await?;
    let mut before = writers(WRITERS, "before", rng)?;
    for writer in &mut before {
        writer.finish(setup.listen).await?;
    }
    let writing = set_off(writers(WRITERS, "during", rng)?, &setup, PAUSE);
    // pace: there is something in the room
    sleep(WRITING).await;
    let (file, data) = (folder.join("rooms.backup"), setup.data.clone());
    let (file, data) = (file.display().to_string(), data.display().to_string());
    let (asked, words) = (setup.clone(), [file.clone(), data.clone()]);
    let backup = move || asked.command(&["backup", &words[0], "--data", &words[1]]);
    figures.backups.push(spawn_blocking(backup).await??);
    // pace: and something that the backup lacks
    sleep(WRITING).await;
    relay.kill()?;
    let mut during = come_home(writing).await?;
    fs::remove_dir_all(&setup.data)?;

    let setup = Setup { kind: other(kind), ..setup };
    figures.restores.push(setup.command(&[
        "restore",
        &file,
        "--data",
        &data,
        "--store",
        setup.kind.name(),
    ])?);
    let relay = setup.start()?;
    // What was saved before the backup was asked for is in it.
    figures.saved += audit(setup.listen, &before).await?;
    during.iter_mut().for_each(|writer| writer.doubt());
    // Whatever of the other room is in it hangs together.
    audit(setup.listen, &during).await?;
    for writer in &mut during {
        writer.finish(setup.listen).await?;
    }
    figures.saved += audit(setup.listen, &during).await?;
    figures.saved += people.agree().await?;
    if !relay.terminate()?.success() {
        return Err("the relay does not end in order".into());
    }
    setup.no_panic()
}
