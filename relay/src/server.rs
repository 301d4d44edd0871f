//! The relay as a library: a listener, a store and a moment to stop.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use causeway_core::storage::StoreFailure;
use causeway_store::{Storage, StoreGate};
use tokio::net::TcpListener;
use tokio::task::spawn_blocking;
use tokio::time::timeout;
use tracing::{info, warn};

use crate::bounds::Bounds;
use crate::clock::millis;
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
    let (rooms, mut ended) = Rooms::new(gate.clone(), figures, options.bounds);
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
    }
    match timeout(STORE_CLOSE_PATIENCE, spawn_blocking(move || gate.close())).await {
        Ok(closed) => closed.expect("closing the store does not panic")?,
        Err(_) => return Err(RunError::Disk(STORE_CLOSE_PATIENCE)),
    }
    info!("stopped");
    Ok(())
}
