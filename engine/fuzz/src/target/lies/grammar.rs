//! Puts one update together, byte by byte, as the input chooses.

use crate::target::text::{Clocks, ROOT};

/// The input as a row of choices; all zero behind its end.
pub(super) struct Choices<'a> {
    rest: &'a [u8],
}

impl<'a> Choices<'a> {
    pub(super) fn of(input: &'a [u8]) -> Self {
        Self { rest: input }
    }

    pub(super) fn are_left(&self) -> bool {
        !self.rest.is_empty()
    }

    /// A number below `end`, which is not zero and at most 256.
    pub(super) fn below(&mut self, end: u32) -> u32 {
        let Some((first, rest)) = self.rest.split_first() else { return 0 };
        self.rest = rest;
        u32::from(*first) % end
    }
}

/// One to four blocks and at most one delete range by `own`, who knows `known`; its clock there grows.
pub(super) fn update(own: u64, known: &mut Clocks, choices: &mut Choices<'_>) -> Vec<u8> {
    let from = known.0.get(&own).copied().unwrap_or(0);
    let blocks = 1 + choices.below(4);
    let mut bytes = Vec::new();
    for number in [1, u64::from(blocks), own, u64::from(from)] {
        put(&mut bytes, number);
    }
    for _ in 0..blocks {
        let length = block(&mut bytes, known, choices);
        *known.0.entry(own).or_default() += length;
    }
    delete(&mut bytes, known, choices);
    bytes
}

fn block(bytes: &mut Vec<u8>, known: &Clocks, choices: &mut Choices<'_>) -> u32 {
    let kind = KINDS[choices.below(KINDS.len() as u32) as usize];
    if kind == GC {
        let length = 1 + choices.below(3);
        bytes.extend([GC, length as u8]);
        return length;
    }
    let neighbours = choices.below(4);
    let origin = (neighbours & 1 != 0).then(|| reference(known, choices)).flatten();
    let right = (neighbours & 2 != 0).then(|| reference(known, choices)).flatten();
    let right = right.filter(|right| Some(*right) != origin);
    let flags = if origin.is_some() { ORIGIN } else { 0 } | if right.is_some() { RIGHT_ORIGIN } else { 0 };
    bytes.push(kind | flags);
    for (client, clock) in [origin, right].into_iter().flatten() {
        put(bytes, client);
        put(bytes, u64::from(clock));
    }
    if origin.is_none() && right.is_none() {
        bytes.push(PARENT_IS_ROOT);
        text(bytes, ROOT);
    }
    content(bytes, kind, choices)
}

fn content(bytes: &mut Vec<u8>, kind: u8, choices: &mut Choices<'_>) -> u32 {
    match kind {
        STRING => {
            let piece = PIECES[choices.below(PIECES.len() as u32) as usize];
            text(bytes, piece);
            piece.encode_utf16().count() as u32
        }
        DELETED => {
            let length = 1 + choices.below(4);
            put(bytes, u64::from(length));
            length
        }
        EMBED => {
            text(bytes, EMBEDS[choices.below(EMBEDS.len() as u32) as usize]);
            1
        }
        _ => {
            text(bytes, "bold");
            text(bytes, VALUES[choices.below(VALUES.len() as u32) as usize]);
            1
        }
    }
}

fn delete(bytes: &mut Vec<u8>, known: &Clocks, choices: &mut Choices<'_>) {
    let range = (choices.below(3) == 0).then(|| reference(known, choices)).flatten();
    let Some((client, clock)) = range else { return put(bytes, 0) };
    let most = known.0[&client] - clock;
    let length = 1 + choices.below(most.min(5));
    for number in [1, client, 1, u64::from(clock), u64::from(length)] {
        put(bytes, number);
    }
}

/// Some position that exists.
fn reference(known: &Clocks, choices: &mut Choices<'_>) -> Option<(u64, u32)> {
    let written: Vec<_> = known.0.iter().filter(|(_, clock)| **clock > 0).collect();
    let (client, clock) = written.get(choices.below(written.len().max(1) as u32) as usize)?;
    Some((**client, choices.below((**clock).min(256))))
}

fn text(bytes: &mut Vec<u8>, text: &str) {
    put(bytes, text.len() as u64);
    bytes.extend_from_slice(text.as_bytes());
}

fn put(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

const GC: u8 = 0;
const DELETED: u8 = 1;
const STRING: u8 = 4;
const EMBED: u8 = 5;
const FORMAT: u8 = 6;
const KINDS: [u8; 8] = [STRING, STRING, STRING, STRING, DELETED, EMBED, FORMAT, GC];

const ORIGIN: u8 = 0x80;
const RIGHT_ORIGIN: u8 = 0x40;
const PARENT_IS_ROOT: u8 = 1;

const PIECES: [&str; 4] = ["a", "bcd", "😀", "x😀y"];
const VALUES: [&str; 5] = ["true", "null", "1", "{\"href\":\"x\"}", "-1.5e-7"];
const EMBEDS: [&str; 5] =
    ["{\"a\":[1]}", "{}", "[[],{\"a\":{\"b\":\"{,}\"}}]", "0.123456789012345", "999999999999999"];
