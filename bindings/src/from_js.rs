//! JavaScript values as the core's. Everything is checked: a page may hold any bug.

use bytes::Bytes;
use causeway_core::anchor::{Anchor, Side};
use causeway_core::device::{ForkError, ForkId};
use causeway_core::ids::StreamId;
use causeway_core::log::EntryName;
use causeway_core::presence::{Cursor, Status};
use causeway_core::storage::{CommitError, FailureKind, Page, StoreFailure};
use causeway_core::time::{Millis, Now};
use causeway_core::ydoc::{Delta, DeltaOp};
use js_sys::{Array, Reflect, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};

use crate::refusal::{argument, refused};

/// The two clocks of the page. Whatever is no number is the beginning of time.
pub(crate) fn now(monotonic: f64, wall: f64) -> Now {
    Now { monotonic: Millis(monotonic as u64), wall: Millis(wall as u64) }
}

pub(crate) fn stream(name: &str) -> Result<StreamId, JsValue> {
    name.parse().map_err(refused)
}

pub(crate) fn post(name: &str) -> Result<EntryName, JsValue> {
    name.parse().map_err(refused)
}

pub(crate) fn fork(name: &str) -> Result<ForkId, JsValue> {
    name.parse().map_err(|_| refused(ForkError::Unknown))
}

/// A property; absent properties and properties of what is no object are `undefined`.
pub(crate) fn property(object: &JsValue, name: &str) -> JsValue {
    Reflect::get(object, &name.into()).unwrap_or(JsValue::UNDEFINED)
}

pub(crate) fn is_absent(value: &JsValue) -> bool {
    value.is_undefined() || value.is_null()
}

pub(crate) fn delta(steps: &JsValue) -> Result<Delta, JsValue> {
    let steps: &Array = steps.dyn_ref().ok_or_else(|| argument("a delta is an array of steps"))?;
    steps.iter().map(|step| delta_op(&step)).collect()
}

fn delta_op(step: &JsValue) -> Result<DeltaOp, JsValue> {
    if let Some(text) = property(step, "insert").as_string() {
        return Ok(DeltaOp::Insert(text));
    }
    if let Some(length) = units(&property(step, "retain")) {
        return Ok(DeltaOp::Retain(length));
    }
    if let Some(length) = units(&property(step, "delete")) {
        return Ok(DeltaOp::Delete(length));
    }
    Err(argument("a step is { retain: units }, { insert: text } or { delete: units }"))
}

/// A whole number of UTF-16 units.
pub(crate) fn units(value: &JsValue) -> Option<u32> {
    let number = value.as_f64()?;
    (number >= 0.0 && number <= f64::from(u32::MAX) && number.fract() == 0.0).then_some(number as u32)
}

pub(crate) fn side(name: &str) -> Result<Side, JsValue> {
    match name {
        "before" => Ok(Side::Before),
        "after" => Ok(Side::After),
        _ => Err(argument("a side is \"before\" or \"after\"")),
    }
}

pub(crate) fn anchor(value: &JsValue) -> Result<Anchor, JsValue> {
    let shape = || argument("an anchor is what `anchor` returned");
    let side = side(&property(value, "side").as_string().ok_or_else(shape)?)?;
    let item = property(value, "item");
    if is_absent(&item) {
        return Ok(Anchor { item: None, side });
    }
    let pair: &Array = item.dyn_ref().ok_or_else(shape)?;
    // Client ids stay below 2^53, so a JavaScript number holds them.
    let author =
        pair.get(0).as_f64().filter(|author| *author >= 0.0 && author.fract() == 0.0).ok_or_else(shape)?;
    let clock = units(&pair.get(1)).ok_or_else(shape)?;
    Ok(Anchor { item: Some((author as u64, clock)), side })
}

pub(crate) fn cursor(value: &JsValue) -> Result<Option<Cursor>, JsValue> {
    if is_absent(value) {
        return Ok(None);
    }
    let name = property(value, "stream").as_string().ok_or_else(|| argument("a cursor names its stream"))?;
    let anchor_of = |end: &str| anchor(&property(value, end));
    Ok(Some(Cursor { stream: stream(&name)?, anchor: anchor_of("anchor")?, head: anchor_of("head")? }))
}

pub(crate) fn status(name: &str) -> Result<Status, JsValue> {
    match name {
        "editing" => Ok(Status::Editing),
        "idle" => Ok(Status::Idle),
        "running" => Ok(Status::Running),
        "away" => Ok(Status::Away),
        _ => Err(argument("a status is \"editing\", \"idle\", \"running\" or \"away\"")),
    }
}

/// The disk's answer to a commit: `"ok"`, `{ conflict: key }` or a failure.
pub(crate) fn stored(outcome: &JsValue) -> Result<Result<(), CommitError>, JsValue> {
    if outcome.as_string().is_some_and(|word| word == "ok") {
        return Ok(Ok(()));
    }
    let conflict = property(outcome, "conflict");
    if let Some(key) = conflict.dyn_ref::<Uint8Array>() {
        return Ok(Err(CommitError::Conflict { key: key.to_vec() }));
    }
    Ok(Err(failure(outcome)?.into()))
}

/// The disk's answer to a scan: a page or a failure.
pub(crate) fn scanned(outcome: &JsValue) -> Result<Result<Page, StoreFailure>, JsValue> {
    let rows = property(outcome, "rows");
    let Some(rows) = rows.dyn_ref::<Array>() else { return Ok(Err(failure(outcome)?)) };
    let rows = rows.iter().map(|row| row_of(&row)).collect::<Result<_, _>>()?;
    let more = property(outcome, "more");
    let more = if is_absent(&more) { None } else { Some(bytes(&more)?) };
    // IndexedDB keeps no sums that a page could hold its values against.
    Ok(Ok(Page { rows, damaged: Vec::new(), more }))
}

fn row_of(row: &JsValue) -> Result<(Vec<u8>, Vec<u8>), JsValue> {
    let pair: &Array = row.dyn_ref().ok_or_else(|| argument("a row is a pair of a key and a value"))?;
    Ok((bytes(&pair.get(0))?, bytes(&pair.get(1))?))
}

fn failure(value: &JsValue) -> Result<StoreFailure, JsValue> {
    let kind = match property(value, "failed").as_string().as_deref() {
        Some("full") => FailureKind::Full,
        Some("damaged") => FailureKind::Damaged,
        Some("closed") => FailureKind::Closed,
        Some("busy") => FailureKind::Busy,
        Some("too-large") => FailureKind::TooLarge,
        Some("io") => FailureKind::Io,
        _ => return Err(argument("this is no answer of a disk")),
    };
    Ok(StoreFailure::new(kind, property(value, "sentence").as_string().unwrap_or_default()))
}

fn bytes(value: &JsValue) -> Result<Vec<u8>, JsValue> {
    value.dyn_ref::<Uint8Array>().map(Uint8Array::to_vec).ok_or_else(|| argument("bytes are a Uint8Array"))
}

/// What arrived on the socket.
pub(crate) fn received(bytes: Vec<u8>) -> Bytes {
    Bytes::from(bytes)
}
