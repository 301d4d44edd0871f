//! The messages of the protocol, one struct each.

use serde::{Deserialize, Serialize};

use crate::device::{Connection, Storage};
use crate::ids::{ReplicaId, RoomId, StreamId};
use crate::limits::{DONE_PIECES, ROOM_LINKS, SENTENCE_BYTES, TOLD_CHAINS};
use crate::log::{Digest, Entry, EntryName, MARK_BYTES, SignedHead};
use crate::presence::{Change, Lease, State};
use crate::snapshot::{PageId, SnapshotId};
use crate::stored::ForkRecord;
use crate::time::Millis;
use crate::wire::version::{Compare, Subscribe, Synced};

/// One decoded frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// Entries of any streams, each after what it builds on.
    Entries(Vec<Entry>),
    /// Any other message.
    Other(Body),
}

macro_rules! bodies {
    ($($(#[$doc:meta])* $name:ident($body:ty) = $number:literal;)*
     @places $($(#[$place_doc:meta])* $place:ident = $place_number:literal;)*) => {
        /// A message other than entries.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum Body {
            $($(#[$doc])* $name($body),)*
            $($(#[$place_doc])* $place(Place),)*
        }

        impl Body {
            pub(super) fn frame_type(&self) -> u64 {
                match self {
                    $(Self::$name(_) => $number,)*
                    $(Self::$place(_) => $place_number,)*
                }
            }

            pub(super) fn encode(&self) -> Vec<u8> {
                match self {
                    $(Self::$name(body) => postcard::to_allocvec(body),)*
                    $(Self::$place(place) => postcard::to_allocvec(place),)*
                }
                .expect("a message has no part that cannot be written")
            }

            /// `None`: the body cannot be read. `Some(None)`: the type is unknown. Bytes behind the known fields are
            /// those of a later version and are passed over.
            pub(super) fn decode(frame_type: u64, bytes: &[u8]) -> Option<Option<Self>> {
                let body = match frame_type {
                    $($number => Self::$name(postcard::take_from_bytes(bytes).ok()?.0),)*
                    $($place_number => Self::$place(postcard::take_from_bytes(bytes).ok()?.0),)*
                    _ => return Some(None),
                };
                body.in_bounds().then_some(Some(body))
            }
        }

        $(impl From<$body> for Message {
            fn from(body: $body) -> Self {
                Self::Other(Body::$name(body))
            }
        })*

        impl From<Body> for Message {
            fn from(body: Body) -> Self {
                Self::Other(body)
            }
        }
    };
}

bodies! {
    /// Device → home, first: who asks for what.
    Hello(Hello) = 1;
    /// Home → device: the answer to hello.
    Welcome(Welcome) = 2;
    /// Device → home: proof that it holds a replica's key.
    Prove(Prove) = 3;
    /// Device → home: a stream to follow, and the digest of what of it is here.
    Subscribe(Subscribe) = 4;
    /// Home → device: all that was missing has been sent; what the home holds on disk.
    Synced(Synced) = 6;
    /// Either: entries that are missing here.
    Need(Need) = 7;
    /// Home → device: on disk.
    Saved(Saved) = 8;
    /// Home → device: not now.
    Later(Later) = 9;
    /// Home → device: never.
    Refused(Refused) = 10;
    /// Device → home: what it has applied.
    Have(Have) = 11;
    /// Home → device: how many others have applied the newest entry of a replica.
    Seen(Seen) = 12;
    /// Device → home: my presence.
    Present(State) = 13;
    /// Home → device: presence that changed.
    Board(Vec<Change>) = 14;
    /// Either: are you there?
    Ping(Ping) = 15;
    /// Either: I am.
    Pong(Pong) = 16;
    /// Home → device: come back later.
    GoAway(GoAway) = 17;
    /// Home → device: what went wrong; the link is closed after it.
    Error(ErrorFrame) = 18;
    /// Device → home: proof of the person it speaks for.
    Introduce(Introduce) = 19;
    /// Home → device: where do we differ? Device → home: here, and this is what I hold there.
    Compare(Compare) = 20;
    /// Home → device: a piece of a snapshot or of a page.
    Chunk(Chunk) = 32;
    /// Device → home: a page of a snapshot that somebody looks at.
    Want(Want) = 33;
    /// Home → device: an entry that the home cannot read from its disk.
    Lost(Lost) = 34;
    /// Device → home: the signed head it was asked for, or with which it forwards what somebody else wrote. Home → device: one
    /// to keep.
    Vouched(SignedHead) = 36;
    /// Page → leader: the key of a replica that this page writes under.
    Secret(Secret) = 64;
    /// Page → leader: a piece of a fork, to be kept on this device's disk. Leader → page: one that is.
    Aside(Aside) = 66;
    /// Leader → page: how the link to the home and the disk of this device are.
    Uplink(Uplink) = 68;
    /// Page → leader: pieces of forks, in order, were put back or discarded. Leader → page: they are gone from the disk.
    AsideDone(Vec<Place>) = 70;
    @places
    /// Home → device: sign the head of this chain there. Device → home: no signed head of this chain is here, number 0.
    Attest = 35;
    /// Leader → page: on this device's disk, up to there.
    Kept = 65;
    /// Leader → page: a piece of a fork is on this device's disk.
    AsideKept = 67;
    /// Page → leader and leader → page: the person of this device has read a channel up to there.
    Read = 69;
    /// Leader → page: the first entry of this device that the home has not called saved; number 0 for none.
    Unsent = 71;
}

/// Opens a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// Oldest version spoken.
    pub oldest: u16,
    /// Newest version spoken.
    pub newest: u16,
    /// The room.
    pub room: RoomId,
    /// Digest of the room over its streams, as far as the device takes the home to have it.
    pub digest: Digest,
    /// Program and version, for logs.
    pub agent: String,
}

/// Answers [`Hello`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Welcome {
    /// The version both will speak.
    pub version: u16,
    /// What proofs sign, so that none can be played again.
    pub nonce: [u8; 32],
    /// Raised by every restore of the home's store.
    pub epoch: u64,
    /// The home's wall clock.
    pub time: Millis,
    /// The name of this link's presence.
    pub lease: Lease,
    /// Whether the digests of the room are equal: the device follows all streams of the room from now on and needs to ask
    /// for none of those it counted.
    pub in_step: bool,
}

/// Proof of a replica.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prove {
    /// The key whose hash is the replica's name.
    pub public_key: [u8; 32],
    /// First half of the signature over the welcome's nonce and the room.
    pub signature_r: [u8; 32],
    /// Second half.
    pub signature_s: [u8; 32],
}

/// Proof of a person, with their key and their signature over the welcome's nonce and the room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Introduce {
    /// As for a replica; the key's hash is the person's id.
    pub proof: Prove,
}

/// Entries that are missing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Need {
    /// The stream.
    pub stream: StreamId,
    /// Whose.
    pub replica: ReplicaId,
    /// The first.
    pub from: u64,
    /// The last.
    pub to: u64,
}

/// All of a replica's entries up to `seq` are on the home's disk. Number 0, for one of which the device has told more: none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Saved {
    /// The stream.
    pub stream: StreamId,
    /// Whose.
    pub replica: ReplicaId,
    /// Up to where.
    pub seq: u64,
    /// First bytes of the chain's head there: they tell a copied store that the number stands for another's entry.
    pub head: [u8; 8],
}

/// An entry stays in the outbox.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Later {
    /// The stream.
    pub stream: StreamId,
    /// Whose.
    pub replica: ReplicaId,
    /// From which entry on.
    pub seq: u64,
    /// Why.
    pub why: LaterWhy,
    /// How long to wait.
    pub after: Millis,
}

