//! Writes changes by hand, in automerge's spelling, so that a story can lie in exactly one place.

use sha2::{Digest, Sha256};

pub(crate) const MAGIC: [u8; 4] = [0x85, 0x6F, 0x4A, 0x83];

pub(crate) const MAKE_MAP: u64 = 0;
pub(crate) const SET: u64 = 1;
pub(crate) const MAKE_LIST: u64 = 2;
pub(crate) const DELETE: u64 = 3;
pub(crate) const MAKE_TEXT: u64 = 4;
pub(crate) const INCREMENT: u64 = 5;

/// Number of an actor in the change (zero is the author) and counter.
pub(crate) type Id = (u64, u64);

#[derive(Clone, Debug)]
pub(crate) enum Key {
    Name(String),
    Head,
    Element(Id),
}

#[derive(Clone, Debug)]
pub(crate) struct Op {
    pub(crate) object: Option<Id>,
    pub(crate) key: Key,
    pub(crate) insert: bool,
    pub(crate) action: u64,
    /// Low four bits of the kind, and the bytes.
    pub(crate) value: (u64, Vec<u8>),
    pub(crate) replaces: Vec<Id>,
}

impl Op {
    pub(crate) fn new(object: Option<Id>, key: Key, action: u64) -> Self {
        Op { object, key, insert: false, action, value: (0, Vec::new()), replaces: Vec::new() }
    }

    /// Sets a key of the root to an integer.
    pub(crate) fn put(key: &str, value: u8) -> Self {
        Op::new(None, Key::Name(key.into()), SET).with(3, &[value])
    }

    pub(crate) fn with(mut self, kind: u64, bytes: &[u8]) -> Self {
        self.value = (kind, bytes.to_vec());
        self
    }

    pub(crate) fn inserting(mut self) -> Self {
        self.insert = true;
        self
    }

