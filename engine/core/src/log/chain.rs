//! The entries of one replica in one stream, without their payloads.

use std::collections::VecDeque;

use crate::limits::CHAIN_RECENT;
use crate::log::{Head, Introduced, Tip};

/// Where a chain stands, and the recent links other entries may refer to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain {
    /// The newest entry; zero for a chain without any.
    pub seq: u64,
    /// The head there.
    pub head: Head,
    /// Logical time of the newest entry.
    pub logical: u64,
    /// The next yrs clock of this replica's client.
    pub clock: u32,
    /// Who writes it, once they have said so.
    pub introduced: Option<Introduced>,
    recent: VecDeque<Link>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Link {
    pub(super) seq: u64,
    pub(super) head: Head,
    pub(super) logical: u64,
}

impl Default for Chain {
    fn default() -> Self {
        Self { seq: 0, head: Head::START, logical: 0, clock: 0, introduced: None, recent: VecDeque::new() }
    }
}

impl Chain {
    /// A chain read from its tip record.
    pub fn at(tip: Tip) -> Self {
        let Tip { seq, head, logical, clock, introduced } = tip;
        Self { seq, head, logical, clock, introduced, recent: [Link { seq, head, logical }].into() }
    }

    /// Where it stands.
    pub fn tip(&self) -> Tip {
        let Self { seq, head, logical, clock, introduced, .. } = *self;
        Tip { seq, head, logical, clock, introduced }
    }

    pub(super) fn extend(&mut self, head: Head, logical: u64, clock: u32) {
        self.seq += 1;
        self.head = head;
        self.logical = logical;
        self.clock = clock;
        if self.recent.len() == CHAIN_RECENT {
            self.recent.pop_front();
        }
        self.recent.push_back(Link { seq: self.seq, head, logical });
    }

    /// A link of the chain, if it is recent enough to be remembered.
    pub(super) fn link(&self, seq: u64) -> Option<Link> {
        let first = self.recent.front()?.seq;
        let at = usize::try_from(seq.checked_sub(first)?).ok()?;
        self.recent.get(at).copied()
    }
}
