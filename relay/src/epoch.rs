//! The epoch that the store is in (rule 10).

use causeway_core::storage::{Commit, CommitError, Durability, FailureKind, Scan, StoreFailure};
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

/// What the last restore has left, or the first start over a store that held nothing: who has met another store under this
/// address must not take this one for it. Where that is damaged devices had better bring too much than too little: the epoch is
/// then one that nobody has met. A disk that fails is asked again, as it may come back.
///
/// # Errors
/// When the store failed for as long as we wait.
pub(crate) async fn of_store(gate: &StoreGate) -> Result<u64, StoreFailure> {
    let until = Instant::now() + EPOCH_PATIENCE;
    loop {
        let failure = match read(gate).await {
            Ok(Told::Epoch(epoch)) => return Ok(epoch),
            Ok(Told::Damage) => break,
            Err(failure) if failure.kind == FailureKind::Damaged => break,
            // Nobody is served before it is written: rows without it are of the first epoch.
            Ok(Told::Nothing) => match begin(gate).await {
                Ok(epoch) => return Ok(epoch),
                Err(failure) => failure,
            },
            Err(failure) => failure,
        };
        if Instant::now() >= until {
            return Err(failure);
        }
        warn!(code = failure.code(), %failure, "the epoch of the store is not known yet; nobody is served until it is");
        sleep(EPOCH_PAUSE).await;
    }
    warn!("the epoch of the store is damaged; every device is asked for all it has");
    Ok(anew())
}

/// What a store says of its epoch.
enum Told {
    /// Its epoch, which is the first one where no row says otherwise.
    Epoch(u64),
    /// It holds nothing at all.
    Nothing,
    /// The row is not what was written.
    Damage,
}

/// One that nobody has met.
fn anew() -> u64 {
    let fresh = fresh();
    fresh.epoch_after(1).unwrap_or(fresh.now.0)
}

/// Writes the epoch of a store that begins.
async fn begin(gate: &StoreGate) -> Result<u64, StoreFailure> {
    let epoch = anew();
    let put = vec![(META.to_vec(), MetaRecord { epoch }.encode())];
    let commit = Commit { put, durability: Durability::Strict, ..Commit::default() };
    let (answer, answered) = oneshot::channel();
    gate.commit(backup::own_space(), commit, move |stored| {
        // We wait for it.
        let _ = answer.send(stored);
    });
    match answered.await.map_err(|_| closed())? {
        Ok(()) => Ok(epoch),
        Err(CommitError::Failed(failure)) => Err(failure),
        Err(CommitError::Conflict { .. }) => unreachable!("the commit asks for nothing to be there"),
    }
}

async fn read(gate: &StoreGate) -> Result<Told, StoreFailure> {
    let (answer, answered) = oneshot::channel();
    let scan = Scan { start: META.to_vec(), end: [META, &[0]].concat(), max_bytes: 1024, max_rows: 1 };
    gate.scan(backup::own_space(), scan, move |page| {
        // We wait for it.
        let _ = answer.send(page);
    });
    let page = answered.await.map_err(|_| closed())??;
    if !page.damaged.is_empty() {
        return Ok(Told::Damage);
    }
    let row = page.rows.first().map(|(_, value)| value.as_slice());
    if row.is_none() && is_empty(gate).await? {
        return Ok(Told::Nothing);
    }
    Ok(backup::epoch_of(row).map_or(Told::Damage, Told::Epoch))
}

/// Whether there are no rooms. Where that cannot be read something is there.
async fn is_empty(gate: &StoreGate) -> Result<bool, StoreFailure> {
    let (answer, answered) = oneshot::channel();
    gate.spaces(None, 1, move |spaces| {
        // We wait for it.
        let _ = answer.send(spaces);
    });
    match answered.await.map_err(|_| closed())? {
        Ok(spaces) => Ok(spaces.is_empty()),
        Err(failure) if failure.kind == FailureKind::Damaged => Ok(false),
        Err(failure) => Err(failure),
    }
}

fn closed() -> StoreFailure {
    StoreFailure::new(FailureKind::Closed, "The store was closed.")
}
