//! Which neighbours a block may name so that yrs shows the same text whatever the order of arrival.
//!
//! Three authors write single characters between neighbours of their choice; all passes `check_text`. Three readers take
//! all of it, each in another order that respects who knew what. `cargo run --release -p causeway-guard --example neighbours`

use std::error::Error;

use causeway_guard::Limits;
use causeway_guard::ydoc::{Known, check_text};
use yrs::block::ClientID;
use yrs::updates::decoder::Decode;
use yrs::{Doc, GetString, OffsetKind, Options, ReadTxn, Transact, Update};

fn main() -> Result<(), Box<dyn Error>> {
    for (rule, name) in RULES {
        let mut apart = 0;
        for seed in 0..HISTORIES {
            apart += u32::from(!agree(seed, rule)?);
        }
        println!("{name}: {apart} of {HISTORIES} histories end apart");
    }
    Ok(())
}

/// Picks a left and a right neighbour among the places of the characters that its author sees.
type Rule = fn(&mut Dice, &Seen) -> (Option<usize>, Option<usize>);

const RULES: [(Rule, &str); 5] = [
    (anywhere, "neighbours anywhere"),
    (related, "the right one written behind the left one, or behind one that the left descends from"),
    (somewhere_behind, "the right one somewhere behind the left one"),
    (behind_and_related, "both of these"),
    (directly_behind, "the right one directly behind the left one"),
];

const HISTORIES: u64 = 40_000;
const BLOCKS: usize = 16;

/// What an author sees: for each place the place of the character it was written behind.
struct Seen {
    written_behind: Vec<Option<usize>>,
}

impl Seen {
    fn len(&self) -> usize {
        self.written_behind.len()
    }

    /// Whether one place is the other, or was written behind it, or behind one that was, and so on.
    fn descends(&self, mut place: Option<usize>, from: Option<usize>) -> bool {
        while place != from {
            let Some(at) = place else { return false };
            place = self.written_behind[at];
        }
        true
    }
}

fn anywhere(dice: &mut Dice, seen: &Seen) -> (Option<usize>, Option<usize>) {
    let len = seen.len();
    let one = |dice: &mut Dice| (len > 0 && dice.below(4) > 0).then(|| dice.below(len));
    let (left, right) = (one(dice), one(dice));
    (left, right.filter(|right| Some(*right) != left))
}

fn somewhere_behind(dice: &mut Dice, seen: &Seen) -> (Option<usize>, Option<usize>) {
    let len = seen.len();
    let at = dice.below(len + 1);
    let right = at + dice.below(len - at + 1);
    (at.checked_sub(1), (right < len).then_some(right))
}

/// What follows a character directly was written behind it, or behind one that it descends from.
fn related(dice: &mut Dice, seen: &Seen) -> (Option<usize>, Option<usize>) {
    let (left, right) = anywhere(dice, seen);
    (left, right.filter(|right| seen.descends(left, seen.written_behind[*right])))
}

fn behind_and_related(dice: &mut Dice, seen: &Seen) -> (Option<usize>, Option<usize>) {
    let (left, right) = somewhere_behind(dice, seen);
    let fits = |right: &usize| seen.descends(left, seen.written_behind[*right]);
    match right {
        Some(right) if !fits(&right) => (left, (right..seen.len()).find(|right| fits(right))),
        right => (left, right),
    }
}

fn directly_behind(dice: &mut Dice, seen: &Seen) -> (Option<usize>, Option<usize>) {
    let len = seen.len();
    let at = dice.below(len + 1);
    (at.checked_sub(1), (at < len).then_some(at))
}

/// One character, who wrote it, and which ones its author knew.
struct Written {
    author: u64,
    clock: u32,
    /// The number of the one it names as its left neighbour.
    left: Option<usize>,
    update: Vec<u8>,
    knew: Vec<usize>,
}

/// Whether three readers of one history show the same.
fn agree(seed: u64, rule: Rule) -> Result<bool, String> {
    let mut dice = Dice(seed);
    let history = history(&mut dice, rule)?;
    let texts: Result<Vec<String>, String> = (0..3).map(|_| read(&history, &mut dice)).collect();
    Ok(texts?.windows(2).all(|pair| pair[0] == pair[1]))
}

