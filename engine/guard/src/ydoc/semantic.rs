//! What an update claims about a stream whose clocks are known.

use std::ops::Range;

use super::blocks::{Block, Id, Kind, Place, Visitor};
use super::content::Content;
use super::jumps::Thread;
use crate::fault::{Counted, Fault, Unsupported};
use crate::limits::Limits;

/// The clocks of a stream.
pub trait Known {
    /// The next clock of `client`: everything below it exists. `None` if the stream has never seen the client.
    fn clock(&self, client: u64) -> Option<u32>;
}

/// The author's clocks an update adds, `from..to`, and what it may cost. An update that only deletes has `from == to`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extension {
    /// The author's next clock before the update.
    pub from: u32,
    /// The author's next clock after it.
    pub to: u32,
    /// At how many places it touches the document: where it begins anew, and what it takes out. Each may cost a walk.
    pub places: u32,
}

/// Follows an update by one author.
pub(super) struct Author<'a, K> {
    own: u64,
    known: &'a K,
    /// The root of a document that is one text.
    text: Option<&'a str>,
    /// The clients whose blocks were all seen, of a whole document; `None` for an update by one author.
    whole: Option<usize>,
    from: u32,
    next: u32,
    nested: u32,
    nested_limit: u32,
    thread: Thread,
    jumps: u32,
    jumps_limit: u32,
    taken_out: u32,
}

impl<'a, K: Known> Author<'a, K> {
    pub(super) fn new(own: u64, known: &'a K, limits: &Limits) -> Self {
        let from = known.clock(own).unwrap_or(0);
        Author {
            own,
            known,
            text: None,
            whole: None,
            from,
            next: from,
            nested: 0,
            nested_limit: limits.nested,
            thread: Thread::default(),
            jumps: 0,
            jumps_limit: limits.jumps,
            taken_out: 0,
        }
    }

    /// Takes only what belongs into the text `root`.
    pub(super) fn of_text(self, root: &'a str) -> Self {
        Author { text: Some(root), ..self }
    }

    /// Takes all that `known` tells of every client, and nothing else.
    pub(super) fn of_everybody(self) -> Self {
        Author { whole: Some(0), from: 0, next: 0, ..self }
    }

    /// Whether so many clients were seen to their ends.
    pub(super) fn finish(mut self, clients: usize, at: usize) -> Result<(), Fault> {
        self.end_client()?;
        if self.whole == Some(clients) { Ok(()) } else { Err(Fault::Truncated { at }) }
    }

    /// The blocks of a client have ended where the stream's clocks say.
    fn end_client(&mut self) -> Result<(), Fault> {
        let Some(whole) = self.whole.as_mut().filter(|_| self.next > 0) else { return Ok(()) };
        *whole += 1;
        let expected = self.known.clock(self.own).unwrap_or(0);
        if self.next == expected { Ok(()) } else { Err(Fault::Discontinuous { expected, found: self.next }) }
    }

    pub(super) fn extension(&self) -> Extension {
        Extension { from: self.from, to: self.next, places: self.jumps + self.taken_out }
    }

    /// The first clock of `client` that does not exist, as things stand before the next block.
    fn end_of(&self, client: u64) -> u32 {
        if client == self.own { self.next } else { self.known.clock(client).unwrap_or(0) }
    }

    fn nesting(&mut self, place: &Place<'_>) -> Result<(), Fault> {
        if place.parent.is_some_and(|parent| parent.client == self.own && parent.clock >= self.from) {
            self.nested += 1;
            if self.nested > self.nested_limit {
                return Err(Fault::TooMany { what: Counted::Nested, limit: self.nested_limit });
            }
        }
        Ok(())
    }

    fn jumping(&mut self, block: &Block<'_>) -> Result<(), Fault> {
        // A whole document has as many of them as its stream.
        if self.thread.breaks_at(block) && self.whole.is_none() {
            self.jumps += 1;
            if self.jumps > self.jumps_limit {
                return Err(Fault::TooMany { what: Counted::Jumps, limit: self.jumps_limit });
            }
        }
        Ok(())
    }

    fn references(&self, at: usize, place: &Place<'_>) -> Result<(), Fault> {
        for Id { client, clock } in [place.origin, place.right_origin, place.parent].into_iter().flatten() {
            if clock >= self.end_of(client) {
                return Err(Fault::UnknownReference { at, client, clock });
            }
        }
        Ok(())
    }
}

impl<K: Known> Visitor for Author<'_, K> {
    fn block(&mut self, block: &Block<'_>) -> Result<(), Fault> {
        if block.id.client != self.own {
            if self.whole.is_none() || self.known.clock(block.id.client).is_none() {
                return Err(Fault::ForeignClient { client: block.id.client });
            }
            self.end_client()?;
            (self.own, self.next) = (block.id.client, 0);
        }
        if block.id.clock != self.next {
            return Err(Fault::Discontinuous { expected: self.next, found: block.id.clock });
        }
        self.jumping(block)?;
        match &block.kind {
            Kind::Gc => {}
            Kind::Skip => return Err(Fault::Unsupported { what: Unsupported::Skip, at: block.at }),
            Kind::Item(place, content) => {
                self.references(block.at, place)?;
                self.nesting(place)?;
                if let Some(root) = self.text {
                    in_text(root, block.at, place, *content)?;
                }
            }
        }
        self.next = block.end;
        Ok(())
    }

    fn delete(&mut self, client: u64, Range { end, .. }: Range<u32>) -> Result<(), Fault> {
        self.taken_out += 1;
        // Of a whole document all blocks have been seen by now.
        let known =
            if self.whole.is_some() { self.known.clock(client).unwrap_or(0) } else { self.end_of(client) };
        if end > known { Err(Fault::UnknownDelete { client, end }) } else { Ok(()) }
    }
}

fn in_text(root: &str, at: usize, place: &Place<'_>, content: Content) -> Result<(), Fault> {
    let alien = content == Content::Value || place.keyed || place.parent.is_some();
    if alien || place.root.is_some_and(|named| named != root) {
        return Err(Fault::Unsupported { what: Unsupported::NotText, at });
    }
    if content == Content::Unsteady {
        return Err(Fault::Unsupported { what: Unsupported::Unsteady, at });
    }
    Ok(())
}
