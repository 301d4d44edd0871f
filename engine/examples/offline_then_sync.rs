//! Writes without any network into a data folder, ends, and starts again with a relay: the work is sent.
//!
//! ```sh
//! cargo run --bin causeway-relay -- serve       # in one terminal
//! cargo run --example offline_then_sync         # in another
//! ```

use std::path::PathBuf;
use std::time::Duration;

use causeway::{Engine, EngineConfig, Reach, RelayAddress, StoreChoice};
use clap::Parser;
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
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args = Args::parse();
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
        eprintln!(
            "No relay answers at {}; the work stays here. Start one and run this again: \
             cargo run --bin causeway-relay -- serve",
            args.relay
        );
        engine.close().await?;
        std::process::exit(1);
    }
    while text.save_status().unsaved_on_relay > 0 || timeout(Duration::ZERO, text.synced()).await.is_err() {
        // Whenever something about saving changes there is an item.
        use futures_util::StreamExt;
        room.events().skip(1).next().await;
    }
    println!("On the relay's disk too; look at it at {}", room.page().unwrap_or_default());
    engine.close().await?;
    Ok(())
}
