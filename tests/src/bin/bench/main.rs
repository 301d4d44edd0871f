//! The benchmarks: `cargo xtask bench`, or `cargo run --release -p causeway-tests --bin bench`.
//!
//! Every figure stands beside a peer or a floor measured in the same run, because a time alone says more about the
//! machine than about the code. `replay` or `latency` runs one of the two; `--write` puts the table into `docs/benchmarks.md`.

mod disk;
mod latency;
mod lone_room;
mod machine;
#[path = "../../../../engine/examples/replay/recording.rs"]
mod recording;
mod replay;
mod samples;
mod stopwatch;
mod table;

use std::error::Error;
use std::path::Path;

use table::Table;

fn main() -> Result<(), Box<dyn Error>> {
    let (mut write, mut only) = (false, None);
    for argument in std::env::args().skip(1) {
        match argument.as_str() {
            "--write" => write = true,
            "replay" | "latency" => only = Some(argument),
            other => return Err(format!("'{other}' is not known; say replay or latency, and --write").into()),
        }
    }
    let wanted = |name: &str| only.as_deref().is_none_or(|only| only == name);
    if cfg!(debug_assertions) {
        println!("A debug build: these figures say nothing. Use `cargo xtask bench`.");
    }
    let mut tables = Vec::new();
    let mut show = |table: Table| {
        println!("\n{table}");
        tables.push(table);
    };
    if wanted("replay") {
        match recording::Recording::open("automerge-paper") {
            Ok(recording) => show(replay::run(recording)?),
            Err(sentence) => println!("SKIPPED replay (no ../shared/data): {sentence}"),
        }
    }
    if wanted("latency") {
        show(latency::run()?);
    }
    let machine = machine::describe();
    println!("\n{machine}");
    if write {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/benchmarks.md");
        std::fs::write(&path, table::document(&machine, &tables))?;
        println!("written to docs/benchmarks.md");
    }
    Ok(())
}
