//! What stands in the pages of a channel's snapshot: one of contents, and after it the posts, oldest first.
//!
//! The contents tell who is called what, where each page of posts begins and which posts on it stand, so that a device
//! that holds one page of a long channel knows what it has not read of the others, and a home which of them an entry is
//! about. A page of posts changes only when something about one of its posts does.

use crate::chat::{Author, Place, Rank};
use crate::ids::ReplicaId;
use crate::limits::{CONTENTS_MOST, POST_PAGE_MOST};
use crate::log::EntryName;
use crate::presence::check_look;
use crate::time::Millis;
use crate::wire::pages;

/// The first page of a channel.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contents {
    /// Everybody who was introduced, ordered by id.
    pub people: Vec<Known>,
    /// Replicas that posted, in order.
    pub writers: Vec<ReplicaId>,
    /// One for each page of posts, in the order of the timeline.
    pub lines: Vec<Line>,
    /// The posts that were not removed, page by page.
    pub runs: Vec<Run>,
}

/// What a person is called, and what decides between two introductions.
pub type Known = (Author, (u64, ReplicaId, u64));

/// A page of posts, as told in the contents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    /// Where its first post stands in the timeline; the page reaches to where the next one begins.
    pub first: (Millis, u64, ReplicaId, u64),
    /// Its runs end here, and begin where those of the page before end.
    pub end: usize,
}

/// Posts of one writer whose numbers follow one another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// Which of the writers.
    pub writer: u32,
    /// Number of the first.
    pub from: u64,
    /// How many.
    pub count: u64,
}

/// One post and what became of it: a row of a page of posts, in the order of the timeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Where it stands in the timeline, which has its name.
    pub place: (Millis, u64, ReplicaId, u64),
    /// The author's clock.
    pub time: Millis,
    /// The words that stand; none if it was removed.
    pub text: String,
    /// What it answers.
    pub reply_to: Option<EntryName>,
    /// The amendment that stands.
    pub amended: Option<(u64, ReplicaId, u64)>,
    /// Whether its author removed it.
    pub is_removed: bool,
    /// Ordered by emoji, then by person; also those that were taken back, as they decide what comes later.
    pub reactions: Vec<Reacted>,
}

/// The decision of one person about one emoji.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reacted {
    /// Which.
    pub emoji: String,
    /// The entry that decided.
    pub rank: (u64, ReplicaId, u64),
    /// Whether it stands.
    pub on: bool,
}

/// Reads the contents of a channel with so many pages of posts; `None` if they are none.
pub fn check_contents(page: &[u8], posts: usize) -> Option<Contents> {
    if page.len() > CONTENTS_MOST {
        return None;
    }
    let contents = pages::decode_contents(page)?;
    let Contents { people, writers, lines, runs } = &contents;
    let sound = |run: &Run| {
        let ends = run.from.checked_add(run.count).is_some();
        (run.writer as usize) < writers.len() && run.from > 0 && run.count > 0 && ends
    };
    let fits = lines.len() == posts
        && runs.iter().all(sound)
        && people.iter().all(|(author, _)| check_look(&author.name, author.colour).is_ok());
    fits.then_some(contents)
}

/// Reads a page of posts; `None` if it is none. What the words may be the home has judged, entry by entry.
pub fn check_posts(page: &[u8]) -> Option<Vec<Row>> {
    if page.len() > POST_PAGE_MOST { None } else { pages::decode_posts(page) }
}

impl Contents {
    /// On which page of posts a place of the timeline is; the first reaches back to the beginning of time.
    pub(super) fn line_of(&self, place: &Place) -> usize {
        self.lines.partition_point(|line| line.first <= *place).saturating_sub(1)
    }

    /// Runs of the pages before one.
    pub(super) fn runs_before(&self, line: usize) -> &[Run] {
        &self.runs[..line.checked_sub(1).map_or(0, |last| self.lines[last].end)]
    }

    /// Runs of one page.
    pub(super) fn runs_of(&self, line: usize) -> &[Run] {
        &self.runs_before(line + 1)[self.runs_before(line).len()..]
    }
}

impl Run {
    /// The number of its last post.
    pub(super) fn last(&self) -> u64 {
        self.from + self.count - 1
    }
}

impl Row {
    /// Replicas that it names.
    pub(crate) fn writers(&self) -> Vec<ReplicaId> {
        let ranks = self.reactions.iter().map(|reacted| &reacted.rank).chain(&self.amended);
        let names = ranks.map(|rank: &Rank| rank.1).chain(self.reply_to.map(|name| name.replica));
        names.chain([self.place.2]).collect()
    }
}
