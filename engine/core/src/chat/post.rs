//! One post and what became of it.

use crate::chat::people::{Author, People};
use crate::chat::{Place, Rank};
use crate::ids::{PersonId, ReplicaId};
use crate::log::EntryName;
use crate::time::Millis;

/// A post as shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Post {
    /// The entry that said it.
    pub name: EntryName,
    /// Who.
    pub author: Author,
    /// Whether the person of this device wrote it, here or elsewhere.
    pub is_mine: bool,
    /// The author's wall clock, milliseconds since 1970.
    pub time: Millis,
    /// The words; none if it was removed.
    pub text: String,
    /// Whether its author changed it.
    pub is_edited: bool,
    /// Whether its author removed it.
    pub is_deleted: bool,
    /// The post it answers, which may be unknown here.
    pub reply_to: Option<EntryName>,
    /// By emoji, in the order of their bytes.
    pub reactions: Vec<Reaction>,
    /// Whether the person of this device has not read it.
    pub is_unread: bool,
    /// Where it is, if it was written on this device.
    pub saved: Saved,
}

/// People who reacted to a post with one emoji.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reaction {
    /// The emoji.
    pub emoji: String,
    /// Who; ordered by id.
    pub people: Vec<Author>,
    /// Whether the person of this device is among them.
    pub is_mine: bool,
}

/// Where a post is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Saved {
    /// In the memory of this program only.
    Nowhere,
    /// On this device's disk.
    Device,
    /// On the home's disk, as everything is that others wrote.
    Relay,
}

/// A post with the ranks of what stands.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) person: PersonId,
    pub(super) place: Place,
    pub(super) time: Millis,
    pub(super) is_unread: bool,
    pub(super) is_retracted: bool,
    text: String,
    reply_to: Option<EntryName>,
    amended: Option<Rank>,
    /// Ordered by emoji, then person.
    reactions: Vec<Reacted>,
}

#[derive(Debug)]
struct Reacted {
    emoji: String,
    person: PersonId,
    rank: Rank,
    on: bool,
}

impl Kept {
    /// A post that has no place yet.
    pub(super) fn new(person: PersonId, text: String, reply_to: Option<EntryName>) -> Self {
        Self {
            person,
            place: (Millis(0), 0, ReplicaId::from_bytes([0; 32]), 0),
            time: Millis(0),
            is_unread: false,
            is_retracted: false,
            text,
            reply_to,
            amended: None,
            reactions: Vec::new(),
        }
    }

    pub(super) fn name(&self) -> EntryName {
        EntryName { replica: self.place.2, seq: self.place.3 }
    }

    pub(super) fn amend(&mut self, text: String, rank: Rank) -> bool {
        let wins = !self.is_retracted && self.amended < Some(rank);
        if wins {
            (self.text, self.amended) = (text, Some(rank));
        }
        wins
    }

    /// The words go, and nothing brings them back.
    pub(super) fn retract(&mut self) -> bool {
        (self.text, self.reactions) = (String::new(), Vec::new());
        !std::mem::replace(&mut self.is_retracted, true)
    }

    pub(super) fn react(&mut self, emoji: String, person: PersonId, on: bool, rank: Rank) -> bool {
        if self.is_retracted {
            return false;
        }
        let reacted = Reacted { emoji, person, rank, on };
        let found = self
            .reactions
            .binary_search_by(|other| (&other.emoji, other.person).cmp(&(&reacted.emoji, reacted.person)));
        match found {
            Ok(place) if self.reactions[place].rank >= rank => false,
            Ok(place) => {
                self.reactions[place] = reacted;
                true
            }
            Err(place) => {
                self.reactions.insert(place, reacted);
                true
            }
        }
    }

    pub(super) fn view(
        &self,
        people: &People,
        me: Option<PersonId>,
        saved: &dyn Fn(EntryName) -> Saved,
    ) -> Post {
        let mut reactions: Vec<Reaction> = Vec::new();
        for Reacted { emoji, person, .. } in self.reactions.iter().filter(|reacted| reacted.on) {
            if reactions.last().is_none_or(|last| last.emoji != *emoji) {
                reactions.push(Reaction { emoji: emoji.clone(), people: Vec::new(), is_mine: false });
            }
            if let Some(reaction) = reactions.last_mut() {
                reaction.people.push(people.author(*person));
                reaction.is_mine |= me == Some(*person);
            }
        }
        Post {
            name: self.name(),
            author: people.author(self.person),
            is_mine: me == Some(self.person),
            time: self.time,
            text: self.text.clone(),
            is_edited: self.amended.is_some() && !self.is_retracted,
            is_deleted: self.is_retracted,
            reply_to: self.reply_to,
            reactions,
            is_unread: self.is_unread,
            saved: saved(self.name()),
        }
    }
}
