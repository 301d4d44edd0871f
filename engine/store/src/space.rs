//! The name of a keyspace: what keeps rooms apart in one store.

use std::cmp::Ordering;
use std::fmt;

use crate::limits::MAX_SPACE_BYTES;

/// The name of a keyspace, at most [`MAX_SPACE_BYTES`] long. Usually a room's id.
///
/// Spaces order by length first and bytewise after: the order in which a store lists them.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Space(Box<[u8]>);

/// A name longer than [`MAX_SPACE_BYTES`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a space's name has {0} bytes, and at most {MAX_SPACE_BYTES} are allowed")]
pub struct SpaceTooLong(pub usize);

impl Space {
    /// The space of this name.
    ///
    /// # Errors
    /// When the name is longer than [`MAX_SPACE_BYTES`].
    pub fn new(name: impl AsRef<[u8]>) -> Result<Self, SpaceTooLong> {
        let name = name.as_ref();
        if name.len() > MAX_SPACE_BYTES {
            return Err(SpaceTooLong(name.len()));
        }
        Ok(Self(name.into()))
    }

    /// The name.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl Ord for Space {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.len().cmp(&other.0.len()).then_with(|| self.0.cmp(&other.0))
    }
}

impl PartialOrd for Space {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Debug for Space {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Space(\"{}\")", self.0.escape_ascii())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_beyond_the_bound_is_refused() {
        assert!(Space::new([7; MAX_SPACE_BYTES]).is_ok());
        assert_eq!(Space::new([7; MAX_SPACE_BYTES + 1]), Err(SpaceTooLong(129)));
    }
}
