//! The core's values as plain JavaScript data: nothing in them has to be freed.

use causeway_core::anchor::{Anchor, Side};
use causeway_core::chat::{Author, Older, Post, Reaction, Saved, TimelineChange, Unread};
use causeway_core::device::{
    Change, Connection, Draft, Event, Fork, ForkText, Output, PageOutput, Receipt, ReceiptState, SaveStatus,
    Storage,
};
use causeway_core::directory::Listed;
use causeway_core::ids::PersonId;
use causeway_core::log::EntryName;
use causeway_core::presence::{Cursor, Lease, State, Status};
use causeway_core::storage::{Commit, Durability, Scan};
use causeway_core::write_queue::OpId;
use causeway_core::ydoc::DeltaOp;
use js_sys::{Array, Object, Reflect, Uint8Array};
use wasm_bindgen::JsValue;

/// A plain object that is filled field by field.
struct Record(Object);

impl Record {
    fn new() -> Self {
        Self(Object::new())
    }

    fn of_type(name: &str) -> Self {
        Self::new().with("type", name)
    }

    fn with(self, name: &str, value: impl Into<JsValue>) -> Self {
        // Setting a property of a fresh object cannot fail.
        let _ = Reflect::set(&self.0, &name.into(), &value.into());
        self
    }

    fn build(self) -> JsValue {
        self.0.into()
    }
}

pub(crate) fn output(output: &Output) -> JsValue {
    match output {
        Output::Connect => Record::of_type("connect").build(),
        Output::Send(bytes) => Record::of_type("send").with("bytes", buffer(bytes)).build(),
        Output::Close => Record::of_type("close").build(),
        Output::Page(PageOutput::Join) => Record::of_type("join").build(),
        Output::Page(PageOutput::Send(sibling, bytes)) => Record::of_type("toSibling")
            .with("sibling", sibling.0 as f64)
            .with("bytes", buffer(bytes))
            .build(),
        Output::Page(PageOutput::Dismiss(sibling)) => {
            Record::of_type("dismiss").with("sibling", sibling.0 as f64).build()
        }
        Output::Page(PageOutput::Yield) => Record::of_type("yield").build(),
        Output::Commit(op, request) => commit(*op, request),
        Output::Scan(op, request) => scan(*op, request),
    }
}

fn commit(op: OpId, request: &Commit) -> JsValue {
    let expect = request.expect.iter().map(|expect| {
        let value = expect.value.as_deref().map_or(JsValue::NULL, buffer);
        pair(&buffer(&expect.key), &value)
    });
    let put = request.put.iter().map(|(key, value)| pair(&buffer(key), &buffer(value)));
    Record::of_type("commit")
        .with("op", op.0 as f64)
        .with("expect", array(expect))
        .with("delete", array(request.delete.iter().map(|key| buffer(key))))
        .with("deletePrefix", array(request.delete_prefix.iter().map(|prefix| buffer(prefix))))
        .with("put", array(put))
        .with("strict", request.durability == Durability::Strict)
        .build()
}

fn scan(op: OpId, request: &Scan) -> JsValue {
    Record::of_type("scan")
        .with("op", op.0 as f64)
        .with("start", buffer(&request.start))
        .with("end", buffer(&request.end))
        .with("maxBytes", request.max_bytes as f64)
        .with("maxRows", request.max_rows as f64)
        .build()
}