/// Why an entry cannot be taken now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LaterWhy {
    /// The home's disk is full or fails.
    Store,
    /// The home has too much to do.
    Busy,
}

/// An entry is never taken, nor any after it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// The stream.
    pub stream: StreamId,
    /// Whose.
    pub replica: ReplicaId,
    /// From which entry on.
    pub seq: u64,
    /// Machine code.
    pub code: String,
    /// For people.
    pub sentence: String,
}

/// A piece of a snapshot or of a page: see [`crate::wire::snapshot`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chunk {
    /// The stream.
    pub stream: StreamId,
    /// What it is a piece of.
    pub of: Whole,
    /// Where in it the piece begins.
    pub at: u64,
    /// Bytes of the whole; none of a page that is not to be had.
    pub total: u64,
    /// The piece.
    pub bytes: Vec<u8>,
}

/// What arrives in pieces.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Whole {
    /// A snapshot, with some of its pages.
    Snapshot(SnapshotId),
    /// A page that was asked for.
    Page(PageId),
}

/// A page of a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Want {
    /// The stream.
    pub stream: StreamId,
    /// The page.
    pub page: PageId,
}

/// An entry is not to be had from the home. Asking for it is of no use until its author has brought it again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lost {
    /// The stream.
    pub stream: StreamId,
    /// The entry; of several of a chain that are gone together the first.
    pub name: EntryName,
    /// Whether it is older than the home keeps history, rather than damaged on its disk.
    expired: bool,
}

