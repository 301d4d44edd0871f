//! Streams of which a row was lost that others hang on.
//!
//! An entry that cannot be read is a hole, which its author fills. A count of arrivals, a chain's tip or a snapshot that
//! cannot be read would put the whole stream out of use. But they are made of the entries, and these prove themselves: so all
//! of the stream is put together again. What no longer joins, devices bring in the new epoch.

use causeway_core::ids::StreamId;
use causeway_core::salvage::{Found, put_together};
use causeway_core::storage::{Scan, StoreFailure};
use causeway_core::stored::{self, Prefix};

use super::Change;
use crate::limits::{COPY_PAGE_BYTES, COPY_PAGE_ROWS};
use crate::rows::layout;
use crate::{Space, Store};

/// The stream that is out of use while this row cannot be read.
pub(super) fn hangs_on(key: &[u8]) -> Option<StreamId> {
    let kinds = [Prefix::Stream, Prefix::Tip, Prefix::Snapshot, Prefix::Page];
    let hangs = key.first().is_some_and(|first| kinds.into_iter().any(|kind| kind as u8 == *first));
    stored::stream_of(key).filter(|_| hangs)
}

/// What makes a stream of a store whole again. All of the stream is in memory meanwhile.
pub(super) fn changes(
    store: &dyn Store,
    space: &Space,
    stream: &StreamId,
) -> Result<Vec<Change>, StoreFailure> {
    let mut found = Found::new();
    for kind in KINDS {
        read(store, space, stored::stream_prefix(kind, stream), &mut found)?;
    }
    let gone = KINDS.into_iter().map(|kind| Change::Clear(stored::stream_prefix(kind, stream)));
    let rows = put_together(&found).rows.into_iter().map(|(key, value)| Change::Put(key, value));
    Ok(gone.chain(rows).collect())
}

fn read(store: &dyn Store, space: &Space, prefix: Vec<u8>, found: &mut Found) -> Result<(), StoreFailure> {
    let (mut start, end) = (prefix.clone(), layout::behind(prefix));
    loop {
        let scan = Scan { start, end: end.clone(), max_bytes: COPY_PAGE_BYTES, max_rows: COPY_PAGE_ROWS };
        let page = store.scan(space, &scan)?;
        found.extend(page.rows.into_iter().map(|(key, value)| (key, vec![value])));
        match page.more {
            Some(next) => start = next,
            None => return Ok(()),
        }
    }
}

/// The kinds of rows that a home keeps of a stream and can make anew.
const KINDS: [Prefix; 12] = [
    Prefix::Stream,
    Prefix::Tip,
    Prefix::Draft,
    Prefix::Entry,
    Prefix::Snapshot,
    Prefix::Index,
    Prefix::Page,
    Prefix::Place,
    Prefix::Tombstone,
    Prefix::Archive,
    Prefix::History,
    Prefix::Vouched,
];
