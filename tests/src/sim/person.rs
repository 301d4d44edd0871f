//! People: they type, delete, take back, talk, name files and look around.

use std::collections::BTreeSet;

use causeway_core::anchor::Side;
use causeway_core::device::Room;
use causeway_core::ids::{EditorId, StreamId};
use causeway_core::presence::{Cursor, State, Status};
use causeway_core::ydoc::DeltaOp;

use crate::sim::agenda::{Apart, Happening};
use crate::sim::cuts;
use crate::sim::ledger::marks;
use crate::sim::rng::Rng;
use crate::sim::tally::Fault;
use crate::sim::world::World;

/// The one editor of each device; what it inserts can be taken back.
const EDITOR: EditorId = EditorId(1);
const LETTERS: [&str; 14] = ["a", "e", "n", " ", "s", "\n", "ü", "é", "ß", "漢", "字", "👍", "🌊", "👩‍🚀"];

impl World {
    /// A person does something and will do something again.
    pub(crate) fn act(&mut self, number: usize) {
        if self.devices[number].room.is_none() || !self.troubled {
            return;
        }
        self.devices[number].acts += 1;
        let act = cuts::act(number, self.devices[number].acts);
        self.apart(Apart::Act(act), |world| {
            let pause = if world.rng.chance(world.plan.pauses) {
                world.rng.between(500, 12_000)
            } else {
                world.rng.between(10, 300)
            };
            world.plan(world.now + pause, Happening::Person(number));
            if world.devices[number].is_awake(world.now) && !world.options.cuts.acts.contains(&act) {
                world.acts.push(act);
                world.do_something(number);
            }
        });
    }

    fn do_something(&mut self, number: usize) {
        match self.rng.below(100) {
            0..=64 => self.write(number),
            65..=84 => self.talk(number),
            85..=89 => self.name_a_document(number),
            90..=96 => self.show_presence(number),
            _ => self.look_around(number),
        }
        self.settle_device(number);
    }

    pub(crate) fn write(&mut self, number: usize) {
        let stream = self.documents[self.rng.index(self.documents.len())];
        let now = self.devices[number].now(self.now);
        let life = self.devices[number].life();
        let Some(room) = &mut self.devices[number].room else { return };
        let Ok(text) = room.text(stream) else { return };
        room.open_editor(stream, EDITOR).expect("the document is open");
        let before = marks(&text);
        let mark = self.ledger.next_mark();
        let choice = self.rng.below(100);
        let written = match choice {
            0..=64 => insert(room, &mut self.rng, stream, &text, (mark, self.plan.pastes), now),
            65..=89 => delete(room, &mut self.rng, stream, &text, now),
            // Redo is left to the stories: yrs makes several pieces of text again in an order that differs from run to
            // run, and one seed must be one run.
            _ => room.undo(stream, EDITOR, now).map(|receipt| receipt.map(|receipt| receipt.edit)),
        };
        let after = room.text(stream).map(|text| marks(&text)).unwrap_or_else(|_| before.clone());
        match written {
            Ok(Some(edit)) => {
                self.note_edit(number, life, stream, edit, &before, &after);
                if choice >= 90 {
                    self.tally.note(Fault::Undone);
                }
            }
            Ok(None) if before != after => {
                self.fail(|| format!("device {number} changed {stream} without a receipt"));
            }
            Ok(None) => {}
            Err(error) => self.fail(|| format!("device {number} cannot write {stream}: {error}")),
        }
    }

    fn note_edit(
        &mut self,
        number: usize,
        life: (usize, u32),
        stream: StreamId,
        edit: u64,
        before: &BTreeSet<char>,
        after: &BTreeSet<char>,
    ) {
        self.ledger.note(life, stream, edit, before, after);
        let marks = after.difference(before).map(|c| u32::from(*c) & 0xffff).collect::<Vec<_>>();
        self.chronicle.trace(self.now, "edit", number as u64, &edit.to_le_bytes());
        self.chronicle
            .line(self.now, || format!("device {number} edits {stream}, edit {edit}, marks {marks:?}"));
    }

    fn name_a_document(&mut self, number: usize) {
        let now = self.devices[number].now(self.now);
        self.paths += 1;
        let path = format!("shelf/{}.md", self.paths);
        let document = self.documents[self.rng.index(self.documents.len())];
        let choice = self.rng.below(10);
        let Some(room) = &mut self.devices[number].room else { return };
        // Before the disk is read nothing can be named.
        match choice {
            0 if self.documents.len() < 6 => {
                if let Ok(new) = room.create_text(&path, now) {
                    self.documents.push(new);
                }
            }
            1 | 2 => drop(room.unlist_document(document, now)),
            _ => drop(room.list_document(document, &path, now)),
        }
    }

    fn show_presence(&mut self, number: usize) {
        let now = self.devices[number].now(self.now);
        let name = format!("swimmer {number} at {}", self.now);
        let stream = self.documents[0];
        let Some(room) = &mut self.devices[number].room else { return };
        let anchor = room.anchor(stream, 0, Side::After).ok();
        let cursor = anchor.map(|anchor| Cursor { stream, anchor, head: anchor });
        let state =
            State { name: name.clone(), colour: 0x10_20_30, status: Status::Editing, cursor, typing: None };
        room.set_presence(state, now).expect("a short name");
        self.devices[number].presence = Some(name);
    }

    fn look_around(&mut self, number: usize) {
        let document = self.documents[self.rng.index(self.documents.len())];
        if let Some(room) = &mut self.devices[number].room {
            room.open_text(document).expect("a text");
        }
    }
}

type Written = Result<Option<u64>, causeway_core::device::DocumentError>;

fn insert(
    room: &mut Room,
    rng: &mut Rng,
    stream: StreamId,
    text: &str,
    (mark, pastes): (char, bool),
    now: causeway_core::time::Now,
) -> Written {
    let mut chunk = String::from(mark);
    let length = if pastes && rng.chance(15) { rng.between(5_000, 40_000) } else { rng.below(6) };
    for _ in 0..length {
        chunk.push_str(LETTERS[rng.index(LETTERS.len())]);
    }
    let at = place(rng, text);
    let receipt = room.edit(stream, Some(EDITOR), now, |edit| edit.insert(at, &chunk))?;
    Ok(Some(receipt.edit))
}

/// Deletions go without an editor: of two people who both take back the deletion of one word each gets it back, and the
/// ledger could not tell that from a fault.
fn delete(
    room: &mut Room,
    rng: &mut Rng,
    stream: StreamId,
    text: &str,
    now: causeway_core::time::Now,
) -> Written {
    let from = place(rng, text);
    let rest: Vec<char> = text.chars().collect();
    let mut units = 0;
    let mut at = 0;
    let mut length = 0;
    let wanted = rng.between(1, 8);
    for c in rest {
        if at >= u64::from(from) && units < wanted {
            units += 1;
            length += c.len_utf16() as u32;
        }
        at += c.len_utf16() as u64;
    }
    if length == 0 {
        return Ok(None);
    }
    let delta = [DeltaOp::Retain(from), DeltaOp::Delete(length)];
    let receipt = room.apply_delta(stream, None, &delta, now)?;
    Ok(Some(receipt.edit))
}

/// A place between two characters, in UTF-16 units; often the end, where people write.
fn place(rng: &mut Rng, text: &str) -> u32 {
    let characters = text.chars().count() as u64;
    let skip = if rng.chance(30) { characters } else { rng.below(characters + 1) };
    text.chars().take(skip as usize).map(|c| c.len_utf16() as u32).sum()
}
