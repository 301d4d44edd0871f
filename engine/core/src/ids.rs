//! Names of things. A value that exists is valid: parsing is the only constructor that can fail.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Name of a room: 1–64 characters of `A–Z a–z 0–9 - _`, so that it can stand in a link and in a key.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RoomId(String);

impl RoomId {
    /// The name as it stands in a link.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for RoomId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let valid = (1..=64).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        if valid { Ok(Self(text.to_owned())) } else { Err(InvalidId::Room) }
    }
}

impl TryFrom<String> for RoomId {
    type Error = InvalidId;

    fn try_from(text: String) -> Result<Self, InvalidId> {
        text.parse()
    }
}

impl From<RoomId> for String {
    fn from(room: RoomId) -> Self {
        room.0
    }
}

impl fmt::Display for RoomId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for RoomId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RoomId({})", self.0)
    }
}

/// What a stream holds, which decides its reducer and its guard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum StreamKind {
    /// Names of the room's documents; one per room, its id is all zero.
    Directory = 0,
    /// A Yjs-compatible document.
    Ydoc = 1,
    /// An automerge document.
    Amdoc = 2,
    /// A chat channel.
    Chat = 3,
    /// Comment threads.
    Comments = 4,
}

impl StreamKind {
    fn name(self) -> &'static str {
        match self {
            Self::Directory => "directory",
            Self::Ydoc => "ydoc",
            Self::Amdoc => "amdoc",
            Self::Chat => "chat",
            Self::Comments => "comments",
        }
    }

    fn parse(byte: u8) -> Option<Self> {
        [Self::Directory, Self::Ydoc, Self::Amdoc, Self::Chat, Self::Comments]
            .into_iter()
            .find(|kind| *kind as u8 == byte)
    }
}

/// Name of a stream inside its room, written `ydoc:<32 hex digits>`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "(u8, [u8; 16])", into = "(u8, [u8; 16])")]
pub struct StreamId {
    kind: StreamKind,
    id: [u8; 16],
}

impl StreamId {
    /// The directory of the room.
    pub const DIRECTORY: Self = Self { kind: StreamKind::Directory, id: [0; 16] };

    /// Bytes of a stream id in keys: one for the kind, sixteen for the id.
    pub const LEN: usize = 17;

    /// A document stream with sixteen bytes chosen by the caller (random, or a hash that two devices agree on).
    pub fn ydoc(id: [u8; 16]) -> Self {
        Self { kind: StreamKind::Ydoc, id }
    }

    /// A stream of any kind.
    ///
    /// # Errors
    /// The directory is one: its id must be all zero.
    pub fn new(kind: StreamKind, id: [u8; 16]) -> Result<Self, InvalidId> {
        if kind == StreamKind::Directory && id != [0; 16] {
            return Err(InvalidId::Stream);
        }
        Ok(Self { kind, id })
    }

    /// The document every device of a room agrees on before anybody has made one: two people who open an empty
    /// room at once write into the same text.
    pub fn first_document(room: &RoomId) -> Self {
        let hash = blake3::derive_key("causeway 2026 first document", room.as_str().as_bytes());
        Self::ydoc(hash[..16].try_into().expect("sixteen bytes of a hash of thirty-two"))
    }

    /// The channel every device of a room agrees on before anybody has said anything.
    pub fn main_channel(room: &RoomId) -> Self {
        let hash = blake3::derive_key("causeway 2026 main channel", room.as_str().as_bytes());
        let id = hash[..16].try_into().expect("sixteen bytes of a hash of thirty-two");
        Self { kind: StreamKind::Chat, id }
    }

    /// What the stream holds.
    pub fn kind(&self) -> StreamKind {
        self.kind
    }

    /// The bytes that stand in keys; ordered by kind, then id.
    pub fn to_bytes(&self) -> [u8; Self::LEN] {
        let mut bytes = [0; Self::LEN];
        bytes[0] = self.kind as u8;
        bytes[1..].copy_from_slice(&self.id);
        bytes
    }

    /// Reverses [`StreamId::to_bytes`].
    ///
    /// # Errors
    /// An unknown kind, or a directory with an id.
    pub fn from_bytes(bytes: &[u8; Self::LEN]) -> Result<Self, InvalidId> {
        let kind = StreamKind::parse(bytes[0]).ok_or(InvalidId::Stream)?;
        Self::new(kind, bytes[1..].try_into().expect("seventeen bytes less one"))
    }
}

impl TryFrom<(u8, [u8; 16])> for StreamId {
    type Error = InvalidId;

    fn try_from((kind, id): (u8, [u8; 16])) -> Result<Self, InvalidId> {
        Self::new(StreamKind::parse(kind).ok_or(InvalidId::Stream)?, id)
    }
}

impl From<StreamId> for (u8, [u8; 16]) {
    fn from(stream: StreamId) -> Self {
        (stream.kind as u8, stream.id)
    }
}

