//! *slowloris*: fifteen thousand clients send half of a request and wait, while people connect and write.

use std::time::Instant;

use causeway_store::StoreKind;
use tokio::runtime::Runtime;

use crate::Outcome;
use crate::crowd::writers;
use crate::ledger::audit;
use crate::options::Options;
use crate::relay::Setup;
use crate::rng::Rng;
use crate::row::Row;
use crate::samples::Samples;
use crate::swarm::{Habit, Swarm};

/// Half requests of a run unless said, in two processes.
const HALVES: u64 = 15_000;
const PROCESSES: u8 = 2;
const PEOPLE: usize = 50;

pub(crate) fn run(options: &Options) -> Outcome<Vec<Row>> {
    let halves = options.rounds_or(HALVES);
    let folder = tempfile::tempdir()?;
    let setup = Setup::new(folder.path(), StoreKind::default());
    let relay = setup.start()?;
    let runtime = Runtime::new()?;
    let mut rng = Rng::new(options.seed);
    let alone = connect(&runtime, &setup, "alone", &mut rng)?;
    let before = relay.resident();
    let each = halves as usize / usize::from(PROCESSES);
    let start = |number| Swarm::start(Habit::HalfRequest, setup.listen, each, number);
    let mut swarms: Vec<Swarm> = (1..=PROCESSES).map(start).collect::<Outcome<_>>()?;
    for swarm in &mut swarms {
        swarm.next()?;
    }
    let held = Instant::now();
    let beside = connect(&runtime, &setup, "beside", &mut rng)?;
    let cost = relay.resident().saturating_sub(before) / halves.max(1);
    println!("{halves} half requests are held; {PEOPLE} people connected and saved: {beside}");
    for swarm in &mut swarms {
        swarm.next()?;
    }
    let let_go = held.elapsed().as_secs_f64();
    relay.terminate()?;
    setup.no_panic()?;
    Ok(vec![Row {
        name: "slowloris".into(),
        counts: vec![
            ("half requests".into(), halves),
            ("people who wrote meanwhile".into(), PEOPLE as u64),
            ("turned away".into(), 0),
        ],
        figures: format!(
            "to connect and have an entry saved: {beside}, without them {alone}; {cost} bytes of the relay's memory each; all let go {let_go:.1} s after the last had come"
        ),
        command: format!("cargo xtask torture slowloris --rounds {halves}"),
    }])
}

/// People come one after the other, and each has an entry saved.
fn connect(runtime: &Runtime, setup: &Setup, room: &str, rng: &mut Rng) -> Outcome<Samples> {
    let mut people = writers(PEOPLE, room, rng)?;
    let mut spans = Samples::default();
    for person in &mut people {
        let began = Instant::now();
        runtime.block_on(person.finish(setup.listen))?;
        spans.push(began.elapsed());
    }
    runtime.block_on(audit(setup.listen, &people))?;
    Ok(spans)
}
