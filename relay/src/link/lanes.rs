//! The four queues of one link, and the order in which they are written.

use std::collections::VecDeque;

use bytes::Bytes;
use causeway_core::home::Lane;

use crate::limits::{JOINED_BYTES, JOINED_FRAMES};

/// Frames that wait, by lane. The control lane goes first; the others take turns, so that none starves.
#[derive(Debug, Default)]
pub(super) struct Lanes {
    lanes: [Waiting; Lane::ALL.len()],
    /// Whose turn it is among those behind the control lane.
    turn: usize,
    bytes: usize,
}

#[derive(Debug, Default)]
struct Waiting {
    frames: VecDeque<Bytes>,
    /// Something was taken from it that is still being written.
    writing: bool,
    /// It has been written out since that was last asked.
    drained: bool,
}

impl Lanes {
    pub(super) fn push(&mut self, lane: Lane, frame: Bytes) {
        self.bytes += frame.len();
        let waiting = &mut self.lanes[lane as usize];
        waiting.drained = false;
        waiting.frames.push_back(frame);
    }

    /// Something of a lane that never waited is being written.
    pub(super) fn writes(&mut self, lane: Lane) {
        self.lanes[lane as usize].writing = true;
        self.lanes[lane as usize].drained = false;
    }

    /// Whether nothing waits. A frame is never empty.
    pub(super) fn is_empty(&self) -> bool {
        self.bytes == 0
    }

    /// Bytes that wait.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Frames for the next message, in the order they are to be written; none where nothing waits. Small ones are
    /// gathered, a large one goes alone. A frame tells its own length, so a message may hold many.
    pub(super) fn take(&mut self) -> Vec<Bytes> {
        let mut frames = Vec::new();
        let mut length = 0;
        while let Some(lane) = self.next_lane() {
            let waiting = &mut self.lanes[lane as usize];
            let Some(frame) = waiting.frames.front() else { break };
            let full = length + frame.len() > JOINED_BYTES || frames.len() == JOINED_FRAMES;
            if full && !frames.is_empty() {
                break;
            }
            length += frame.len();
            waiting.writing = true;
            frames.extend(waiting.frames.pop_front());
            if lane != Lane::Control {
                self.turn = lane as usize;
            }
        }
        self.bytes -= length;
        frames
    }

    /// What was taken has been written to the end.
    pub(super) fn written(&mut self) {
        for waiting in &mut self.lanes {
            if std::mem::take(&mut waiting.writing) {
                waiting.drained = waiting.frames.is_empty();
            }
        }
    }

    /// Lanes that have been written out since this was last asked, and have nothing waiting now. Bulk comes first: what
    /// the room then puts into it must not be taken for written when it hears of the entries lane.
    pub(super) fn take_drained(&mut self) -> impl Iterator<Item = Lane> + use<> {
        let drained = self.lanes.each_mut().map(|waiting| std::mem::take(&mut waiting.drained));
        Lane::ALL.into_iter().rev().filter(move |lane| drained[*lane as usize])
    }

    /// Whether [`Lanes::take_drained`] has something to tell.
    pub(super) fn has_drained(&self) -> bool {
        self.lanes.iter().any(|waiting| waiting.drained)
    }

    fn next_lane(&self) -> Option<Lane> {
        let waits = |lane: &Lane| !self.lanes[*lane as usize].frames.is_empty();
        let others = Lane::ALL.len() - 1;
        // From behind the lane whose turn it last was, around to itself.
        let turns = (0..others).map(|step| Lane::ALL[1 + (self.turn + step) % others]);
        std::iter::once(Lane::Control).chain(turns).find(waits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(name: u8, length: usize) -> Bytes {
        vec![name; length].into()
    }

    fn names(frames: &[Bytes]) -> Vec<u8> {
        frames.iter().map(|frame| frame[0]).collect()
    }

    #[test]
    fn rl8_control_goes_first_and_the_others_take_turns() {
        let mut lanes = Lanes::default();
        for (lane, name) in [(Lane::Bulk, b'b'), (Lane::Entries, b'e'), (Lane::Presence, b'p')] {
            lanes.push(lane, frame(name, 1));
            lanes.push(lane, frame(name, 1));
        }
        lanes.push(Lane::Control, frame(b'c', 1));
        lanes.push(Lane::Control, frame(b'c', 1));
        assert_eq!(names(&lanes.take()), b"ccepbepb");
        assert_eq!(lanes.bytes(), 0);
    }

    #[test]
    fn rl8_no_lane_starves_however_much_waits_in_the_others() {
        let mut lanes = Lanes::default();
        for _ in 0..4 {
            lanes.push(Lane::Entries, frame(b'e', JOINED_BYTES));
            lanes.push(Lane::Bulk, frame(b'b', JOINED_BYTES));
        }
        let order: Vec<u8> = (0..8).flat_map(|_| names(&lanes.take())).collect();
        assert_eq!(order, b"ebebebeb");
        lanes.push(Lane::Bulk, frame(b'b', JOINED_BYTES));
        lanes.push(Lane::Control, frame(b'c', 1));
        assert_eq!(names(&lanes.take()), b"c", "and none goes before an answer");
    }

    #[test]
    fn small_frames_are_gathered_and_large_ones_go_alone() {
        let mut lanes = Lanes::default();
        for length in [10, 20, JOINED_BYTES, 5] {
            lanes.push(Lane::Entries, frame(b'e', length));
        }
        let lengths = |frames: Vec<Bytes>| frames.iter().map(Bytes::len).collect::<Vec<_>>();
        assert_eq!(lengths(lanes.take()), [10, 20]);
        assert_eq!(lengths(lanes.take()), [JOINED_BYTES]);
        assert_eq!(lengths(lanes.take()), [5]);
        assert!(lanes.take().is_empty());
    }

    #[test]
    fn a_lane_is_drained_when_its_last_frame_was_written_and_nothing_came_meanwhile() {
        let mut lanes = Lanes::default();
        lanes.push(Lane::Entries, frame(b'e', 1));
        lanes.push(Lane::Control, frame(b'c', 1));
        lanes.take();
        assert!(!lanes.has_drained(), "they are still being written");
        lanes.push(Lane::Control, frame(b'c', 1));
        lanes.written();
        assert_eq!(lanes.take_drained().collect::<Vec<_>>(), [Lane::Entries]);
        assert!(!lanes.has_drained(), "each is told once");
        lanes.take();
        lanes.written();
        lanes.push(Lane::Control, frame(b'c', 1));
        assert_eq!(lanes.take_drained().count(), 0, "something came before it was asked");
    }
}
