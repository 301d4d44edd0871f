//! Every bound of the core, each with the reason for its number.

use crate::time::Millis;

/// Payload of one entry. Ten times the largest paste seen in the recordings; small enough that a hundred joiners
/// waiting for one entry each stay below a hundred megabytes.
pub const ENTRY_PAYLOAD_BYTES: usize = 1 << 20;
/// Header of one entry: [`ENTRY_DEPS`] dependencies of at most 50 bytes, and 200 for the rest.
pub const ENTRY_HEADER_BYTES: usize = 52 * 1024;
/// Dependencies of one entry. The usual number is 0–2; a device that comes back into a room where a thousand others
/// wrote apart still names them all.
pub const ENTRY_DEPS: usize = 1024;
/// One frame: an entry of full size with room for its header, or a page of smaller ones.
pub const FRAME_BYTES: usize = ENTRY_PAYLOAD_BYTES + ENTRY_HEADER_BYTES + 1024;
/// Bytes of entries put into one frame when catching up: large enough to keep a link busy, small enough that presence
/// and answers get a turn in between.
pub const CATCH_UP_BYTES: usize = 128 * 1024;
/// Pages of the log that a room keeps for others who come by: those who open a document together walk within a few pages
/// of each other.
pub const SHARED_PAGES: usize = 8;
/// How long after the last was read: a room at rest holds none.
pub const SHARED_PAGES_KEPT: Millis = Millis(1_000);
/// Entries in one frame; the empty ones of a hostile sender would otherwise cost more to hold than to send.
pub const FRAME_ENTRIES: usize = 4096;
/// Chains told of in one frame when two sides differ; the rest follows in more of them. One such frame, and what it is
/// answered with, fit a lane.
pub const TOLD_CHAINS: usize = 1_024;
/// A stream of so few chains is told chain by chain where two sides differ: comparing its groups first would cost more.
pub const COMPARED_WHOLE: usize = 16;
/// Streams of one link that are compared at the same time; each may make the home keep an answer of [`TOLD_CHAINS`].
pub const COMPARED_STREAMS: usize = 8;
/// Digests of a stream that a home remembers, 40 bytes each: whoever comes back within so many commits is told what is
/// new without a question.
pub const DIGESTS_KEPT: usize = 256;
/// Writers of a stream that hear how many have seen their newest entry: those who wrote last. Nobody looks at more.
pub const SEEN_WRITERS: usize = 256;
/// Text shown to people in an error frame.
pub const SENTENCE_BYTES: usize = 512;

/// How long after entries have come it is looked whether work that a page lost the disk for can be put back now, in milliseconds:
/// each look goes through the whole text. The first time; twice as long after each look in vain.
pub const RETURN_PAUSE: Millis = Millis(500);
/// The longest such pause: what the work builds on may come from a page that sleeps.
pub const RETURN_PAUSE_LONGEST: Millis = Millis(32_000);

/// Bytes of changes that were accepted and wait to be applied to a text; what comes while so much waits is asked for again.
/// A long catch-up of ordinary changes may reach it too, and is then asked for once more.
pub const BACKLOG_BYTES: usize = 4 << 20;

