//! What a person has read: a number per replica, which only ever grows.

use crate::chat::Channel;
use crate::chat::post::Kept;
use crate::ids::{PersonId, ReplicaId};
use crate::log::EntryName;

/// What is left to read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unread {
    /// How many posts.
    pub count: usize,
    /// The first of them in the timeline, if it is on a page that is here.
    pub first: Option<EntryName>,
}

/// Up to where each replica's posts were read, ordered by replica. What arrives later is beyond it wherever in the
/// timeline it belongs, so the count is right after any merge.
#[derive(Clone, Debug, Default)]
pub(super) struct Marker(Vec<(ReplicaId, u64)>);

impl Marker {
    /// Whether a post of somebody else is not covered.
    pub(super) fn leaves(&self, post: &Kept, me: Option<PersonId>) -> bool {
        let EntryName { replica, seq } = post.name();
        seq > self.read(&replica) && !post.row.is_removed && me != Some(post.person)
    }

    pub(super) fn read(&self, replica: &ReplicaId) -> u64 {
        self.find(replica).map_or(0, |place| self.0[place].1)
    }

    /// Whether it has grown.
    pub(super) fn raise(&mut self, replica: ReplicaId, seq: u64) -> bool {
        let grows = seq > self.read(&replica);
        match self.find(&replica) {
            Ok(place) => self.0[place].1 = self.0[place].1.max(seq),
            Err(place) => self.0.insert(place, (replica, seq)),
        }
        grows
    }

    fn find(&self, replica: &ReplicaId) -> Result<usize, usize> {
        self.0.binary_search_by(|(of, _)| of.cmp(replica))
    }
}

impl Channel {
    /// What is left to read.
    pub fn unread(&self) -> Unread {
        let count = self.unread.saturating_add(self.below.unread);
        let mut left = self.order.iter().filter(|index| self.posts[**index].is_unread);
        let first = left.next().filter(|_| self.below.unread == 0).map(|index| &self.posts[*index]);
        let first = first.filter(|post| !self.below.is_before(&post.row.place)).map(Kept::name);
        Unread { count, first }
    }

    /// A number of the read marker as it was kept; answers whether it is news. Call [`Channel::count_unread`] after the last.
    pub fn restore_read(&mut self, replica: ReplicaId, seq: u64) -> bool {
        self.marker.raise(replica, seq)
    }

    /// The read marker: up to which entry of each replica, ordered by replica.
    pub fn read_marks(&self) -> &[(ReplicaId, u64)] {
        &self.marker.0
    }

    /// Looks at every post again.
    pub fn count_unread(&mut self) {
        for post in &mut self.posts {
            post.is_unread = self.marker.leaves(post, self.me);
        }
        self.unread = self.posts.iter().filter(|post| post.is_unread).count();
        self.count_absent();
        self.window.change_all();
    }

    /// Everything up to a post, as the timeline stands now, has been read; without one, all there is, also on pages that are
    /// not here. While something new is on one of those nothing is read up to a post: nobody has seen it, whatever the
    /// reader took for the first. Answers the numbers of the marker that grew, to be kept.
    pub fn mark_read(&mut self, upto: Option<EntryName>) -> Vec<(ReplicaId, u64)> {
        let end = match upto {
            None => self.order.len(),
            Some(post) => match self.chains.post(post) {
                Some(index) => self.position(index) + 1,
                None => return Vec::new(),
            },
        };
        let Unread { count, first } = self.unread();
        if count == 0 || (upto.is_some() && first.is_none()) {
            return Vec::new();
        }
        let before = self.marker.clone();
        self.mark_absent();
        for position in 0..end {
            let post = &mut self.posts[self.order[position]];
            if std::mem::replace(&mut post.is_unread, false) {
                let EntryName { replica, seq } = post.name();
                self.unread -= 1;
                self.marker.raise(replica, seq);
                self.window.change(position, self.order.len());
            }
        }
        self.marker.0.iter().filter(|(replica, seq)| before.read(replica) < *seq).copied().collect()
    }
}
