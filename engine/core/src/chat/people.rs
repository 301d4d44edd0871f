//! The people of a channel, as they last introduced themselves.

use crate::chat::Rank;
use crate::chat::page::Known;
use crate::ids::PersonId;
use crate::person::Introduction;

/// A person as shown beside a post.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Author {
    /// Who.
    pub person: PersonId,
    /// What they want to be called.
    pub name: String,
    /// `0xRRGGBB`.
    pub colour: u32,
}

/// All people who were introduced, ordered by id.
#[derive(Debug, Default)]
pub(super) struct People(Vec<Known>);

impl People {
    /// Takes an introduction; says whether somebody is shown differently now.
    pub(super) fn introduce(&mut self, introduction: Introduction, rank: Rank) -> bool {
        let person = introduction.person();
        let Introduction { name, colour, .. } = introduction;
        self.restore((Author { person, name, colour }, rank))
    }

    /// Takes what a snapshot says of a person; says the same.
    pub(super) fn restore(&mut self, (author, rank): Known) -> bool {
        match self.find(author.person) {
            Ok(place) if self.0[place].1 < rank => {
                let changed = self.0[place].0 != author;
                self.0[place] = (author, rank);
                changed
            }
            Ok(_) => false,
            Err(place) => {
                self.0.insert(place, (author, rank));
                false
            }
        }
    }

    /// Everybody, as a snapshot says it.
    pub(super) fn known(&self) -> &[Known] {
        &self.0
    }

    pub(super) fn author(&self, person: PersonId) -> Author {
        let nobody = || Author { person, name: String::new(), colour: 0 };
        self.find(person).map_or_else(|_| nobody(), |place| self.0[place].0.clone())
    }

    fn find(&self, person: PersonId) -> Result<usize, usize> {
        self.0.binary_search_by(|(author, _)| author.person.cmp(&person))
    }
}
