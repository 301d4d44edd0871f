//! A snapshot that lacks what the one held here covers, as one of a home that was restored from a backup.
//!
//! It is not taken: this device may be the last to have that, and has it in its snapshot alone. What the home's has and this
//! device lacks is asked for chain by chain, as entries.

use crate::device::Room;
use crate::device::stream::Stream;
use crate::ids::{ReplicaId, StreamId};
use crate::snapshot::{Root, SnapshotId};
use crate::wire::Need;

/// The newest one of the home's.
#[derive(Debug)]
pub(super) struct PassedOver {
    id: SnapshotId,
    /// Up to where it covers each chain. What is here less far is asked for, each chain once.
    covered: Vec<(ReplicaId, u64)>,
    /// How many of these were not looked at yet.
    left: usize,
}

impl Stream {
    /// Whether the snapshot on the disk, or the one that a channel is shown from, covers something that this one does not.
    pub(super) fn would_lose_to(&self, root: &Root, leads: bool) -> bool {
        let held = self.snapshot.as_ref().filter(|_| leads);
        held.is_some_and(|held| !root.includes(&held.marks()))
            || self.channel().is_some_and(|open| !open.channel.may_take(root))
    }

    /// The newest snapshot of the home that came here.
    pub(super) fn newest_seen(&self) -> SnapshotId {
        match (&self.passed_over, &self.snapshot) {
            (Some(passed), _) => passed.id,
            (None, Some(held)) => held.id(),
            (None, None) => SnapshotId::NOTHING,
        }
    }

    /// Of one that covers so much.
    pub(super) fn pass_over(&mut self, id: SnapshotId, covered: Vec<(ReplicaId, u64)>) {
        let left = covered.len();
        self.passed_over = Some(PassedOver { id, covered, left });
        self.wants_newer = false;
    }

    /// Whether something that it covers is not here.
    pub(super) fn lacks_passed_over(&self) -> bool {
        let covered = self.passed_over.iter().flat_map(|passed| &passed.covered);
        covered.into_iter().any(|(replica, to)| self.log.tip(replica).seq < *to)
    }
}

impl Room {
    /// Asks for the next chain of which only the snapshot that was passed over has all. The answer ends with `synced`,
    /// and so comes back to this. What cannot be had is asked for again when the home has sent that snapshot again.
    pub(super) fn need_passed_over(&mut self, id: StreamId) {
        let Some(stream) = self.streams.get_mut(&id) else { return };
        let Some(passed) = &mut stream.passed_over else { return };
        while let Some(left) = passed.left.checked_sub(1) {
            passed.left = left;
            let (replica, to) = passed.covered[left];
            let from = stream.log.tip(&replica).seq + 1;
            if from <= to && !stream.parted.contains(&replica) {
                return self.send(&Need { stream: id, replica, from, to }.into());
            }
        }
    }
}
