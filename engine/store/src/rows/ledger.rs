//! What redb's store knows of itself: how many batches it took, and which keys it should hold.
//!
//! ```text
//! 00  →  sum (16) ‖ 00 ‖ number of the last batch (8) ‖ number of keys (8) ‖ all keys' sums, mixed (16)
//! ```
//!
//! The sum of a row tells when its value is not what was written. That a row is missing, or stands under a key that
//! nobody wrote, shows only in the whole: the sums of all keys, mixed by exclusive or, so that adding and removing one
//! takes the same time whatever the size. It is there for failing disks, not against somebody who writes to them.

use crate::rows::layout::{self, SUM_BYTES};

/// The row of the last batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Ledger {
    /// The number of the last batch that was applied.
    pub(super) batch: u64,
    pub(super) keys: KeySet,
}

/// Which keys there are, beside that of the ledger itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct KeySet {
    count: u64,
    mixed: [u8; SUM_BYTES],
}

impl Ledger {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut body = Vec::with_capacity(8 + 8 + SUM_BYTES);
        body.extend_from_slice(&self.batch.to_be_bytes());
        body.extend_from_slice(&self.keys.count.to_be_bytes());
        body.extend_from_slice(&self.keys.mixed);
        layout::encode_own(layout::NUMBER_KEY, &body)
    }

    /// `None` where it is not what was written.
    pub(super) fn decode(raw: &[u8]) -> Option<Self> {
        let layout::Stored::Inline(body) = layout::Stored::decode(layout::NUMBER_KEY, raw)? else {
            return None;
        };
        let (batch, rest) = body.split_first_chunk()?;
        let (count, mixed) = rest.split_first_chunk()?;
        let keys = KeySet { count: u64::from_be_bytes(*count), mixed: mixed.try_into().ok()? };
        Some(Self { batch: u64::from_be_bytes(*batch), keys })
    }
}

impl KeySet {
    /// A key that was not there.
    pub(super) fn add(&mut self, key: &[u8]) {
        self.count = self.count.wrapping_add(1);
        self.mix(key);
    }

    /// A key that was there.
    pub(super) fn remove(&mut self, key: &[u8]) {
        self.count = self.count.wrapping_sub(1);
        self.mix(key);
    }

    fn mix(&mut self, key: &[u8]) {
        for (mixed, byte) in self.mixed.iter_mut().zip(layout::sum(&[key])) {
            *mixed ^= byte;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_come_and_go_leave_no_trace_and_one_that_changes_does() {
        let mut keys = KeySet::default();
        keys.add(b"a");
        let one = keys;
        keys.add(b"b");
        assert_ne!(keys, one);
        keys.remove(b"b");
        assert_eq!(keys, one);
        keys.remove(b"a");
        keys.add(b"c");
        assert_ne!(keys, one, "as many keys, but another");
    }

    #[test]
    fn the_layout_on_disk_stays_as_it_is_and_a_flipped_bit_shows() {
        let mut ledger = Ledger { batch: 7, keys: KeySet::default() };
        ledger.keys.add(b"k");
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
