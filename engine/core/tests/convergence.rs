//! Promise 7 as a property: any order that respects dependencies, any repetition and any split into entries give the
//! same visible state.

use std::collections::BTreeMap;

use causeway_core::directory::{self, Directory, DirectoryOp, Listed};
use causeway_core::ids::{ReplicaId, StreamId};
use causeway_core::log::{Digest, Entry, EntryKind, Header, StreamLog, Verdict};
use causeway_core::time::Millis;
use causeway_core::wire;
use causeway_core::wire::payload::encode_directory;
use causeway_core::ydoc::{self, Document};
use proptest::prelude::*;

fn text_stream() -> StreamId {
    StreamId::ydoc([1; 16])
}

fn replica(number: u8) -> ReplicaId {
    ReplicaId::from_bytes([number + 1; 32])
}

/// One writer: what it has applied, and what it has not sealed.
struct Writer {
    replica: ReplicaId,
    log: StreamLog,
    document: Document,
    journal: Vec<Vec<u8>>,
}

/// What a writer does.
#[derive(Clone, Debug)]
enum Step {
    Insert { writer: usize, at: u32, text: String },
    Delete { writer: usize, at: u32, length: u32 },
    Seal { writer: usize },
    Meet { writer: usize, other: usize },
}

fn step(writers: usize) -> impl Strategy<Value = Step> {
    let writer = 0..writers;
    prop_oneof![
        4 => (writer.clone(), 0..40u32, "[a-zé漢👍]{1,4}").prop_map(|(writer, at, text)| Step::Insert { writer, at, text }),
        2 => (writer.clone(), 0..40u32, 1..5u32).prop_map(|(writer, at, length)| Step::Delete { writer, at, length }),
        2 => writer.clone().prop_map(|writer| Step::Seal { writer }),
        2 => (writer.clone(), writer).prop_map(|(writer, other)| Step::Meet { writer, other }),
    ]
}

impl Writer {
    fn new(number: u8) -> Self {
        let replica = replica(number);
        let document = Document::new(replica.client());
        Self { replica, log: StreamLog::new(text_stream()), document, journal: Vec::new() }
    }

    fn insert(&mut self, at: u32, text: &str) {
        let at = boundary(&self.document.text(), at);
        let (_, edited) = self.document.edit(None, Millis(0), |edit| edit.insert(at, text));
        self.journal.extend(edited.map(|edited| edited.update));
    }

    fn delete(&mut self, at: u32, length: u32) {
        let text = self.document.text();
        let (from, to) = (boundary(&text, at), boundary(&text, at.saturating_add(length)));
        if to > from {
            let (_, edited) = self.document.edit(None, Millis(0), |edit| edit.delete(from, to - from));
            self.journal.extend(edited.map(|edited| edited.update));
        }
    }

    fn seal(&mut self, all: &mut Vec<Entry>) {
        if self.journal.is_empty() {
            return;
        }
        let payload = ydoc::merge(&std::mem::take(&mut self.journal)).expect("our own updates");
        if !self.log.is_born() {
            self.append(EntryKind::Create, &[], all);
        }
        self.append(EntryKind::Edit, &payload, all);
    }

    fn append(&mut self, kind: EntryKind, payload: &[u8], all: &mut Vec<Entry>) {
        let (deps, logical) = self.log.next_place(&self.replica);
        let seq = self.log.tip(&self.replica).seq + 1;
        let entry = build(text_stream(), self.replica, seq, deps, logical, kind, payload);
        let Verdict::Fresh(accepted) = self.log.judge(&entry) else { panic!("an honest entry is accepted") };
        self.log.extend(&entry, accepted);
        all.push(entry);
    }

    fn take(&mut self, entry: &Entry) -> bool {
        match self.log.judge(entry) {
            Verdict::Fresh(accepted) => {
                self.log.extend(entry, accepted);
                if entry.header().kind == EntryKind::Edit {
                    self.document.apply(entry.payload()).expect("an accepted update");
                }
                true
            }
            Verdict::Known => true,
            Verdict::Waits(_) => false,
            Verdict::Refused(refusal) => panic!("an honest entry is refused: {refusal}"),
        }
    }
}

fn build(
    stream: StreamId,
    replica: ReplicaId,
    seq: u64,
    deps: Vec<causeway_core::log::Dep>,
    logical: u64,
    kind: EntryKind,
    payload: &[u8],
) -> Entry {
    let (target, key_epoch, payload_hash) = (None, 0, [0; 32]);
    let header = Header {
        stream,
        replica,
        seq,
        deps,
        logical,
        time: Millis(0),
        kind,
        target,
        key_epoch,
        payload_hash,
    };
    wire::entry::build(header, payload)
}

/// The nearest place between two characters, in UTF-16 units.
fn boundary(text: &str, at: u32) -> u32 {
    let mut units = 0;
    for c in text.chars() {
        if units + c.len_utf16() as u32 > at {
            break;
        }
        units += c.len_utf16() as u32;
    }
    units
}