impl Lost {
    /// It cannot be read from the home's disk.
    pub fn damaged(stream: StreamId, name: EntryName) -> Self {
        Self { stream, name, expired: false }
    }

    /// It has gone with its history. What it did is in a snapshot.
    pub fn expired(stream: StreamId, name: EntryName) -> Self {
        Self { expired: true, ..Self::damaged(stream, name) }
    }

    /// Whether it has gone with its history.
    pub fn has_expired(&self) -> bool {
        self.expired
    }

    /// Machine code of the reason.
    pub fn code(&self) -> &'static str {
        if self.expired { "home.expired" } else { "home.entry" }
    }
}

/// What a device has applied of a stream since it last told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Have {
    /// The stream.
    pub stream: StreamId,
    /// Replicas that moved.
    pub above: Vec<(ReplicaId, u64)>,
}

/// How many other links have applied all entries of a replica up to `seq`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// The stream.
    pub stream: StreamId,
    /// Whose.
    pub replica: ReplicaId,
    /// Up to where.
    pub seq: u64,
    /// By how many.
    pub links: u32,
}

/// Keeps a link alive and compares what both sides hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ping {
    /// The sender's wall clock.
    pub time: Millis,
}

/// Answers [`Ping`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pong {
    /// The sender's wall clock.
    pub time: Millis,
}

/// Asks a device to leave and come back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GoAway {
    /// Earliest return.
    pub after: Millis,
}

/// The reason a link is closed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorFrame {
    /// Number of an [`ErrorCode`]; also the close code of the socket.
    pub code: u16,
    /// For people: what went wrong and what to do.
    pub sentence: String,
}

/// Hands a replica's key to the page that leads, which proves it to the home and keeps it for later pages. Never leaves
/// the device.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Secret {
    /// The key.
    pub secret: [u8; 32],
    /// Whether the page writes under it, and so wants to hear what becomes of it. It may also be that of another page
    /// whose work this one has, from when it led itself.
    pub own: bool,
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret")
    }
}

/// A place in a replica's chain: up to there something is kept or read, or it is the name of a piece of a fork.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Place {
    /// The stream.
    pub stream: StreamId,
    /// Whose.
    pub replica: ReplicaId,
    /// The number.
    pub seq: u64,
}

/// A piece of a fork.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Aside {
    /// The stream.
    pub stream: StreamId,
    /// Whose.
    pub replica: ReplicaId,
    /// Its number: that of the refused entry, or one of those for work that never was an entry.
    pub seq: u64,
    /// The piece as it is kept.
    pub record: ForkRecord,
}

