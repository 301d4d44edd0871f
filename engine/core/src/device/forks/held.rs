//! The pieces of forks that a page knows.

use crate::device::forks::ForkId;
use crate::device::receipts::Receipt;
use crate::ids::{ReplicaId, StreamId};
use crate::limits::FORK_BYTES;
use crate::log::EntryName;
use crate::stored;
use crate::wire::{Aside, Place};

/// All forks of this device, as far as this page knows them.
#[derive(Debug, Default)]
pub(in crate::device) struct Forks {
    /// In the order of their keys.
    pub(super) pieces: Vec<Piece>,
    /// How many of them leave, so that in the usual case of none nobody looks through all.
    leaving: usize,
    /// To be put back as soon as the document can be written.
    pub(super) returning: Vec<(ForkId, StreamId)>,
    /// Put back or discarded in this page, and not confirmed by the one that leads; in order.
    pub(in crate::device) done: Vec<Place>,
}

#[derive(Debug)]
pub(super) struct Piece {
    pub(super) aside: Aside,
    /// Whether it is on the disk.
    is_kept: bool,
    /// Made again as an edit: the piece goes when that is on the disk.
    pub(super) leaving: Option<Receipt>,
}

impl Forks {
    /// Takes a piece in. `false`: it is here, or the bound is reached and it stays where it is.
    pub(in crate::device) fn hold(&mut self, aside: Aside, is_kept: bool) -> bool {
        let held: usize = self.pieces.iter().map(|piece| piece.aside.record.payload.len()).sum();
        if is_kept && held + aside.record.payload.len() > FORK_BYTES {
            return false;
        }
        let Err(at) = self.place(&aside.name()) else { return false };
        self.pieces.insert(at, Piece { aside, is_kept, leaving: None });
        true
    }

    /// Whether something else is kept under this name.
    pub(in crate::device) fn has_other(&self, name: &Place, payload: &[u8]) -> bool {
        self.place(name).is_ok_and(|at| self.pieces[at].aside.record.payload != payload)
    }

    /// What the pieces of a stream hold that stay, and of whose work.
    pub(in crate::device) fn payloads(&self, stream: StreamId) -> Vec<(ReplicaId, &[u8])> {
        let stay = |piece: &&Piece| piece.aside.stream == stream && piece.leaving.is_none();
        let stays = self.pieces.iter().filter(stay).map(|piece| &piece.aside);
        stays.map(|aside| (aside.replica, aside.record.payload.as_slice())).collect()
    }

    /// Pieces, named in order.
    pub(super) fn let_go(&mut self, names: &[Place]) {
        let leaving = &mut self.leaving;
        self.pieces.retain(|piece| {
            let stays = names.binary_search(&piece.aside.name()).is_err();
            *leaving -= usize::from(!stays && piece.leaving.is_some());
            stays
        });
    }

    /// Pieces, named in order, leave when this edit is on the disk.
    pub(super) fn leave(&mut self, names: &[Place], receipt: Receipt) {
        for name in names {
            if let Ok(at) = self.place(name)
                && self.pieces[at].leaving.is_none()
            {
                self.pieces[at].leaving = Some(receipt);
                self.leaving += 1;
            }
        }
    }

    /// Of those that leave the names of some, in order.
    pub(super) fn leaving(&self, which: impl Fn(Receipt) -> bool) -> Vec<Place> {
        let mut names = Vec::new();
        if self.leaving > 0 {
            let leaving = self.pieces.iter().filter(|piece| piece.leaving.is_some_and(&which));
            names.extend(leaving.map(|piece| piece.aside.name()));
        }
        names
    }

    /// What this page let go of waits for the one that leads.
    pub(super) fn not_done(&mut self, names: &[Place]) {
        for name in names {
            if let Err(at) = self.done.binary_search(name) {
                self.done.insert(at, *name);
            }
        }
    }

    /// Whether the piece is kept from now on, or only from the next `kept` on.
    pub(in crate::device) fn set_kept(&mut self, name: &Place, is_kept: bool) {
        if let Ok(at) = self.place(name) {
            self.pieces[at].is_kept = is_kept;
        }
    }

    /// All are kept from now on but those that wait to be written; answers those that were not before.
    pub(in crate::device) fn keep_but(&mut self, waiting: impl Iterator<Item = Place>) -> Vec<Aside> {
        let mut waits = vec![false; self.pieces.len()];
        for name in waiting {
            if let Ok(at) = self.place(&name) {
                waits[at] = true;
            }
        }
        let mut kept = Vec::new();
        for (piece, waits) in self.pieces.iter_mut().zip(waits) {
            if !waits && !std::mem::replace(&mut piece.is_kept, true) {
                kept.push(piece.aside.clone());
            }
        }
        kept
    }

    /// Whether a piece of a stream is not on the disk.
    pub(in crate::device) fn waits(&self, stream: StreamId) -> bool {
        self.pieces.iter().any(|piece| piece.aside.stream == stream && !piece.is_kept)
    }

    /// Pieces that are not on the disk.
    pub(in crate::device) fn unkept(&self) -> Vec<Aside> {
        self.asides(false)
    }

    /// Pieces that are.
    pub(in crate::device) fn kept(&self) -> Vec<Aside> {
        self.asides(true)
    }

    fn asides(&self, kept: bool) -> Vec<Aside> {
        let pieces = self.pieces.iter().filter(|piece| piece.is_kept == kept);
        pieces.map(|piece| piece.aside.clone()).collect()
    }

    /// Another disk or leader says what is kept; what is nowhere else stays, and what was put back and is about to go.
    pub(in crate::device) fn forget_kept(&mut self) {
        self.pieces.retain(|piece| !piece.is_kept || piece.leaving.is_some());
    }

    /// Pieces of one fork.
    pub(in crate::device) fn of(&self, id: ForkId) -> Vec<&Aside> {
        let mut asides = Vec::new();
        for piece in &self.pieces {
            if piece.leaving.is_none() && ForkId::of(&piece.aside) == id {
                asides.push(&piece.aside);
            }
        }
        asides
    }

    fn place(&self, name: &Place) -> Result<usize, usize> {
        self.pieces.binary_search_by(|piece| piece.aside.name().cmp(name))
    }
}

impl Aside {
    pub(in crate::device) fn name(&self) -> Place {
        Place { stream: self.stream, replica: self.replica, seq: self.seq }
    }
}

impl Place {
    pub(in crate::device) fn of(stream: StreamId, EntryName { replica, seq }: EntryName) -> Self {
        Self { stream, replica, seq }
    }

    /// Its row on the disk, if it is a piece of a fork. Rows stand in the order of these names.
    pub(in crate::device) fn fork_key(&self) -> Vec<u8> {
        stored::fork_key(&self.stream, &self.replica, self.seq)
    }

    pub(in crate::device) fn of_fork_key(key: &[u8]) -> Option<Self> {
        let (stream, replica, seq) = stored::parse_fork_key(key)?;
        Some(Self { stream, replica, seq })
    }
}
