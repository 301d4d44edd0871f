//! What a store knows of itself: how many batches it took, and which rows it should hold.
//!
//! ```text
//! 00  →  sum (16) ‖ 00 ‖ number of the last batch (8) ‖ number of rows (8) ‖ a sum of each, mixed (16)
//! ```
//!
//! The sum of a row tells when its value is not what was written. That a row is missing, stands under a key that nobody
//! wrote, or is one that was replaced shows only in the whole: sums mixed by exclusive or, so that adding and removing one
//! takes the same time whatever the size. redb, whose pages say themselves that they are not the newest, mixes the sums of
//! its keys; sled those of its rows. It is there for failing disks, not against somebody who writes to them.

use crate::rows::layout::{self, SUM_BYTES, Sum};

/// The row of the last batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Ledger {
    /// The number of the last batch that was applied.
    pub(crate) batch: u64,
    pub(crate) census: Census,
}

/// How many rows there are, and a sum of each, mixed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Census {
    count: u64,
    mixed: Sum,
}

impl Ledger {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut body = Vec::with_capacity(8 + 8 + SUM_BYTES);
        body.extend_from_slice(&self.batch.to_be_bytes());
        body.extend_from_slice(&self.census.count.to_be_bytes());
        body.extend_from_slice(&self.census.mixed);
        layout::encode_own(layout::NUMBER_KEY, &body)
    }

    /// `None` where it is not what was written.
    pub(crate) fn decode(raw: &[u8]) -> Option<Self> {
        let layout::Stored::Inline(body) = layout::Stored::decode(layout::NUMBER_KEY, raw)? else {
            return None;
        };
        let (batch, rest) = body.split_first_chunk()?;
        let (count, mixed) = rest.split_first_chunk()?;
        let census = Census { count: u64::from_be_bytes(*count), mixed: mixed.try_into().ok()? };
        Some(Self { batch: u64::from_be_bytes(*batch), census })
    }
}

impl Census {
    /// One that was not there.
    pub(crate) fn add(&mut self, sum: Sum) {
        self.count = self.count.wrapping_add(1);
        self.mix(sum);
    }

    /// One that was there.
    pub(crate) fn remove(&mut self, sum: Sum) {
        self.count = self.count.wrapping_sub(1);
        self.mix(sum);
    }

    fn mix(&mut self, sum: Sum) {
        for (mixed, byte) in self.mixed.iter_mut().zip(sum) {
            *mixed ^= byte;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(key: &[u8]) -> Sum {
        layout::sum(&[key])
    }

    #[test]
    fn rows_that_come_and_go_leave_no_trace_and_one_that_changes_does() {
        let mut census = Census::default();
        census.add(sum(b"a"));
        let one = census;
        census.add(sum(b"b"));
        assert_ne!(census, one);
        census.remove(sum(b"b"));
        assert_eq!(census, one);
        census.remove(sum(b"a"));
        census.add(sum(b"c"));
        assert_ne!(census, one, "as many rows, but another");
    }

    #[test]
    fn the_layout_on_disk_stays_as_it_is_and_a_flipped_bit_shows() {
        let mut ledger = Ledger { batch: 7, census: Census::default() };
        ledger.census.add(sum(b"k"));
        let raw = ledger.encode();
        let hex: String = raw.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(
            hex,
            "52dcfbf5648401d77dcff41ae56fbf080000000000000000070000000000000001a778547d6eace8b4d7215dc2d99b3675"
        );
        assert_eq!(Ledger::decode(&raw), Some(ledger));
        for bit in 0..raw.len() * 8 {
            let mut bent = raw.clone();
            bent[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Ledger::decode(&bent), None, "bit {bit} passed");
        }
    }
}
