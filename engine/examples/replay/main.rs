//! Types a recording into a room, so that anyone can watch a document being written live.
//!
//! ```sh
//! cargo run --release --bin causeway-relay -- serve          # in one terminal
//! cargo run --release --example replay -- --speed 20x        # in another; open the link it prints
//! ```

mod recording;

use std::error::Error;
use std::io::{Write, stdout};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use causeway::{DeltaOp, Engine, EngineConfig, Reach, Receipt, RelayAddress, Text};
use clap::Parser;
use recording::{Patch, Recording};
use tokio::time::{sleep_until, timeout};

/// Types a recording into a room, keystroke by keystroke.
#[derive(Parser)]
struct Args {
    /// Which recording: automerge-paper or rustcode
    #[arg(long, default_value = "automerge-paper")]
    recording: String,
    /// How fast: 1x is ten keystrokes a second with the author's pauses, 20x twenty times that, max as fast as it goes
    #[arg(long, default_value = "20x", value_parser = speed)]
    speed: Speed,
    /// Into which room
    #[arg(long, default_value = "replay")]
    room: String,
    /// Through which relay
    #[arg(long, default_value = "ws://127.0.0.1:8787")]
    relay: RelayAddress,
}

#[derive(Clone, Copy)]
enum Speed {
    Times(f64),
    Max,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Args::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(args: Args) -> Result<(), Box<dyn Error>> {
    let recording = Recording::open(&args.recording)?;
    let end = recording.end_content.clone();
    let patches = recording.patches();

    let engine = Engine::open(EngineConfig {
        relay: Some(args.relay.clone()),
        name: "Replay".into(),
        colour: 0x2a_7f_9e,
        ..EngineConfig::default()
    })?;
    let room = engine.room(&args.room)?;
    if timeout(Duration::from_secs(5), room.online()).await.is_err() {
        let start = "Start one: cargo run --release --bin causeway-relay -- serve";
        return Err(format!("No relay answers at {}. {start}", args.relay).into());
    }
    let text = room.first_text();
    text.ready().await?;
    text.synced().await;
    println!("Watch it at {}", room.page().unwrap_or_default());
    if !text.is_empty()? {
        return Err(format!("The room {} has a text already; choose another with --room", args.room).into());
    }

    let started = Instant::now();
    let last = type_all(&text, &patches, args.speed).await?;
    let typed = started.elapsed();
    if let Some(receipt) = last {
        receipt.reached(Reach::Relay).await?;
    }
    let equal = if text.read()? == end {
        "reads as it did when it was recorded"
    } else {
        "DIFFERS from the recording"
    };
    println!(
        "\n{} keystrokes in {typed:.1?}, on the relay's disk after {:.1?}",
        patches.len(),
        started.elapsed()
    );
    println!("The text {equal}.");
    engine.close().await?;
    Ok(())
}

/// Types every keystroke at its time.
async fn type_all(text: &Text, patches: &[Patch], speed: Speed) -> Result<Option<Receipt>, Box<dyn Error>> {
    let began = tokio::time::Instant::now();
    let mut due = Duration::ZERO;
    let mut before = patches.first().map_or(0, |patch| patch.time);
    let mut last = None;
    for (n, patch) in patches.iter().enumerate() {
        if let Speed::Times(times) = speed {
            let pause = Duration::from_millis(patch.time.saturating_sub(before));
            let pause = pause.clamp(KEYSTROKE, LONGEST_PAUSE);
            due += pause.div_f64(times);
            before = patch.time;
            sleep_until(began + due).await;
        } else if n % 256 == 0 {
            tokio::task::yield_now().await;
        }
        let keystroke = [
            DeltaOp::Retain(patch.at),
            DeltaOp::Delete(patch.deleted),
            DeltaOp::Insert(patch.inserted.clone()),
        ];
        last = Some(text.apply(&keystroke)?);
        if n % 1_000 == 0 || n + 1 == patches.len() {
            print!("\r{:>7} of {} keystrokes, {:>6} units of text", n + 1, patches.len(), text.len()?);
            stdout().flush()?;
        }
    }
    Ok(last)
}

fn speed(text: &str) -> Result<Speed, String> {
    if text == "max" {
        return Ok(Speed::Max);
    }
    let times = text.strip_suffix('x').and_then(|times| times.parse().ok());
    times.filter(|times| *times > 0.0).map(Speed::Times).ok_or_else(|| "write 1x, 20x or max".into())
}

/// A keystroke takes as long at least; the times of some recordings say when they were saved, not typed.
const KEYSTROKE: Duration = Duration::from_millis(100);
/// Nobody wants to watch the author sleep.
const LONGEST_PAUSE: Duration = Duration::from_secs(3);
