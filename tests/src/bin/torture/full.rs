//! *full*: the disk is full, breaks or turns read-only under a relay that writes, and after a while does so no more. The
//! relay says `later` meanwhile and goes on by itself, or on redb is killed in the midst of it and started anew; then the power is cut,
//! and all that it called saved is there.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use causeway_store::StoreKind;
use tokio::runtime::Runtime;
use tokio::time::{sleep, timeout};

use crate::Outcome;
use crate::crowd::{come_home, set_off_until, writers};
use crate::disk::{Disk, Trouble};
use crate::ledger::audit;
use crate::options::Options;
use crate::relay::{CARRY_BYTES, Setup};
use crate::rng::Rng;
use crate::row::Row;
use crate::samples::Samples;
use crate::writer::Writer;

/// Troubles of a run unless said.
const ROUNDS: u64 = 100;
const WRITERS: usize = 12;
const PAUSE: Duration = Duration::from_millis(20);
/// Changes of the disk before the trouble, at most.
const CHANGES: u64 = 300;
/// How long the trouble lasts, at most.
const LASTS: Duration = Duration::from_millis(900);
/// How soon the relay must take entries again.
const PATIENCE: Duration = Duration::from_secs(40);
/// Troubles that one data folder lives through before the next is begun.
const ROUNDS_OF_A_FOLDER: u64 = 20;
/// With room for some entries only, and with room of which a part is left for the database.
const TROUBLES: [Trouble; 7] = [
    Trouble::FullOnWrite,
    Trouble::FullOnSync,
    Trouble::BrokenWrite,
    Trouble::BrokenSync,
    Trouble::ReadOnly,
    Trouble::RoomFor(64 * 1024),
    Trouble::RoomFor(9 * 1024 * 1024),
];

pub(crate) fn run(options: &Options) -> Outcome<Vec<Row>> {
    let rounds = options.rounds_or(ROUNDS);
    options.stores.iter().map(|kind| on(*kind, rounds, options.seed)).collect()
}

fn on(kind: StoreKind, rounds: u64, seed: u64) -> Outcome<Row> {
    let folder = tempfile::tempdir()?;
    let outcome = Runtime::new()?.block_on(troubles(kind, rounds, seed, folder.path()));
    if outcome.is_err() {
        println!("what the relay said lies in {}", folder.keep().display());
    }
    outcome
}

async fn troubles(kind: StoreKind, rounds: u64, seed: u64, folder: &Path) -> Outcome<Row> {
    let mut disk = Disk::mount()?;
    let mut setup = Setup::new(folder, kind);
    let mut rng = Rng::new(seed);
    let (mut saved, mut resumed) = (0, Samples::default());
    let mut room: Vec<Writer> = Vec::new();
    for round in 0..rounds {
        if round % ROUNDS_OF_A_FOLDER == 0 {
            setup.data = disk.path().join(format!("data-{round}"));
            room = writers(WRITERS, &format!("troubles-{round}"), &mut rng)?;
        }
        let trouble = TROUBLES[(round % TROUBLES.len() as u64) as usize];
        setup.carry_bytes = CARRY_BYTES[rng.index(CARRY_BYTES.len())];
        let told = |why| format!("round {round}, {trouble:?}: {why}");
        room = live_through(&disk, &setup, room, trouble, &mut rng, &mut resumed)
            .await
            .map_err(|why| told(why.to_string()))?;
        disk.cut_power(&mut rng)?;
        let relay = setup.start().map_err(|why| told(why.to_string()))?;
        let held = audit(setup.listen, &room).await.map_err(|why| told(why.to_string()))?;
        relay.kill()?;
        if (round + 1) % ROUNDS_OF_A_FOLDER == 0 || round + 1 == rounds {
            saved += held;
            println!(
                "{kind}: {} troubles, {saved} entries called saved, takes entries again after {resumed}",
                round + 1
            );
        }
    }
    setup.no_panic()?;
    Ok(Row {
        name: format!("full, {kind}"),
        counts: vec![
            ("troubles".into(), rounds),
            ("entries called saved".into(), saved),
            ("of them lost".into(), 0),
        ],
        figures: format!(
            "after the end of a trouble, on redb every other one with a restart, an entry is saved: {resumed}"
        ),
        command: format!("cargo xtask torture full --store {kind} --rounds {rounds}"),
    })
}

/// A relay and its writers before, in and after a trouble, in which every other relay on redb dies; then the relay is killed.
async fn live_through(
    disk: &Disk,
    setup: &Setup,
    room: Vec<Writer>,
    trouble: Trouble,
    rng: &mut Rng,
    resumed: &mut Samples,
) -> Outcome<Vec<Writer>> {
    let mut relay = setup.start()?;
    let stop = Arc::new(AtomicBool::new(false));
    let writing = set_off_until(room, setup, PAUSE, &stop);
    disk.trouble_after(rng.between(1, CHANGES), trouble);
    let deadline = Instant::now() + PATIENCE;
    while !disk.is_in_trouble() {
        if Instant::now() > deadline {
            return Err("the relay writes nothing".into());
        }
        // pace: between two looks at the disk
        sleep(Duration::from_millis(2)).await;
    }
    // pace: it lasts a random while
    sleep(LASTS.mul_f64(rng.below(1000) as f64 / 1000.0)).await;
    // Of sled's folder nobody knows then what never reached the disk (ST4).
    if setup.kind == StoreKind::Redb && rng.chance(50) {
        // Whoever starts anew knows nothing of the trouble, and still reads what never reached the disk.
        relay.kill()?;
        disk.mend();
        relay = setup.start()?;
    }
    disk.mend();
    let mended = Instant::now();
    let mut newcomer = Writer::new("newcomers", Rng::new(rng.next()))?;
    while !matches!(timeout(PATIENCE, newcomer.finish(setup.listen)).await, Ok(Ok(()))) {
        if mended.elapsed() > PATIENCE {
            return Err(
                format!("the disk is well and the relay takes nothing: {}", setup.last_words()).into()
            );
        }
        // pace: a device does not come back at once
        sleep(Duration::from_millis(100)).await;
    }
    resumed.push(mended.elapsed());
    stop.store(true, Ordering::Relaxed);
    relay.kill()?;
    come_home(writing).await
}