/// Entries that wait for what they build on, per stream: a device two thousand edits ahead is asked again instead. As many of
/// a chain wait to be compared with what the disk has: each is copied once, and costs two reads at most, in whatever order they come.
pub const PARK_ENTRIES: usize = 2048;
/// Bytes of the same.
pub const PARK_BYTES: usize = 4 << 20;
/// Bytes of the same for one link, over all streams: two streams' worth. Those count too that wait to be compared with what the
/// disk has.
pub const LINK_PARK_BYTES: usize = 2 * PARK_BYTES;
/// Bytes of the same for one room, over all links: eight that take what one link may. Whoever comes later is asked to come
/// again.
pub const ROOM_PARK_BYTES: usize = 8 * LINK_PARK_BYTES;
/// Streams that a link may bring the end of before their beginning. A device offers its streams from the beginning; this
/// many may have lost it on the way.
pub const LINK_PARK_STREAMS: usize = 64;
/// Chains asked for after one frame: all of them fit into the control lane, and an entry names thousands only to hurt.
pub const WANTED_CHAINS: usize = 512;
/// Recent entries of each chain whose head and logical time stay in memory, to check dependencies against. Writers in
/// one room are rarely more than a second (20 entries) apart; older dependencies are checked by number only.
pub const CHAIN_RECENT: usize = 32;
/// Streams of one room: files, channels and forms of a class for years.
pub const ROOM_STREAMS: usize = 10_000;
/// Streams one link may ask for.
pub const LINK_STREAMS: usize = 2_000;
/// Replicas one link may prove: its own, and those of its dead pages that still have something to send.
pub const LINK_REPLICAS: usize = 64;
/// Proofs of one link that are checked, some 100 µs each: its replicas, and as many changes of the person.
pub const LINK_PROOFS: usize = 2 * LINK_REPLICAS;
/// Look-ups under way for one link, after which its next walk begins at the start of the log: a device that keeps asking
/// must not fill the store's queue, in which all rooms wait.
pub const LINK_READS: usize = 128;
/// Chains whose entries one link waits for, having asked for them by name: all that one of its frames can make a device ask
/// for. Of more it is asked to come later.
pub const LINK_NEEDS: usize = WANTED_CHAINS;
/// How soon is asked again for what the store or the materialiser was too busy for: their queues empty within a second.
pub const READ_RETRY: Millis = Millis(100);
/// Segments of the archive that a room has read, or is reading, for readers that wait for them to be unpacked: twice what a
/// shell has threads for. A segment is half a page of the log, or one large entry.
pub const ROOM_SEGMENTS: usize = 4;
/// Up to where a link has told that it holds chains, over all streams that are being compared or caught up: 40 bytes each.
/// Of chains beyond that it is sent all entries.
pub const LINK_MARKS: usize = 16 * 1024;
/// Chains looked up for one walk: beyond that, passing over entries costs less.
pub const WALK_LOOKUPS: usize = 64;
/// Damaged rows of one stream that are mended one by one; more of them are a disk to be replaced.
pub const STREAM_HOLES: usize = 64;
/// Entries of one stream that a device remembers the home to have lost.
pub const LOST_NAMES: usize = STREAM_HOLES;
/// Entries above its snapshot after which a stream gets another: a joiner then reads at most about a second of them.
pub const SNAPSHOT_ENTRIES: u64 = 500;
/// Bytes of the same.
pub const SNAPSHOT_BYTES: u64 = 256 * 1024;
/// How long a stream is left alone after an entry before its snapshot is made, unless its tail is four times as long as
/// it should be: people who type wait for nothing.
pub const SNAPSHOT_QUIET: Millis = Millis(2_000);
/// How soon a snapshot that found the disk or the materialiser busy is tried again.
pub const SNAPSHOT_RETRY: Millis = Millis(500);
/// How soon a snapshot is tried again that ran out of time, or read back as something else; the wait doubles from there. A
/// machine that is busy now is often not in ten minutes.
pub const SNAPSHOT_AGAIN: Millis = Millis(10 * 60 * 1_000);
/// No wait is longer: one such attempt in six hours costs nobody anything.
pub const SNAPSHOT_AGAIN_MOST: Millis = Millis(6 * 60 * 60 * 1_000);
/// After so many attempts that used up the time of a processor, or were not what was written, it is not chance.
pub const SNAPSHOT_FAILURES: u8 = 2;
/// A chain that has not grown for so long rests, and its author is asked to sign its head: soon after somebody stops typing,
/// who may leave, and so that one signature covers many entries.
pub const HEAD_REST: Millis = Millis(2_000);
/// One that goes on growing is signed once a minute all the same: what a home loses beyond its last signed head only the
/// author brings again.
pub const HEAD_LATE: Millis = Millis(60_000);
/// Chains that wait for their heads to be signed, signed heads that wait to be handed out, and chains that somebody was asked
/// to forward, each; of further ones the heads are signed after their next entries.
pub const HEADS_GROWN: usize = 4_096;
/// How often signed heads that are new are handed to all readers of a stream, together: a room where many post now and then
/// has one such frame for many posts.
pub const HEADS_TICK: Millis = Millis(10_000);
/// Signed heads of one stream that a home keeps, 300 bytes of memory each. Those that the snapshot before the newest covers
/// go, so this is reached only by a stream that gets no snapshots.
pub const HEADS_KEPT: usize = 4_096;
/// Signed heads that a device keeps, over all streams of a room: as much. Instead of further ones the oldest go.
pub const HEADS_HELD: usize = 4_096;
/// Signed heads that are sent together, of some 220 bytes each: they fit a lane.
pub const HEADS_TOLD: usize = 256;
/// A reader who lacks no entry is sent signed heads that are no older than this: it has been away since it got the entries.
/// Older ones it has, or gets with the next entries it lacks.
pub const HEADS_RECENT: Millis = Millis(60 * 60 * 1_000);
/// Chains whose heads a link was asked to sign and has not: it has proven [`LINK_REPLICAS`], in a few streams each.
pub const LINK_ATTESTS: usize = 256;
/// Chains that a home takes no more of from a link that brought other words than stand there, or words upon such, 100 bytes each:
/// four for each of [`LINK_REPLICAS`]. Of others it takes no more from anybody until it starts again.
pub const LINK_REFUSED: usize = 4 * LINK_REPLICAS;
/// Chains that a link may be asked to forward at a time.
pub const LINK_FORWARDED: usize = WANTED_CHAINS;
/// Chains that a link was asked for and could not bring, 100 bytes each; behind so many it is asked for no others.
pub const LINK_CLOSED: usize = 8_192;
/// Chains that a reader is asked to forward after one answer in which it told of more than the home has: they fit the control
/// lane many times.
pub const FORWARD_ASKS: usize = 128;
/// Somebody who was asked to forward a chain and has not is left for somebody else after so long.
pub const FORWARD_WAIT: Millis = Millis(10_000);
/// What one link takes longer for goes where there is no room for others, the oldest first: 8 MB in so long are what a slow uplink carries.
pub const FORWARD_MOST: Millis = Millis(60_000);
/// How often it is looked, where there is no room, for what is late: each time at all links of a room.
pub const FORWARD_LOOK: Millis = Millis(1_000);
/// Entries of one chain that are forwarded together: twice what a device holds above its snapshot before it asks for another.
pub const FORWARD_ENTRIES: u64 = 2 * DEVICE_TAIL;
/// Bytes gathered of what one link forwards: as many as wait for what they build on.
pub const FORWARD_BYTES: usize = LINK_PARK_BYTES;
/// Bytes of the same for one room, over all links: four that bring what one link may.
pub const ROOM_FORWARD_BYTES: usize = 4 * FORWARD_BYTES;
/// Where less than this is left of it nobody is asked for more, until what is late there has gone: no chain with an entry of
/// half of it is begun in vain.
pub const FORWARD_ROOM: usize = 1024 * 1024;
/// What an entry costs in memory beside its bytes while it waits for the others of its chain.
pub const FORWARD_OVERHEAD: usize = 256;
/// Signed heads of a link that were none, or with which entries came late, others, or such as are refused, each a check of some
/// 60 µs: after so many it is asked for nothing more. What was refused is remembered, so that an honest one goes on from there
/// on its next link.
pub const LINK_FRUITLESS: usize = 64;
/// How long after a room was read it is looked whether some of its history is older than it is kept: whoever opens it waits
/// for nothing.
pub const HISTORY_FIRST: Millis = Millis(1_000);
/// How often after that. Days are what history is kept by.
pub const HISTORY_LOOK: Millis = Millis(60 * 60 * 1_000);
/// How long history has been too old before it goes, unless it is kept for less: most clocks that are a year ahead are put
/// right sooner. Less than a day, so that a room which is looked at once a day lets go at the second look.
pub const HISTORY_DOUBT: Millis = Millis(20 * 60 * 60 * 1_000);
/// The year 2020, by wall clock: what says less was never set.
pub const CLOCKS_BEGIN: Millis = Millis(1_577_836_800_000);
/// Segments that are noticed at once to be too old: their rows are read one by one, and what comes behind them waits for the next
/// time.
pub const HISTORY_NOTICED: usize = 4_096;
/// Segments of the archive that go in one commit, with the rows that say where in them chains are: some megabytes.
pub const HISTORY_STEP: usize = 64;
/// Entries that one snapshot adds; a longer tail takes several. Their keys go in one commit.
pub const SNAPSHOT_STEP_ENTRIES: usize = 4_096;
/// Bytes of the same, held in memory while it is made.
pub const SNAPSHOT_STEP_BYTES: usize = 8 << 20;
/// A snapshot's root: two hundred thousand chains.
pub const ROOT_BYTES: usize = 16 << 20;
/// A snapshot on its way: a page and a root. A home holds one for each link at most, shared by all who are sent the same.
pub const TRANSFER_BYTES: usize = PAGE_BYTES + ROOT_BYTES;
/// Entries above its snapshot after which a device asks for a newer one, to read less when it next starts.
pub const DEVICE_TAIL: u64 = 4 * SNAPSHOT_ENTRIES;
/// How long a device keeps its own entries below a snapshot: a home may be restored from a backup as old.
pub const OWN_ENTRIES_KEPT: Millis = Millis(30 * 24 * 60 * 60 * 1_000);
/// A page: a hundred times the largest text of the recordings, and half of what a store takes.
pub const PAGE_BYTES: usize = 32 << 20;
/// Links of one room.
pub const ROOM_LINKS: usize = 5_000;
/// Other pages of one device that the leading page serves.
pub const SIBLINGS: usize = 64;
/// Frames that wait while a room is being read from disk, per link.
pub const EARLY_FRAMES: usize = 64;
/// Bytes of the same: one frame of full size. A device says hello and waits for its answer.
pub const EARLY_BYTES: usize = FRAME_BYTES;

