//! What the room could not write at once.

use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep_until};
use tracing::debug;

use super::outbox::{Flushed, Outbox};
use crate::bounds::Bounds;

/// Writes whenever it is woken, until the link is closed, cut, stuck or gone.
pub(super) async fn write(outbox: &Outbox, bounds: &Bounds) {
    let mut pings = interval_at(Instant::now() + bounds.ping_every, bounds.ping_every);
    pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = outbox.stirred() => {}
            _ = pings.tick() => outbox.ping(),
        }
        loop {
            let flushed = outbox.flush();
            outbox.tell_drained();
            match flushed {
                Flushed::All => break,
                Flushed::Ended => return,
                Flushed::Blocked => {}
            }
            let Some(stuck_at) = outbox.stuck_at(bounds.stuck_after) else { continue };
            tokio::select! {
                writable = outbox.socket().writable() => if writable.is_err() {
                    return outbox.cut();
                },
                () = outbox.stirred() => {}
                () = sleep_until(stuck_at) => {
                    debug!("the socket is stuck");
                    return outbox.cut();
                }
            }
        }
    }
}
