//! How often an update jumps about in a text, which tells what applying it may cost.

use super::blocks::{Block, Id, Kind, Visitor};
use super::walk;
use crate::fault::Fault;
use crate::limits::Limits;

/// Counts the places of a text in which an update begins anew: blocks that do not go on where the one before them ended, and
/// deleted ranges but the first.
///
/// Each of these may cost whoever applies it a walk over all that stands in the text, as nobody who holds no text can tell
/// whether the neighbours it names are any. What is typed on behind its author's last character costs a step: nothing that
/// was written since stands there. The first block of an update goes on if it stands behind that character, and the first
/// range is free, as whoever shows an update walks through the text once.
///
/// Of an update that has not passed [`scan`](super::scan) only what stands before the fault is counted.
pub fn jumps(update: &[u8]) -> u32 {
    let mut jumps = Jumps::default();
    let _ = walk(update, &Limits::default(), &mut jumps);
    jumps.blocks + jumps.ranges.saturating_sub(1)
}

#[derive(Default)]
struct Jumps {
    blocks: u32,
    ranges: u32,
    /// In front of what the block before stands.
    right: Option<Option<Id>>,
}

impl Visitor for Jumps {
    fn block(&mut self, block: &Block<'_>) -> Result<(), Fault> {
        let Id { client, clock } = block.id;
        let Kind::Item(place, _) = &block.kind else { return Ok(()) };
        let before = clock.checked_sub(1).map(|clock| Id { client, clock });
        // Another neighbour to the right cuts up whatever that one stands in.
        let goes_on = before.is_some()
            && place.origin == before
            && self.right.is_none_or(|right| right == place.right_origin);
        self.blocks += u32::from(!goes_on);
        self.right = Some(place.right_origin);
        Ok(())
    }

    fn delete(&mut self, _client: u64, _end: u32) -> Result<(), Fault> {
        self.ranges += 1;
        Ok(())
    }
}