/// Answers waiting for one link, after which it is cut: it asks faster than it reads. A thousand small ones.
pub const LANE_CONTROL_BYTES: usize = 96 * 1024;
/// Entries waiting for one link before it counts as behind and is caught up from the log instead: some seconds of a room
/// where many write.
pub const LANE_ENTRIES_BYTES: usize = 128 * 1024;
/// Presence waiting for one link before it is told only how things stand when it reads again.
pub const LANE_PRESENCE_BYTES: usize = 64 * 1024;
/// Pages of the log waiting for one link: one, and the beginning of the next. With the three above less than 512 KiB,
/// which is what a link that reads nothing may cost.
pub const LANE_BULK_BYTES: usize = 192 * 1024;
/// People told of in one frame to somebody who missed the ticks or is new: at most 250 bytes each, so a frame fits its
/// lane.
pub const BOARD_CHANGES: usize = 256;

/// Presence: how often changes are gathered into one frame. Half of what the eye takes for simultaneous.
pub const PRESENCE_TICK: Millis = Millis(50);
/// How often a device repeats its presence.
pub const PRESENCE_RENEWAL: Millis = Millis(20_000);
/// After this silence a person is gone. Browsers wake a hidden page once a minute; one such beat may be late.
pub const PRESENCE_LEASE: Millis = Millis(75_000);
/// A person's name.
pub const NAME_BYTES: usize = 64;