impl FromStr for StreamId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        if text == "directory" {
            return Ok(Self::DIRECTORY);
        }
        let (name, hex) = text.split_once(':').ok_or(InvalidId::Stream)?;
        let kind = [StreamKind::Ydoc, StreamKind::Amdoc, StreamKind::Chat, StreamKind::Comments]
            .into_iter()
            .find(|kind| kind.name() == name)
            .ok_or(InvalidId::Stream)?;
        Ok(Self { kind, id: parse_hex(hex).ok_or(InvalidId::Stream)? })
    }
}

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            StreamKind::Directory => f.write_str("directory"),
            kind => write!(f, "{}:{}", kind.name(), Hex(&self.id)),
        }
    }
}

impl fmt::Debug for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Name of a replica: the BLAKE3 hash of its Ed25519 public key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ReplicaId([u8; 32]);

impl ReplicaId {
    /// The replica that holds this public key.
    pub fn of_key(public_key: &[u8; 32]) -> Self {
        Self(*blake3::hash(public_key).as_bytes())
    }

    /// A replica named by its hash, as read from a key or a frame.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The hash itself.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The yrs client id: 2⁵² | the first 52 bits of the replica id, so clients have the order of their replicas. Client
    /// ids of foreign Yjs documents stay below 2⁵².
    pub fn client(&self) -> u64 {
        let first = u64::from_be_bytes(self.0[..8].try_into().expect("eight bytes of thirty-two"));
        causeway_guard::ydoc::CLIENT_BASE | (first >> 12)
    }

    /// The first name a replica with this yrs client id can have.
    pub(crate) fn first_of_client(client: u64) -> Self {
        let mut name = [0; 32];
        name[..8].copy_from_slice(&(client << 12).to_be_bytes());
        Self(name)
    }
}

/// Name of a person: the BLAKE3 hash of the Ed25519 public key their apps keep, the same in all rooms.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PersonId([u8; 32]);

impl PersonId {
    /// The person who holds this public key.
    pub fn of_key(public_key: &[u8; 32]) -> Self {
        Self(*blake3::hash(public_key).as_bytes())
    }

    /// A person named by their hash.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The hash itself.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// All 64 hex digits: apps compare people by them.
impl fmt::Display for PersonId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&Hex(&self.0), f)
    }
}

impl fmt::Debug for PersonId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&Hex(&self.0[..6]), f)
    }
}

impl fmt::Display for ReplicaId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", Hex(&self.0[..6]))
    }
}

impl fmt::Debug for ReplicaId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// One link of a home, numbered by the shell and never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnId(pub u64);

/// The link of one other page of this device to the page that leads, numbered by the shell and never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SiblingId(pub u64);

/// One editor (a view on one document) of a device: the owner of an undo stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EditorId(pub u64);

/// Why a text is not an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidId {
    /// Not a room name.
    #[error("a room name has 1 to 64 characters: letters, digits, '-' and '_'")]
    Room,
    /// Not a stream name.
    #[error("a stream is named 'directory' or 'ydoc:', 'amdoc:', 'chat:' or 'comments:' and 32 hex digits")]
    Stream,
    /// Not the name of an entry.
    #[error("an entry is named by 64 hex digits, '/' and its number")]
    Entry,
}

/// Writes bytes as lower-case hex.
pub(crate) struct Hex<'a>(pub(crate) &'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

pub(crate) fn parse_hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    fill_from_hex(&mut bytes, text)?;
    Some(bytes)
}

fn fill_from_hex(bytes: &mut [u8], text: &str) -> Option<()> {
    let digits = text.as_bytes();
    if digits.len() != 2 * bytes.len() {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        let high = char::from(pair[0]).to_digit(16)?;
        let low = char::from(pair[1]).to_digit(16)?;
        *byte = u8::try_from(high * 16 + low).ok()?;
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stream_names_survive_text_and_bytes() {
        let stream = StreamId::ydoc([0xab; 16]);
        assert_eq!(stream.to_string().parse::<StreamId>().unwrap(), stream);
        assert_eq!(StreamId::from_bytes(&stream.to_bytes()).unwrap(), stream);
        assert_eq!("directory".parse::<StreamId>().unwrap(), StreamId::DIRECTORY);
        assert!("ydoc:12".parse::<StreamId>().is_err());
        assert!("ydoc:zz".parse::<StreamId>().is_err());
    }

    #[test]
    fn room_names_stand_in_links() {
        assert!("class-3b_2026".parse::<RoomId>().is_ok());
        for bad in ["", "a b", "über", "a/b", &"x".repeat(65)] {
            assert!(bad.parse::<RoomId>().is_err(), "{bad}");
        }
    }

    #[test]
    fn client_ids_keep_clear_of_foreign_ones() {
        let replica = ReplicaId::from_bytes([0xff; 32]);
        assert_eq!(replica.client(), (1 << 53) - 1);
        assert_eq!(ReplicaId::from_bytes([0; 32]).client(), 1 << 52);
    }
}
