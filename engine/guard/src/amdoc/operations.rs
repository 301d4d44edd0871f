//! The operations of a change, read row by row out of its columns.

use super::change::{Change, Column};
use super::column::{Differences, Runs, Truths};
use super::limits::{COUNTER_MAX, Limits};
use crate::cursor::Cursor;
use crate::fault::{Counted, Fault, Unsupported};

/// One operation, as far as its place among others is concerned.
pub(super) struct Operation<'a> {
    /// Which of the change, counted from zero.
    pub(super) number: u32,
    /// The object it changes; `None` is the root.
    pub(super) object: Option<Id>,
    pub(super) key: Key<'a>,
    /// Whether it makes an element of a list.
    pub(super) inserts: bool,
    pub(super) action: Action,
    /// The operations it replaces, ascending.
    pub(super) predecessors: Vec<Id>,
}

/// An operation as a change names it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Id {
    /// Zero is the author, others follow in the order of the change.
    pub(super) actor: usize,
    pub(super) counter: u32,
}

#[derive(Clone, Copy)]
pub(super) enum Key<'a> {
    /// The key of a map.
    Name(&'a str),
    /// The beginning of a list.
    Head,
    /// An element of a list.
    Element(Id),
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    MakeMap,
    MakeList,
    Set,
    SetCounter,
    Delete,
    Increment,
}

impl<'a> Change<'a> {
    /// Hands every operation to `visit` and returns how many there are, at least one.
    pub(super) fn operations(
        &self,
        limits: &Limits,
        mut visit: impl FnMut(&Operation<'a>) -> Result<(), Fault>,
    ) -> Result<u32, Fault> {
        let mut rows = Rows::of(self);
        let mut number = 0;
        while !rows.action.is_done() {
            if number == limits.operations {
                return Err(Fault::TooMany { what: Counted::Operations, limit: limits.operations });
            }
            visit(&rows.next(number, limits)?)?;
            number += 1;
        }
        if number == 0 {
            return Err(Fault::Empty { at: rows.action.at() });
        }
        if u64::from(self.start) + u64::from(number) > COUNTER_MAX {
            return Err(Fault::Clock { at: rows.action.at() });
        }
        rows.finish()?;
        Ok(number)
    }
}

struct Rows<'a> {
    object_actor: Runs<'a, u64>,
    object_counter: Runs<'a, u64>,
    key_actor: Runs<'a, u64>,
    key_counter: Differences<'a>,
    key_string: Runs<'a, &'a str>,
    insert: Truths<'a>,
    action: Runs<'a, u64>,
    value_kind: Runs<'a, u64>,
    value_bytes: Cursor<'a>,
    predecessors: Runs<'a, u64>,
    predecessor_actor: Runs<'a, u64>,
    predecessor_counter: Differences<'a>,
    /// Predecessors so far, over all operations.
    replaced: u32,
    /// Which of the actors have been named. Each has to be.
    named: Vec<bool>,
    end: usize,
}

impl<'a> Rows<'a> {
    fn of(change: &Change<'a>) -> Self {
        let range = |column: Column| change.columns[column as usize];
        let numbers = |column| Runs::new(change.payload, range(column), Cursor::u64);
        let (bytes_start, bytes_end) = range(Column::ValueBytes);
        Rows {
            object_actor: numbers(Column::ObjectActor),
            object_counter: numbers(Column::ObjectCounter),
            key_actor: numbers(Column::KeyActor),
            key_counter: Differences::new(change.payload, range(Column::KeyCounter)),
            key_string: Runs::new(change.payload, range(Column::KeyString), Cursor::string),
            insert: Truths::new(change.payload, range(Column::Insert)),
            action: numbers(Column::Action),
            value_kind: numbers(Column::ValueKind),
            value_bytes: Cursor::part(change.payload, bytes_start, bytes_end),
            predecessors: numbers(Column::Predecessors),
            predecessor_actor: numbers(Column::PredecessorActor),
            predecessor_counter: Differences::new(change.payload, range(Column::PredecessorCounter)),
            replaced: 0,
            named: vec![false; change.others.len()],
            end: change.end,
        }
    }

