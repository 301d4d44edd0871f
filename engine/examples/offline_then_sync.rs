//! Writes without any network into a data folder, ends, and starts again with a relay: the work is sent.
//!
//! ```sh
//! cargo run --bin causeway-relay -- serve       # in one terminal
//! cargo run --example offline_then_sync         # in another
//! ```

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use causeway::{Engine, EngineConfig, Reach, RelayAddress, StoreChoice};
use clap::Parser;
use futures_util::StreamExt;
use tokio::time::timeout;

/// Writes offline, then syncs.
#[derive(Parser)]
struct Args {
    /// Through which relay
    #[arg(long, default_value = "ws://127.0.0.1:8787")]
    relay: RelayAddress,
    /// In which room
    #[arg(long, default_value = "offline-then-sync")]
    room: String,
    /// The folder of this device's data [default: one in the system's folder for such things]
    #[arg(long)]
    data: Option<PathBuf>,
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
    let folder = args.data.unwrap_or_else(|| std::env::temp_dir().join("causeway-offline-then-sync"));
    println!("This device keeps its data in {}", folder.display());

    // On the train: a store, and no relay.
    let engine =
        Engine::open(EngineConfig { store: StoreChoice::Folder(folder.clone()), ..EngineConfig::default() })?;
    let text = engine.room(&args.room)?.first_text();
    text.ready().await?;
    let receipt = text.edit(|text| text.insert(text.len(), "Written on the train. "))?;
    receipt.reached(Reach::Device).await?;
    println!("Offline, on this device's disk: {:?}", text.read()?);
    // Nothing of the engine survives this but the folder.
    engine.close().await?;

    // At home: the same folder, and a relay.
    let engine = Engine::open(EngineConfig {
        store: StoreChoice::Folder(folder),
        relay: Some(args.relay.clone()),
        ..EngineConfig::default()
    })?;
    let room = engine.room(&args.room)?;
    let text = room.first_text();
    text.ready().await?;
    println!("Opened again, it reads:         {:?}", text.read()?);
    if timeout(Duration::from_secs(5), room.online()).await.is_err() {
        engine.close().await?;
        let start = "Start one and run this again: cargo run --bin causeway-relay -- serve";
        return Err(format!("No relay answers at {}; the work stays here. {start}", args.relay).into());
    }
    // The relay says what it has, gets what it lacks, and answers when that is on its disk.
    text.synced().await;
    let mut statuses = text.save_statuses();
    while statuses.next().await.is_some_and(|status| status.unsaved_on_relay > 0) {}
    println!("On the relay's disk too; look at it at {}", room.page().unwrap_or_default());
    engine.close().await?;
    Ok(())
}
