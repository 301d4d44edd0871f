//! Writes updates by hand, so that a story can lie in exactly one place.

use causeway_guard::ydoc::{Known, check};
use causeway_guard::{Fault, Limits};

pub(crate) const STRING: u8 = 4;
pub(crate) const ANY: u8 = 8;
pub(crate) const ORIGIN: u8 = 0x80;
pub(crate) const RIGHT_ORIGIN: u8 = 0x40;

#[derive(Default, Clone)]
pub(crate) struct Bytes(pub(crate) Vec<u8>);

impl Bytes {
    pub(crate) fn raw(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(bytes);
        self
    }

    pub(crate) fn num(mut self, mut value: u64) -> Self {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
        self
    }

    pub(crate) fn text(self, text: &str) -> Self {
        self.num(text.len() as u64).raw(text.as_bytes())
    }

    /// A block that is an item at the start of the root `t`.
    pub(crate) fn at_root(self, kind: u8) -> Self {
        self.raw(&[kind, 1]).text("t")
    }

    /// A block that is a string behind another one.
    pub(crate) fn behind(self, client: u64, clock: u64, text: &str) -> Self {
        self.raw(&[STRING | ORIGIN]).num(client).num(clock).text(text)
    }

    pub(crate) fn deletes(self, client: u64, ranges: &[(u64, u64)]) -> Self {
        let start = self.num(1).num(client).num(ranges.len() as u64);
        ranges.iter().fold(start, |bytes, (clock, len)| bytes.num(*clock).num(*len))
    }

    pub(crate) fn check(&self, own: u64, known: &impl Known) -> Result<(), Fault> {
        check(&self.0, own, known, &Limits::default()).map(|_| ())
    }
}

/// An update with one section, up to its first block.
pub(crate) fn section(blocks: u64, client: u64, clock: u64) -> Bytes {
    Bytes::default().num(1).num(blocks).num(client).num(clock)
}

/// An update without blocks, up to its delete set.
pub(crate) fn no_blocks() -> Bytes {
    Bytes::default().num(0)
}