pub(crate) fn event(event: &Event) -> JsValue {
    match event {
        Event::Text { stream, change, editor } => {
            let record = Record::of_type("text").with("stream", stream.to_string());
            let record = match change {
                Change::Reset => record,
                Change::Delta(steps) => record.with("delta", delta(steps)),
            };
            match editor {
                Some(editor) => record.with("editor", editor.0 as f64).build(),
                None => record.build(),
            }
        }
        Event::Directory => Record::of_type("directory").build(),
        Event::Channel(stream) => Record::of_type("channel").with("stream", stream.to_string()).build(),
        Event::Connection => Record::of_type("connection").build(),
        Event::SaveStatus(stream) => Record::of_type("saveStatus").with("stream", stream.to_string()).build(),
        Event::Others => Record::of_type("others").build(),
        Event::Storage => Record::of_type("storage").build(),
        Event::Forks => Record::of_type("forks").build(),
        Event::Fork { stream, code, sentence } => Record::of_type("fork")
            .with("stream", stream.to_string())
            .with("code", code.as_str())
            .with("sentence", sentence.as_str())
            .build(),
        Event::Damaged { stream, code } => {
            Record::of_type("damaged").with("stream", stream.to_string()).with("code", code.as_str()).build()
        }
        Event::Gone(stream) => Record::of_type("gone").with("stream", stream.to_string()).build(),
    }
}

fn delta(steps: &[DeltaOp]) -> Array {
    array(steps.iter().map(|step| {
        match step {
            DeltaOp::Retain(length) => Record::new().with("retain", *length),
            DeltaOp::Insert(text) => Record::new().with("insert", text.as_str()),
            DeltaOp::Delete(length) => Record::new().with("delete", *length),
        }
        .build()
    }))
}

pub(crate) fn connection(connection: &Connection) -> JsValue {
    let state = |name: &str| Record::new().with("state", name);
    match connection {
        Connection::Offline => state("offline"),
        Connection::Connecting => state("connecting"),
        Connection::Online => state("online"),
        Connection::Stopped { code, sentence } => {
            state("stopped").with("code", *code).with("sentence", sentence.as_str())
        }
    }
    .build()
}

pub(crate) fn storage(storage: &Storage) -> JsValue {
    let state = |name: &str| Record::new().with("state", name);
    match storage {
        Storage::Opening => state("opening"),
        Storage::Working => state("working"),
        Storage::Failing { full, sentence } => {
            state("failing").with("full", *full).with("sentence", sentence.as_str())
        }
    }
    .build()
}

pub(crate) fn save_status(status: &SaveStatus) -> JsValue {
    Record::new()
        .with("unsavedOnDevice", status.unsaved_on_device as f64)
        .with("unsavedOnRelay", status.unsaved_on_relay as f64)
        .with("seenBy", status.seen_by)
        .with("relayWaits", status.relay_waits)
        .with("forks", status.forks)
        .build()
}

/// The number of the edit; the caller knows the stream.
pub(crate) fn receipt(receipt: &Receipt) -> f64 {
    receipt.edit as f64
}

pub(crate) fn receipt_state(state: &ReceiptState) -> JsValue {
    Record::new()
        .with("device", state.device)
        .with("relay", state.relay)
        .with("seenBy", state.seen_by)
        .with("refused", state.refused)
        .build()
}

pub(crate) fn listed(listed: &Listed) -> JsValue {
    Record::new().with("id", listed.document.to_string()).with("path", listed.path.as_str()).build()
}

pub(crate) fn timeline(change: &TimelineChange) -> JsValue {
    let (record, posts, older) = match change {
        TimelineChange::Reset { posts, older } => (Record::of_type("reset"), posts, older),
        TimelineChange::Splice { at, remove, insert, older } => {
            let splice = Record::of_type("splice").with("at", *at as f64).with("remove", *remove as f64);
            (splice, insert, older)
        }
    };
    let older = match older {
        Older::Nothing => "nothing",
        Older::More => "more",
        Older::OutOfReach => "out-of-reach",
    };
    record.with("posts", array(posts.iter().map(post))).with("older", older).build()
}