/// Lets writers write, seal when they like and meet when they like; answers all entries.
fn history(steps: &[Step]) -> Vec<Entry> {
    let mut writers: Vec<Writer> = (0..3).map(Writer::new).collect();
    let mut all: Vec<Entry> = Vec::new();
    for step in steps {
        match step {
            Step::Insert { writer, at, text } => writers[*writer].insert(*at, text),
            Step::Delete { writer, at, length } => writers[*writer].delete(*at, *length),
            Step::Seal { writer } => writers[*writer].seal(&mut all),
            Step::Meet { writer, other } => {
                let known = |entry: &&Entry, writers: &[Writer]| {
                    entry.header().seq <= writers[*other].log.tip(&entry.header().replica).seq
                };
                let heard: Vec<Entry> = all.iter().filter(|entry| known(entry, &writers)).cloned().collect();
                // What one builds on it seals first, as a room does when it hears of something new.
                writers[*writer].seal(&mut all);
                for entry in &heard {
                    writers[*writer].take(entry);
                }
            }
        }
    }
    for writer in &mut writers {
        writer.seal(&mut all);
    }
    all
}

/// Reads entries in the order of `priorities`, each twice, with patience for what waits.
fn read(entries: &[Entry], priorities: &[usize]) -> (String, Digest) {
    let mut reader = Writer::new(9);
    let mut order: Vec<usize> = (0..entries.len()).collect();
    order.sort_by_key(|at| priorities.get(*at).copied().unwrap_or(*at));
    while !order.is_empty() {
        let before = order.len();
        order.retain(|at| !(reader.take(&entries[*at]) && reader.take(&entries[*at])));
        assert!(order.len() < before, "something can always be applied");
    }
    (reader.document.text(), reader.log.digest())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn any_order_and_any_repetition_give_the_same_text(
        steps in proptest::collection::vec(step(3), 1..60),
        priorities in proptest::collection::vec(0..1000usize, 80),
    ) {
        let entries = history(&steps);
        prop_assert_eq!(read(&entries, &[]), read(&entries, &priorities));
    }

    #[test]
    fn any_split_into_entries_gives_the_same_text(
        edits in proptest::collection::vec((0..40u32, "[a-z👍]{1,3}", any::<bool>()), 1..30),
        seals in proptest::collection::vec(any::<bool>(), 30),
    ) {
        let write = |seals: &dyn Fn(usize) -> bool| {
            let (mut writer, mut all) = (Writer::new(0), Vec::new());
            for (n, (at, text, deletes)) in edits.iter().enumerate() {
                if *deletes { writer.delete(*at, 3) } else { writer.insert(*at, text) }
                if seals(n) {
                    writer.seal(&mut all);
                }
            }
            writer.seal(&mut all);
            (writer.document.text(), read(&all, &[]).0)
        };
        let (written, at_once) = write(&|_| false);
        let (_, one_by_one) = write(&|_| true);
        let (_, somehow) = write(&|n| seals.get(n).copied().unwrap_or(false));
        prop_assert_eq!(&at_once, &written);
        prop_assert_eq!(&one_by_one, &written);
        prop_assert_eq!(&somehow, &written);
    }

    #[test]
    fn a_directory_is_the_same_in_any_order_and_with_any_repetition(
        decisions in proptest::collection::vec((0..4u8, 0..3u8, 1..9u64, any::<bool>()), 1..40),
        priorities in proptest::collection::vec(0..1000usize, 40),
    ) {
        // (logical, replica, seq) is unique, as in a log.
        let mut seqs: BTreeMap<u8, u64> = BTreeMap::new();
        let ops: Vec<_> = decisions.iter().enumerate().map(|(n, (document, author, logical, put))| {
            let seq = seqs.entry(*author).or_default();
            *seq += 1;
            let document = StreamId::ydoc([*document; 16]);
            let op = if *put { DirectoryOp::Put { document, path: format!("{n}.md") } } else { DirectoryOp::Remove { document } };
            (*logical, replica(*author), *seq, op)
        }).collect();
        let apply = |order: &[usize]| -> Vec<Listed> {
            let mut directory = Directory::default();
            for at in order.iter().chain(order) {
                let (logical, author, seq, op) = &ops[*at];
                let op = directory::check(&encode_directory(op)).expect("a sound operation");
                directory.decide(*logical, *author, *seq, op);
            }
            directory.list()
        };
        let straight: Vec<usize> = (0..ops.len()).collect();
        let mut shuffled = straight.clone();
        shuffled.sort_by_key(|at| priorities[*at]);
        prop_assert_eq!(apply(&straight), apply(&shuffled));
    }
}

#[test]
fn an_entry_before_what_it_builds_on_waits_and_is_told_what_for() {
    let steps = [
        Step::Insert { writer: 0, at: 0, text: "a".into() },
        Step::Seal { writer: 0 },
        Step::Meet { writer: 1, other: 0 },
        Step::Insert { writer: 1, at: 1, text: "b".into() },
        Step::Seal { writer: 1 },
    ];
    let entries = history(&steps);
    let log = StreamLog::new(text_stream());
    let Verdict::Waits(missing) = log.judge(entries.last().expect("three entries")) else {
        panic!("it waits")
    };
    assert_eq!(missing.iter().map(|m| (m.replica, m.from, m.to)).collect::<Vec<_>>(), [(replica(0), 1, 2)]);
}
