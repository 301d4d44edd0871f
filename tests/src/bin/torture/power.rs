//! *power*: the disk loses its power at one operation after the other, and with it any part of what was not fsynced.
//! Whatever the relay called saved is there when it is back.

use std::path::Path;
use std::time::Duration;

use causeway_store::StoreKind;
use tokio::runtime::Runtime;
use tokio::time::sleep;

use crate::Outcome;
use crate::crowd::{come_home, set_off, writers};
use crate::disk::{Disk, Trouble};
use crate::ledger::audit;
use crate::options::Options;
use crate::relay::{CARRY_BYTES, Setup};
use crate::rng::Rng;
use crate::row::Row;
use crate::samples::Samples;
use crate::writer::Writer;

/// Power cuts of a run unless said.
const ROUNDS: u64 = 300;
const WRITERS: usize = 12;
/// The longest pause of a writer.
const PAUSE: Duration = Duration::from_millis(20);
/// Cuts come after 1, 2, 3 … changes since the relay was started, and begin anew here.
const BOUNDARIES: u64 = 250;
/// Cuts that one data folder lives through before the next is begun.
const ROUNDS_OF_A_FOLDER: u64 = 25;
/// How long the relay gets to reach the change at which the power goes.
const PATIENCE: Duration = Duration::from_secs(5);
const TOLD_EVERY: u64 = 25;

pub(crate) fn run(options: &Options) -> Outcome<Vec<Row>> {
    let rounds = options.rounds_or(ROUNDS);
    options.stores.iter().map(|kind| on(*kind, rounds, options.seed)).collect()
}

fn on(kind: StoreKind, rounds: u64, seed: u64) -> Outcome<Row> {
    let folder = tempfile::tempdir()?;
    let outcome = Runtime::new()?.block_on(cuts(kind, rounds, seed, folder.path()));
    if outcome.is_err() {
        println!("what the relay said lies in {}", folder.keep().display());
    }
    outcome
}

async fn cuts(kind: StoreKind, rounds: u64, seed: u64, folder: &Path) -> Outcome<Row> {
    let mut disk = Disk::mount()?;
    let mut setup = Setup::new(folder, kind);
    let mut rng = Rng::new(seed);
    let (mut saved, mut changes, mut again) = (0, 0, Samples::default());
    let mut room: Vec<Writer> = Vec::new();
    for round in 0..rounds {
        if round % ROUNDS_OF_A_FOLDER == 0 {
            setup.data = disk.path().join(format!("data-{round}"));
            room = writers(WRITERS, &format!("cuts-{round}"), &mut rng)?;
        }
        setup.carry_bytes = CARRY_BYTES[rng.index(CARRY_BYTES.len())];
        disk.trouble_after(1 + round % BOUNDARIES, Trouble::NoPower);
        let before = disk.changes();
        room = live_until_the_power_goes(&disk, &setup, room).await?;
        changes += disk.changes() - before;
        disk.cut_power(&mut rng)?;
        let relay = setup.start().map_err(|why| format!("after cut {round}: {why}"))?;
        let held = audit(setup.listen, &room).await.map_err(|why| format!("after cut {round}: {why}"))?;
        again.push(relay.began.elapsed());
        relay.kill()?;
        if (round + 1) % ROUNDS_OF_A_FOLDER == 0 || round + 1 == rounds {
            saved += held;
        }
        if (round + 1) % TOLD_EVERY == 0 {
            println!(
                "{kind}: {} power cuts, {saved} entries called saved, serves again after {again}",
                round + 1
            );
        }
    }
    setup.no_panic()?;
    Ok(Row {
        name: format!("power, {kind}"),
        counts: vec![
            ("power cuts".into(), rounds),
            ("entries called saved".into(), saved),
            ("of them lost".into(), 0),
        ],
        figures: format!("{changes} writes, renames and syncs passed; a room served again: {again}"),
        command: format!("cargo xtask torture power --store {kind} --rounds {rounds}"),
    })
}

/// A relay starts and people write, until the disk takes nothing more; then the relay dies as well.
async fn live_until_the_power_goes(disk: &Disk, setup: &Setup, room: Vec<Writer>) -> Outcome<Vec<Writer>> {
    let Ok(relay) = setup.start() else {
        // The power went while the store was being opened.
        return if disk.is_in_trouble() { Ok(room) } else { Err(setup.last_words().into()) };
    };
    let writing = set_off(room, setup, PAUSE);
    let mut waited = Duration::ZERO;
    while !disk.is_in_trouble() {
        if waited > PATIENCE {
            return Err("the relay writes nothing more".into());
        }
        // pace: between two looks at the disk
        sleep(LOOK).await;
        waited += LOOK;
    }
    relay.kill()?;
    come_home(writing).await
}

const LOOK: Duration = Duration::from_millis(2);