fn history(dice: &mut Dice, rule: Rule) -> Result<Vec<Written>, String> {
    let docs = [1, 2, 3].map(empty);
    let mut known: [Vec<usize>; 3] = Default::default();
    let mut history: Vec<Written> = Vec::new();
    for number in 0..BLOCKS {
        let who = dice.below(3);
        if dice.below(3) == 0 {
            let other = known[dice.below(3)].clone();
            for heard in (0..number).filter(|heard| other.contains(heard)) {
                if !known[who].contains(&heard) {
                    take(&docs[who], &history[heard].update)?;
                    known[who].push(heard);
                }
            }
        }
        // The character tells its number, so the text tells the order.
        let order: Vec<usize> = shown(&docs[who]).chars().map(|c| c as usize - FIRST as usize).collect();
        let place = |number: usize| order.iter().position(|other| *other == number);
        let written_behind = order.iter().map(|number| history[*number].left.and_then(place)).collect();
        let (left, right) = rule(dice, &Seen { written_behind });
        let name = |at: Option<usize>| at.map(|at| (history[order[at]].author, history[order[at]].clock));
        let author = who as u64 + 1;
        let clock = history.iter().filter(|written| written.author == author).count() as u32;
        let update = block((author, clock), name(left), name(right), number);
        check_text(&update, author, "text", &Clocks(&history), &Limits::default())
            .map_err(|f| f.to_string())?;
        take(&docs[who], &update)?;
        let left = left.map(|at| order[at]);
        history.push(Written { author, clock, left, update, knew: known[who].clone() });
        known[who].push(number);
    }
    Ok(history)
}

/// What a reader shows who takes the history in a random order that respects who knew what.
fn read(history: &[Written], dice: &mut Dice) -> Result<String, String> {
    let doc = empty(9);
    let mut taken = vec![false; history.len()];
    for _ in history {
        let ready = |at: &usize| !taken[*at] && history[*at].knew.iter().all(|known| taken[*known]);
        let ready: Vec<usize> = (0..history.len()).filter(ready).collect();
        let next = ready[dice.below(ready.len())];
        take(&doc, &history[next].update)?;
        taken[next] = true;
    }
    Ok(shown(&doc))
}

type Id = (u64, u32);

fn block(own: Id, left: Option<Id>, right: Option<Id>, number: usize) -> Vec<u8> {
    let flags = if left.is_some() { 0x80 } else { 0 } | if right.is_some() { 0x40 } else { 0 };
    let mut bytes = vec![1, 1, own.0 as u8, own.1 as u8, 4 | flags];
    for (client, clock) in [left, right].into_iter().flatten() {
        bytes.extend([client as u8, clock as u8]);
    }
    if flags == 0 {
        bytes.extend([1, 4]);
        bytes.extend(b"text");
    }
    bytes.extend([1, FIRST + number as u8, 0]);
    bytes
}

const FIRST: u8 = b'A';

struct Clocks<'a>(&'a [Written]);

impl Known for Clocks<'_> {
    fn clock(&self, client: u64) -> Option<u32> {
        self.0.iter().filter(|written| written.author == client).map(|written| written.clock + 1).max()
    }
}

fn empty(client: u64) -> Doc {
    let mut options = Options::with_guid_and_client_id("neighbours".into(), ClientID::new(client));
    options.offset_kind = OffsetKind::Utf16;
    let doc = Doc::with_options(options);
    doc.get_or_insert_text("text");
    doc
}

fn take(doc: &Doc, update: &[u8]) -> Result<(), String> {
    let update = Update::decode_v1(update).map_err(|error| error.to_string())?;
    doc.transact_mut().apply_update(update).map_err(|error| error.to_string())
}

fn shown(doc: &Doc) -> String {
    let txn = doc.transact();
    txn.get_text("text").map_or_else(String::new, |text| text.get_string(&txn))
}

/// Pseudo-random numbers from a seed (splitmix64), so that a history repeats.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) % end as u64) as usize
    }
}
