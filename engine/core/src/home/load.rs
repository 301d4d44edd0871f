//! Reading a room from the disk: epoch, chains, deleted streams. Entries stay where they are.

use crate::home::compaction::Standing;
use crate::home::heads::Vouched;
use crate::home::reading::Reading;
use crate::home::stream::HomeStream;
use crate::home::{Home, Input};
use crate::ids::{ConnId, StreamId};
use crate::limits::{SCAN_BYTES, SCAN_ROWS};
use crate::log::SignedHead;
use crate::replica::Identity;
use crate::snapshot::SignedRoot;
use crate::storage::{FailureKind, Page, Scan, StoreFailure};
use crate::stored::{
    self, Damage, HOME_KEY, HistoryRecord, META, MetaRecord, Prefix, ReplicaRecord, StreamRecord, TipRecord,
};
use crate::time::Now;
use crate::wire::ErrorCode;

/// How far the reading has come.
#[derive(Debug)]
pub(super) struct Load {
    left: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Load {
    pub(super) fn start() -> Self {
        let meta = (META.to_vec(), [META, &[0]].concat());
        let key = (HOME_KEY.to_vec(), [HOME_KEY, &[0]].concat());
        // From the last to the first.
        let kinds = [
            Prefix::Quarantine,
            Prefix::History,
            Prefix::Vouched,
            Prefix::Tombstone,
            Prefix::Draft,
            Prefix::Snapshot,
            Prefix::Tip,
            Prefix::Stream,
        ];
        Self { left: kinds.into_iter().map(Prefix::range).chain([key, meta]).collect() }
    }

    pub(super) fn is_done(&self) -> bool {
        self.left.is_empty()
    }
}

impl Home {
    pub(super) fn scan_next_rows(&mut self) {
        let Some((start, end)) = self.load.left.last().cloned() else { return };
        let scan = Scan { start, end, max_bytes: SCAN_BYTES, max_rows: SCAN_ROWS };
        self.scan(scan, Reading::Load);
    }

    pub(super) fn handle_loaded(&mut self, result: Result<Page, StoreFailure>, now: Now) {
        let page = match result {
            Ok(page) => page,
            Err(failure) if failure.kind == FailureKind::Damaged => return self.shut(),
            Err(_) => return self.reload(now),
        };
        let damaged = page.damaged.iter().map(|key| (key, [].as_slice()));
        for (key, value) in page.rows.iter().map(|(key, value)| (key, value.as_slice())).chain(damaged) {
            // A damaged row costs the stream it belongs to, not the room.
            if let Err(damage) = self.load_row(key, value) {
                self.quarantine(key, damage);
            }
        }
        match page.more {
            Some(start) => self.load.left.last_mut().expect("a page belongs to a range").0 = start,
            None => {
                self.load.left.pop();
            }
        }
        if self.load.is_done() {
            self.finish_load(now);
        } else {
            self.scan_next_rows();
        }
    }