/// How the device that a page belongs to stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Uplink {
    /// The link to the home.
    pub connection: Connection,
    /// The name of the device's presence on it.
    pub lease: Option<Lease>,
    /// The disk.
    pub storage: Storage,
}

/// Close codes: 44xx are final until something changes at the sender, 45xx pass by themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u16)]
pub enum ErrorCode {
    /// A frame that cannot be read.
    BadFrame = 4400,
    /// A replica without a valid proof.
    Unproven = 4403,
    /// No common version of the protocol.
    Version = 4406,
    /// A message that does not belong here.
    Unexpected = 4409,
    /// More than a bound allows.
    TooMuch = 4413,
    /// The other side has been silent for too long.
    Silent = 4508,
    /// The home is stopping.
    GoingAway = 4512,
    /// The home is full.
    Full = 4513,
    /// The home cannot read its disk.
    Store = 4514,
    /// Another link has proven a replica that this one writes under.
    Superseded = 4515,
}

impl ErrorCode {
    /// The code with a number told by the other side.
    pub fn parse(number: u16) -> Option<Self> {
        [
            Self::BadFrame,
            Self::Unproven,
            Self::Version,
            Self::Unexpected,
            Self::TooMuch,
            Self::Silent,
            Self::GoingAway,
            Self::Full,
            Self::Store,
            Self::Superseded,
        ]
        .into_iter()
        .find(|code| *code as u16 == number)
    }

    /// Whether trying again without a change is of no use.
    pub fn is_final(self) -> bool {
        (4400..4500).contains(&(self as u16))
    }
}

impl Body {
    /// Bounds that the encoding does not carry.
    fn in_bounds(&self) -> bool {
        match self {
            Self::Hello(hello) => hello.agent.len() <= SENTENCE_BYTES,
            Self::Compare(compare) => {
                let groups = compare.groups.len() <= GROUPS * MARK_BYTES;
                groups && compare.above.len() + compare.own.len() <= TOLD_CHAINS
            }
            Self::Have(have) => have.above.len() <= TOLD_CHAINS,
            Self::Refused(refused) => {
                refused.code.len() <= SENTENCE_BYTES && refused.sentence.len() <= SENTENCE_BYTES
            }
            Self::Error(error) => error.sentence.len() <= SENTENCE_BYTES,
            Self::Need(need) => need.from >= 1 && need.from <= need.to,
            Self::Board(changes) => changes.len() <= ROOM_LINKS,
            Self::AsideDone(names) => names.len() <= DONE_PIECES,
            Self::Welcome(_)
            | Self::Prove(_)
            | Self::Subscribe(_)
            | Self::Synced(_)
            | Self::Saved(_)
            | Self::Later(_)
            | Self::Seen(_)
            | Self::Present(_)
            | Self::Ping(_)
            | Self::Pong(_)
            | Self::GoAway(_)
            | Self::Chunk(_)
            | Self::Want(_)
            | Self::Lost(_)
            | Self::Vouched(_)
            | Self::Attest(_)
            | Self::Introduce(_)
            | Self::Secret(_)
            | Self::Kept(_)
            | Self::Aside(_)
            | Self::AsideKept(_)
            | Self::Unsent(_)
            | Self::Uplink(_)
            | Self::Read(_) => true,
        }
    }
}

/// The body of a `vouched` frame.
pub(crate) fn encode_head(signed: &SignedHead) -> Vec<u8> {
    Body::Vouched(signed.clone()).encode()
}

/// Reverses [`encode_head`].
pub(crate) fn decode_head(body: &[u8]) -> Option<SignedHead> {
    let Body::Vouched(signed) = Body::decode(VOUCHED, body)?? else { return None };
    Some(signed)
}

/// Number of a `vouched` frame.
const VOUCHED: u64 = 36;

/// Groups of a stream: as many as a byte has values.
const GROUPS: usize = 256;
