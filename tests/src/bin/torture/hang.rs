//! *hang*: the disk answers nobody any more under a relay that writes. The relay says that it is not ready, and ends itself with a code
//! of its own; or waits for as long as it takes, and goes on. Then the power is cut, and all that it called saved is there.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use causeway_store::StoreKind;
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use tokio::time::{sleep, timeout};

use crate::Outcome;
use crate::crowd::{come_home, set_off_until, writers};
use crate::disk::{Disk, Trouble};
use crate::ledger::audit;
use crate::metric::get;
use crate::options::Options;
use crate::relay::{CARRY_BYTES, Relay, STOOD_STILL, Setup};
use crate::rng::Rng;
use crate::row::Row;
use crate::samples::Samples;
use crate::writer::Writer;

/// Hangs of a run unless said.
const ROUNDS: u64 = 40;
const WRITERS: usize = 12;
const PAUSE: Duration = Duration::from_millis(20);
/// Changes of the disk before it hangs, at most.
const CHANGES: u64 = 300;
/// How soon the relay must do what it is to do.
const PATIENCE: Duration = Duration::from_secs(40);
/// Of every other relay; the others wait for ever.
const STORE_PATIENCE: &str = "6s";
/// Devices that come in the midst of it, more than the relay has threads to let them in.
const VISITORS: usize = 6;
const VISIT: Duration = Duration::from_millis(300);
/// How long an answer may take.
const ANSWER_PATIENCE: Duration = Duration::from_secs(2);
/// Hangs that one data folder lives through before the next is begun.
const ROUNDS_OF_A_FOLDER: u64 = 20;

pub(crate) fn run(options: &Options) -> Outcome<Vec<Row>> {
    let rounds = options.rounds_or(ROUNDS);
    options.stores.iter().map(|kind| on(*kind, rounds, options.seed)).collect()
}

fn on(kind: StoreKind, rounds: u64, seed: u64) -> Outcome<Row> {
    let folder = tempfile::tempdir()?;
    let outcome = Runtime::new()?.block_on(hangs(kind, rounds, seed, folder.path()));
    if outcome.is_err() {
        println!("what the relay said lies in {}", folder.keep().display());
    }
    outcome
}

async fn hangs(kind: StoreKind, rounds: u64, seed: u64, folder: &Path) -> Outcome<Row> {
    let mut disk = Disk::mount()?;
    let mut setup = Setup::new(folder, kind);
    let mut rng = Rng::new(seed);
    let (mut saved, mut ended) = (0, Samples::default());
    let mut room: Vec<Writer> = Vec::new();
    for round in 0..rounds {
        if round % ROUNDS_OF_A_FOLDER == 0 {
            setup.data = disk.path().join(format!("data-{round}"));
            room = writers(WRITERS, &format!("hangs-{round}"), &mut rng)?;
        }
        setup.carry_bytes = CARRY_BYTES[rng.index(CARRY_BYTES.len())];
        let meets = [Meets::EndWithItsLog, Meets::Wait, Meets::End, Meets::Wait][(round % 4) as usize];
        let told = |why| format!("round {round}: {why}; {}", setup.last_words());
        let living = Setup { store_patience: Some(meets.patience()), ..setup.clone() };
        let living = match meets {
            Meets::EndWithItsLog => Setup { log: disk.path().join("relay.log"), log_level: "info", ..living },
            Meets::End | Meets::Wait => living,
        };
        let outcome = live_through(&disk, (&living, &setup), meets, room, &mut rng, &mut ended).await;
        room = outcome.map_err(|why| told(why.to_string()))?;
        living.no_panic()?;
        disk.cut_power(&mut rng)?;
        let relay = setup.start().map_err(|why| told(why.to_string()))?;
        let held = audit(setup.listen, &room).await.map_err(|why| told(why.to_string()))?;
        relay.kill()?;
        if (round + 1) % ROUNDS_OF_A_FOLDER == 0 || round + 1 == rounds {
            saved += held;
            println!("{kind}: {} hangs, {saved} entries called saved, ends after {ended}", round + 1);
        }
    }
    Ok(Row {
        name: format!("hang, {kind}"),
        counts: vec![
            ("hangs".into(), rounds),
            ("entries called saved".into(), saved),
            ("of them lost".into(), 0),
        ],
        figures: format!(
            "every other relay, told to wait {STORE_PATIENCE} for its store, has let go of its port and ended: {ended}"
        ),
        command: format!("cargo xtask torture hang --store {kind} --rounds {rounds}"),
    })
}

