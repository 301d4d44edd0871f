//! Every bound of the relay's shell, each with its reason. What bounds the protocol stands in `causeway_core::limits`.

use std::time::Duration;

use causeway_core::limits::FRAME_BYTES;

/// Links open at once. A usual machine gives a process 20,000 files; the rest is for the store and for answers.
pub(crate) const LINKS: usize = 16_000;
/// Sockets beyond the links: pages, probes, and devices that are told that there is no place.
pub(crate) const SPARE_SOCKETS: usize = 1_000;
/// Sockets beyond those that are told so before they are closed; what comes above is closed without a word.
pub(crate) const TURNED_AWAY: usize = 100;
/// Rooms in memory at once: as many as links, and those that linger.
pub(crate) const ROOMS: usize = 20_000;
/// How long a client may take to send the head of a request: a page on the slowest line takes a few seconds.
pub(crate) const HEAD_PATIENCE: Duration = Duration::from_secs(15);
/// Bytes of such a head. Browsers with many cookies stay below.
pub(crate) const HEAD_BYTES: usize = 16 * 1024;
/// How long to wait when the system gives no socket.
pub(crate) const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// One WebSocket message: a frame of full size with its type and length, or several smaller ones.
pub(crate) const MESSAGE_BYTES: usize = FRAME_BYTES + 1024;
/// What the system may keep unsent of a socket; Linux grants twice that. Left to itself it keeps up to 4 MiB for somebody
/// who stopped reading, and this still fills a line of 20 Mbit/s and 100 ms.
pub(crate) const SEND_BUFFER_BYTES: usize = 128 * 1024;
/// What is read from a socket at once, at first; most frames are a few hundred bytes. Idle links hold nothing.
pub(crate) const READ_BYTES: usize = 4 * 1024;
/// Frames that wait for a link are joined into messages of this size: fewer calls, and still a short turn on a slow line.
pub(crate) const JOINED_BYTES: usize = 64 * 1024;
/// And so many of them.
pub(crate) const JOINED_FRAMES: usize = 48;
/// Bytes waiting for one link, beyond which it is cut. The room keeps to the budgets of its lanes, less than half a MiB;
/// an entry of full size may wait alone in two of them.
pub(crate) const OUTBOX_BYTES: usize = (1 << 19) + 2 * FRAME_BYTES;
/// Things waiting for one room; links that bring more are not read from until it has caught up.
pub(crate) const ROOM_QUEUE: usize = 128;
/// Inputs that a room takes before it carries out what they led to: enough that writers share a commit, few enough that
/// the first does not wait noticeably for the last.
pub(crate) const ROOM_BATCH: usize = 512;

/// Messages in one batch that are called a flood: they come faster than a room works.
pub(crate) const ROOM_FLOOD: usize = ROOM_QUEUE / 2;
/// Messages a second from which a room is busy: more than a class of thirty that types, each of whom sends some four.
pub(crate) const PACE_BUSY: f64 = 150.0;
/// The beat on which busy rooms take what has come, all together: about as long as a screen shows one picture, and half of it is
/// waited in the middle.
pub(crate) const PACE_BEAT: Duration = Duration::from_millis(20);
/// How long messages are counted before their rate is believed.
pub(crate) const PACE_WINDOW: Duration = Duration::from_millis(200);
/// After so much of a first rest it is asked whether it gathers anything: four beats, in which a busy room hears twelve messages.
pub(crate) const PACE_TRIAL: Duration = PACE_BEAT.saturating_mul(4);
/// Messages in a batch, in the middle, below which a rest is of no use.
pub(crate) const PACE_GATHERS: f64 = 1.25;
/// How long it is then not tried again.
pub(crate) const PACE_BARREN: Duration = Duration::from_secs(4);

/// Who may be answered at the door at once: a backup is one, and somebody may look beside it.
pub(crate) const DOOR_CALLERS: usize = 4;
/// How long whoever called there may take nothing: a disk that is written to in bursts pauses for seconds.
pub(crate) const DOOR_PATIENCE: Duration = Duration::from_secs(60);

