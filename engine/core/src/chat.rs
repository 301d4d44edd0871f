//! A channel: what its entries amount to. A set of operations that every order of arrival turns into the same timeline,
//! as long as each entry comes after what it builds on, which the log sees to.
//!
//! * Posts stand in the order of `(at, logical, replica, seq)`, where `at` is the author's time, but never before
//!   anything the post builds on. Of a clock that is years ahead one post is dated wrongly; those after it share its
//!   `at` and go on in logical order.
//! * An amendment with the greatest rank `(logical, replica, seq)` stands; a retraction beats everything; of a person's
//!   reactions to a post with one emoji the greatest rank stands; a person is called what they last said, by rank.
//! * A post is read when the read marker, a number per replica, covers it: what arrives late in the middle is unread.
//!
//! [`Channel`] takes entries the log has accepted, and shows the newest part of the timeline as a reset and splices.
//!
//! Behaviour: CH1–CH9 in `docs/behaviour.md`.

mod chains;
mod op;
mod people;
mod post;
mod unread;
mod window;

use crate::ids::{PersonId, ReplicaId};
use crate::limits::LAST_MOMENT;
use crate::log::{Entry, EntryName, Header};
use crate::time::Millis;

pub use op::{ChatOp, InvalidOp, check};
pub use people::Author;
pub use post::{Post, Reaction, Saved};
pub use unread::Unread;
pub use window::TimelineChange;

use chains::Chains;
use people::People;
use post::Kept;
use unread::Marker;
use window::Window;

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
    /// Posts in the order of their arrival, which nothing changes.
    posts: Vec<Kept>,
    /// Where each of them stands in the timeline.
    order: Vec<usize>,
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
        let at = self.chains.at(header);
        if !self.chains.extend(header, at) {
            return;
        }
        let Ok(op) = check(header, entry.payload()) else { return };
        let rank = (header.logical, header.replica, header.seq);
        if let ChatOp::Introduce(introduction) = op {
            self.chains.introduce(&header.replica, introduction.person());
            if self.people.introduce(introduction, rank) {
                self.window.change_all();
            }
            return;
        }
        let Some(person) = self.chains.person(&header.replica) else { return };
        match op {
            ChatOp::Post { text, reply_to } => self.insert(header, at, Kept::new(person, text, reply_to)),
            ChatOp::Amend { text } => self.change(header.target, |post| post.amend(text, rank)),
            ChatOp::Retract => self.change(header.target, Kept::retract),
            ChatOp::React { emoji, on } => {
                self.change(header.target, |post| post.react(emoji, person, on, rank));
            }
            ChatOp::Introduce(_) => {}
        }
    }

    /// How many posts there are, also those that were removed.
    pub fn len(&self) -> usize {
        self.order.len()
    }

    /// Whether nothing was ever said.
    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// The person who wrote a post.
    pub fn author(&self, post: EntryName) -> Option<PersonId> {
        Some(self.posts[self.chains.post(post)?].person)
    }

    /// The whole timeline. `saved` says where a post of this device is.
    pub fn posts(&self, saved: &dyn Fn(EntryName) -> Saved) -> Vec<Post> {
        self.view(0..self.order.len(), saved)
    }

    /// Shows the newest page as if nothing had been shown before.
    pub fn show_anew(&mut self) {
        self.window = Window::default();
    }

    /// Shows one page of older posts.
    pub fn older(&mut self) {
        self.window.older();
    }

    /// What has changed in the part of the timeline that is shown; the first answer is a reset.
    pub fn poll_timeline(&mut self, saved: &dyn Fn(EntryName) -> Saved) -> Option<TimelineChange> {
        let change = self.window.poll(self.order.len())?;
        Some(change.filled(|range| self.view(range, saved)))
    }

    /// What is shown, as a reset for one more reader; `None` before the first. To be read when nothing is left to poll.
    pub fn shown(&self, saved: &dyn Fn(EntryName) -> Saved) -> Option<TimelineChange> {
        let gap = self.window.all(self.order.len())?;
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
        for seq in first..=last.min(self.chains.len(&replica)) {
            self.touch(EntryName { replica, seq });
        }
    }

    fn insert(&mut self, header: &Header, at: Millis, mut post: Kept) {
        let index = self.posts.len();
        self.chains.note_post(&header.replica, index);
        post.place = (at, header.logical, header.replica, header.seq);
        post.time = header.time.min(LAST_MOMENT);
        post.is_unread = self.marker.leaves(&post, self.me);
        self.unread += usize::from(post.is_unread);
        let position = self.order.partition_point(|other| self.posts[*other].place < post.place);
        self.posts.push(post);
        self.order.insert(position, index);
        self.window.insert(position, self.order.len());
    }

    /// Changes the target, if it is a post.
    fn change(&mut self, target: Option<EntryName>, change: impl FnOnce(&mut Kept) -> bool) {
        let Some(index) = target.and_then(|target| self.chains.post(target)) else { return };
        let post = &mut self.posts[index];
        if !change(post) {
            return;
        }
        if post.is_retracted && post.is_unread {
            post.is_unread = false;
            self.unread -= 1;
        }
        self.window.change(self.position(index), self.order.len());
    }

    fn position(&self, index: usize) -> usize {
        let place = self.posts[index].place;
        self.order.partition_point(|other| self.posts[*other].place < place)
    }

    fn view(&self, range: std::ops::Range<usize>, saved: &dyn Fn(EntryName) -> Saved) -> Vec<Post> {
        self.order[range].iter().map(|index| self.posts[*index].view(&self.people, self.me, saved)).collect()
    }
}
