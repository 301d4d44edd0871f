//! The epoch that the store is in (rule 10).

use causeway_core::storage::{FailureKind, Scan, StoreFailure};
use causeway_core::stored::META;
use causeway_store::StoreGate;
use causeway_store::backup::{self, Fresh};
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep};
use tracing::warn;

use crate::clock::Clock;
use crate::limits::{EPOCH_PATIENCE, EPOCH_PAUSE};

/// Of this moment, and of chance.
pub(crate) fn fresh() -> Fresh {
    let mut chance = [0; 4];
    getrandom::fill(&mut chance).expect("the system has randomness");
    Fresh { now: Clock::start().now().wall, chance: u32::from_le_bytes(chance) }
}

/// What the last restore has left. Where that is damaged devices had better bring too much than too little: the epoch is then
/// one that nobody has met. A disk that fails is asked again, as it may come back.
///
/// # Errors
/// When the store could not be read for as long as we wait.
pub(crate) async fn of_store(gate: &StoreGate) -> Result<u64, StoreFailure> {
    let until = Instant::now() + EPOCH_PATIENCE;
    loop {
        let failure = match read(gate).await {
            Ok(Some(epoch)) => return Ok(epoch),
            Ok(None) => break,
            Err(failure) if failure.kind == FailureKind::Damaged => break,
            Err(failure) => failure,
        };
        if Instant::now() >= until {
            return Err(failure);
        }
        warn!(code = failure.code(), %failure, "the epoch of the store cannot be read yet; nobody is served until it is");
        sleep(EPOCH_PAUSE).await;
    }
    warn!("the epoch of the store is damaged; every device is asked for all it has");
    let fresh = fresh();
    Ok(fresh.epoch_after(1).unwrap_or(fresh.now.0))
}

/// The epoch; none where its row is not what was written.
async fn read(gate: &StoreGate) -> Result<Option<u64>, StoreFailure> {
    let (answer, answered) = oneshot::channel();
    let scan = Scan { start: META.to_vec(), end: [META, &[0]].concat(), max_bytes: 1024, max_rows: 1 };
    gate.scan(backup::own_space(), scan, move |page| {
        // We wait for it.
        let _ = answer.send(page);
    });
    let closed = || StoreFailure::new(FailureKind::Closed, "The store was closed.");
    let page = answered.await.map_err(|_| closed())??;
    let row = page.rows.first().map(|(_, value)| value.as_slice());
    Ok(if page.damaged.is_empty() { backup::epoch_of(row) } else { None })
}