    fn load_row(&mut self, key: &[u8], value: &[u8]) -> Result<(), Damage> {
        match key.first() {
            Some(b'm') => self.raise_epoch(MetaRecord::decode(value)?.epoch),
            Some(b'a') => {
                let stream = stored::parse_stream_key(key).ok_or(Damage::Body)?;
                let StreamRecord { arrivals, bytes } = StreamRecord::decode(value)?;
                let state = self.stream_mut(stream);
                state.arrivals = arrivals;
                state.durable_arrivals = arrivals;
                (state.bytes, state.durable_bytes) = (bytes, bytes);
            }
            Some(b'c') => {
                let (stream, replica) = stored::parse_tip_key(key).ok_or(Damage::Body)?;
                let tip = TipRecord::decode(value)?.into();
                self.stream_mut(stream).restore(replica, tip);
            }
            Some(b'k') => {
                self.home_key = Some(Identity::from_secret(&ReplicaRecord::decode(value)?.secret));
            }
            Some(b'h') => {
                let stream = stored::parse_stream_key(key).ok_or(Damage::Body)?;
                let root = SignedRoot::decode(value)?.root;
                self.stream_mut(stream).snapshot = Some(Standing::of(&root));
            }
            Some(b'd') => {
                // Never became a snapshot: what it covers is still there. Where the snapshot before it cannot be read
                // nobody knows which of its pages they share.
                let stream = stored::parse_stream_key(key).ok_or(Damage::Body)?;
                if self.streams.get(&stream).is_some_and(|state| state.damaged) {
                    return Ok(());
                }
                match SignedRoot::decode(value) {
                    Ok(draft) => self.discard_draft(stream, &draft.root.pages),
                    Err(_) => self.stream_mut(stream).has_strays = true,
                }
            }
            Some(b'x') => {
                let stream = stored::parse_stream_key(key).ok_or(Damage::Body)?;
                self.restore_quarantine(stream, value);
            }
            Some(b'v') => {
                // One that cannot be read is asked of its author again.
                let signed = SignedHead::decode(value).ok();
                let signed = signed.filter(|SignedHead { stream, name, .. }| {
                    key == stored::vouched_key(stream, &name.replica)
                });
                if let Some(signed) = signed {
                    let vouched = &mut self.stream_mut(signed.stream).vouched;
                    vouched.insert(signed.name.replica, Vouched { signed, at: None });
                }
            }
            Some(b'y') => {
                let stream = stored::parse_stream_key(key).ok_or(Damage::Body)?;
                self.stream_mut(stream).history =
                    HistoryRecord::decode(value).unwrap_or(HistoryRecord::UNKNOWN);
            }
            Some(b't') => {
                let stream = stored::parse_stream_key(key).ok_or(Damage::Body)?;
                self.stream_mut(stream).log.end();
            }
            _ => return Err(Damage::Body),
        }
        Ok(())
    }

    /// A stream whose records are damaged takes and tells nothing until it is mended. Devices keep what they have and
    /// are asked to come later: to call it gone would make them drop the last good copies.
    fn quarantine(&mut self, key: &[u8], _damage: Damage) {
        let stream =
            stored::parse_stream_key(key).or_else(|| stored::parse_tip_key(key).map(|(stream, _)| stream));
        if let Some(stream) = stream {
            self.stream_mut(stream).damaged = true;
        }
    }

    fn finish_load(&mut self, now: Now) {
        for state in self.streams.values_mut() {
            state.durable.settle(state.durable_arrivals);
        }
        let held: Vec<_> = self.conns.iter_mut().map(|(conn, state)| (*conn, state.take_held())).collect();
        for (conn, frames) in held {
            for bytes in frames {
                self.handle(Input::Received(conn, bytes), now);
            }
        }
        self.resume_reading();
        self.look_for_strays();
        for stream in self.streams.keys().copied().collect::<Vec<_>>() {
            self.expect_compaction(&stream, now);
        }
        self.expect_retention(now);
        for stream in std::mem::take(&mut self.released) {
            self.handle_release(stream, now);
        }
    }

    /// The store cannot pass over what is damaged here. Reading again would find the same, so whoever is here is told; other
    /// rooms are none the worse.
    fn shut(&mut self) {
        self.unreadable = true;
        self.figures.rooms_unreadable += 1;
        for conn in self.conns.keys().copied().collect::<Vec<_>>() {
            self.turn_away(conn);
        }
    }

    /// Tells a device that its room cannot be read; it keeps its work and comes again.
    pub(super) fn turn_away(&mut self, conn: ConnId) {
        let sentence = "the relay cannot read this room from its disk; whoever runs it has to look at it";
        self.fail(conn, ErrorCode::Store, sentence);
    }

    pub(super) fn load_is_done(&self) -> bool {
        self.load.is_done()
    }

    pub(super) fn stream_mut(&mut self, stream: StreamId) -> &mut HomeStream {
        self.streams.entry(stream).or_insert_with(|| HomeStream::new(stream))
    }
}
