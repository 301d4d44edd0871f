//! The chains of a channel: who writes under each replica, and which of its entries are posts.

use crate::ids::{PersonId, ReplicaId};
use crate::log::EntryName;

/// All chains, ordered by replica.
#[derive(Debug, Default)]
pub(super) struct Chains(Vec<Chain>);

#[derive(Debug)]
struct Chain {
    replica: ReplicaId,
    person: Option<PersonId>,
    /// Numbers of its posts that are here, in their order, and which of the posts each is.
    posts: Vec<(u64, usize)>,
}

impl Chains {
    /// A post of a replica is here.
    pub(super) fn note_post(&mut self, name: EntryName, post: usize) {
        let posts = &mut self.chain(name.replica).posts;
        let place = posts.partition_point(|(seq, _)| *seq < name.seq);
        posts.insert(place, (name.seq, post));
    }

    /// Who writes under a replica; the first introduction stands.
    pub(super) fn introduce(&mut self, replica: ReplicaId, person: PersonId) {
        self.chain(replica).person.get_or_insert(person);
    }

    pub(super) fn person(&self, replica: &ReplicaId) -> Option<PersonId> {
        self.0[self.find(replica).ok()?].person
    }

    /// Which post an entry is, if it is one that is here.
    pub(super) fn post(&self, name: EntryName) -> Option<usize> {
        let posts = &self.0[self.find(&name.replica).ok()?].posts;
        let place = posts.binary_search_by(|(seq, _)| seq.cmp(&name.seq)).ok()?;
        Some(posts[place].1)
    }

    /// No post is here any more.
    pub(super) fn forget_posts(&mut self) {
        self.0.iter_mut().for_each(|chain| chain.posts.clear());
    }

    fn chain(&mut self, replica: ReplicaId) -> &mut Chain {
        let place = self.find(&replica).unwrap_or_else(|place| {
            self.0.insert(place, Chain { replica, person: None, posts: Vec::new() });
            place
        });
        &mut self.0[place]
    }

    fn find(&self, replica: &ReplicaId) -> Result<usize, usize> {
        self.0.binary_search_by(|chain| chain.replica.cmp(replica))
    }
}
