//! Two devices write one text through a relay, and each sees the other's words.
//!
//! ```sh
//! cargo run --bin causeway-relay -- serve       # in one terminal
//! cargo run --example two_devices               # in another
//! ```

use std::error::Error;
use std::process::ExitCode;
use std::time::Duration;

use causeway::{Change, Engine, EngineConfig, Reach, RelayAddress, Text};
use clap::Parser;
use futures_util::StreamExt;
use tokio::time::timeout;

/// Two devices write one text.
#[derive(Parser)]
struct Args {
    /// Through which relay
    #[arg(long, default_value = "ws://127.0.0.1:8787")]
    relay: RelayAddress,
    /// In which room
    #[arg(long, default_value = "two-devices")]
    room: String,
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
    // Each engine stands for a device: its own store (here in memory), its own link to the relay.
    let ada = device("Ada", &args.relay)?;
    let ben = device("Ben", &args.relay)?;

    // A room needs no making: who names it is in it.
    let room = ada.room(&args.room)?;
    if timeout(Duration::from_secs(5), room.online()).await.is_err() {
        return Err(no_relay(&args.relay).into());
    }
    println!("Both are in the room; look on at {}", room.page().unwrap_or_default());

    // Every room has a first text on which all devices agree.
    let at_ada = room.first_text();
    let at_ben = ben.room(&args.room)?.first_text();
    at_ada.ready().await?;
    at_ben.ready().await?;
    at_ada.synced().await;
    at_ben.synced().await;

    // An edit applies at once, on this device. The receipt tells when it is safe.
    let receipt = at_ada.edit(|text| text.insert(text.len(), "Ada was here. "))?;
    println!("Ada writes, and reads at once:  {:?}", at_ada.read()?);
    receipt.reached(Reach::Relay).await?;
    println!("…and now it is on the relay's disk.");

    // The other device hears of it by itself.
    wait_for(&at_ben, "Ada was here. ").await;
    println!("Ben's device reads:             {:?}", at_ben.read()?);

    // Both write at the same place at the same time; nothing is lost, and both end with the same text.
    at_ada.edit(|text| text.insert(0, "[A]"))?;
    at_ben.edit(|text| text.insert(0, "[B]"))?;
    wait_for(&at_ada, "[B]").await;
    wait_for(&at_ben, "[A]").await;
    println!("Ada's device reads:             {:?}", at_ada.read()?);
    println!("Ben's device reads:             {:?}", at_ben.read()?);
    assert_eq!(at_ada.read()?, at_ben.read()?);

    ada.close().await?;
    ben.close().await?;
    Ok(())
}

fn no_relay(relay: &RelayAddress) -> String {
    format!("No relay answers at {relay}. Start one: cargo run --bin causeway-relay -- serve")
}

fn device(name: &str, relay: &RelayAddress) -> Result<Engine, causeway::OpenError> {
    Engine::open(EngineConfig { relay: Some(relay.clone()), name: name.into(), ..EngineConfig::default() })
}

/// Follows a text until it contains `words`. The first item is the whole text, then each change is one.
async fn wait_for(text: &Text, words: &str) {
    let mut changes = text.changes();
    while let Some(change) = changes.next().await {
        let now = match change {
            Change::Reset(whole) => whole,
            Change::Delta { .. } => text.read().unwrap_or_default(),
        };
        if now.contains(words) {
            return;
        }
    }
}
