//! A channel: what its entries amount to. A set of operations that every order of arrival turns into the same timeline,
//! as long as each entry comes after what it builds on, which the log sees to.
//!
//! * Posts stand in the order of `(at, logical, replica, seq)`, where `at` is the author's time, but never before
//!   the newest post the author saw, of which the entry tells. Of a clock that is years ahead one post is dated wrongly;
//!   those after it share its `at` and go on in logical order. No post stands beyond the last moment there is.
//! * An amendment with the greatest rank `(logical, replica, seq)` stands; a retraction beats everything; of a person's
//!   reactions to a post with one emoji the greatest rank stands; a person is called what they last said, by rank.
//! * A post is read when the read marker, a number per replica, covers it: what arrives late in the middle is unread.
//!
//! [`Channel`] takes entries the log has accepted, and shows the newest part of the timeline as a reset and splices. Of
//! what a snapshot covers it takes page after page, from the newest on, as far as somebody looks ([`page`], [`below`]).
//!
//! Behaviour: CH1–CH9 in `docs/behaviour.md`.

mod below;
mod chains;
mod cut;
mod op;
pub mod page;
mod people;
mod post;
mod unread;
mod window;

use crate::ids::{PersonId, ReplicaId};
use crate::log::{Entry, EntryName};
use crate::time::Millis;

pub(crate) use cut::{Cut, Index, tells};
pub use op::{ChatOp, InvalidOp, check};
pub use people::Author;
pub use post::{Post, Reaction, Saved};
pub use unread::Unread;
pub use window::{Older, TimelineChange};

use below::{Below, Change};
use chains::Chains;
use page::{Reacted, Row};
use people::People;
use post::Kept;
use unread::Marker;
use window::{Extent, Window};

/// The order of the timeline.
type Place = (Millis, u64, ReplicaId, u64);
/// What decides between two changes of one thing.
type Rank = (u64, ReplicaId, u64);

/// The reducer of one channel.
#[derive(Debug, Default)]
pub struct Channel {
    /// Whose device this is: their own posts are never unread.
    me: Option<PersonId>,
    chains: Chains,
    people: People,
    /// Posts in the order of their arrival.
    posts: Vec<Kept>,
    /// Where each of them stands in the timeline.
    order: Vec<usize>,
    below: Below,
    /// What stands before all that is here was asked for in vain.
    is_out_of_reach: bool,
    marker: Marker,
    unread: usize,
    window: Window,
}

impl Channel {
    /// A channel nothing is known of, on a device of this person.
    pub fn new(me: Option<PersonId>) -> Self {
        Self { me, ..Self::default() }
    }

    /// Forgets every entry, but not what was read: they are going to be taken again.
    pub fn restart(&mut self) {
        let marker = std::mem::take(&mut self.marker);
        *self = Self { me: self.me, marker, ..Self::default() };
    }

    /// The device belongs to somebody else from now on.
    pub fn handle_person(&mut self, me: PersonId) {
        self.me = Some(me);
        self.count_unread();
    }

    /// Takes an entry the log has accepted. One that was taken before changes nothing.
    pub fn apply(&mut self, entry: &Entry) {
        let header = entry.header();
        let Ok(op) = check(header, entry.payload()) else { return };
        let rank = (header.logical, header.replica, header.seq);
        if let ChatOp::Introduce(introduction) = op {
            self.chains.introduce(header.replica, introduction.person());
            if self.people.introduce(introduction, rank) {
                self.window.change_all();
            }
            return;
        }
        let Some(person) = self.chains.person(&header.replica) else { return };
        match (op, header.target) {
            (ChatOp::Post { text, reply_to, after }, _) => {
                if self.chains.post(header.name()).is_none() {
                    let place = op::place(header, after);
                    let (time, amended, is_removed) = (header.time, None, false);
                    let reactions = Vec::new();
                    let row = Row { place, time, text, reply_to, amended, is_removed, reactions };
                    self.insert(Kept { row, person, is_unread: false });
                }
            }
            (op @ (ChatOp::Amend { .. } | ChatOp::Retract | ChatOp::React { .. }), Some(target)) => {
                let change = Change { target, person, rank, op };
                self.carry_out(&change);
                self.note_removal(&change);
                self.below.changes.push(change);
            }
            (ChatOp::Amend { .. } | ChatOp::Retract | ChatOp::React { .. } | ChatOp::Introduce(_), _) => {}
        }
    }

    /// How many posts are here, also those that were removed.
    pub fn len(&self) -> usize {
        self.order.len() - self.floor()
    }

    /// Whether there are no posts but those that are here.
    pub fn is_whole(&self) -> bool {
        !self.below.is_absent()
    }

