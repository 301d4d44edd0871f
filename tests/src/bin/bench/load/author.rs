//! Entries as a device writes them.

use bytes::Bytes;
use causeway_core::directory::DirectoryOp;
use causeway_core::ids::StreamId;
use causeway_core::log::{Entry, EntryKind, Header, StreamLog, Verdict};
use causeway_core::replica::Identity;
use causeway_core::time::Millis;
use causeway_core::wire::{self, Message};
use yrs::{Doc, Text, Transact};

/// One replica that writes into one stream and reads nothing.
pub(crate) struct Author {
    pub(crate) identity: Identity,
    log: StreamLog,
    stream: StreamId,
    doc: Doc,
}

impl Author {
    pub(crate) fn new(number: u32, stream: StreamId) -> Self {
        let mut secret = [7; 32];
        secret[..4].copy_from_slice(&number.to_le_bytes());
        let identity = Identity::from_secret(&secret);
        let doc = Doc::with_client_id(identity.id().client());
        Self { identity, log: StreamLog::new(stream), stream, doc }
    }

    /// Its updates name another client of yrs: that of y-sweet does not keep more than 32 bits of one.
    pub(crate) fn with_client(self, client: u32) -> Self {
        Self { doc: Doc::with_client_id(u64::from(client)), ..self }
    }

    /// Frames of one small entry each: names in the directory.
    pub(crate) fn names(&mut self, count: usize) -> Vec<Bytes> {
        let name = |number: usize| {
            let mut id = [0; 16];
            id[..8].copy_from_slice(&(number as u64).to_le_bytes());
            let op = DirectoryOp::Put { document: StreamId::ydoc(id), path: format!("notes/{number:06}.md") };
            wire::payload::encode_directory(&op)
        };
        (0..count).map(|number| self.write(EntryKind::Edit, &name(number))).collect()
    }

    /// Frames that make a text of so many pieces.
    pub(crate) fn text(&mut self, pieces: usize, piece: &str) -> Vec<Bytes> {
        let mut frames = vec![self.write(EntryKind::Create, &[])];
        frames.extend(self.more_text(pieces, piece));
        frames
    }

    /// Takes what another one wrote, which it builds on from then on.
    pub(crate) fn read(&mut self, frame: &Bytes) {
        for message in wire::decode(frame).unwrap_or_default() {
            let Message::Entries(entries) = message else { continue };
            for entry in &entries {
                self.extend(entry);
            }
        }
    }

    /// Frames that add as many.
    pub(crate) fn more_text(&mut self, pieces: usize, piece: &str) -> Vec<Bytes> {
        let updates = self.updates(pieces, piece);
        updates.iter().map(|update| self.write(EntryKind::Edit, update)).collect()
    }

    /// Updates of yrs that add as many, and nothing around them.
    pub(crate) fn updates(&mut self, pieces: usize, piece: &str) -> Vec<Vec<u8>> {
        let text = self.doc.get_or_insert_text(causeway_core::ydoc::ROOT);
        let add = || {
            let mut transaction = self.doc.transact_mut();
            text.push(&mut transaction, piece);
            transaction.encode_update_v1()
        };
        (0..pieces).map(|_| add()).collect()
    }

    fn write(&mut self, kind: EntryKind, payload: &[u8]) -> Bytes {
        let replica = self.identity.id();
        let (deps, logical) = self.log.next_place(&replica);
        let header = Header {
            stream: self.stream,
            replica,
            seq: self.log.tip(&replica).seq + 1,
            deps,
            logical,
            time: Millis(1),
            kind,
            target: None,
            key_epoch: 0,
            payload_hash: [0; 32],
        };
        let entry = wire::entry::build(header, payload);
        self.extend(&entry);
        wire::frame::encode_entries([&entry])
    }

    fn extend(&mut self, entry: &Entry) {
        let Verdict::Fresh(accepted) = self.log.judge(entry) else {
            panic!("the entry does not join the log")
        };
        self.log.extend(entry, accepted);
    }
}