/// Shortest time between two seals of one stream: 20 entries a second carry any typing speed.
pub const SEAL_INTERVAL: Millis = Millis(50);
/// The same with no link to the home but other pages of this device looking on: a day of typing stays below thirty
/// thousand entries, and another window that is a second late is still company.
pub const SEAL_INTERVAL_APART: Millis = Millis(1_000);
/// Longest time an edit waits before it is handed to the disk.
pub const JOURNAL_INTERVAL: Millis = Millis(50);
/// Journal of one stream after which an entry is sealed even without a link.
pub const JOURNAL_BYTES: usize = 256 * 1024;
/// Text put in by one transaction of an edit; longer pastes become several. In UTF-16 units, three bytes each at most.
pub const EDIT_UNITS: u32 = 64 * 1024;
/// Editing pauses shorter than this belong to one undo step, as in most editors.
pub const UNDO_PAUSE: Millis = Millis(500);

/// The first wait before a link is tried again is drawn from `0..` this, and doubles from there.
pub const RETRY_FIRST: Millis = Millis(1_000);
/// No wait is drawn from beyond this.
pub const RETRY_MOST: Millis = Millis(30_000);
/// A link that has not been welcomed by then is given up.
pub const HELLO_WAIT: Millis = Millis(10_000);
/// How long a device leaves uncompared what it holds while its link is never quiet, as somebody writes elsewhere: a home that was
/// restored meanwhile asks whoever compares for what others wrote.
pub const COMPARE_AFTER: Millis = Millis(60_000);
/// Silence after which a device asks whether the link still lives.
pub const PING_AFTER: Millis = Millis(10_000);
/// Silence after which a device gives the link up.
pub const SILENCE: Millis = Millis(25_000);
/// Silence after which a home gives a link up: a hidden page may be woken only once a minute.
pub const HOME_SILENCE: Millis = Millis(150_000);
/// An entry without an answer is offered again after this.
pub const RESEND_AFTER: Millis = Millis(5_000);
/// Wait before a store that failed is tried again.
pub const STORE_RETRY: Millis = Millis(2_000);
/// What a home asks a device to wait when its store fails.
pub const LATER_AFTER: Millis = Millis(3_000);
/// How often `seen by` counts and versions are told: a figure people glance at.
pub const SEEN_TICK: Millis = Millis(250);
/// Bytes of refused work that a page holds to show it; more stays on the disk until some of it was put back or discarded
/// and the room is opened again. A hundred days written offline.
pub const FORK_BYTES: usize = 32 << 20;
/// Pieces of forks named in one message between pages: 60 bytes each, so a message fits a frame many times.
pub const DONE_PIECES: usize = 1_024;
/// Rows of one scan.
pub const SCAN_ROWS: usize = 2_000;
/// Bytes of one scan: a few frames' worth.
pub const SCAN_BYTES: usize = 512 * 1024;
/// Bytes gathered into one commit before further entries are asked to come later. A second of a fast disk.
pub const COMMIT_BYTES: usize = 32 << 20;

