//! The relay as a library: a listener, a store and a moment to stop.

use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use causeway_core::storage::{FailureKind, Scan, StoreFailure};
use causeway_core::stored::META;
use causeway_store::{Storage, StoreGate, backup};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::spawn_blocking;
use tokio::time::timeout;
use tracing::{info, warn};

use crate::bounds::Bounds;
use crate::clock::{Clock, millis};
use crate::door;
use crate::figures::Figures;
use crate::limits::{RETURN_SPREAD, STOP_PATIENCE, STORE_CLOSE_PATIENCE};
use crate::listener;
use crate::rooms::Rooms;
use crate::routes::{self, App};
use crate::timed_store::TimedStore;

/// What a relay may be told beside its listener and its store.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Origins (`https://notes.example`) of pages served elsewhere that may open sockets here.
    pub allow_origin: Vec<String>,
    /// Where whoever runs it may ask for a backup while it serves: the path of a Unix socket, made and removed by it.
    pub door: Option<PathBuf>,
    /// How much it takes in, and how long it waits.
    pub bounds: Bounds,
}

/// Why a relay ended badly. What was called saved is saved all the same.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The last sync of the store failed.
    #[error("the store failed at the end: {0}")]
    Store(#[from] StoreFailure),
    /// The disk did not answer in time.
    #[error("the disk did not answer within {} s at the end", .0.as_secs())]
    Disk(Duration),
}

/// Serves until `shutdown` is over, then answers what was taken, says goodbye and lets go of the store.
///
/// # Errors
/// See [`RunError`].
pub async fn run(
    listener: TcpListener,
    storage: Storage,
    options: Options,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<(), RunError> {
    let figures = Arc::new(Figures::default());
    let watching = Arc::clone(&figures);
    let gate = StoreGate::open(
        storage.watched(move |store| Arc::new(TimedStore { store, figures: Arc::clone(&watching) })),
    );
    let epoch = epoch_of_store(&gate).await?;
    let (rooms, mut ended) = Rooms::new(gate.clone(), epoch, figures, options.bounds);
    let router = routes::router(App { rooms: rooms.clone(), allow_origin: options.allow_origin });
    let stopping = async {
        shutdown.await;
        info!("stopping");
        rooms.stop(millis(RETURN_SPREAD));
        // Nothing is ever sent: this ends with the last sender.
        if timeout(STOP_PATIENCE, ended.recv()).await.is_err() {
            warn!("some links or rooms did not come to an end in time");
        }
    };
    // Served to the end: whoever asks meanwhile hears that the relay is stopping.
    tokio::select! {
        () = stopping => {}
        () = listener::serve(&listener, &router, options.bounds) => {}
        () = door::serve(options.door.as_deref(), &rooms) => {}
    }
    match timeout(STORE_CLOSE_PATIENCE, spawn_blocking(move || gate.close())).await {
        Ok(closed) => closed.expect("closing the store does not panic")?,
        Err(_) => return Err(RunError::Disk(STORE_CLOSE_PATIENCE)),
    }
    info!("stopped");
    Ok(())
}

/// What the last restore has left. Where that cannot be read devices had better bring too much than too little: the epoch is
/// then one that nobody has met.
async fn epoch_of_store(gate: &StoreGate) -> Result<u64, StoreFailure> {
    let (answer, answered) = oneshot::channel();
    let scan = Scan { start: META.to_vec(), end: [META, &[0]].concat(), max_bytes: 1024, max_rows: 1 };
    gate.scan(backup::own_space(), scan, move |page| {
        // We wait for it.
        let _ = answer.send(page);
    });
    let closed = || StoreFailure::new(FailureKind::Closed, "The store was closed.");
    let page = answered.await.map_err(|_| closed())??;
    let row = page.rows.first().map(|(_, value)| value.as_slice());
    let epoch = if page.damaged.is_empty() { backup::epoch_of(row) } else { None };
    Ok(epoch.unwrap_or_else(|| {
        warn!("the epoch of the store cannot be read; every device is asked for all it has");
        Clock::start().now().wall.0
    }))
}