    pub(crate) fn replacing(mut self, replaces: &[Id]) -> Self {
        self.replaces = replaces.to_vec();
        self
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Spec {
    pub(crate) builds_on: Vec<[u8; 32]>,
    pub(crate) actor: Vec<u8>,
    pub(crate) seq: u64,
    pub(crate) start: u64,
    pub(crate) others: Vec<Vec<u8>>,
    pub(crate) ops: Vec<Op>,
}

impl Spec {
    /// The first change of `actor`.
    pub(crate) fn first(actor: &[u8], ops: Vec<Op>) -> Self {
        Spec { builds_on: vec![], actor: actor.to_vec(), seq: 1, start: 1, others: vec![], ops }
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        framed(1, &self.body(&self.columns()))
    }

    /// The change with columns of the caller's making.
    pub(crate) fn bytes_with(&self, columns: &[(u32, Vec<u8>)]) -> Vec<u8> {
        framed(1, &self.body(columns))
    }

    fn body(&self, columns: &[(u32, Vec<u8>)]) -> Vec<u8> {
        let mut body = Vec::new();
        put(&mut body, self.builds_on.len() as u64);
        self.builds_on.iter().for_each(|hash| body.extend(hash));
        put_bytes(&mut body, &self.actor);
        put(&mut body, self.seq);
        put(&mut body, self.start);
        body.push(0); // time
        body.push(0); // message
        put(&mut body, self.others.len() as u64);
        self.others.iter().for_each(|other| put_bytes(&mut body, other));
        put(&mut body, columns.len() as u64);
        for (spec, bytes) in columns {
            put(&mut body, u64::from(*spec));
            put(&mut body, bytes.len() as u64);
        }
        columns.iter().for_each(|(_, bytes)| body.extend(bytes));
        body
    }

    /// The columns that are not empty.
    pub(crate) fn columns(&self) -> Vec<(u32, Vec<u8>)> {
        let ops = &self.ops;
        let element = |op: &Op| match &op.key {
            Key::Name(_) => (None, None),
            Key::Head => (None, Some(0)),
            Key::Element((actor, counter)) => (Some(*actor), Some(*counter as i64)),
        };
        let name = |op: &Op| match &op.key {
            Key::Name(name) => Some(name.clone()),
            Key::Head | Key::Element(_) => None,
        };
        let replaced = || ops.iter().flat_map(|op| op.replaces.iter());
        let columns = [
            (0x01, runs(ops.iter().map(|op| op.object.map(|id| id.0)), put)),
            (0x02, runs(ops.iter().map(|op| op.object.map(|id| id.1)), put)),
            (0x11, runs(ops.iter().map(|op| element(op).0), put)),
            (0x13, differences(ops.iter().map(|op| element(op).1))),
            (0x15, runs(ops.iter().map(name), |out, name| put_bytes(out, name.as_bytes()))),
            (0x34, truths(ops.iter().map(|op| op.insert))),
            (0x42, runs(ops.iter().map(|op| Some(op.action)), put)),
            (0x56, runs(ops.iter().map(|op| Some((op.value.1.len() as u64) << 4 | op.value.0)), put)),
            (0x57, ops.iter().flat_map(|op| op.value.1.clone()).collect()),
            (0x70, runs(ops.iter().map(|op| Some(op.replaces.len() as u64)), put)),
            (0x71, runs(replaced().map(|id| Some(id.0)), put)),
            (0x73, differences(replaced().map(|id| Some(id.1 as i64)))),
        ];
        columns.into_iter().filter(|(_, bytes)| !bytes.is_empty()).collect()
    }
}

/// A chunk with the checksum of its data.
pub(crate) fn framed(kind: u8, data: &[u8]) -> Vec<u8> {
    let mut hashed = vec![kind];
    put_bytes(&mut hashed, data);
    let hash = Sha256::digest(&hashed);
    [&MAGIC, &hash[..4], &hashed].concat()
}

/// The hash of a chunk.
pub(crate) fn hash(chunk: &[u8]) -> [u8; 32] {
    Sha256::digest(&chunk[8..]).into()
}

pub(crate) fn put(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

pub(crate) fn put_signed(out: &mut Vec<u8>, mut value: i64) {
    loop {
        let byte = (value & 0x7F) as u8;
        value >>= 7;
        if value == 0 && byte & 0x40 == 0 || value == -1 && byte & 0x40 != 0 {
            return out.push(byte);
        }
        out.push(byte | 0x80);
    }
}

fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put(out, bytes.len() as u64);
    out.extend(bytes);
}

fn differences(values: impl Iterator<Item = Option<i64>>) -> Vec<u8> {
    let mut last = 0;
    let differences: Vec<Option<i64>> = values
        .map(|value| {
            let value = value?;
            let difference = value - last;
            last = value;
            Some(difference)
        })
        .collect();
    runs(differences.into_iter(), put_signed)
}

fn truths(values: impl Iterator<Item = bool>) -> Vec<u8> {
    let (mut out, mut last, mut count) = (Vec::new(), false, 0);
    for value in values {
        if value != last {
            put(&mut out, count);
            (last, count) = (value, 0);
        }
        count += 1;
    }
    if count > 0 {
        put(&mut out, count);
    }
    out
}

fn runs<T: PartialEq + Clone>(
    values: impl Iterator<Item = Option<T>>,
    write: impl Fn(&mut Vec<u8>, T),
) -> Vec<u8> {
    let values: Vec<Option<T>> = values.collect();
    if values.iter().all(Option::is_none) {
        return Vec::new();
    }
    let mut out = Vec::new();
    let mut literal: Vec<T> = Vec::new();
    let flush = |out: &mut Vec<u8>, literal: &mut Vec<T>| {
        if !literal.is_empty() {
            put_signed(out, -(literal.len() as i64));
            literal.drain(..).for_each(|value| write(out, value));
        }
    };
    for run in values.chunk_by(|one, next| one == next) {
        match &run[0] {
            Some(value) if run.len() == 1 => literal.push(value.clone()),
            Some(value) => {
                flush(&mut out, &mut literal);
                put_signed(&mut out, run.len() as i64);
                write(&mut out, value.clone());
            }
            None => {
                flush(&mut out, &mut literal);
                put_signed(&mut out, 0);
                put(&mut out, run.len() as u64);
            }
        }
    }
    flush(&mut out, &mut literal);
    out
}
