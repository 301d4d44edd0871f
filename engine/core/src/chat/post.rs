//! One post and what became of it.

use crate::chat::Rank;
use crate::chat::chains::Chains;
use crate::chat::page::{Reacted, Row};
use crate::chat::people::{Author, People};
use crate::ids::PersonId;
use crate::limits::{LAST_MOMENT, REACTIONS_EACH, REACTIONS_POST};
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

/// A post as it stands, for this device.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) row: Row,
    pub(super) person: PersonId,
    pub(super) is_unread: bool,
}

impl Kept {
    pub(super) fn name(&self) -> EntryName {
        let (_, _, replica, seq) = self.row.place;
        EntryName { replica, seq }
    }

    pub(super) fn amend(&mut self, text: String, rank: Rank) -> bool {
        let wins = !self.row.is_removed && self.row.amended < Some(rank);
        if wins {
            (self.row.text, self.row.amended) = (text, Some(rank));
        }
        wins
    }

    /// The words go, and nothing brings them back.
    pub(super) fn retract(&mut self) -> bool {
        (self.row.text, self.row.amended, self.row.reactions) = (String::new(), None, Vec::new());
        !std::mem::replace(&mut self.row.is_removed, true)
    }

    pub(super) fn react(&mut self, reacted: Reacted, person: PersonId, chains: &Chains) -> bool {
        if self.row.is_removed {
            return false;
        }
        let place = |other: &Reacted| {
            other.emoji.cmp(&reacted.emoji).then_with(|| chains.person(&other.rank.1).cmp(&Some(person)))
        };
        let reactions = &mut self.row.reactions;
        match reactions.binary_search_by(place) {
            Ok(at) if reactions[at].rank >= reacted.rank => return false,
            Ok(at) => reactions[at] = reacted,
            Err(at) => {
                let rank = reacted.rank;
                reactions.insert(at, reacted);
                return self.bound_reactions(person, chains) != Some(rank);
            }
        }
        true
    }

    /// Lets the oldest decision go of somebody who has made more than are kept, or of all, and answers its rank. Ranks only
    /// grow, so every order of arrival leaves the same ones.
    fn bound_reactions(&mut self, person: PersonId, chains: &Chains) -> Option<Rank> {
        let reactions = &mut self.row.reactions;
        let (mut theirs, mut oldest, mut oldest_of_all) = (0, 0, 0);
        for (at, reacted) in reactions.iter().enumerate() {
            if reacted.rank < reactions[oldest_of_all].rank {
                oldest_of_all = at;
            }
            if chains.person(&reacted.rank.1) == Some(person) {
                if theirs == 0 || reacted.rank < reactions[oldest].rank {
                    oldest = at;
                }
                theirs += 1;
            }
        }
        let goes = if theirs > REACTIONS_EACH { oldest } else { oldest_of_all };
        let over = theirs > REACTIONS_EACH || reactions.len() > REACTIONS_POST;
        over.then(|| reactions.remove(goes).rank)
    }

    /// About how many bytes its row has.
    pub(super) fn bytes(&self) -> usize {
        let reactions: usize = self.row.reactions.iter().map(|reacted| reacted.emoji.len() + 48).sum();
        self.row.text.len() + reactions + 32
    }

    pub(super) fn view(
        &self,
        people: &People,
        chains: &Chains,
        me: Option<PersonId>,
        saved: &dyn Fn(EntryName) -> Saved,
    ) -> Post {
        let mut reactions: Vec<Reaction> = Vec::new();
        for Reacted { emoji, rank, .. } in self.row.reactions.iter().filter(|reacted| reacted.on) {
            if reactions.last().is_none_or(|last| last.emoji != *emoji) {
                reactions.push(Reaction { emoji: emoji.clone(), people: Vec::new(), is_mine: false });
            }
            if let (Some(reaction), Some(person)) = (reactions.last_mut(), chains.person(&rank.1)) {
                reaction.people.push(people.author(person));
                reaction.is_mine |= me == Some(person);
            }
        }
        Post {
            name: self.name(),
            author: people.author(self.person),
            is_mine: me == Some(self.person),
            time: self.row.time.min(LAST_MOMENT),
            text: self.row.text.clone(),
            is_edited: self.row.amended.is_some(),
            is_deleted: self.row.is_removed,
            reply_to: self.row.reply_to,
            reactions,
            is_unread: self.is_unread,
            saved: saved(self.name()),
        }
    }
}
