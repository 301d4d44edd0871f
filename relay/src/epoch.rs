//! The epoch that the store is in (rule 10).

use causeway_core::storage::{Commit, Durability, FailureKind, Scan, StoreFailure};
use causeway_core::stored::{META, MetaRecord};
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

/// What the last restore has left, or the first start over a store that had nothing: who has met another store under this
/// address must not take this one for it. Where that is damaged devices had better bring too much than too little: the epoch is
/// then one that nobody has met. A disk that fails is asked again, as it may come back.
///
/// # Errors
/// When the store could not be read for as long as we wait.
pub(crate) async fn of_store(gate: &StoreGate) -> Result<u64, StoreFailure> {
    let until = Instant::now() + EPOCH_PATIENCE;
    loop {
        let failure = match read(gate).await {
            Ok(Some(Told::Epoch(epoch))) => return Ok(epoch),
            Ok(Some(Told::Nothing)) => return Ok(begin(gate).await),
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

/// What a store says of its epoch.
enum Told {
    /// Its epoch, which is the first one where no row says otherwise.
    Epoch(u64),
    /// It holds nothing at all.
    Nothing,
}

/// The epoch of a store that begins now. Where it cannot be written the next start begins another, and devices bring what they
/// have once more.
async fn begin(gate: &StoreGate) -> u64 {
    let fresh = fresh();
    let epoch = fresh.epoch_after(1).unwrap_or(fresh.now.0);
    let put = vec![(META.to_vec(), MetaRecord { epoch }.encode())];
    let commit = Commit { put, durability: Durability::Strict, ..Commit::default() };
    let (answer, answered) = oneshot::channel();
    gate.commit(backup::own_space(), commit, move |stored| {
        // We wait for it.
        let _ = answer.send(stored);
    });
    if !matches!(answered.await, Ok(Ok(()))) {
        warn!("the epoch of this new store could not be written; the next start begins another");
    }
    epoch
}

/// What the store says; none where the row is not what was written.
async fn read(gate: &StoreGate) -> Result<Option<Told>, StoreFailure> {
    let (answer, answered) = oneshot::channel();
    let scan = Scan { start: META.to_vec(), end: [META, &[0]].concat(), max_bytes: 1024, max_rows: 1 };
    gate.scan(backup::own_space(), scan, move |page| {
        // We wait for it.
        let _ = answer.send(page);
    });
    let closed = || StoreFailure::new(FailureKind::Closed, "The store was closed.");
    let page = answered.await.map_err(|_| closed())??;
    if !page.damaged.is_empty() {
        return Ok(None);
    }
    let row = page.rows.first().map(|(_, value)| value.as_slice());
    if row.is_none() && is_empty(gate).await? {
        return Ok(Some(Told::Nothing));
    }
    Ok(backup::epoch_of(row).map(Told::Epoch))
}

async fn is_empty(gate: &StoreGate) -> Result<bool, StoreFailure> {
    let (answer, answered) = oneshot::channel();
    gate.spaces(None, 1, move |spaces| {
        // We wait for it.
        let _ = answer.send(spaces);
    });
    let closed = || StoreFailure::new(FailureKind::Closed, "The store was closed.");
    Ok(answered.await.map_err(|_| closed())??.is_empty())
}