/// How a relay meets a hang.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Meets {
    /// It ends itself.
    End,
    /// The same with its log on the disk that hangs: whoever says something then waits as well.
    EndWithItsLog,
    /// It waits.
    Wait,
}

impl Meets {
    fn patience(self) -> &'static str {
        match self {
            Self::End | Self::EndWithItsLog => STORE_PATIENCE,
            Self::Wait => "forever",
        }
    }
}

/// A relay and its writers before, in and after a hang of the disk; then the one that goes on, or comes after it, is killed.
async fn live_through(
    disk: &Disk,
    (living, after): (&Setup, &Setup),
    meets: Meets,
    room: Vec<Writer>,
    rng: &mut Rng,
    ended: &mut Samples,
) -> Outcome<Vec<Writer>> {
    let mut relay = living.start()?;
    let stop = Arc::new(AtomicBool::new(false));
    let writing = set_off_until(room, living, PAUSE, &stop);
    disk.trouble_after(rng.between(1, CHANGES), Trouble::Hangs);
    let outcome = meet(disk, living, meets, &relay, rng, ended).await;
    // A process in which a thread waits for the disk is gone only when the disk answers.
    disk.mend();
    outcome?;
    if meets != Meets::Wait {
        let status = relay.wait()?;
        if status.code() != Some(STOOD_STILL) {
            return Err(format!("it ends as {status}").into());
        }
        relay = after.start()?;
    }
    let mut newcomer = Writer::new("newcomers", Rng::new(rng.next()))?;
    timeout(PATIENCE, newcomer.finish(after.listen)).await??;
    until("ready", || says(after, "ready")).await?;
    stop.store(true, Ordering::Relaxed);
    Relay::kill(relay)?;
    come_home(writing).await
}

/// The disk hangs, the relay says that it is not ready, and if it is to end itself does so and lets go of everybody.
async fn meet(
    disk: &Disk,
    setup: &Setup,
    meets: Meets,
    relay: &Relay,
    rng: &mut Rng,
    ended: &mut Samples,
) -> Outcome<()> {
    until("in trouble", || async { disk.is_in_trouble() }).await?;
    let began = Instant::now();
    match meets {
        Meets::Wait => return until("not ready", || says(setup, "store-failing")).await,
        // On a machine that has too much to do it may have ended before it was heard.
        Meets::End => {
            until("not ready", || async { says(setup, "store-failing").await || relay.has_ended() }).await?;
        }
        Meets::EndWithItsLog => {
            // Each that enters is told of in the log, by whoever lets it in.
            for _ in 0..VISITORS {
                let mut visitor = Writer::new("visitors", Rng::new(rng.next()))?;
                let _ = timeout(VISIT, visitor.finish(setup.listen)).await;
            }
        }
    }
    until("gone", || async { TcpStream::connect(setup.listen).await.is_err() }).await?;
    until("ended", || async { relay.has_ended() }).await?;
    ended.push(began.elapsed());
    Ok(())
}

async fn says(setup: &Setup, word: &str) -> bool {
    let said = timeout(ANSWER_PATIENCE, get(setup.listen, "/readyz")).await;
    matches!(said, Ok(Ok(said)) if said.ends_with(&format!("\r\n\r\n{word}\n")))
}

async fn until<F: Future<Output = bool>>(what: &str, is_so: impl Fn() -> F) -> Outcome<()> {
    let deadline = Instant::now() + PATIENCE;
    while !is_so().await {
        if Instant::now() > deadline {
            return Err(format!("it does not become {what}").into());
        }
        // pace: between two looks
        sleep(Duration::from_millis(10)).await;
    }
    Ok(())
}
