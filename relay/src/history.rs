//! How long history is kept, and the rounds in which rooms that nobody opens let go of what is older.

use std::collections::VecDeque;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use causeway_core::ids::RoomId;
use causeway_core::storage::StoreFailure;
use causeway_store::Space;
use serde::Deserialize;
use tokio::task::spawn_blocking;
use tokio::time::{interval, sleep, timeout};
use tracing::{info, warn};

use crate::limits::{HISTORY_PATIENCE, HISTORY_ROOM_PAUSE, HISTORY_ROOMS, HISTORY_ROUND, HISTORY_SPACES};
use crate::rooms::Rooms;

/// How long entries below a snapshot are kept, counted from when they went into the archive: `forever`, or days or hours
/// as in `90d` and `12h`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct KeepHistory(Option<Duration>);

impl KeepHistory {
    /// None: for ever.
    pub(crate) fn span(self) -> Option<Duration> {
        self.0
    }
}

/// Why a text says nothing about how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct InvalidSpan;

impl fmt::Display for InvalidSpan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("history is kept `forever`, or for days or hours such as `90d` or `12h`")
    }
}

impl std::error::Error for InvalidSpan {}

impl FromStr for KeepHistory {
    type Err = InvalidSpan;

    fn from_str(text: &str) -> Result<Self, InvalidSpan> {
        if text == "forever" {
            return Ok(Self(None));
        }
        let (number, hours) = match (text.strip_suffix('d'), text.strip_suffix('h')) {
            (Some(days), _) => (days, 24),
            (None, Some(hours)) => (hours, 1),
            (None, None) => return Err(InvalidSpan),
        };
        let number: u32 = number.parse().map_err(|_| InvalidSpan)?;
        let span = Duration::from_secs(u64::from(number) * hours * 60 * 60);
        if span.is_zero() { Err(InvalidSpan) } else { Ok(Self(Some(span))) }
    }
}

impl TryFrom<String> for KeepHistory {
    type Error = InvalidSpan;

    fn try_from(text: String) -> Result<Self, InvalidSpan> {
        text.parse()
    }
}

/// Opens every room once a day, which lets go of what is too old; rooms that are open do so by themselves. Runs until it
/// is dropped.
pub(crate) async fn rounds(rooms: &Rooms) {
    if rooms.bounds().keep_history.is_none() {
        return std::future::pending().await;
    }
    let mut days = interval(HISTORY_ROUND);
    loop {
        days.tick().await;
        match round(rooms).await {
            Ok(()) => info!("all rooms were looked through for history that is too old"),
            Err(failure) => {
                warn!(%failure, "the rooms cannot be listed; history of the rest stays for another day");
            }
        }
    }
}

async fn round(rooms: &Rooms) -> Result<(), StoreFailure> {
    let (mut after, mut opened) = (None, VecDeque::new());
    loop {
        let spaces = spaces_behind(rooms, after).await?;
        for space in &spaces {
            let room =
                std::str::from_utf8(space.as_bytes()).ok().and_then(|name| name.parse::<RoomId>().ok());
            // A room that is open looks by itself; for one that has no place now there is tomorrow.
            let Some(room) = room.filter(|room| rooms.may_open(room)) else { continue };
            if opened.len() >= HISTORY_ROOMS
                && let Some(first) = opened.pop_front()
            {
                let _ = timeout(HISTORY_PATIENCE, first).await;
            }
            if let Ok(seat) = rooms.join(&room) {
                opened.push_back(Box::pin(seat.room_ends()));
            }
            sleep(HISTORY_ROOM_PAUSE).await;
        }
        after = spaces.into_iter().next_back();
        if after.is_none() {
            return Ok(());
        }
    }
}

/// The next rooms; none behind the last.
async fn spaces_behind(rooms: &Rooms, after: Option<Space>) -> Result<Vec<Space>, StoreFailure> {
    let store = rooms.around().store.clone();
    let spaces = spawn_blocking(move || store.spaces_and_wait(after.as_ref(), HISTORY_SPACES)).await;
    spaces.unwrap_or_else(|_| Ok(Vec::new()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn history_is_kept_for_ever_for_days_or_for_hours() {
        let span = |text: &str| text.parse::<KeepHistory>().map(KeepHistory::span);
        assert_eq!(span("forever"), Ok(None));
        assert_eq!(span("90d"), Ok(Some(Duration::from_secs(90 * 86_400))));
        assert_eq!(span("12h"), Ok(Some(Duration::from_secs(12 * 3_600))));
        for bad in ["", "d", "0d", "-1d", "90", "90 d", "for ever", "1w"] {
            assert_eq!(span(bad), Err(InvalidSpan), "{bad}");
        }
    }
}
