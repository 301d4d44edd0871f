//! Whole texts as pages of snapshots. No editor, no observer, and counted apart from the documents people open.

use std::sync::atomic::{AtomicU64, Ordering};

use causeway_guard::ydoc::check_whole_text;
use causeway_guard::{Fault, Limits};
use yrs::block::ClientID;
use yrs::updates::decoder::Decode;
use yrs::{Doc, GetString, OffsetKind, Options, ReadTxn, StateVector, Transact, Update};

use crate::limits::PAGE_BYTES;
use crate::log::StreamLog;
use crate::snapshot::JobError;
use crate::ydoc::{ApplyError, ROOT, together};

/// A text with all its history that merging needs.
#[derive(Debug)]
pub(crate) struct State {
    /// The whole as one update, v1.
    pub(crate) page: Vec<u8>,
    /// What people see.
    pub(crate) text: String,
}

/// What a page and the updates above it amount to.
pub(crate) fn state_of(
    base: Option<&[u8]>,
    updates: &[&[u8]],
    go_on: &mut dyn FnMut() -> bool,
) -> Result<State, JobError> {
    MATERIALISED.fetch_add(1, Ordering::Relaxed);
    let mut options = Options::with_guid_and_client_id("causeway".into(), ClientID::new(0));
    options.offset_kind = OffsetKind::Utf16;
    options.cleanup_formatting = false;
    let doc = Doc::with_options(options);
    let text = doc.get_or_insert_text(ROOT);
    let updates: Vec<&[u8]> = base.into_iter().chain(updates.iter().copied()).collect();
    for part in together(&updates) {
        let mut txn = doc.transact_mut();
        for update in part {
            if !go_on() {
                return Err(JobError::Time);
            }
            let update = Update::decode_v1(update).map_err(|error| ApplyError::Decode(error.to_string()))?;
            txn.apply_update(update).map_err(|error| ApplyError::Apply(error.to_string()))?;
        }
    }
    let txn = doc.transact();
    if txn.has_missing_updates() {
        return Err(ApplyError::Incomplete.into());
    }
    let page = txn.encode_state_as_update_v1(&StateVector::default());
    Ok(State { page, text: text.get_string(&txn) })
}

/// Whether a page is safe to hand to yrs and holds exactly the clocks of these chains.
pub(crate) fn check_page(page: &[u8], log: &StreamLog) -> Result<(), Fault> {
    let many = u32::MAX;
    let limits =
        Limits { bytes: PAGE_BYTES, blocks: many, clients: many, delete_ranges: many, ..Limits::default() };
    let writers = log.tips().filter(|(_, tip)| tip.clock > 0).count();
    check_whole_text(page, ROOT, writers, log, &limits)
}

/// How many texts were built for snapshots in this process.
pub fn states_built() -> u64 {
    MATERIALISED.load(Ordering::Relaxed)
}

static MATERIALISED: AtomicU64 = AtomicU64::new(0);
