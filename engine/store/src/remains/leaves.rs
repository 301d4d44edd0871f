//! Rows in the leaf pages of a file of redb's, whatever leads to them. The layout is that of redb 4: pages of 4 KiB; a leaf
//! begins with `01 00`, the number of pairs (2), the ends of all keys (4 each) and of all values (4 each), little endian and
//! counted from the beginning of the page; then the keys, then the values. redb writes a page anew for every change, so
//! older versions of a row may lie beside the newest, and nothing tells which is which.

use std::fs::File;
use std::io::{self, Read};

use super::carved::Carved;
use crate::pieces::Pieces;

/// Looks at every page.
pub(super) fn carve(file: &File, carved: &mut Carved<'_>) -> io::Result<()> {
    let mut file = io::BufReader::with_capacity(SLAB_BYTES, Pieces::of(file)?);
    let mut window = Vec::new();
    loop {
        let wanted = WINDOW_BYTES - window.len();
        (&mut file).take(wanted as u64).read_to_end(&mut window)?;
        if window.is_empty() {
            return Ok(());
        }
        leaf(&window, carved);
        if carved.has_enough() {
            return Ok(());
        }
        window.drain(..PAGE_BYTES.min(window.len()));
    }
}

/// A leaf at the beginning of these bytes, if there is one.
fn leaf(bytes: &[u8], carved: &mut Carved<'_>) -> Option<()> {
    let (head, _) = bytes.split_first_chunk::<4>()?;
    let count = usize::from(u16::from_le_bytes([head[2], head[3]]));
    let number = |at: usize| {
        let (number, _) = bytes.get(4 + 4 * at..)?.split_first_chunk::<4>()?;
        usize::try_from(u32::from_le_bytes(*number)).ok()
    };
    // A page of which the kind is one bit off is one of rows all the same; of those that lead to others two are.
    if (head[0] ^ LEAF).count_ones() > 1 || count == 0 {
        return None;
    }
    let keys_at = 4 + 8 * count;
    let (mut key_at, mut value_at) = (keys_at, number(count - 1)?);
    for pair in 0..count {
        // A page whose numbers are bent may still have pairs before and behind.
        let (key_end, value_end) = (number(pair)?, number(count + pair)?);
        if let (Some(key), Some(value)) = (bytes.get(key_at..key_end), bytes.get(value_at..value_end)) {
            carved.offer(key, value, 0);
        }
        (key_at, value_at) = (key_end, value_end);
    }
    Some(())
}

const LEAF: u8 = 1;
const PAGE_BYTES: usize = 4096;
/// More than the longest leaf: our rows have at most 4 KiB, and a leaf of several is split long before.
const WINDOW_BYTES: usize = 16 * PAGE_BYTES;
const SLAB_BYTES: usize = 1 << 20;
