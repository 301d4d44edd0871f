//! What the changes of a stream have made, as far as the next one may refer to it.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest, Sha256};

use super::change::{Change, HASH};
use super::changes;
use super::limits::Limits;
use super::operations::{Action, Id, Key, Operation};
use crate::fault::{Counted, Fault, Referred};

/// Every operation of a stream that a later one may name: where it stands and what can be done to it. It holds no values
/// and no order, so it is no document; it is built again by admitting the stream's payloads in any order that respects
/// what builds on what.
#[derive(Debug, Clone, Default)]
pub struct Ledger {
    changes: BTreeSet<[u8; HASH]>,
    actors: BTreeMap<Vec<u8>, Author>,
    cells: BTreeMap<Name, Cell>,
    /// The greatest counter of all.
    newest: u32,
    operations: u32,
}

/// What [`Ledger::admit`] let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Admitted {
    /// The number of the author's last change.
    pub seq: u32,
    /// The author's last counter.
    pub counter: u32,
}

#[derive(Debug, Clone, Copy, Default)]
struct Author {
    number: u32,
    seq: u32,
    counter: u32,
}

/// An operation as the ledger names it: number of its actor and counter.
type Name = (u32, u32);

#[derive(Debug, Clone, Copy)]
struct Cell {
    object: Option<Name>,
    place: Place,
    kind: Kind,
}

/// Where in its object an operation stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Under this key, hashed: nobody can find two keys for one hash.
    Name([u8; 16]),
    /// On the element that this operation made.
    Element(Name),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Map { depth: u32 },
    List { depth: u32 },
    Value,
    Counter,
}

impl Ledger {
    /// A stream without changes.
    pub fn new() -> Self {
        Ledger::default()
    }

    /// Judges a payload (as [`scan`](super::scan)) and all it claims, and lets it in whole or not at all.
    ///
    /// Its changes are by `own` alone, numbered on from the last one of `own`; they build on changes that are here, but
    /// not necessarily on that one; their operations are counted on from what is here, and name objects, elements and
    /// values that exist, are of the right kind and stand in the right place. Those are what automerge asserts or indexes
    /// without a look.
    ///
    /// # Errors
    ///
    /// The first [`Fault`]; the ledger is then as it was.
    pub fn admit(&mut self, payload: &[u8], own: &[u8], limits: &Limits) -> Result<Admitted, Fault> {
        let mut admission = Admission::new(self, own);
        changes(payload, limits, |change| admission.change(change, limits))?;
        let Admission { author, hashes, cells, newest, operations, .. } = admission;
        self.changes.extend(hashes);
        self.actors.insert(own.to_vec(), author);
        self.cells.extend(cells);
        self.newest = newest;
        self.operations = operations;
        Ok(Admitted { seq: author.seq, counter: author.counter })
    }
}

/// A payload on its way in.
struct Admission<'l> {
    ledger: &'l Ledger,
    own: &'l [u8],
    author: Author,
    hashes: BTreeSet<[u8; HASH]>,
    cells: BTreeMap<Name, Cell>,
    newest: u32,
    operations: u32,
}

impl<'l> Admission<'l> {
    fn new(ledger: &'l Ledger, own: &'l [u8]) -> Self {
        let fresh = Author { number: ledger.actors.len() as u32, ..Author::default() };
        Admission {
            ledger,
            own,
            author: ledger.actors.get(own).copied().unwrap_or(fresh),
            hashes: BTreeSet::new(),
            cells: BTreeMap::new(),
            newest: ledger.newest,
            operations: ledger.operations,
        }
    }

    fn change(&mut self, change: &Change<'_>, limits: &Limits) -> Result<(), Fault> {
        if change.actor != self.own {
            return Err(Fault::ForeignActor);
        }
        if change.seq != self.author.seq + 1 {
            return Err(Fault::Discontinuous { expected: self.author.seq + 1, found: change.seq });
        }
        for hash in change.dependencies.chunks(HASH) {
            if !self.hashes.contains(hash) && !self.ledger.changes.contains(hash) {
                return Err(Fault::UnknownDependency);
            }
        }
        let (least, most) = (u64::from(self.author.counter) + 1, u64::from(self.newest) + 1);
        if !(least..=most).contains(&u64::from(change.start)) {
            return Err(Fault::Counter { found: u64::from(change.start), least, most });
        }
        let numbers = self.numbers(change)?;
        let count =
            change.operations(limits, |operation| self.operation(change, &numbers, operation, limits))?;
        self.operations = self.operations.saturating_add(count);
        if self.operations > limits.stream_operations {
            return Err(Fault::TooMany { what: Counted::Operations, limit: limits.stream_operations });
        }
        self.author.seq = change.seq;
        self.author.counter = change.start + count - 1;
        self.newest = self.newest.max(self.author.counter);
        self.hashes.insert(change.hash);
        Ok(())
    }