/// A document's path in the directory.
pub const PATH_BYTES: usize = 512;
/// One operation on the directory.
pub const DIRECTORY_PAYLOAD_BYTES: usize = 1024;

/// Text of one post: a long letter. A page of a hundred such posts still fits into a few frames.
pub const POST_BYTES: usize = 16 * 1024;
/// One reaction: the longest characters people see as one, families and flags, have 25 to 28 bytes.
pub const EMOJI_BYTES: usize = 32;
/// Posts of one page of a timeline: more than the largest screen shows.
pub const TIMELINE_PAGE: usize = 100;
/// Posts on one page of a channel's snapshot; it is cut when it has twice as many. Two pages of a timeline: whoever
/// begins with the newest has more than is shown at first.
pub const POST_PAGE_POSTS: usize = 256;
/// Bytes of the same: one frame of a snapshot on its way.
pub const POST_PAGE_BYTES: usize = CATCH_UP_BYTES;
/// Pages of posts that one step of a snapshot changes; a tail that touches more of them takes several.
pub const SNAPSHOT_STEP_PAGES: usize = 64;
/// Bytes of the newest pages of posts that are sent with a snapshot: about as much as [`DEVICE_TAIL`] posts, which a
/// device keeps on its disk so that what it had as entries can still be read without a link.
pub const SNAPSHOT_PAGES_SENT: usize = 512 * 1024;
/// A page of posts that is read: a full page and one post with the most and longest reactions fit twice.
pub const POST_PAGE_MOST: usize = 1 << 20;
/// The contents of a channel that are read: ten million posts, or a hundred thousand people.
pub const CONTENTS_MOST: usize = 8 << 20;
/// Pages that come with a snapshot: those of [`SNAPSHOT_PAGES_SENT`] bytes, however small they are cut.
pub const SNAPSHOT_PARTS: usize = 4_096;
/// Emojis that one person has decided about on one post, the newest ones.
pub const REACTIONS_EACH: usize = 32;
/// The same of all people together: about 200 kB of a page.
pub const REACTIONS_POST: usize = 2_048;
/// A device that has waited so long for any piece of a page it asked for calls it out of reach: a home whose disk is busy
/// answers within it.
pub const PAGE_AWAITED: Millis = Millis(30_000);
/// Pages that a link may have asked for and not been sent; what is asked for beyond is not answered.
pub const LINK_PAGES: usize = 16;

/// The last moment that a JavaScript `Date` knows; a post of a clock beyond it is shown there.
pub const LAST_MOMENT: Millis = Millis(8_640_000_000_000_000);
