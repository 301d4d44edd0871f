//! RL15: a stream whose snapshots come to nothing is set apart, and what brings it back.

use causeway_core::ids::StreamId;
use causeway_core::limits::{SNAPSHOT_AGAIN, SNAPSHOT_AGAIN_MOST};
use causeway_core::snapshot::JobError;
use causeway_core::stored::{self, QuarantineRecord};
use causeway_core::time::Millis;
use causeway_tests::network::Network;

use crate::snapshots::{eager, root, write};

#[test]
fn rl15_a_stream_whose_snapshot_fails_stays_in_quarantine_until_it_is_released() {
    let (mut network, text) = eager(2);
    network.relay.jobs_fail = Some(JobError::Panic);
    write(&mut network, text, 30);
    assert_eq!(network.relay.home.figures().streams_quarantined, 1);
    let key = stored::quarantine_key(&text);
    let record = network.relay.disk.row(&key).map(QuarantineRecord::decode).expect("it is on the disk");
    assert_eq!(record.expect("it is whole").code, "materialiser.panic");
    assert_eq!(network.relay.home.figures().streams_quarantined, 1);
    network.relay.jobs_fail = None;
    network.restart_home();
    write(&mut network, text, 12);
    assert!(root(&network, text).is_none(), "it is not tried again by itself");
    assert_eq!(network.relay.home.figures().streams_quarantined, 1, "and is known after a restart");
    network.release(text);
    write(&mut network, text, 1);
    assert!(root(&network, text).is_some(), "whoever runs the home has looked at it");
    assert_eq!(network.relay.disk.row(&key), None);
    network.restart_home();
    network.rest();
    assert_eq!(network.relay.home.figures().streams_quarantined, 0);
}

/// What is known of a stream whose snapshots come to nothing.
fn set_apart(network: &Network, text: StreamId) -> Option<QuarantineRecord> {
    let row = network.relay.disk.row(&stored::quarantine_key(&text))?;
    Some(QuarantineRecord::decode(row).expect("it is whole"))
}

/// So much time passes in a room where nobody writes.
fn pass(network: &mut Network, span: Millis) {
    for _ in 0..span.0.div_ceil(5_000) {
        network.wait(5_000);
        network.settle();
    }
}

#[test]
fn rl15_a_snapshot_for_which_the_machine_was_too_busy_is_tried_again_by_itself() {
    let (mut network, text) = eager(2);
    network.relay.jobs_fail = Some(JobError::Late);
    write(&mut network, text, 30);
    for attempts in 1..=4 {
        let record = set_apart(&network, text).expect("it came to nothing");
        assert_eq!((record.code.as_str(), record.attempts), ("materialiser.late", attempts));
        let wait = record.again.expect("that says nothing of the stream").since(network.home_clock().wall);
        assert!(wait <= SNAPSHOT_AGAIN_MOST);
        if attempts < 4 {
            pass(&mut network, wait);
        }
    }
    network.relay.jobs_fail = None;
    // Also a home that starts again waits.
    network.restart_home();
    write(&mut network, text, 12);
    assert!(root(&network, text).is_none() && set_apart(&network, text).is_some());
    pass(&mut network, Millis(SNAPSHOT_AGAIN.0 << 3));
    assert!(root(&network, text).is_some(), "the machine had time");
    assert_eq!(set_apart(&network, text), None);
    assert_eq!(network.relay.home.figures().streams_quarantined, 0, "nobody had to look at it");
}

#[test]
fn rl15_a_stream_whose_snapshot_used_up_its_time_twice_stays_in_quarantine() {
    let (mut network, text) = eager(2);
    network.relay.jobs_fail = Some(JobError::Time);
    write(&mut network, text, 30);
    assert_eq!(network.relay.home.figures().streams_quarantined, 0, "once may be chance");
    // What a busy machine adds does not count.
    network.relay.jobs_fail = Some(JobError::Late);
    pass(&mut network, SNAPSHOT_AGAIN);
    assert_eq!(set_apart(&network, text).map(|record| record.attempts), Some(2));
    network.relay.jobs_fail = Some(JobError::Time);
    pass(&mut network, Millis(2 * SNAPSHOT_AGAIN.0));
    let record = set_apart(&network, text).expect("it came to nothing");
    assert_eq!((record.code.as_str(), record.attempts, record.again), ("materialiser.time", 3, None));
    assert_eq!(network.relay.home.figures().streams_quarantined, 1);
    network.relay.jobs_fail = None;
    pass(&mut network, SNAPSHOT_AGAIN_MOST);
    assert!(root(&network, text).is_none(), "it is left alone");
    network.release(text);
    write(&mut network, text, 1);
    assert!(root(&network, text).is_some() && set_apart(&network, text).is_none());
}

#[test]
fn rl15_a_clock_that_was_put_back_puts_nothing_off_for_years() {
    let (mut network, text) = eager(2);
    network.relay.jobs_fail = Some(JobError::Late);
    write(&mut network, text, 30);
    let mut record = set_apart(&network, text).expect("it came to nothing");
    let years = Millis(10 * 365 * 24 * 60 * 60 * 1_000);
    (record.since, record.again) = (record.since.after(years), record.again.map(|at| at.after(years)));
    network.relay.disk.put(stored::quarantine_key(&text), record.encode());
    network.relay.jobs_fail = None;
    network.restart_home();
    write(&mut network, text, 1);
    assert!(root(&network, text).is_some());
}
