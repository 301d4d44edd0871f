//! Every bound of the native shell, each with its reason. What bounds the protocol stands in `causeway_core::limits`.

use std::time::Duration;

use causeway_core::limits::FRAME_BYTES;

/// Rooms open at once in one engine. A person has tens; each costs a task, a link and what its open texts hold.
pub(crate) const ROOMS: usize = 1_000;
/// One WebSocket message as received: relays join small frames and send large ones alone.
pub(crate) const MESSAGE_BYTES: usize = FRAME_BYTES + 64 * 1024;
/// What the socket may hold unwritten: one message, and pongs beside it.
pub(crate) const WRITE_BUFFER_BYTES: usize = 2 * FRAME_BYTES;
/// Bytes of frames that wait for the socket. Months of writing offline fit; a relay that takes nothing for longer is
/// left, and told again what it lacks when it is back.
pub(crate) const OUTGOING_BYTES: usize = 64 << 20;
/// Messages read from the socket that the room has not taken yet; beyond them TCP tells the relay to wait.
pub(crate) const ARRIVALS: usize = 32;
/// Inputs taken before their effects are carried out, so that what arrives together shares a commit.
pub(crate) const BATCH: usize = 64;
/// Steps of a text that wait for one follower: a second of the fastest replay. Beyond them it reads the text anew.
pub(crate) const STEPS: usize = 1024;
/// Changes of a channel that wait for one follower. Each may hold a page; beyond them it reads what is shown anew.
pub(crate) const SPLICES: usize = 64;
/// Events of a room that wait for one follower.
pub(crate) const EVENTS: usize = 1024;

/// How long opening a link may take: name, connection, TLS and upgrade over a bad mobile line.
pub(crate) const CONNECT_PATIENCE: Duration = Duration::from_secs(10);
/// A message that the socket has not taken by then, and by a second more for each [`SLOWEST_BYTES_PER_SECOND`], is stuck.
pub(crate) const STUCK_AFTER: Duration = Duration::from_secs(30);
/// The slowest line that is used: a phone at the edge of the net.
pub(crate) const SLOWEST_BYTES_PER_SECOND: usize = 8 * 1024;
/// How long the end of a link may take.
pub(crate) const CLOSE_PATIENCE: Duration = Duration::from_secs(2);
/// How long the end of an engine waits for a disk that does not take the last words.
pub(crate) const FLUSH_PATIENCE: Duration = Duration::from_secs(10);
