//! Torture of the real thing: `cargo xtask torture NAME`.
//!
//! A relay in a process of its own, real sockets, real disks, and a [`ledger`] on the side of the clients that knows what
//! was ever called `saved`. Whatever is done to the relay, the books must agree afterwards. A scenario prints what it does
//! and its figures; `--write` adds them to its row in `docs/reliability.md`.
//!
//! The same program is the relay: its first word is then one of the relay's own commands.

mod crowd;
mod device_kill;
mod disk;
mod drill;
mod flip;
mod frames;
mod full;
mod half_open;
mod hang;
mod islander;
mod islands;
mod kill;
mod ledger;
#[path = "../bench/machine.rs"]
mod machine;
mod metric;
mod options;
mod people;
mod power;
mod relay;
#[path = "../../sim/rng.rs"]
mod rng;
mod row;
mod samples;
mod slowloris;
mod socket;
mod stall;
mod stalled;
mod storm;
mod swarm;
mod worker;
mod writer;

use std::error::Error;
use std::process::ExitCode;

use options::Options;
use row::Row;

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// A scenario and the word that runs it.
type Scenario = (&'static str, fn(&Options) -> Outcome<Vec<Row>>);

const SCENARIOS: &[Scenario] = &[
    ("kill", kill::run),
    ("power", power::run),
    ("full", full::run),
    ("hang", hang::run),
    ("flip", flip::run),
    ("drill", drill::run),
    ("device-kill", device_kill::run),
    ("worker", worker::run),
    ("storm", storm::run),
    ("stall", stall::run),
    ("half-open", half_open::run),
    ("slowloris", slowloris::run),
    ("frames", frames::run),
];

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if words.first().is_some_and(|word| relay::COMMANDS.contains(&word.as_str())) {
        return causeway_relay::cli::main();
    }
    let outcome = match words.split_first() {
        Some((word, arguments)) if word == device_kill::DEVICE => device_kill::device(arguments),
        Some((word, arguments)) if word == swarm::SWARM => swarm::swarm(arguments),
        Some((word, arguments)) if word == islander::ISLANDERS => islander::islanders(arguments),
        Some(_) | None => run(&words),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("\nNOT HELD: {why}");
            ExitCode::FAILURE
        }
    }
}

fn run(words: &[String]) -> Outcome<()> {
    let Some((name, rest)) = words.split_first() else { return Err(usage().into()) };
    let (_, scenario) = SCENARIOS.iter().find(|(known, _)| known == name).ok_or_else(usage)?;
    let options = Options::parse(rest)?;
    let rows = scenario(&options)?;
    for row in &rows {
        println!("{row}");
    }
    println!("{}", machine::describe());
    if options.write {
        row::write(&rows, &machine::describe())?;
        println!("added to docs/reliability.md");
    }
    Ok(())
}

fn usage() -> String {
    let names: Vec<&str> = SCENARIOS.iter().map(|(name, _)| *name).collect();
    format!("say which: {}; then {}", names.join(", "), options::HELP)
}
