//! How soon a room takes the next messages, where they come faster than anybody reads.
//!
//! What a room takes at once shares a commit, and a message to each of its links. Most rooms take everything the moment it
//! comes. One in which much is said rests between two batches, so that each holds several messages: nobody sees that
//! they come some milliseconds later, and each costs the relay less. It goes by what the room itself takes and by nothing else, so
//! nobody waits because of another room. All that rest wake together, so that one write of the store serves many rooms.

use std::time::Duration;

use tokio::time::Instant;

use crate::limits::{PACE_BARREN, PACE_BEAT, PACE_BUSY, PACE_GATHERS, PACE_TRIAL, PACE_WINDOW, ROOM_FLOOD};

/// Counts what a room takes, window by window.
#[derive(Debug)]
pub(crate) struct Pace {
    /// Rests end at whole multiples of their length from here.
    origin: Instant,
    began: Instant,
    messages: usize,
    batches: usize,
    rests: bool,
    /// It has only begun to rest, and looks soon whether that gathers anything.
    tries: bool,
    /// Resting was of no use and is not tried again before: whoever sends sends one message and waits for its answer.
    not_before: Instant,
}

impl Pace {
    /// Rooms with one origin wake together.
    pub(crate) fn new(origin: Instant, now: Instant) -> Self {
        Self { origin, began: now, messages: 0, batches: 0, rests: false, tries: false, not_before: now }
    }

    /// The room has taken a batch of so many messages. Until when it takes no more.
    pub(crate) fn took(&mut self, messages: usize, now: Instant) -> Option<Instant> {
        let lasted = now.saturating_duration_since(self.began);
        let window = if self.tries { PACE_TRIAL } else { PACE_WINDOW };
        if lasted >= window {
            self.judge(lasted, now);
            (self.began, self.messages, self.batches) = (now, 0, 0);
        }
        self.messages += messages;
        self.batches += 1;
        // Whoever brings so much in one go gathers by itself, and would only be held up.
        (self.rests && messages < ROOM_FLOOD).then(|| self.next_beat(now))
    }

    fn next_beat(&self, now: Instant) -> Instant {
        let since_beat = now.saturating_duration_since(self.origin).as_nanos() % PACE_BEAT.as_nanos();
        now + PACE_BEAT.saturating_sub(Duration::from_nanos(since_beat as u64))
    }

    fn judge(&mut self, lasted: Duration, now: Instant) {
        let rate = self.messages as f64 / lasted.as_secs_f64();
        if self.rests && (self.messages as f64) < PACE_GATHERS * self.batches as f64 {
            self.not_before = now + PACE_BARREN;
        }
        // Who rests takes the same messages in fewer batches; half the rate ends it, so that it does not come and go.
        let busy = if self.rests { PACE_BUSY / 2.0 } else { PACE_BUSY };
        let rested = self.rests;
        self.rests = rate >= busy && now >= self.not_before;
        self.tries = self.rests && !rested;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Messages that come at this distance, for so long: how many batches took them, and whether the last one led to a rest.
    fn batches(pace: &mut Pace, now: &mut Instant, every: Duration, lasting: Duration) -> (usize, bool) {
        let (until, mut next, mut count, mut rest) = (*now + lasting, *now, 0, None);
        while *now < until {
            let mut waiting = 0;
            while next <= *now {
                (waiting, next) = (waiting + 1, next + every);
            }
            rest = pace.took(waiting, *now);
            count += 1;
            *now = rest.unwrap_or(*now).max(next);
        }
        (count, rest.is_some())
    }

    const SECOND: Duration = Duration::from_secs(1);
    const MILLISECOND: Duration = Duration::from_millis(1);

    #[test]
    fn rl17_a_room_in_which_people_type_takes_everything_as_it_comes() {
        let mut now = Instant::now();
        let mut pace = Pace::new(now, now);
        assert_eq!(batches(&mut pace, &mut now, 10 * MILLISECOND, SECOND), (100, false));
    }

    #[test]
    fn rl17_a_busy_room_gathers_and_stops_when_it_is_quiet_again() {
        let mut now = Instant::now();
        let mut pace = Pace::new(now, now);
        let (count, rests) = batches(&mut pace, &mut now, 4 * MILLISECOND, SECOND);
        assert!(rests && count < 140, "{count} for 250 messages");
        let (_, rests) = batches(&mut pace, &mut now, 7 * MILLISECOND, SECOND);
        assert!(rests, "it does not come and go");
        let (_, rests) = batches(&mut pace, &mut now, 50 * MILLISECOND, SECOND);
        assert!(!rests);
    }

    #[test]
    fn rl17_busy_rooms_wake_together() {
        let origin = Instant::now();
        for began in [3, 17] {
            let mut now = origin + began * MILLISECOND;
            let mut pace = Pace::new(origin, now);
            batches(&mut pace, &mut now, 4 * MILLISECOND, SECOND);
            let woken = pace.took(1, now).expect("it rests") - origin;
            assert_eq!(woken.as_nanos() % PACE_BEAT.as_nanos(), 0, "{woken:?}");
        }
    }

    #[test]
    fn rl17_whoever_waits_for_each_answer_is_not_held_up_for_long() {
        let mut now = Instant::now();
        let mut pace = Pace::new(now, now);
        let (mut count, until) = (0, now + 10 * SECOND);
        while now < until {
            now = pace.took(1, now).unwrap_or(now) + 2 * MILLISECOND;
            count += 1;
        }
        assert!(count > 4800, "{count} of 5000");
    }

    #[test]
    fn rl17_a_flood_is_taken_as_it_comes() {
        let mut now = Instant::now();
        let mut pace = Pace::new(now, now);
        for _ in 0..100 {
            assert_eq!(pace.took(ROOM_FLOOD, now), None);
            now += 5 * MILLISECOND;
        }
    }
}
