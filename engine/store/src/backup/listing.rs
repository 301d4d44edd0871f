//! The names of all spaces, also of those behind what the database cannot list.

use std::fmt;
use std::vec::IntoIter;

use causeway_core::storage::{FailureKind, StoreFailure};

use super::printable;
use crate::limits::{COPY_SPACES, LISTING_PROBES, MAX_SPACE_BYTES};
use crate::{Space, StoreGate};

/// Spaces that could not be listed, if there are any: between two that were.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Gap {
    /// The last before; none where it begins with the first.
    pub behind: Option<Space>,
    /// The next; none where it reaches to the end.
    pub before: Option<Space>,
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |space: &Option<Space>, none: &str| {
            space.as_ref().map_or_else(|| none.into(), |space| printable(space.as_bytes()))
        };
        write!(f, "rooms between {} and {}", name(&self.behind, "the first"), name(&self.before, "the last"))
    }
}

/// What comes next.
pub(super) enum Listed {
    Space(Space),
    Gap(Gap),
}

/// How far the list was read.
#[derive(Default)]
pub(super) struct Listing {
    last: Option<Space>,
    ready: IntoIter<Space>,
    ended: bool,
}

impl Listing {
    pub(super) fn next(&mut self, store: &StoreGate) -> Result<Option<Listed>, StoreFailure> {
        loop {
            if let Some(space) = self.ready.next() {
                self.last = Some(space.clone());
                return Ok(Some(Listed::Space(space)));
            }
            if self.ended {
                return Ok(None);
            }
            if let Some(found) = listed(store, self.last.as_ref(), COPY_SPACES)? {
                self.ended = found.len() < COPY_SPACES;
                self.ready = found.into_iter();
            } else if let Some(found) = listed(store, self.last.as_ref(), 1)? {
                // The damage lies further behind.
                self.ended = found.is_empty();
                self.ready = found.into_iter();
            } else {
                return self.step_over(store).map(|gap| Some(Listed::Gap(gap)));
            }
        }
    }

    fn step_over(&mut self, store: &StoreGate) -> Result<Gap, StoreFailure> {
        let found = Probing { store, left: LISTING_PROBES }.first_behind(self.last.as_ref())?;
        let gap = Gap { behind: self.last.take(), before: found.clone() };
        self.ended = found.is_none();
        self.ready = Vec::from_iter(found).into_iter();
        Ok(gap)
    }
}

/// Asks from names that nobody has, to come as closely behind the damage as may be.
struct Probing<'a> {
    store: &'a StoreGate,
    left: usize,
}

impl Probing<'_> {
    /// The first space that can be listed again.
    fn first_behind(&mut self, last: Option<&Space>) -> Result<Option<Space>, StoreFailure> {
        let last = last.map_or(&[][..], Space::as_bytes);
        for length in last.len()..=MAX_SPACE_BYTES {
            // Behind all names of this length; shorter ones come first.
            let Some(mut found) = self.behind(&vec![u8::MAX; length])? else { continue };
            let mut name = vec![u8::MAX; length];
            for at in 0..length {
                for byte in 0..u8::MAX {
                    name[at] = byte;
                    if name.len() == last.len() && name[..] <= *last {
                        continue;
                    }
                    if let Some(closer) = self.behind(&name)? {
                        found = closer;
                        break;
                    }
                    name[at] = u8::MAX;
                }
            }
            return Ok(found);
        }
        Ok(None)
    }

    /// What is listed behind a name; nothing where that cannot be read, or too much was asked.
    fn behind(&mut self, name: &[u8]) -> Result<Option<Option<Space>>, StoreFailure> {
        let Ok(name) = Space::new(name) else { return Ok(None) };
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        let found = listed(self.store, Some(&name), 1)?;
        Ok(found.map(|found| found.into_iter().next()))
    }
}

/// Spaces from behind a name; nothing where they cannot be read.
fn listed(store: &StoreGate, after: Option<&Space>, most: usize) -> Result<Option<Vec<Space>>, StoreFailure> {
    match store.spaces_and_wait(after, most) {
        Ok(found) => Ok(Some(found)),
        Err(failure) if failure.kind == FailureKind::Damaged => Ok(None),
        Err(failure) => Err(failure),
    }
}