    /// Whether nothing was ever said.
    pub fn is_empty(&self) -> bool {
        self.order.is_empty() && !self.below.is_absent()
    }

    /// Where the newest post stands in time: the next one is said after it.
    pub fn latest(&self) -> Millis {
        self.order.last().map_or(Millis(0), |index| self.posts[*index].row.place.0)
    }

    /// The person who wrote a post.
    pub fn author(&self, post: EntryName) -> Option<PersonId> {
        Some(self.posts[self.chains.post(post)?].person)
    }

    /// The timeline as far as it is here. `saved` says where a post of this device is.
    pub fn posts(&self, saved: &dyn Fn(EntryName) -> Saved) -> Vec<Post> {
        self.view(self.floor()..self.order.len(), saved)
    }

    /// Shows the newest page as if nothing had been shown before.
    pub fn show_anew(&mut self) {
        self.window = Window::default();
    }

    /// Shows one page of older posts, as far as they are here; see [`Channel::wants_page`].
    pub fn older(&mut self) {
        self.window.older(self.floor(), self.below.is_absent());
    }

    /// Whether older posts were asked for in vain.
    pub fn set_out_of_reach(&mut self, is_out_of_reach: bool) {
        self.is_out_of_reach = is_out_of_reach;
    }

    /// What has changed in the part of the timeline that is shown; the first answer is a reset.
    pub fn poll_timeline(&mut self, saved: &dyn Fn(EntryName) -> Saved) -> Option<TimelineChange> {
        let change = self.window.poll(self.extent())?;
        Some(change.filled(|range| self.view(range, saved)))
    }

    /// What is shown, as a reset for one more reader; `None` before the first. To be read when nothing is left to poll.
    pub fn shown(&self, saved: &dyn Fn(EntryName) -> Saved) -> Option<TimelineChange> {
        let gap = self.window.all(self.extent())?;
        Some(gap.filled(|range| self.view(range, saved)))
    }

    /// Something about a post is shown differently: where it is saved.
    pub fn touch(&mut self, post: EntryName) {
        if let Some(index) = self.chains.post(post) {
            self.window.change(self.position(index), self.order.len());
        }
    }

    /// The same of posts of one replica, all from `first` to `last`.
    pub fn touch_all(&mut self, replica: ReplicaId, first: u64, last: u64) {
        for (position, index) in self.order.iter().enumerate() {
            let (_, _, writer, seq) = self.posts[*index].row.place;
            if writer == replica && (first..=last).contains(&seq) {
                self.window.change(position, self.order.len());
            }
        }
    }

    fn insert(&mut self, mut post: Kept) {
        let index = self.posts.len();
        self.chains.note_post(post.name(), index);
        post.is_unread = self.marker.leaves(&post, self.me);
        self.unread += usize::from(post.is_unread);
        let position = self.position_of(&post.row.place);
        let is_shown = !self.below.is_before(&post.row.place);
        self.posts.push(post);
        self.order.insert(position, index);
        self.window.insert(position, self.order.len(), is_shown);
    }

    /// Changes a post, if it is here.
    fn carry_out(&mut self, change: &Change) {
        let Some(index) = self.chains.post(change.target) else { return };
        let post = &mut self.posts[index];
        let changed = match &change.op {
            ChatOp::Amend { text } => post.amend(text.clone(), change.rank),
            ChatOp::Retract => post.retract(),
            ChatOp::React { emoji, on } => {
                let reacted = Reacted { emoji: emoji.clone(), rank: change.rank, on: *on };
                post.react(reacted, change.person, &self.chains)
            }
            ChatOp::Post { .. } | ChatOp::Introduce(_) => false,
        };
        if !changed {
            return;
        }
        if post.row.is_removed && post.is_unread {
            post.is_unread = false;
            self.unread -= 1;
        }
        self.window.change(self.position(index), self.order.len());
    }

    fn extent(&self) -> Extent {
        let before = match (self.below.is_absent(), self.is_out_of_reach) {
            (false, _) => Older::Nothing,
            (true, false) => Older::More,
            (true, true) => Older::OutOfReach,
        };
        Extent { floor: self.floor(), length: self.order.len(), before }
    }

    fn position(&self, index: usize) -> usize {
        self.position_of(&self.posts[index].row.place)
    }

    fn position_of(&self, place: &Place) -> usize {
        self.order.partition_point(|other| self.posts[*other].row.place < *place)
    }

    fn view(&self, range: std::ops::Range<usize>, saved: &dyn Fn(EntryName) -> Saved) -> Vec<Post> {
        self.order[range]
            .iter()
            .map(|index| self.posts[*index].view(&self.people, &self.chains, self.me, saved))
            .collect()
    }
}
