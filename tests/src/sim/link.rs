//! Links: bytes in order with a delay, until fate steps in.

use bytes::Bytes;
use causeway_core::home::Lane;

use crate::sim::relay::At;
use crate::sim::rng::Rng;

/// One link between a device and a home. Its number is the home's [`causeway_core::ids::ConnId`].
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) device: usize,
    pub(crate) to: At,
    /// Whether the device still thinks that it is open.
    pub(crate) at_device: bool,
    /// Whether the home still thinks so.
    pub(crate) at_home: bool,
    /// Whether bytes still get through.
    pub(crate) alive: bool,
    pub(crate) delay: u64,
    pub(crate) last_to_home: u64,
    pub(crate) last_to_device: u64,
    /// Frames to lose and frames to deliver twice, from now on.
    pub(crate) to_lose: u32,
    pub(crate) to_repeat: u32,
    /// Nothing is written out to the device before this moment.
    pub(crate) slow_until: u64,
    /// What the home has queued and the socket has not taken.
    pub(crate) queue: Vec<(Lane, Bytes)>,
    pub(crate) writing: bool,
}

impl Link {
    pub(crate) fn new(device: usize, to: At, delay: u64) -> Self {
        Self {
            device,
            to,
            at_device: true,
            at_home: true,
            alive: true,
            delay,
            last_to_home: 0,
            last_to_device: 0,
            to_lose: 0,
            to_repeat: 0,
            slow_until: 0,
            queue: Vec::new(),
            writing: false,
        }
    }

    pub(crate) fn queued_bytes(&self) -> usize {
        self.queue.iter().map(|(_, bytes)| bytes.len()).sum()
    }

    /// The next frame to be written: the control lane goes first, and which of the others follows is left to fate.
    pub(crate) fn take_next(&mut self, rng: &mut Rng) -> Option<(Lane, Bytes)> {
        let first = |lane| self.queue.iter().position(|(of, _)| *of == lane);
        let heads: Vec<usize> = Lane::ALL[1..].iter().filter_map(|lane| first(*lane)).collect();
        let next = match first(Lane::Control) {
            Some(control) => control,
            None if heads.is_empty() => return None,
            None => heads[rng.below(heads.len() as u64) as usize],
        };
        Some(self.queue.remove(next))
    }

    pub(crate) fn waits_in(&self, lane: Lane) -> bool {
        self.queue.iter().any(|(of, _)| *of == lane)
    }
}

/// The handshake is not lost or repeated alone: no byte stream does that, and a session that begins in the middle of one
/// is rightly ended by the home for good.
pub(crate) fn may_suffer(bytes: &[u8]) -> bool {
    !matches!(bytes.first(), Some(&(1..=3) | &17 | &18) | None)
}
