//! Pages of a channel's snapshot. By hand, because code made for so many fields would cost every web page two kilobytes.
//!
//! Numbers are varints; a text, a list of replicas and any other list stand behind their lengths; replicas and people have
//! 32 bytes, and are named by their place in the list of replicas from there on, counted from 1 where there may be none.

use crate::chat::Author;
use crate::chat::page::{Contents, Line, Reacted, Row, Run};
use crate::ids::{PersonId, ReplicaId};
use crate::log::EntryName;
use crate::time::Millis;
use crate::wire::frame::take_varint;

/// Contents as bytes.
pub fn encode_contents(contents: &Contents) -> Vec<u8> {
    let Contents { people, writers, lines, runs } = contents;
    let mut page = Writer { bytes: Vec::new(), writers };
    page.replicas();
    page.number(people.len() as u64);
    for (Author { person, name, colour }, rank) in people {
        page.bytes.extend_from_slice(person.as_bytes());
        page.text(name);
        page.number(u64::from(*colour));
        page.bytes.extend_from_slice(rank.1.as_bytes());
        page.numbers(&[rank.0, rank.2]);
    }
    page.number(lines.len() as u64);
    let mut before = 0;
    for Line { first: (at, logical, writer, seq), end } in lines {
        page.replica(writer);
        page.numbers(&[at.0, *logical, *seq, (end - before) as u64]);
        before = *end;
    }
    for Run { writer, from, count } in runs {
        page.numbers(&[u64::from(*writer), *from, *count]);
    }
    page.bytes
}

/// Reverses [`encode_contents`]; `None` for anything else.
pub fn decode_contents(bytes: &[u8]) -> Option<Contents> {
    let mut page = Reader::begin(bytes);
    let (mut people, mut lines, mut runs, mut end) = (Vec::new(), Vec::new(), Vec::new(), 0);
    for _ in 0..page.count(PERSON_BYTES) {
        let person = PersonId::from_bytes(page.hash());
        let (name, colour) = (page.text(), page.small());
        let writer = ReplicaId::from_bytes(page.hash());
        people.push((Author { person, name, colour }, (page.number(), writer, page.number())));
        if page.failed {
            break;
        }
    }
    for _ in 0..page.count(LINE_BYTES) {
        let first = page.place();
        end = page.sum(end);
        lines.push(Line { first, end });
        if page.failed {
            break;
        }
    }
    for _ in 0..end {
        runs.push(Run { writer: page.small(), from: page.number(), count: page.number() });
        if page.failed {
            break;
        }
    }
    let whole = page.is_whole() && runs.len() == end;
    whole.then_some(Contents { people, writers: page.writers, lines, runs })
}

/// Posts as bytes.
pub fn encode_posts(posts: &[Row]) -> Vec<u8> {
    let mut writers: Vec<ReplicaId> = posts.iter().flat_map(Row::writers).collect();
    writers.sort_unstable();
    writers.dedup();
    let mut page = Writer { bytes: Vec::new(), writers: &writers };
    page.replicas();
    page.number(posts.len() as u64);
    for Row { place, time, text, reply_to, amended, is_removed, reactions } in posts {
        page.replica(&place.2);
        page.numbers(&[place.0.0, place.1, place.3, time.0]);
        page.text(text);
        match reply_to {
            Some(name) => {
                page.replica(&name.replica);
                page.number(name.seq);
            }
            None => page.number(0),
        }
        match amended {
            Some(rank) => {
                page.replica(&rank.1);
                page.numbers(&[rank.0, rank.2]);
            }
            None => page.number(0),
        }
        page.numbers(&[u64::from(*is_removed), reactions.len() as u64]);
        for Reacted { emoji, rank, on } in reactions {
            page.text(emoji);
            page.replica(&rank.1);
            page.numbers(&[rank.0, rank.2, u64::from(*on)]);
        }
    }
    page.bytes
}

/// Reverses [`encode_posts`]; `None` for anything else.
pub fn decode_posts(bytes: &[u8]) -> Option<Vec<Row>> {
    let mut page = Reader::begin(bytes);
    let mut posts = Vec::new();
    for _ in 0..page.count(ROW_BYTES) {
        let (place, time, text) = (page.place(), Millis(page.number()), page.text());
        let reply_to = page.some_replica().map(|replica| EntryName { replica, seq: page.number() });
        let amended = page.some_replica().map(|writer| (page.number(), writer, page.number()));
        let is_removed = page.number() != 0;
        let mut reactions = Vec::new();
        for _ in 0..page.count(REACTED_BYTES) {
            let (emoji, writer) = (page.text(), page.replica());
            let rank = (page.number(), writer, page.number());
            reactions.push(Reacted { emoji, rank, on: page.number() != 0 });
            if page.failed {
                break;
            }
        }
        posts.push(Row { place, time, text, reply_to, amended, is_removed, reactions });
        if page.failed {
            break;
        }
    }
    page.is_whole().then_some(posts)
}

