//! A store that stands still: a thread that waits inside the database, or for a disk that does not answer. Nothing in this process
//! can free it, so the relay ends itself, and whoever supervises it starts it anew.

mod lookout;

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use causeway_store::limits::STANDS_STILL;
use serde::Deserialize;

pub(crate) use self::lookout::Lookout;
use crate::bounds::Bounds;
use crate::limits::{STORE_PATIENCE, STORE_PATIENCE_LEAST};

/// How long the store may stand still before the relay ends itself: seconds or minutes as in `90s` and `5m`, or `forever`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct StorePatience(Option<Duration>);

impl StorePatience {
    /// Sets what a relay waits for.
    pub(crate) fn set(self, bounds: Bounds) -> Bounds {
        // It says that it is not ready before it ends.
        let notice = self.0.map_or(STANDS_STILL, |patience| STANDS_STILL.min(patience / 2));
        Bounds { store_notice: notice, store_patience: self.0, ..bounds }
    }
}

impl Default for StorePatience {
    fn default() -> Self {
        Self(Some(STORE_PATIENCE))
    }
}

/// Why a text says nothing about how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct InvalidPatience;

impl fmt::Display for InvalidPatience {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a store is waited for `forever`, or for at least five seconds, such as `90s` or `5m`")
    }
}

impl std::error::Error for InvalidPatience {}

impl FromStr for StorePatience {
    type Err = InvalidPatience;

    fn from_str(text: &str) -> Result<Self, InvalidPatience> {
        if text == "forever" {
            return Ok(Self(None));
        }
        let (number, seconds) = match (text.strip_suffix('s'), text.strip_suffix('m')) {
            (Some(seconds), _) => (seconds, 1),
            (None, Some(minutes)) => (minutes, 60),
            (None, None) => return Err(InvalidPatience),
        };
        let number: u32 = number.parse().map_err(|_| InvalidPatience)?;
        let span = Duration::from_secs(u64::from(number) * seconds);
        if span < STORE_PATIENCE_LEAST { Err(InvalidPatience) } else { Ok(Self(Some(span))) }
    }
}

impl TryFrom<String> for StorePatience {
    type Error = InvalidPatience;

    fn try_from(text: String) -> Result<Self, InvalidPatience> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_is_waited_for_some_seconds_some_minutes_or_for_ever() {
        let bounds =
            |text: &str| text.parse::<StorePatience>().map(|patience| patience.set(Bounds::default()));
        let waits =
            |text: &str| bounds(text).map(|bounds| (bounds.store_notice.as_secs(), bounds.store_patience));
        assert_eq!(waits("60s"), Ok((10, Some(Duration::from_secs(60)))));
        assert_eq!(waits("5m"), Ok((10, Some(STORE_PATIENCE))));
        assert_eq!(waits("8s"), Ok((4, Some(Duration::from_secs(8)))));
        assert_eq!(waits("forever"), Ok((10, None)));
        assert_eq!(StorePatience::default().set(Bounds::default()), Bounds::default());
        for bad in ["", "s", "0s", "4s", "-1s", "60", "60 s", "for ever", "1h"] {
            assert_eq!(waits(bad), Err(InvalidPatience), "{bad}");
        }
    }
}
