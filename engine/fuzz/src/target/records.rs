//! Records and keys of a disk.

use causeway_core::stored::{
    self as keys, ForkRecord, MetaRecord, ReplicaRecord, StreamRecord, TipRecord, decode_entry,
    decode_number, decode_piece, encode_entry, encode_number, encode_piece,
};

/// Takes the input for a record of each kind, as it is and behind a checksum that holds, and for a key of each kind.
pub(super) fn judge(input: &[u8]) -> usize {
    let sealed = encode_piece(input);
    assert_eq!(decode_piece(&sealed), Ok(input));
    records(input) + records(&sealed) + keys_of(input)
}

macro_rules! reread {
    ($bytes:expr, $($record:ty),*) => {
        [$(<$record>::decode($bytes).is_ok_and(|record| {
            assert_eq!(<$record>::decode(&record.encode()), Ok(record));
            true
        })),*]
    };
}

fn records(bytes: &[u8]) -> usize {
    let read = reread!(bytes, MetaRecord, ReplicaRecord, TipRecord, StreamRecord, ForkRecord);
    if let Ok(number) = decode_number(bytes) {
        assert_eq!(encode_number(number), bytes);
    }
    if let Ok(entry) = decode_entry(bytes.to_vec()) {
        assert_eq!(encode_entry(&entry), bytes);
    }
    read.into_iter().filter(|sound| *sound).count()
}

fn keys_of(key: &[u8]) -> usize {
    let Some(letter) = key.first() else { return 0 };
    let with_letter = |mut built: Vec<u8>| {
        built[0] = *letter;
        built
    };
    let mut read = 0;
    let mut same = |built: Vec<u8>| {
        assert_eq!(with_letter(built), key, "a key is written as it was read");
        read += 1;
    };
    if let Some(stream) = keys::parse_stream_key(key) {
        same(keys::stream_key(&stream));
    }
    if let Some((stream, replica)) = keys::parse_tip_key(key) {
        same(keys::tip_key(&stream, &replica));
    }
    if let Some((stream, arrival)) = keys::parse_entry_key(key) {
        same(keys::entry_key(&stream, arrival));
    }
    if let Some((stream, replica, piece)) = keys::parse_journal_key(key) {
        same(keys::journal_key(&stream, &replica, piece));
    }
    if let Some(replica) = keys::parse_replica_key(key) {
        same(keys::replica_key(&replica));
    }
    read
}