struct Writer<'a> {
    bytes: Vec<u8>,
    writers: &'a [ReplicaId],
}

impl Writer<'_> {
    fn number(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.bytes.push((number as u8 & 0x7f) | 0x80);
            number >>= 7;
        }
        self.bytes.push(number as u8);
    }

    fn numbers(&mut self, numbers: &[u64]) {
        numbers.iter().for_each(|number| self.number(*number));
    }

    fn text(&mut self, text: &str) {
        self.number(text.len() as u64);
        self.bytes.extend_from_slice(text.as_bytes());
    }

    fn replicas(&mut self) {
        self.number(self.writers.len() as u64);
        for writer in self.writers {
            self.bytes.extend_from_slice(writer.as_bytes());
        }
    }

    fn replica(&mut self, writer: &ReplicaId) {
        let place = self.writers.binary_search(writer).expect("the list has all that are named");
        self.number(place as u64 + 1);
    }
}

/// Reads on after something that cannot be read, as if all that follows were zero; asked in the end, it says so. Lists end
/// there.
struct Reader<'a> {
    rest: &'a [u8],
    writers: Vec<ReplicaId>,
    failed: bool,
}

impl<'a> Reader<'a> {
    fn begin(bytes: &'a [u8]) -> Self {
        let mut reader = Self { rest: bytes, writers: Vec::new(), failed: false };
        for _ in 0..reader.count(32) {
            let writer = ReplicaId::from_bytes(reader.hash());
            reader.writers.push(writer);
        }
        reader
    }

    /// Whether all of it was read, and nothing stands behind it.
    fn is_whole(&self) -> bool {
        !self.failed && self.rest.is_empty()
    }

    #[inline(never)]
    fn number(&mut self) -> u64 {
        let number = take_varint(&mut self.rest);
        self.failed |= number.is_none();
        number.unwrap_or(0)
    }

    #[inline(never)]
    fn small(&mut self) -> u32 {
        let number = u32::try_from(self.number());
        self.failed |= number.is_err();
        number.unwrap_or(0)
    }

    /// How many of something follow, of which each has so many bytes at least.
    #[inline(never)]
    fn count(&mut self, least: usize) -> usize {
        let count = self.small() as usize;
        self.failed |= count > self.rest.len() / least;
        if self.failed { 0 } else { count }
    }

    /// How many more runs follow in the end.
    fn sum(&mut self, before: usize) -> usize {
        let sum = self.count(RUN_BYTES).checked_add(before);
        let sum = sum.filter(|sum| *sum <= self.rest.len() / RUN_BYTES);
        self.failed |= sum.is_none();
        sum.unwrap_or(0)
    }

    #[inline(never)]
    fn take(&mut self, length: usize) -> &'a [u8] {
        let (taken, rest) = self.rest.split_at_checked(length).unwrap_or_default();
        self.failed |= taken.len() < length;
        self.rest = rest;
        taken
    }

    #[inline(never)]
    fn hash(&mut self) -> [u8; 32] {
        self.take(32).try_into().unwrap_or_default()
    }

    #[inline(never)]
    fn text(&mut self) -> String {
        let length = self.count(1);
        let text = str::from_utf8(self.take(length));
        self.failed |= text.is_err();
        text.unwrap_or_default().into()
    }

    #[inline(never)]
    fn some_replica(&mut self) -> Option<ReplicaId> {
        let at = self.small().checked_sub(1)? as usize;
        let replica = self.writers.get(at).copied();
        self.failed |= replica.is_none();
        replica
    }

    #[inline(never)]
    fn replica(&mut self) -> ReplicaId {
        let replica = self.some_replica();
        self.failed |= replica.is_none();
        replica.unwrap_or(ReplicaId::from_bytes([0; 32]))
    }

    #[inline(never)]
    fn place(&mut self) -> (Millis, u64, ReplicaId, u64) {
        let writer = self.replica();
        (Millis(self.number()), self.number(), writer, self.number())
    }
}

/// The fewest bytes of a person, a line, a run, a post and a reaction.
const PERSON_BYTES: usize = 68;
const LINE_BYTES: usize = 5;
const RUN_BYTES: usize = 3;
const ROW_BYTES: usize = 10;
const REACTED_BYTES: usize = 5;
