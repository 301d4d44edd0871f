//! The chains of a channel: when each entry counts as written, who writes, and which entries are posts.

use crate::ids::{PersonId, ReplicaId};
use crate::log::{EntryName, Header};
use crate::time::Millis;

/// All chains, ordered by replica.
#[derive(Debug, Default)]
pub(super) struct Chains(Vec<Chain>);

#[derive(Debug)]
struct Chain {
    replica: ReplicaId,
    person: Option<PersonId>,
    links: Vec<Link>,
}

#[derive(Debug)]
struct Link {
    at: Millis,
    post: Option<usize>,
}

impl Chains {
    /// When an entry counts as written: at its author's time, but not before anything it builds on or is about.
    pub(super) fn at(&self, header: &Header) -> Millis {
        let before = EntryName { replica: header.replica, seq: header.seq.saturating_sub(1) };
        let deps = header.deps.iter().map(|dep| EntryName { replica: dep.replica, seq: dep.seq });
        let below = deps.chain([before]).chain(header.target).filter_map(|name| self.link(name));
        below.map(|link| link.at).fold(header.time, Millis::max)
    }

    /// Adds an entry to its chain. False if that is not its place, as with one that comes again.
    pub(super) fn extend(&mut self, header: &Header, at: Millis) -> bool {
        let found = self.find(&header.replica);
        let place = found.unwrap_or_else(|place| {
            self.0.insert(place, Chain { replica: header.replica, person: None, links: Vec::new() });
            place
        });
        let links = &mut self.0[place].links;
        let fits = header.seq == links.len() as u64 + 1;
        if fits {
            links.push(Link { at, post: None });
        }
        fits
    }

    /// The newest entry of a replica is this post.
    pub(super) fn note_post(&mut self, replica: &ReplicaId, post: usize) {
        if let Ok(place) = self.find(replica)
            && let Some(link) = self.0[place].links.last_mut()
        {
            link.post = Some(post);
        }
    }

    /// Who writes under a replica; the first introduction stands.
    pub(super) fn introduce(&mut self, replica: &ReplicaId, person: PersonId) {
        if let Ok(place) = self.find(replica) {
            self.0[place].person.get_or_insert(person);
        }
    }

    pub(super) fn person(&self, replica: &ReplicaId) -> Option<PersonId> {
        self.0[self.find(replica).ok()?].person
    }

    /// Which post an entry is.
    pub(super) fn post(&self, name: EntryName) -> Option<usize> {
        self.link(name)?.post
    }

    /// Entries of a replica.
    pub(super) fn len(&self, replica: &ReplicaId) -> u64 {
        self.find(replica).map_or(0, |place| self.0[place].links.len() as u64)
    }

    fn link(&self, name: EntryName) -> Option<&Link> {
        let place = self.find(&name.replica).ok()?;
        self.0[place].links.get(usize::try_from(name.seq.checked_sub(1)?).ok()?)
    }

    fn find(&self, replica: &ReplicaId) -> Result<usize, usize> {
        self.0.binary_search_by(|chain| chain.replica.cmp(replica))
    }
}
