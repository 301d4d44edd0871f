//! Guard and automerge.

use automerge::transaction::Transactable;
use automerge::{AutoCommit, Automerge, Change, ROOT, ReadDoc};
use causeway_guard::amdoc::{Ledger, Limits, scan};
use sha2::{Digest, Sha256};

use crate::pieces::Pieces;

/// Takes each piece for the change of its author from the time on; what chance never hits stands before it and is right:
/// what it builds on, actor, numbers, checksum. Applies what the guard lets in, saves, opens, and goes on.
pub(super) fn judge(input: &[u8]) -> usize {
    let mut stream = Stream::default();
    for (author, piece) in Pieces::of(input) {
        stream.take(author, piece);
    }
    if stream.taken > 0 {
        let saved = stream.doc.save();
        let mut opened = AutoCommit::load(&saved).expect("what automerge saves it opens");
        let shown = ReadDoc::hydrate(&stream.doc, ROOT, None).expect("the root is there");
        assert_eq!(opened.hydrate(ROOT, None).ok(), Some(shown), "a saved document opens as it was");
        opened.put(ROOT, "afterwards", 1).expect("a document to work with");
        opened.commit();
        AutoCommit::load(&opened.save()).expect("what automerge saves it opens");
    }
    stream.taken
}

#[derive(Default)]
struct Stream {
    ledger: Ledger,
    doc: Automerge,
    seqs: [u64; Pieces::AUTHORS as usize + 1],
    newest: u64,
    taken: usize,
}

impl Stream {
    fn take(&mut self, author: u8, piece: &[u8]) {
        let seq = self.seqs[usize::from(author)] + 1;
        let change = framed(&self.body(author, seq, piece));
        let Ok(admitted) = self.ledger.admit(&change, &[author], &Limits::default()) else { return };
        scan(&change, &Limits::default()).expect("what is admitted is well formed");
        let change = Change::from_bytes(change).expect("automerge reads what passed");
        let hash = change.hash();
        self.doc.apply_changes([change]).expect("automerge applies what passed");
        assert!(self.doc.get_change_by_hash(&hash).is_some(), "nothing is parked");
        self.seqs[usize::from(author)] = seq;
        self.newest = self.newest.max(u64::from(admitted.counter));
        self.taken += 1;
    }

    fn body(&self, author: u8, seq: u64, piece: &[u8]) -> Vec<u8> {
        let mut heads = self.doc.get_heads();
        heads.sort_unstable();
        let mut body = Vec::new();
        put(&mut body, heads.len() as u64);
        heads.iter().for_each(|head| body.extend(head.0));
        body.extend([1, author]);
        put(&mut body, seq);
        put(&mut body, self.newest + 1);
        body.extend_from_slice(piece);
        body
    }
}

fn framed(data: &[u8]) -> Vec<u8> {
    let mut hashed = vec![PLAIN_CHANGE];
    put(&mut hashed, data.len() as u64);
    hashed.extend_from_slice(data);
    [&MAGIC, &Sha256::digest(&hashed)[..4], &hashed].concat()
}

fn put(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

const MAGIC: [u8; 4] = [0x85, 0x6F, 0x4A, 0x83];
const PLAIN_CHANGE: u8 = 1;
