//! Many writers at once, who write until their relay is gone and then come home with their books.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::Outcome;
use crate::relay::Setup;
use crate::rng::Rng;
use crate::writer::Writer;

/// How long the links of a dead relay may last.
const PATIENCE: Duration = Duration::from_secs(30);

/// So many new writers of one room.
pub(crate) fn writers(count: usize, room: &str, rng: &mut Rng) -> Outcome<Vec<Writer>> {
    (0..count).map(|_| Writer::new(room, Rng::new(rng.next()))).collect()
}

/// All of them write until the relay is gone, each pausing up to `pause` between entries.
pub(crate) fn set_off(writers: Vec<Writer>, setup: &Setup, pause: Duration) -> JoinSet<Outcome<Writer>> {
    let to = setup.listen;
    let mut writing = JoinSet::new();
    for mut writer in writers {
        writing.spawn(async move {
            writer.write_until_it_dies(to, pause).await?;
            Ok(writer)
        });
    }
    writing
}

/// All of them write, and come back whenever their link ends, until `stop` is set and the relay is gone.
pub(crate) fn set_off_until(
    writers: Vec<Writer>,
    setup: &Setup,
    pause: Duration,
    stop: &Arc<AtomicBool>,
) -> JoinSet<Outcome<Writer>> {
    let to = setup.listen;
    let mut writing = JoinSet::new();
    for mut writer in writers {
        let stop = Arc::clone(stop);
        writing.spawn(async move {
            writer.write_until_told(to, pause, &stop).await?;
            Ok(writer)
        });
    }
    writing
}

/// Waits for all of them.
///
/// # Errors
/// What one of them met that no death of a relay excuses.
pub(crate) async fn come_home(mut writing: JoinSet<Outcome<Writer>>) -> Outcome<Vec<Writer>> {
    let mut writers = Vec::new();
    while let Some(writer) = timeout(PATIENCE, writing.join_next()).await? {
        writers.push(writer??);
    }
    Ok(writers)
}
