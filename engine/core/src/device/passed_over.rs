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
    /// Chains of which it covers more than is here, up to where; each is asked for once.
    lacking: Vec<(ReplicaId, u64)>,
}

impl Stream {
    /// Whether the snapshot held here covers something that this one does not.
    pub(super) fn would_lose_to(&self, root: &Root) -> bool {
        self.snapshot.as_ref().is_some_and(|held| !root.includes(held))
    }

    /// The newest snapshot of the home that came here.
    pub(super) fn newest_seen(&self) -> SnapshotId {
        match (&self.passed_over, &self.snapshot) {
            (Some(passed), _) => passed.id,
            (None, Some(held)) => held.id(),
            (None, None) => SnapshotId::NOTHING,
        }
    }

    pub(super) fn pass_over(&mut self, id: SnapshotId, root: &Root) {
        let mut lacking: Vec<_> = root.tips().map(|(replica, tip)| (replica, tip.seq)).collect();
        lacking.retain(|(replica, seq)| self.log.tip(replica).seq < *seq);
        self.passed_over = Some(PassedOver { id, lacking });
    }
}

impl Room {
    /// Asks for the next chain of which only the snapshot that was passed over has all. The answer ends with `synced`,
    /// and so comes back to this. What cannot be had is asked for again when the home has sent that snapshot again.
    pub(super) fn need_passed_over(&mut self, id: StreamId) {
        let Some(stream) = self.streams.get_mut(&id) else { return };
        let Some(passed) = &mut stream.passed_over else { return };
        while let Some((replica, to)) = passed.lacking.pop() {
            let from = stream.log.tip(&replica).seq + 1;
            if from <= to {
                return self.send(&Need { stream: id, replica, from, to }.into());
            }
        }
    }
}