fn post(post: &Post) -> JsValue {
    let saved = match post.saved {
        Saved::Nowhere => "no",
        Saved::Device => "device",
        Saved::Relay => "relay",
    };
    Record::new()
        .with("id", post.name.to_string())
        .with("author", author(&post.author))
        .with("mine", post.is_mine)
        .with("time", post.time.0 as f64)
        .with("text", post.text.as_str())
        .with("edited", post.is_edited)
        .with("deleted", post.is_deleted)
        .with("replyTo", name_or_null(post.reply_to))
        .with("reactions", array(post.reactions.iter().map(reaction)))
        .with("unread", post.is_unread)
        .with("saved", saved)
        .build()
}

fn reaction(reaction: &Reaction) -> JsValue {
    Record::new()
        .with("emoji", reaction.emoji.as_str())
        .with("people", array(reaction.people.iter().map(author)))
        .with("mine", reaction.is_mine)
        .build()
}

fn author(author: &Author) -> JsValue {
    Record::new()
        .with("person", author.person.to_string())
        .with("name", author.name.as_str())
        .with("colour", author.colour)
        .build()
}

fn name_or_null(name: Option<EntryName>) -> JsValue {
    name.map_or(JsValue::NULL, |name| name.to_string().into())
}

pub(crate) fn unread(unread: &Unread) -> JsValue {
    Record::new().with("count", unread.count as f64).with("first", name_or_null(unread.first)).build()
}

pub(crate) fn draft(draft: &Draft) -> JsValue {
    Record::new()
        .with("key", draft.key.to_string())
        .with("text", draft.text.as_str())
        .with("code", draft.code.as_str())
        .with("sentence", draft.sentence.as_str())
        .build()
}

pub(crate) fn fork(fork: &Fork) -> JsValue {
    Record::new()
        .with("id", fork.id.to_string())
        .with("stream", fork.id.stream.to_string())
        .with("isWhole", fork.id.whole.is_some())
        .with("code", fork.code.as_str())
        .with("sentence", fork.sentence.as_str())
        .with("time", fork.time.0 as f64)
        .with("bytes", fork.bytes as f64)
        .build()
}

pub(crate) fn fork_text(read: &ForkText) -> JsValue {
    Record::new()
        .with("text", read.text.as_str())
        .with("delta", delta(&read.delta))
        .with("isComplete", read.is_complete)
        .build()
}

pub(crate) fn person(lease: Lease, state: &State, person: Option<PersonId>) -> JsValue {
    let cursor = state.cursor.as_ref().map_or(JsValue::NULL, cursor);
    let typing = state.typing.map_or(JsValue::NULL, |stream| stream.to_string().into());
    Record::new()
        .with("id", lease.0 as f64)
        .with("name", state.name.as_str())
        .with("colour", state.colour)
        .with("status", status(state.status))
        .with("cursor", cursor)
        .with("typing", typing)
        .with("person", person.map_or(JsValue::NULL, |person| person.to_string().into()))
        .build()
}

fn status(status: Status) -> &'static str {
    match status {
        Status::Editing => "editing",
        Status::Idle => "idle",
        Status::Running => "running",
        Status::Away => "away",
    }
}

fn cursor(cursor: &Cursor) -> JsValue {
    Record::new()
        .with("stream", cursor.stream.to_string())
        .with("anchor", anchor(&cursor.anchor))
        .with("head", anchor(&cursor.head))
        .build()
}

pub(crate) fn anchor(anchor: &Anchor) -> JsValue {
    let side = match anchor.side {
        Side::Before => "before",
        Side::After => "after",
    };
    let record = Record::new().with("side", side);
    match anchor.item {
        // Client ids stay below 2^53, so a JavaScript number holds them.
        Some((author, clock)) => record.with("item", pair(&(author as f64).into(), &clock.into())).build(),
        None => record.build(),
    }
}

pub(crate) fn array(items: impl Iterator<Item = JsValue>) -> Array {
    items.collect()
}

fn pair(first: &JsValue, second: &JsValue) -> JsValue {
    Array::of2(first, second).into()
}

/// A copy outside the module's memory, free to be handed to a worker.
fn buffer(bytes: &[u8]) -> JsValue {
    Uint8Array::from(bytes).into()
}
