//! Names of forks.

use std::fmt;
use std::str::FromStr;

use crate::ids::{Hex, InvalidId, ReplicaId, StreamId, parse_hex};
use crate::stored::ForkPart;
use crate::wire::Aside;

/// Names a fork: all changes to a stream that were set aside are one, and each text that was kept whole is another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ForkId {
    /// What was written.
    pub stream: StreamId,
    /// Whose text it is, if it is kept whole.
    pub whole: Option<ReplicaId>,
}

impl ForkId {
    /// The fork that a piece belongs to.
    pub(super) fn of(aside: &Aside) -> Self {
        let whole = match aside.record.part {
            ForkPart::Text => Some(aside.replica),
            ForkPart::Change => None,
        };
        Self { stream: aside.stream, whole }
    }
}

impl fmt::Display for ForkId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.stream, f)?;
        self.whole.map_or(Ok(()), |replica| write!(f, "/{}", Hex(replica.as_bytes())))
    }
}

impl FromStr for ForkId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let (stream, whole) = match text.split_once('/') {
            Some((stream, replica)) => (stream, Some(parse_hex(replica).ok_or(InvalidId::Entry)?)),
            None => (text, None),
        };
        Ok(Self { stream: stream.parse()?, whole: whole.map(ReplicaId::from_bytes) })
    }
}
