//! The directory: names of a room's documents. Every subscriber has it; the latest decision about a document wins.

use serde::{Deserialize, Serialize};

use crate::ids::{ReplicaId, StreamId, StreamKind};
use crate::limits::{DIRECTORY_PAYLOAD_BYTES, PATH_BYTES};
use crate::log::Header;
use crate::sorted::{self, SortedMap};
use crate::wire;

/// One decision about one document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum DirectoryOp {
    /// The document stands at this path, such as `src/main.py`.
    Put {
        /// Which document.
        document: StreamId,
        /// Names of folders and the document, parted by `/`.
        path: String,
    },
    /// The document is listed no more. Its stream stays.
    Remove {
        /// Which document.
        document: StreamId,
    },
}

/// Why a payload is no operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidOp {
    /// Not one this version can read.
    #[error("it cannot be read")]
    Encoding,
    /// The path.
    #[error("a path has 1 to {PATH_BYTES} bytes, no empty part, no '.' or '..' and no control characters")]
    Path,
    /// A directory lists documents, not itself.
    #[error("a directory does not list itself")]
    Document,
}

/// A document as listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Which document.
    pub document: StreamId,
    /// Where it stands.
    pub path: String,
}

/// Reads and checks one operation.
///
/// # Errors
/// See [`InvalidOp`].
pub fn check(payload: &[u8]) -> Result<DirectoryOp, InvalidOp> {
    if payload.len() > DIRECTORY_PAYLOAD_BYTES {
        return Err(InvalidOp::Encoding);
    }
    let op = wire::payload::decode_directory(payload).ok_or(InvalidOp::Encoding)?;
    validate(&op)?;
    Ok(op)
}

/// Checks what types cannot say.
///
/// # Errors
/// See [`InvalidOp`].
pub fn validate(op: &DirectoryOp) -> Result<(), InvalidOp> {
    let (DirectoryOp::Put { document, .. } | DirectoryOp::Remove { document }) = op;
    if document.kind() == StreamKind::Directory {
        return Err(InvalidOp::Document);
    }
    if let DirectoryOp::Put { path, .. } = op {
        let sound = (1..=PATH_BYTES).contains(&path.len())
            && !path.chars().any(char::is_control)
            && path.split('/').all(|part| !part.is_empty() && part != "." && part != "..");
        if !sound {
            return Err(InvalidOp::Path);
        }
    }
    Ok(())
}

/// The reducer: the decision with the greatest logical time stands; of two equal ones that of the greater replica.
#[derive(Clone, Debug, Default)]
pub struct Directory {
    decisions: SortedMap<StreamId, (Rank, Option<String>)>,
}

type Rank = (u64, ReplicaId, u64);

/// What stands about one document, with its rank: a row of a snapshot's page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// Which document.
    pub document: StreamId,
    /// Logical time, author and number of the entry that decided.
    pub rank: (u64, ReplicaId, u64),
    /// Where it stands; none if it was removed.
    pub path: Option<String>,
}

/// Reads a snapshot's page; `None` if it is none.
pub fn check_page(page: &[u8]) -> Option<Vec<Decision>> {
    let decisions = wire::payload::decode_directory_page(page)?;
    let sound = |Decision { document, path, .. }: &Decision| {
        let document = *document;
        let op = match path {
            Some(path) => DirectoryOp::Put { document, path: path.clone() },
            None => DirectoryOp::Remove { document },
        };
        validate(&op).is_ok()
    };
    decisions.iter().all(sound).then_some(decisions)
}

impl Directory {
    /// What stands, in the order of documents.
    pub fn decisions(&self) -> Vec<Decision> {
        let decisions = self.decisions.iter();
        decisions
            .map(|(document, (rank, path))| Decision { document: *document, rank: *rank, path: path.clone() })
            .collect()
    }

    /// Takes what a snapshot says.
    pub fn restore(&mut self, decision: Decision) {
        let Decision { document, rank, path } = decision;
        if self.decisions.get(&document).is_none_or(|(standing, _)| rank > *standing) {
            self.decisions.insert(document, (rank, path));
        }
    }

    /// Takes an accepted entry, in any order and any number of times.
    pub fn apply(&mut self, header: &Header, op: DirectoryOp) {
        self.decide(header.logical, header.replica, header.seq, op);
    }

    /// The same with the parts of the header that count.
    pub fn decide(&mut self, logical: u64, replica: ReplicaId, seq: u64, op: DirectoryOp) {
        let (document, path) = match op {
            DirectoryOp::Put { document, path } => (document, Some(path)),
            DirectoryOp::Remove { document } => (document, None),
        };
        self.restore(Decision { document, rank: (logical, replica, seq), path });
    }

    /// The documents, ordered by path and then by name of the stream.
    pub fn list(&self) -> Vec<Listed> {
        let mut named = Vec::new();
        for (document, (_, path)) in self.decisions.iter() {
            if let Some(path) = path {
                named.push(Listed { document: *document, path: path.clone() });
            }
        }
        let key = |at: usize| (&named[at].path, named[at].document);
        let order = sorted::order(named.len(), &|one, other| key(one) < key(other));
        order.into_iter().map(|at| named[at].clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_name_a_place_below_the_room() {
        let put = |path: &str| DirectoryOp::Put { document: StreamId::ydoc([1; 16]), path: path.into() };
        for good in ["main.py", "src/main.py", "übung 1.md"] {
            assert_eq!(validate(&put(good)), Ok(()), "{good}");
        }
        for bad in ["", "/main.py", "a//b", "../x", "a/./b", "a\nb", &"x".repeat(513)] {
            assert_eq!(validate(&put(bad)), Err(InvalidOp::Path), "{bad}");
        }
    }
}
