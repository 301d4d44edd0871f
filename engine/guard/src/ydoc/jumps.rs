//! Where an update begins anew in a text, which tells what applying it may cost.

use super::blocks::{Block, Id, Kind};

/// Follows the blocks of an update as its author wrote them.
///
/// A block goes on if it stands behind the last character of the block before it, and in front of what that stands in front
/// of: nobody else can have written anything in between, so yrs finds its place in one step. Any other block may cost a walk
/// over all that stands behind its left neighbour, which may be the whole text, and cut up two strings of any length. Who holds
/// no text cannot tell that from what an editor writes.
#[derive(Default)]
pub(super) struct Thread(Option<(Id, Option<Id>)>);

impl Thread {
    /// Whether a block begins anew; the first one of an update does.
    pub(super) fn breaks_at(&mut self, block: &Block<'_>) -> bool {
        let before = self.0.take();
        // Garbage stands nowhere, so what follows it has no place yet.
        let Kind::Item(place, _) = &block.kind else { return true };
        self.0 = Some((Id { clock: block.end - 1, ..block.id }, place.right_origin));
        before.is_none_or(|(last, right)| place.origin != Some(last) || place.right_origin != right)
    }
}
