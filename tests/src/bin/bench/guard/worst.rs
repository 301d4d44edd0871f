//! The worst updates of a text that the guard lets through, hazard by hazard. No editor writes any of them.

use std::error::Error;

use causeway_guard::Limits;

use super::{AUTHOR, Written, of_yrs_behind};

/// Pieces of a text that somebody has prepared, entry by entry.
pub(crate) const PREPARED: u32 = 32_768;
/// Whose blocks stand behind the author's where both claim one place: yrs walks past those to find out.
const LATER: u64 = AUTHOR + 1;

/// A row for each; `paper` is a long text.
pub(super) fn rows(paper: &[Vec<u8>]) -> Result<Vec<Vec<String>>, Box<dyn Error>> {
    let Limits { blocks, jumps, delete_ranges, depth, .. } = Limits::default();
    let (page, length) = one_string();
    let page = [by(AUTHOR, page)];
    let paper: Vec<Written> = paper.iter().map(|update| by(AUTHOR, update.clone())).collect();
    let crowd: Vec<Written> =
        (0..PREPARED / jumps).map(|entry| crowded(AUTHOR, entry * jumps, jumps)).collect();
    Ok(vec![
        of_yrs_behind("M2, yrs, a megabyte in one string", &[], &page)?,
        of_yrs_behind(
            &format!("M2, yrs, {delete_ranges} ranges deleted of a megabyte in one string"),
            &page,
            &[by(AUTHOR, scattered_deletes(length, delete_ranges))],
        )?,
        of_yrs_behind(
            &format!("M3, yrs, {blocks} values, each {depth} levels deep, a megabyte"),
            &[],
            &[by(AUTHOR, nested(blocks, depth))],
        )?,
        of_yrs_behind(
            &format!("M5, yrs, a megabyte in {blocks} blocks that go on"),
            &[],
            &[by(AUTHOR, typed_on(blocks))],
        )?,
        of_yrs_behind(
            &format!("M5, yrs, {jumps} blocks that claim the place of {PREPARED} of another author"),
            &crowd,
            &[crowded(LATER, 0, jumps)],
        )?,
        of_yrs_behind(
            &format!("M5, yrs, {jumps} blocks that claim the beginning of the paper"),
            &paper,
            &[crowded(LATER, 0, jumps)],
        )?,
        of_yrs_behind(
            &format!("M5, yrs, {jumps} blocks that each cut up a megabyte in one string twice"),
            &page,
            &[by(LATER, cuts(length, jumps))],
        )?,
    ])
}

fn by(author: u64, update: Vec<u8>) -> Written {
    Written { author, update }
}

/// An update of so many blocks, up to the first.
fn begin(blocks: u32, author: u64, clock: u32) -> Vec<u8> {
    let mut update = vec![1];
    for number in [u64::from(blocks), author, u64::from(clock)] {
        put(&mut update, number);
    }
    update
}

/// A string at the beginning of the text.
fn string(update: &mut Vec<u8>, string: &[u8]) {
    update.extend([STRING, 1, 4]);
    update.extend(b"text");
    put(update, string.len() as u64);
    update.extend_from_slice(string);
}

/// As long a string as an entry holds, and its length.
fn one_string() -> (Vec<u8>, u32) {
    let mut update = begin(1, AUTHOR, 0);
    let letters = vec![b'x'; Limits::default().bytes - 64];
    string(&mut update, &letters);
    update.push(0);
    (update, letters.len() as u32)
}

/// One character each, without neighbours.
pub(crate) fn crowded(author: u64, clock: u32, blocks: u32) -> Written {
    let mut update = begin(blocks, author, clock);
    (0..blocks).for_each(|_| string(&mut update, b"x"));
    update.push(0);
    Written { author, update }
}

/// So many separate letters of a string.
fn scattered_deletes(length: u32, ranges: u32) -> Vec<u8> {
    let mut update = vec![0, 1];
    put(&mut update, AUTHOR);
    put(&mut update, u64::from(ranges));
    for range in 0..ranges {
        put(&mut update, u64::from(range * (length / ranges)));
        put(&mut update, 1);
    }
    update
}

/// As many bytes as an entry holds, each block behind the one before: yrs joins them from the last to the first.
fn typed_on(blocks: u32) -> Vec<u8> {
    let mut update = begin(blocks, AUTHOR, 0);
    let letters = vec![b'x'; Limits::default().bytes / blocks as usize - BLOCK_BYTES];
    string(&mut update, &letters);
    for block in 1..blocks {
        update.push(STRING | HAS_ORIGIN);
        put(&mut update, AUTHOR);
        put(&mut update, u64::from(block) * letters.len() as u64 - 1);
        put(&mut update, letters.len() as u64);
        update.extend(&letters);
    }
    update.push(0);
    update
}

/// Each between two letters of a string, from the last to the first.
fn cuts(length: u32, blocks: u32) -> Vec<u8> {
    let mut update = begin(blocks, LATER, 0);
    for block in 0..blocks {
        update.push(STRING | HAS_ORIGIN | HAS_RIGHT_ORIGIN);
        for clock in [length - 3 - 2 * block, length - 1 - 2 * block] {
            put(&mut update, AUTHOR);
            put(&mut update, u64::from(clock));
        }
        update.extend([1, b'x']);
    }
    update.push(0);
    update
}

/// So many embedded values of so many levels, with so much in the innermost that they fill an entry, each behind the one before.
fn nested(blocks: u32, levels: u32) -> Vec<u8> {
    let ends = levels as usize;
    let inside = Limits::default().bytes / blocks as usize - 2 * ends - 2 * BLOCK_BYTES;
    let ones = "1,".repeat(inside / 2) + "1";
    let value = format!("{}{ones}{}", "[".repeat(ends), "]".repeat(ends));
    let mut update = begin(blocks, AUTHOR, 0);
    for block in 0..blocks {
        if block == 0 {
            update.extend(b"\x05\x01\x04text");
        } else {
            update.push(EMBED | HAS_ORIGIN);
            put(&mut update, AUTHOR);
            put(&mut update, u64::from(block) - 1);
        }
        put(&mut update, value.len() as u64);
        update.extend(value.as_bytes());
    }
    update.push(0);
    update
}

/// What a block takes beside its letters, at most.
const BLOCK_BYTES: usize = 20;
const STRING: u8 = 4;
const EMBED: u8 = 5;
const HAS_ORIGIN: u8 = 0x80;
const HAS_RIGHT_ORIGIN: u8 = 0x40;

fn put(into: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        into.push(number as u8 | 0x80);
        number >>= 7;
    }
    into.push(number as u8);
}
