//! What rests on a disk: keys and records of one room.
//!
//! A room has a space of its own, so keys name no room. Every record is `version, body, checksum`; a record of a newer
//! version or with another checksum is refused, never guessed at. `docs/protocol.md` §5 describes the layout.

mod keys;
mod records;

pub use keys::{
    HOME_KEY, META, OWNER, archive_key, draft_key, entry_range, history_key, journal_stream, page_key,
    parse_archive_key, parse_entry_key, parse_fork_key, parse_index_key, parse_journal_key, place_key,
    quarantine_key, stream_of,
};
pub use keys::{
    Prefix, entry_key, fork_key, index_key, journal_key, parse_read_key, read_key, replica_key, saved_key,
    stream_key, tip_key,
};
pub use keys::{
    parse_replica_key, parse_saved_key, parse_stream_key, parse_tip_key, snapshot_key, stream_prefix,
    tombstone_key, vouched_key,
};
#[cfg(feature = "planted-bugs")]
pub use records::decode_entry_unchecked;
pub use records::{
    Damage, ForkPart, ForkRecord, HistoryRecord, IndexRecord, MetaRecord, Noticed, QuarantineRecord,
    ReplicaRecord, StreamRecord, TipRecord, Tombstone, decode_entry, decode_number, decode_piece,
    decode_segment, encode_entry, encode_number, encode_piece, encode_root, encode_segment,
};
