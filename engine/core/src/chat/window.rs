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
        /// What stands before them.
        older: Older,
    },
    /// A run of posts was replaced by another.
    Splice {
        /// Where the run begins, counted from the first post shown.
        at: usize,
        /// How many posts go.
        remove: usize,
        /// What stands there now.
        insert: Vec<Post>,
        /// What stands before those shown.
        older: Older,
    },
}

/// What stands before the posts that are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Older {
    /// Nothing: the channel begins here.
    Nothing,
    /// More posts, which can be asked for.
    More,
    /// More posts, which were asked for and are neither on this device nor to be had from the home at the moment.
    OutOfReach,
}

/// A change before its posts are filled in.
#[derive(Debug)]
pub(super) struct Gap {
    splice: Option<(usize, usize)>,
    range: Range<usize>,
    older: Older,
}

impl Gap {
    pub(super) fn filled(self, view: impl FnOnce(Range<usize>) -> Vec<Post>) -> TimelineChange {
        let (posts, older) = (view(self.range), self.older);
        match self.splice {
            None => TimelineChange::Reset { posts, older },
            Some((at, remove)) => TimelineChange::Splice { at, remove, insert: posts, older },
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
    /// So many more posts would be shown if they were here.
    short: usize,
    /// What the reader was told to stand before them.
    older: Option<Older>,
}

/// The timeline as far as it is here.
#[derive(Clone, Copy, Debug)]
pub(super) struct Extent {
    /// Posts that belong to pages which are not here come first and are not shown.
    pub(super) floor: usize,
    pub(super) length: usize,
    /// What stands before all that is here.
    pub(super) before: Older,
}

impl Window {
    /// A post has come to stand at `position`; one that belongs to a page which is not here is not shown.
    pub(super) fn insert(&mut self, position: usize, length: usize, is_shown: bool) {
        if position < self.start || !is_shown {
            self.start += 1;
        } else {
            self.fresh += 1;
            self.change(position, length);
        }
    }

    /// So many posts have gone that were not shown.
    pub(super) fn forget(&mut self, count: usize) {
        self.start = self.start.saturating_sub(count);
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

    /// One more page at the beginning, as far as it is here.
    pub(super) fn older(&mut self, floor: usize, is_absent: bool) {
        if self.told.is_some() {
            self.short = TIMELINE_PAGE;
            self.fill(floor, is_absent);
        }
    }

    /// Older posts have come.
    pub(super) fn fill(&mut self, floor: usize, is_absent: bool) {
        let step = self.short.min(self.start.saturating_sub(floor));
        if step > 0 {
            self.start -= step;
            self.head = 0;
        }
        self.short = if is_absent { self.short - step } else { 0 };
    }

    /// Whether more would be shown if more were here than so many posts.
    pub(super) fn wants_more(&self, here: usize) -> bool {
        self.short > 0 || (self.told.is_none() && here < TIMELINE_PAGE)
    }

    /// All that is shown.
    pub(super) fn all(&self, extent: Extent) -> Option<Gap> {
        let older = self.before(extent);
        self.told.map(|_| Gap { splice: None, range: self.start..extent.length, older })
    }

    /// What the reader has to be told. Somebody who was away and comes back to more than a page of news begins anew with
    /// the newest page.
    pub(super) fn poll(&mut self, extent: Extent) -> Option<Gap> {
        let Extent { floor, length, before } = extent;
        let shown = length - self.start;
        let told = self.told.filter(|_| self.fresh <= TIMELINE_PAGE);
        let splice = match told {
            Some(told) if self.head >= told && told == shown && self.older == Some(self.before(extent)) => {
                return None;
            }
            Some(told) => {
                let head = self.head.min(told);
                Some((head, told - head - self.tail.min(told - head)))
            }
            None => {
                self.start = floor.max(length.saturating_sub(TIMELINE_PAGE));
                let missing = TIMELINE_PAGE.saturating_sub(length - self.start);
                self.short = if before == Older::Nothing { 0 } else { missing };
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
        let older = self.before(extent);
        self.older = Some(older);
        Some(Gap { splice, range, older })
    }

    fn before(&self, Extent { floor, before, .. }: Extent) -> Older {
        if self.start > floor { Older::More } else { before }
    }
}
