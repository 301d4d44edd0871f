//! The directory.

use causeway_core::directory::{self, Directory, DirectoryOp};
use causeway_core::ids::ReplicaId;
use causeway_core::wire::payload::encode_directory;

use crate::pieces::Pieces;

/// Takes each piece for one operation behind a logical time.
pub(super) fn judge(input: &[u8]) -> usize {
    let ops: Vec<Decision> = Pieces::of(input).enumerate().filter_map(decision).collect();
    let forward = list(ops.iter());
    assert_eq!(list(ops.iter().rev()), forward, "the order does not matter");
    assert_eq!(list(ops.iter().chain(&ops)), forward, "nor does repetition");
    assert!(forward.len() <= ops.len());
    ops.len()
}

struct Decision {
    logical: u64,
    author: ReplicaId,
    seq: u64,
    op: DirectoryOp,
}

/// Numbers within the input stand in for those of a chain: (replica, seq) is unique there as well.
fn decision((at, (author, piece)): (usize, (u8, &[u8]))) -> Option<Decision> {
    let (logical, payload) = piece.split_first()?;
    let op = directory::check(payload).ok()?;
    let written = encode_directory(&op);
    assert_eq!(directory::check(&written).as_ref(), Ok(&op), "what was read is written and read again");
    Some(Decision {
        logical: u64::from(*logical),
        author: ReplicaId::from_bytes([author; 32]),
        seq: at as u64,
        op,
    })
}

fn list<'a>(ops: impl Iterator<Item = &'a Decision>) -> Vec<directory::Listed> {
    let mut directory = Directory::default();
    for Decision { logical, author, seq, op } in ops {
        directory.decide(*logical, *author, *seq, op.clone());
    }
    directory.list()
}