    /// The ledger's numbers of the actors a change names, its own first.
    fn numbers(&self, change: &Change<'_>) -> Result<Vec<u32>, Fault> {
        let mut numbers = vec![self.author.number];
        for other in &change.others {
            let author = self.ledger.actors.get(*other).ok_or(Fault::UnknownDependency)?;
            numbers.push(author.number);
        }
        Ok(numbers)
    }

    fn operation(
        &mut self,
        change: &Change<'_>,
        numbers: &[u32],
        operation: &Operation<'_>,
        limits: &Limits,
    ) -> Result<(), Fault> {
        let unknown = |what| Fault::UnknownOperation { operation: operation.number, what };
        let counter = change.start + operation.number;
        let own = (self.author.number, counter);
        let name = |id: Id| (numbers[id.actor], id.counter);
        let object = operation.object.map(name);
        let (is_map, depth) = match object.map(|object| self.cell(object, counter).map(|cell| cell.kind)) {
            None => (true, 0),
            Some(Some(Kind::Map { depth })) => (true, depth),
            Some(Some(Kind::List { depth })) => (false, depth),
            Some(Some(Kind::Value | Kind::Counter) | None) => return Err(unknown(Referred::Object)),
        };
        let place = match (operation.key, is_map, operation.inserts) {
            (Key::Name(key), true, false) => Place::Name(hashed(key)),
            (Key::Head, false, true) => Place::Element(own),
            (Key::Element(element), false, inserts) => {
                let element = name(element);
                let cell = self
                    .cell(element, counter)
                    .filter(|cell| cell.object == object && cell.place == Place::Element(element));
                cell.ok_or(unknown(Referred::Element))?;
                Place::Element(if inserts { own } else { element })
            }
            _ => return Err(unknown(Referred::Element)),
        };
        self.replaces(change, operation, (object, place), name)?;
        let kind = match operation.action {
            Action::MakeMap => Kind::Map { depth: depth + 1 },
            Action::MakeList => Kind::List { depth: depth + 1 },
            Action::Set => Kind::Value,
            Action::SetCounter => Kind::Counter,
            Action::Delete | Action::Increment => return Ok(()),
        };
        if depth >= limits.depth {
            return Err(Fault::TooDeep { at: operation.number as usize });
        }
        self.cells.insert(own, Cell { object, place, kind });
        Ok(())
    }

    /// Values that are replaced stand where the operation stands, and are named by counter and then by actor. An insertion replaces nothing; what deletes or counts
    /// up does so to something.
    fn replaces(
        &self,
        change: &Change<'_>,
        operation: &Operation<'_>,
        stands: (Option<Name>, Place),
        name: impl Fn(Id) -> Name,
    ) -> Result<(), Fault> {
        let unknown = Fault::UnknownOperation { operation: operation.number, what: Referred::Value };
        let needs_some = matches!(operation.action, Action::Delete | Action::Increment);
        if operation.inserts && (needs_some || !operation.predecessors.is_empty())
            || needs_some && operation.predecessors.is_empty()
        {
            return Err(unknown);
        }
        let mut before: Option<Id> = None;
        let mut counts = false;
        for id in &operation.predecessors {
            let rank = |id: Id| (id.counter, change.name_of(id.actor));
            if before.is_some_and(|before| rank(before) >= rank(*id)) {
                return Err(Fault::Unordered { at: operation.number as usize });
            }
            before = Some(*id);
            let cell = self.cell(name(*id), change.start + operation.number).ok_or(unknown)?;
            if (cell.object, cell.place) != stands {
                return Err(unknown);
            }
            counts |= cell.kind == Kind::Counter;
        }
        // Where people have set one key at once, only some of its values need to be counters.
        if counts || operation.action != Action::Increment { Ok(()) } else { Err(unknown) }
    }

    /// An operation before the one with `counter`.
    fn cell(&self, name: Name, counter: u32) -> Option<&Cell> {
        let cell = self.cells.get(&name).or_else(|| self.ledger.cells.get(&name))?;
        (name.1 < counter).then_some(cell)
    }
}

fn hashed(key: &str) -> [u8; 16] {
    let hash = Sha256::digest(key.as_bytes());
    hash.first_chunk().copied().expect("sixteen bytes of thirty-two")
}
