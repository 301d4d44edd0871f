//! Well-formed lies in a text: updates whose every reference exists, put together at random.

use crate::authors::{Clocks, Dice};
use crate::writer::{Bytes, ORIGIN, RIGHT_ORIGIN, STRING, section};

const DELETED: u8 = 1;
const EMBED: u8 = 5;
const FORMAT: u8 = 6;
const KINDS: [u8; 6] = [STRING, STRING, STRING, DELETED, EMBED, FORMAT];

const PIECES: [&str; 4] = ["a", "bcd", "😀", "x😀y"];
const VALUES: [&str; 3] = ["true", "null", "1"];

/// An update by `own` that passes the guard and that no honest author would write.
pub(crate) fn update(own: u64, known: &Clocks, dice: &mut Dice) -> Vec<u8> {
    let from = known.0.get(&own).copied().unwrap_or(0);
    let blocks = 1 + dice.below(8);
    let mut now = known.clone();
    let mut bytes = section(u64::from(blocks), own, u64::from(from));
    for _ in 0..blocks {
        let clock = now.0.get(&own).copied().unwrap_or(0);
        let (next, len) = block(bytes, &now, dice);
        bytes = next;
        now.0.insert(own, clock + len);
    }
    deletes(bytes, &now, dice).0
}

fn block(bytes: Bytes, now: &Clocks, dice: &mut Dice) -> (Bytes, u32) {
    if dice.below(12) == 0 {
        let len = 1 + dice.below(3);
        return (bytes.raw(&[0, len as u8]), len);
    }
    let kind = *dice.pick(&KINDS);
    let origin = (dice.below(3) > 0).then(|| reference(now, dice)).flatten();
    let right =
        (dice.below(3) == 0).then(|| reference(now, dice)).flatten().filter(|right| Some(*right) != origin);
    let flags = if origin.is_some() { ORIGIN } else { 0 } | if right.is_some() { RIGHT_ORIGIN } else { 0 };
    let mut bytes = bytes.raw(&[kind | flags]);
    for (client, clock) in [origin, right].into_iter().flatten() {
        bytes = bytes.num(client).num(u64::from(clock));
    }
    if origin.is_none() && right.is_none() {
        bytes = bytes.num(1).text("text");
    }
    content(bytes, kind, dice)
}

fn content(bytes: Bytes, kind: u8, dice: &mut Dice) -> (Bytes, u32) {
    match kind {
        STRING => {
            let piece = PIECES[dice.below(4) as usize];
            (bytes.text(piece), piece.encode_utf16().count() as u32)
        }
        DELETED => {
            let len = 1 + dice.below(4);
            (bytes.num(u64::from(len)), len)
        }
        EMBED => (bytes.text("{\"a\":[1]}"), 1),
        _ => (bytes.text("bold").text(VALUES[dice.below(3) as usize]), 1),
    }
}

fn deletes(bytes: Bytes, now: &Clocks, dice: &mut Dice) -> Bytes {
    match reference(now, dice) {
        Some((client, clock)) if dice.below(2) == 0 => {
            let len = 1 + dice.below((now.0[&client] - clock).min(5));
            bytes.deletes(client, &[(u64::from(clock), u64::from(len))])
        }
        _ => bytes.num(0),
    }
}

/// Some position that exists.
fn reference(now: &Clocks, dice: &mut Dice) -> Option<(u64, u32)> {
    let written: Vec<_> = now.0.iter().filter(|(_, clock)| **clock > 0).collect();
    if written.is_empty() {
        return None;
    }
    let (client, clock) = dice.pick(&written);
    Some((**client, dice.below(**clock)))
}