    fn next(&mut self, number: u32, limits: &Limits) -> Result<Operation<'a>, Fault> {
        let object = self.object()?;
        let key = self.key()?;
        let inserts = self.insert.next()?;
        let at = self.action.at();
        let action = self.action.value()?;
        let value = self.value()?;
        let action = match (action, value) {
            (0, Value::Nothing) => Action::MakeMap,
            (2 | 4, Value::Nothing) => Action::MakeList,
            (1, Value::Counter) => Action::SetCounter,
            (1, _) => Action::Set,
            (3, Value::Nothing) => Action::Delete,
            (5, Value::Integer) => Action::Increment,
            (0 | 2..=5, _) => return Err(Fault::Malformed { at }),
            _ => return Err(Fault::Unsupported { what: Unsupported::Action, at }),
        };
        let predecessors = self.predecessors(limits)?;
        Ok(Operation { number, object, key, inserts, action, predecessors })
    }

    fn object(&mut self) -> Result<Option<Id>, Fault> {
        let at = self.object_counter.at();
        match (self.object_actor.next()?, self.object_counter.next()?) {
            (None, None) => Ok(None),
            (Some(actor), Some(counter)) => self.id(at, actor, counter).map(Some),
            _ => Err(Fault::Malformed { at }),
        }
    }

    fn key(&mut self) -> Result<Key<'a>, Fault> {
        let at = self.key_string.at();
        match (self.key_string.next()?, self.key_actor.next()?, self.key_counter.next()?) {
            (Some(name), None, None) => Ok(Key::Name(name)),
            (None, None, Some(0)) => Ok(Key::Head),
            (None, Some(actor), Some(counter)) => {
                let counter = u64::try_from(counter).map_err(|_| Fault::Clock { at })?;
                self.id(at, actor, counter).map(Key::Element)
            }
            _ => Err(Fault::Malformed { at }),
        }
    }

    fn predecessors(&mut self, limits: &Limits) -> Result<Vec<Id>, Fault> {
        let count = self.predecessors.value()?;
        let left = limits.predecessors - self.replaced;
        if count > u64::from(left) {
            return Err(Fault::TooMany { what: Counted::Predecessors, limit: limits.predecessors });
        }
        self.replaced += count as u32;
        let mut ids = Vec::new();
        for _ in 0..count {
            let at = self.predecessor_actor.at();
            let actor = self.predecessor_actor.value()?;
            let counter = self.predecessor_counter.value()?;
            let counter = u64::try_from(counter).map_err(|_| Fault::Clock { at })?;
            ids.push(self.id(at, actor, counter)?);
        }
        Ok(ids)
    }

    fn id(&mut self, at: usize, actor: u64, counter: u64) -> Result<Id, Fault> {
        if counter == 0 || counter > COUNTER_MAX {
            return Err(Fault::Clock { at });
        }
        let actor = usize::try_from(actor).ok().filter(|actor| *actor <= self.named.len());
        let actor = actor.ok_or(Fault::Malformed { at })?;
        if let Some(other) = actor.checked_sub(1) {
            self.named[other] = true;
        }
        Ok(Id { actor, counter: counter as u32 })
    }

    /// Reads a value: its kind in the low four bits, its length above, its bytes in a column of their own.
    fn value(&mut self) -> Result<Value, Fault> {
        let at = self.value_kind.at();
        let kind = self.value_kind.value()?;
        let length = usize::try_from(kind >> 4).map_err(|_| Fault::Truncated { at })?;
        let start = self.value_bytes.at();
        let bytes = self.value_bytes.take(length)?;
        let mut inside = Cursor::new(bytes);
        let value = match kind & 0b1111 {
            0 => Value::Nothing,
            1 | 2 => Value::Other,
            3 => inside.u64().map(|_| Value::Integer)?,
            4 => inside.leb().map(|_| Value::Integer)?,
            5 => inside.take(8).map(|_| Value::Other)?,
            6 => {
                std::str::from_utf8(bytes).map_err(|_| Fault::Utf8 { at: start })?;
                return Ok(Value::Other);
            }
            7 => return Ok(Value::Other),
            8 => inside.leb().map(|_| Value::Counter)?,
            9 => inside.leb().map(|_| Value::Other)?,
            _ => return Err(Fault::Unsupported { what: Unsupported::ValueType, at }),
        };
        if inside.remaining() == 0 { Ok(value) } else { Err(Fault::Trailing { at: start }) }
    }

    /// Judges the columns after the last operation.
    fn finish(&self) -> Result<(), Fault> {
        let numbers = [
            &self.object_actor,
            &self.object_counter,
            &self.key_actor,
            &self.action,
            &self.value_kind,
            &self.predecessors,
            &self.predecessor_actor,
        ];
        for column in numbers {
            column.finish()?;
        }
        self.key_string.finish()?;
        self.key_counter.finish()?;
        self.insert.finish()?;
        self.predecessor_counter.finish()?;
        if self.value_bytes.remaining() > 0 {
            return Err(Fault::Trailing { at: self.value_bytes.at() });
        }
        // An actor that is not named would be left out when the change is written again.
        if self.named.iter().all(|named| *named) { Ok(()) } else { Err(Fault::NotCanonical { at: self.end }) }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Value {
    Nothing,
    Integer,
    Counter,
    Other,
}
