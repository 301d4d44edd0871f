//! What a seed decides before anything happens.

use causeway_core::home::CompactionPlan;
use causeway_core::ids::{RoomId, StreamId};
use causeway_core::time::Millis;

use crate::sim::rng::Rng;

/// The shape of one run.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) devices: usize,
    pub(crate) documents: Vec<StreamId>,
    /// Milliseconds of typing and trouble before everything heals.
    pub(crate) trouble: u64,
    /// Mean time between two strokes of fate.
    pub(crate) calm: u64,
    /// Which kinds of trouble this run knows: leaving some out lets the others go further.
    pub(crate) kinds: Vec<Trouble>,
    /// Percent of pauses between two edits that are long.
    pub(crate) pauses: u64,
    /// Whether people paste whole pages.
    pub(crate) pastes: bool,
    /// When streams get snapshots: after so few entries that every run has some.
    pub(crate) compaction: CompactionPlan,
    /// How long the relay keeps history, if not for ever.
    pub(crate) history: Option<Millis>,
}

/// How many devices a world begins with at the most.
pub(crate) const MOST_DEVICES: usize = 8;

/// A stroke of fate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    Cut,
    Lossy,
    Twice,
    HalfOpen,
    Offline,
    SlowReader,
    Kill,
    PowerCut,
    Wipe,
    DeviceDisk,
    RelayKill,
    RelayStop,
    RelayDisk,
    Restore,
    SlowDisk,
    Nudge,
    Sleep,
    Usurp,
    Rot,
    Miswrite,
}

const ALL: [Trouble; 20] = [
    Trouble::Cut,
    Trouble::Lossy,
    Trouble::Twice,
    Trouble::HalfOpen,
    Trouble::Offline,
    Trouble::SlowReader,
    Trouble::Kill,
    Trouble::PowerCut,
    Trouble::Wipe,
    Trouble::DeviceDisk,
    Trouble::RelayKill,
    Trouble::RelayStop,
    Trouble::RelayDisk,
    Trouble::Restore,
    Trouble::SlowDisk,
    Trouble::Nudge,
    Trouble::Sleep,
    Trouble::Usurp,
    Trouble::Rot,
    Trouble::Miswrite,
];

impl Plan {
    pub(crate) fn draw(rng: &mut Rng, room: &RoomId) -> Self {
        let documents = (1..rng.between(1, 3)).map(|n| StreamId::ydoc([n as u8; 16]));
        let documents = [StreamId::first_document(room)].into_iter().chain(documents).collect();
        let mut kinds: Vec<Trouble> = ALL.into_iter().filter(|_| rng.chance(60)).collect();
        // A disk that is gone and a relay put back to yesterday may together lose what was saved, and nobody lied.
        let unwanted = if rng.chance(50) { Trouble::Wipe } else { Trouble::Restore };
        kinds.retain(|kind| *kind != unwanted);
        Self {
            devices: rng.between(3, MOST_DEVICES as u64) as usize,
            documents,
            trouble: rng.between(15_000, 50_000),
            calm: rng.between(400, 5_000),
            kinds,
            pauses: rng.between(2, 40),
            pastes: rng.chance(30),
            compaction: CompactionPlan {
                entries: rng.between(4, 40),
                bytes: u64::MAX / 4,
                quiet: Millis(rng.between(0, 1_000)),
                posts: rng.between(1, 12) as usize,
                sent: rng.between(0, 2_000) as usize,
            },
            history: None,
        }
    }
}
