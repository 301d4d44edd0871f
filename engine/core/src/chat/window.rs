//! The part of a timeline that is shown: its newest page, and as many older ones as were asked for.

use std::ops::Range;

use crate::chat::Post;
use crate::limits::TIMELINE_PAGE;

/// How the shown part of a timeline changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TimelineChange {
    /// This is shown; forget what was.
    Reset {
        /// The posts, oldest first.
        posts: Vec<Post>,
        /// Whether there are older ones.
        has_older: bool,
    },
    /// A run of posts was replaced by another.
    Splice {
        /// Where the run begins, counted from the first post shown.
        at: usize,
        /// How many posts go.
        remove: usize,
        /// What stands there now.
        insert: Vec<Post>,
        /// Whether there are posts older than those shown.
        has_older: bool,
    },
}

/// A change before its posts are filled in.
#[derive(Debug)]
pub(super) struct Gap {
    splice: Option<(usize, usize)>,
    range: Range<usize>,
    has_older: bool,
}

impl Gap {
    pub(super) fn filled(self, view: impl FnOnce(Range<usize>) -> Vec<Post>) -> TimelineChange {
        let (posts, has_older) = (view(self.range), self.has_older);
        match self.splice {
            None => TimelineChange::Reset { posts, has_older },
            Some((at, remove)) => TimelineChange::Splice { at, remove, insert: posts, has_older },
        }
    }
}

/// Shows posts from `start` on. Between two looks it remembers how many at either end are as they were told.
#[derive(Debug, Default)]
pub(super) struct Window {
    start: usize,
    /// How many posts the reader knows of; `None` before the first reset.
    told: Option<usize>,
    /// Posts that have come since.
    fresh: usize,
    head: usize,
    tail: usize,
}

impl Window {
    /// A post has come to stand at `position`.
    pub(super) fn insert(&mut self, position: usize, length: usize) {
        if position < self.start {
            self.start += 1;
        } else {
            self.fresh += 1;
            self.change(position, length);
        }
    }

    /// The post at `position` is shown differently.
    pub(super) fn change(&mut self, position: usize, length: usize) {
        if position >= self.start {
            self.head = self.head.min(position - self.start);
            self.tail = self.tail.min(length - 1 - position);
        }
    }

    /// Every post may be shown differently.
    pub(super) fn change_all(&mut self) {
        (self.head, self.tail) = (0, 0);
    }

    /// One more page at the beginning.
    pub(super) fn older(&mut self) {
        if self.told.is_some() && self.start > 0 {
            self.start = self.start.saturating_sub(TIMELINE_PAGE);
            self.head = 0;
        }
    }

    /// All that is shown.
    pub(super) fn all(&self, length: usize) -> Option<Gap> {
        self.told.map(|_| Gap { splice: None, range: self.start..length, has_older: self.start > 0 })
    }

    /// What the reader has to be told. Somebody who was away and comes back to more than a page of news begins anew with
    /// the newest page.
    pub(super) fn poll(&mut self, length: usize) -> Option<Gap> {
        let shown = length - self.start;
        let told = self.told.filter(|_| self.fresh <= TIMELINE_PAGE);
        let splice = match told {
            Some(told) if self.head >= told && told == shown => return None,
            Some(told) => {
                let head = self.head.min(told);
                Some((head, told - head - self.tail.min(told - head)))
            }
            None => {
                self.start = length.saturating_sub(TIMELINE_PAGE);
                None
            }
        };
        let range = match splice {
            Some((at, remove)) => self.start + at..length - (told.unwrap_or(0) - at - remove),
            None => self.start..length,
        };
        self.told = Some(length - self.start);
        self.fresh = 0;
        (self.head, self.tail) = (usize::MAX, usize::MAX);
        Some(Gap { splice, range, has_older: self.start > 0 })
    }
}
