//! *storm*: ten thousand devices come back after their relay was killed, at random moments as devices do.

use causeway_store::StoreKind;
use tokio::runtime::Runtime;

use crate::Outcome;
use crate::crowd::writers;
use crate::ledger::audit;
use crate::options::Options;
use crate::relay::Setup;
use crate::rng::Rng;
use crate::row::{Row, grouped};
use crate::swarm::{Habit, Swarm};

/// Devices of a run unless said, in two processes.
const DEVICES: u64 = 10_000;
const PROCESSES: u8 = 2;
const WRITERS: usize = 10;

pub(crate) fn run(options: &Options) -> Outcome<Vec<Row>> {
    let devices = options.rounds_or(DEVICES);
    options.stores.iter().map(|kind| on(*kind, devices, options.seed)).collect()
}

fn on(kind: StoreKind, devices: u64, seed: u64) -> Outcome<Row> {
    let folder = tempfile::tempdir()?;
    let setup = Setup::new(folder.path(), kind);
    let relay = setup.start()?;
    let runtime = Runtime::new()?;
    let mut room = writers(WRITERS, "storm-0", &mut Rng::new(seed))?;
    for writer in &mut room {
        runtime.block_on(writer.finish(setup.listen))?;
    }
    let each = devices as usize / usize::from(PROCESSES);
    let start = |number| Swarm::start(Habit::Device, setup.listen, each, number);
    let mut swarms: Vec<Swarm> = (1..=PROCESSES).map(start).collect::<Outcome<_>>()?;
    let before: Vec<u64> = swarms.iter_mut().map(Swarm::next).collect::<Outcome<_>>()?;
    let (first, resident) = (relay.began.elapsed(), relay.resident());
    println!("{kind}: {devices} devices are in step after {first:.1?}");
    relay.kill()?;
    let relay = setup.start()?;
    let again: Vec<u64> = swarms.iter_mut().map(Swarm::next).collect::<Outcome<_>>()?;
    let span = relay.began.elapsed();
    let saved = runtime.block_on(audit(setup.listen, &room))?;
    if saved != WRITERS as u64 {
        return Err("the entries from before are not there".into());
    }
    let tries = again.iter().sum::<u64>() - before.iter().sum::<u64>();
    let after = relay.resident();
    drop(swarms);
    relay.terminate()?;
    setup.no_panic()?;
    Ok(Row {
        name: format!("storm, {kind}"),
        counts: vec![("devices came back".into(), devices), ("left behind".into(), 0)],
        figures: format!(
            "all in step {:.1} s after the relay was started again, {} tries in vain, relay {} MiB before and {} MiB after",
            span.as_secs_f64(),
            grouped(tries),
            resident >> 20,
            after >> 20
        ),
        command: format!("cargo xtask torture storm --store {kind} --rounds {devices}"),
    })
}
