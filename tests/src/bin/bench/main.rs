//! The benchmarks: `cargo xtask bench`, or `cargo run --release -p causeway-tests --bin bench`.
//!
//! Every figure stands beside a peer or a floor measured in the same run, because a time alone says more about the
//! machine than about the code. A name of [`BENCHES`] runs that one; `--write` puts the tables into `docs/benchmarks.md`.

mod backups;
mod channel;
mod cold_open;
mod disk;
mod fan_out;
mod guard;
mod idle;
mod joins;
mod latency;
mod load;
mod lone_room;
mod machine;
mod presence;
#[path = "../../../../engine/examples/replay/recording.rs"]
mod recording;
mod replay;
mod restart;
mod samples;
mod stalled;
mod steps;
mod stopwatch;
mod store_load;
mod store_open;
mod store_rate;
mod store_size;
mod table;

use std::error::Error;
use std::path::Path;
use std::process::ExitCode;

use recording::Recording;
use table::Table;

/// As in the relay, whose rooms are served by this program here.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// A table, or nothing where what it needs is not there; it has said so then.
type Outcome = Result<Option<Table>, Box<dyn Error>>;

/// A benchmark, and the word that runs it alone.
type Bench = (&'static str, fn() -> Outcome);

/// All of them, in the order of the document.
const BENCHES: &[Bench] = &[
    ("replay", || with_the_paper("replay", replay::run)),
    ("guard", || with_the_paper("guard", guard::run)),
    ("steps", || steps::run().map(Some)),
    ("cold-open", || with_the_paper("cold-open", cold_open::run)),
    ("channel", || channel::run().map(Some)),
    ("latency", || latency::run().map(Some)),
    ("fan-out", || fan_out::run().map(Some)),
    ("joins", || joins::run().map(Some)),
    ("stalled", || stalled::run().map(Some)),
    ("presence", || presence::run().map(Some)),
    ("idle", || idle::run().map(Some)),
    ("restart", || restart::run().map(Some)),
    ("backups", || backups::run().map(Some)),
    ("store-rate", || store_rate::run().map(Some)),
    ("store-size", || store_size::run().map(Some)),
    ("store-open", || store_open::run().map(Some)),
];

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    if let [Some(word), Some(what), Some(folder)] = [(); 3].map(|()| arguments.next())
        && word == load::SERVE
    {
        return load::serve(&what, &folder);
    }
    if std::env::args().nth(1).as_deref() == Some(backups::COMMAND) {
        let ended = causeway_relay::cli::main();
        return if ended == ExitCode::SUCCESS { Ok(()) } else { Err("the relay's command failed".into()) };
    }
    let (mut write, mut only) = (false, None);
    for argument in std::env::args().skip(1) {
        if argument == "--write" {
            write = true;
        } else if BENCHES.iter().any(|(name, _)| *name == argument) {
            only = Some(argument);
        } else {
            let names: Vec<&str> = BENCHES.iter().map(|(name, _)| *name).collect();
            return Err(
                format!("'{argument}' is not known; say --write or one of {}", names.join(", ")).into()
            );
        }
    }
    if cfg!(debug_assertions) {
        println!("A debug build: these figures say nothing. Use `cargo xtask bench`.");
    }
    let mut tables = Vec::new();
    for (name, run) in BENCHES {
        if only.as_deref().is_none_or(|only| only == *name)
            && let Some(table) = run()?
        {
            println!("\n{table}");
            tables.push(table);
        }
    }
    let machine = machine::describe();
    println!("\n{machine}");
    if write {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/benchmarks.md");
        let before = std::fs::read_to_string(&path).unwrap_or_default();
        std::fs::write(&path, table::document(&before, &machine, &tables))?;
        println!("written to docs/benchmarks.md");
    }
    Ok(())
}

fn with_the_paper(bench: &str, run: fn(Recording) -> Result<Table, Box<dyn Error>>) -> Outcome {
    match Recording::open("automerge-paper") {
        Ok(recording) => run(recording).map(Some),
        Err(sentence) => {
            println!("SKIPPED {bench} (no ../shared/data): {sentence}");
            Ok(None)
        }
    }
}
