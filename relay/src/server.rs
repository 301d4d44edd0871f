//! The relay as a library: a listener, a store and a moment to stop.

use std::future::Future;
use std::path::PathBuf;
use std::pin::pin;
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
use crate::door;
use crate::epoch;
use crate::failure::bare;
use crate::figures::Figures;
use crate::history;
use crate::limits::{EPOCH_PATIENCE, FAREWELL_PATIENCE, RETURN_SPREAD, STOP_PATIENCE, STORE_CLOSE_PATIENCE};
use crate::listener;
use crate::rooms::Rooms;
use crate::routes::{self, App};
use crate::standstill::Lookout;
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
    /// Ends the process, without a word and without waiting for anybody. Called on a thread of its own some seconds after the
    /// relay has begun to end because its store stands still: whoever touches the disk then, if only to write a log, may
    /// never come back. Without it nobody sees to that.
    pub backstop: Option<fn()>,
}

/// Why a relay ended badly. What was called saved is saved all the same.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// For a minute the store could not be read, or one that begins could not be written to, so nobody was served.
    #[error("the store could not be read or written to for {} s, so nobody was served: {}", EPOCH_PATIENCE.as_secs(), bare(.0))]
    Unreadable(#[source] StoreFailure),
    /// The last sync of the store failed.
    #[error("the store failed at the end: {}", bare(.0))]
    Store(#[from] StoreFailure),
    /// A call to the store got no further for longer than [`Bounds::store_patience`], so nothing was saved any more.
    #[error(
        "the store stood still for {} s and nothing was saved any more; start the relay again, and look at the disk if that recurs",
        .0.as_secs()
    )]
    StandsStill(Duration),
    /// The disk did not answer in time.
    #[error("the disk did not answer within {} s at the end", .0.as_secs())]
    Disk(Duration),
}

/// Serves until `shutdown` is over, then answers what was taken, says goodbye and lets go of the store. Where the store stands still
/// it ends by itself, and threads of this process may go on waiting for it.
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
    let timed = storage.watched(move |store| Arc::new(TimedStore { store, figures: Arc::clone(&watching) }));
    let gate = StoreGate::open(timed.patient(options.bounds.store_notice));
    let mut shutdown = pin!(shutdown);
    let mut standstill = Lookout::begin(gate.clone(), &listener, options.bounds, options.backstop);
    let epoch = tokio::select! {
        read = epoch::of_store(&gate) => read.map_err(RunError::Unreadable)?,
        span = &mut standstill => return Err(RunError::StandsStill(span)),
        () = &mut shutdown => return close(gate).await,
    };
    let (rooms, mut ended) = Rooms::new(gate.clone(), epoch, figures, options.bounds);
    let router = routes::router(App { rooms: rooms.clone(), allow_origin: options.allow_origin });
    let stopping = async {
        let stood_still = tokio::select! {
            () = shutdown => {
                info!("stopping");
                None
            }
            span = &mut standstill => Some(span),
        };
        rooms.stop(millis(RETURN_SPREAD));
        // Rooms that wait for the store do not come to an end where it stands still.
        let patience = stood_still.map_or(STOP_PATIENCE, |_| FAREWELL_PATIENCE);
        // Nothing is ever sent: this ends with the last sender.
        (stood_still, timeout(patience, ended.recv()).await.is_ok())
    };
    // Served to the end: whoever asks meanwhile hears that the relay is stopping.
    let (stood_still, in_time) = tokio::select! {
        stopped = stopping => stopped,
        () = listener::serve(&listener, &router, options.bounds) => (None, true),
        () = door::serve(options.door.as_deref(), &rooms) => (None, true),
        () = history::rounds(&rooms) => (None, true),
    };
    // While a thread waits for its disk the system closes nothing of a process that ends; and who writes to a log there waits as well.
    drop(listener);
    if !in_time {
        warn!("some links or rooms did not come to an end in time");
    }
    match stood_still {
        Some(span) => Err(RunError::StandsStill(span)),
        None => close(gate).await,
    }
}

async fn close(gate: StoreGate) -> Result<(), RunError> {
    match timeout(STORE_CLOSE_PATIENCE, spawn_blocking(move || gate.close())).await {
        Ok(closed) => closed.expect("closing the store does not panic")?,
        Err(_) => return Err(RunError::Disk(STORE_CLOSE_PATIENCE)),
    }
    info!("stopped");
    Ok(())
}