/// How long a relay that starts waits for a store that fails to tell its epoch: the store is opened again every few seconds.
pub(crate) const EPOCH_PATIENCE: Duration = Duration::from_secs(60);
/// How long before it asks again.
pub(crate) const EPOCH_PAUSE: Duration = Duration::from_secs(1);
/// How long a call to the store may get no further before the relay ends itself, to be started anew. A disk that is merely slow is
/// not mended by that: an fsync behind what somebody else writes takes minutes, and a server of files that restarts gives
/// whoever comes first a minute and a half.
pub(crate) const STORE_PATIENCE: Duration = Duration::from_secs(5 * 60);
/// The least that may be asked for: less is met by disks that are well.
pub(crate) const STORE_PATIENCE_LEAST: Duration = Duration::from_secs(5);
/// How often somebody looks, and more often where less patience is asked for, down to [`STORE_LOOK_LEAST`].
pub(crate) const STORE_LOOK: Duration = Duration::from_secs(1);
/// See [`STORE_LOOK`].
pub(crate) const STORE_LOOK_LEAST: Duration = Duration::from_millis(10);
/// How often it is said, at the most, that the store stands still: calls of eleven seconds each are no news.
pub(crate) const STORE_TOLD: Duration = Duration::from_secs(60);
/// How long a relay that ends itself because its store stands still may take to do so in order: whatever it still wants to do
/// with a disk that hangs, if only to write its log, hangs as well.
pub(crate) const BACKSTOP_PATIENCE: Duration = Duration::from_secs(5);
/// How long the door in the data folder is waited for as it is taken away; whoever opens the next one takes away what is left.
pub(crate) const DOOR_AWAY_PATIENCE: Duration = Duration::from_secs(1);
/// How long rooms in which nothing is under way may take to tell their devices, as the relay ends itself.
pub(crate) const FAREWELL_PATIENCE: Duration = Duration::from_secs(1);
/// How long somebody who wants to ask a relay waits for its door: opening a store after a crash takes a few seconds.
pub(crate) const REACH_PATIENCE: Duration = Duration::from_secs(5);
/// And pauses between two looks.
pub(crate) const REACH_PAUSE: Duration = Duration::from_millis(20);

/// How often the task of a room may panic before the room stays shut until the relay is started again: once may be
/// chance, three times is what its devices send.
pub(crate) const ROOM_FAULTS: u32 = 3;
/// Threads that make snapshots and read the archive: one may be at a large text while the other serves readers.
pub(crate) const MATERIALISER_THREADS: usize = 2;
/// Jobs that wait for them. A room has one snapshot in the making, and a few readers below it.
pub(crate) const MATERIALISER_JOBS: usize = 256;
/// Bytes of what they wait with and work on.
pub(crate) const MATERIALISER_BYTES: usize = 128 << 20;
/// Stack of each: yrs deletes and decodes nested values by recursion, and the guard lets 64 levels pass.
pub(crate) const MATERIALISER_STACK_BYTES: usize = 16 << 20;
/// How long one job may be on a processor: a text of 260,000 edits takes less than a second.
pub(crate) const MATERIALISER_PATIENCE: Duration = Duration::from_secs(20);
/// How long it may take by the clock: a machine that gives it less than a third of a processor has too much to do.
pub(crate) const MATERIALISER_LATE: Duration = Duration::from_secs(60);

/// How often all rooms are opened to let go of history that is too old, where whoever runs the relay wants that: it is kept
/// by days.
pub(crate) const HISTORY_ROUND: Duration = Duration::from_secs(24 * 60 * 60);
/// Pause behind each of them: ten thousand rooms take a quarter of an hour, with a hundred of them in memory.
pub(crate) const HISTORY_ROOM_PAUSE: Duration = Duration::from_millis(100);
/// Rooms that are listed at once for it.
pub(crate) const HISTORY_SPACES: usize = 256;

/// How long a room without links stays in memory: a page that is reloaded finds it there.
pub(crate) const ROOM_LINGER: Duration = Duration::from_secs(5);
/// How soon a room that would end looks again whether a link on its way in or out still holds it.
pub(crate) const ROOM_VACANCY_CHECK: Duration = Duration::from_millis(50);
/// How often a link is asked whether it still lives. Proxies often cut what was quiet for 30 to 60 seconds.
pub(crate) const PING_EVERY: Duration = Duration::from_secs(20);
/// Nothing heard for so long, not even the answer to two pings: the link is dead.
pub(crate) const HALF_OPEN_AFTER: Duration = Duration::from_secs(45);
/// A message that is not written by then, and by a second more for each [`SLOWEST_BYTES_PER_SECOND`], is stuck.
pub(crate) const STUCK_AFTER: Duration = Duration::from_secs(30);
/// The slowest line that is served: a phone at the edge of the net.
pub(crate) const SLOWEST_BYTES_PER_SECOND: usize = 8 * 1024;
/// How long a closed link may take to read the reason and answer.
pub(crate) const CLOSE_PATIENCE: Duration = Duration::from_secs(1);

/// Devices come back at a random moment within this span after the relay has stopped.
pub(crate) const RETURN_SPREAD: Duration = Duration::from_secs(3);
/// How long a stop may take until rooms have answered what they took.
pub(crate) const STOP_PATIENCE: Duration = Duration::from_secs(10);
/// How long the last sync of the store may take.
pub(crate) const STORE_CLOSE_PATIENCE: Duration = Duration::from_secs(10);
