//! Snapshots as pure functions: any way of cutting a log into snapshots gives the same text, and no page from outside
//! does harm.

use std::sync::Arc;

use bytes::Bytes;
use causeway_core::ids::{EditorId, ReplicaId, StreamId};
use causeway_core::log::{Entry, EntryKind, Header, StreamLog, Verdict};
use causeway_core::snapshot::{Base, Built, Done, Job, JobError, PageId, Root, unpack};
use causeway_core::time::Millis;
use causeway_core::wire;
use causeway_core::ydoc::Document;
use proptest::prelude::*;

fn stream() -> StreamId {
    StreamId::ydoc([3; 16])
}

/// Three people write and delete in turn, each seeing what came before as far as `seen` says.
fn entries(strokes: &[(u8, u16, u8)]) -> Vec<Entry> {
    let replicas = [1, 2, 3].map(|n| ReplicaId::from_bytes([n; 32]));
    let mut log = StreamLog::new(stream());
    let mut documents = replicas.map(|replica| Document::new(replica.client()));
    let mut entries: Vec<Entry> = Vec::new();
    let mut push = |log: &mut StreamLog, replica: ReplicaId, kind, payload: &[u8]| {
        let (deps, logical) = log.next_place(&replica);
        let seq = log.tip(&replica).seq + 1;
        let (target, key_epoch, payload_hash) = (None, 0, [0; 32]);
        let time = Millis(seq);
        let stream = stream();
        let header =
            Header { stream, replica, seq, deps, logical, time, kind, target, key_epoch, payload_hash };
        let entry = wire::entry::build(header, payload);
        match log.judge(&entry) {
            Verdict::Fresh(accepted) => log.extend(&entry, accepted),
            verdict => panic!("an honest entry: {verdict:?}"),
        }
        entries.push(entry);
    };
    push(&mut log, replicas[0], EntryKind::Create, &[]);
    for (n, (who, at, what)) in strokes.iter().enumerate() {
        let who = usize::from(*who % 3);
        let document = &mut documents[who];
        let length = document.len();
        let at = u32::from(*at) % (length + 1);
        let (_, edited) = document.edit(None, Millis(n as u64), |edit| {
            if what % 4 == 0 && at < length {
                edit.delete(at, 1)
            } else {
                edit.insert(at, ["a", "bc", "é", "👩"][usize::from(*what % 4)])
            }
        });
        let Some(edited) = edited else { continue };
        for (other, document) in documents.iter_mut().enumerate() {
            if other != who {
                document.apply(&edited.update).expect("an honest update");
            }
        }
        push(&mut log, replicas[who], EntryKind::Edit, &edited.update);
    }
    entries
}

fn build(base: Option<Base>, entries: &[Entry]) -> Built {
    let job = Job::Build { stream: stream(), base, entries: entries.to_vec(), posts: 0 };
    match job.run(&mut || true) {
        Ok(Done::Built(built)) => built,
        other => panic!("honest entries can be built: {other:?}"),
    }
}

/// The one page of a text.
fn page(built: &Built) -> &[u8] {
    &built.written[0]
}

fn root(built: &Built, arrivals: u64) -> Root {
    Root {
        stream: stream(),
        parent: None,
        arrivals,
        bytes: 0,
        coverage: built.coverage.clone(),
        frontier: built.frontier.clone(),
        pages: built.pages.clone(),
        content: built.content,
    }
}

fn verify(entries: &[Entry], root: Root, page: Bytes) -> Result<Done, JobError> {
    let pages = vec![page];
    Job::Verify { base: None, entries: entries.to_vec(), root: Box::new(root), pages, posts: 0 }
        .run(&mut || true)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn rule_8_a_snapshot_of_a_snapshot_is_the_snapshot_of_all(
        strokes in proptest::collection::vec((any::<u8>(), any::<u16>(), any::<u8>()), 1..60),
        cut: prop::sample::Index,
    ) {
        let entries = entries(&strokes);
        let cut = cut.index(entries.len());
        let whole = build(None, &entries);
        let first = build(None, &entries[..cut]);
        let base = Base { root: Arc::new(root(&first, cut as u64)), pages: first.written.clone() };
        let second = build(Some(base), &entries[cut..]);
        prop_assert_eq!((&second.coverage, second.content), (&whole.coverage, whole.content));
        let mut document = Document::new(1 << 52);
        document.load(&[page(&second)]).expect("a page that was checked");
        let shown = *blake3::hash(document.text().as_bytes()).as_bytes();
        prop_assert_eq!(shown, whole.content);
    }

    #[test]
    fn rule_9_what_is_packed_is_unpacked_byte_for_byte(
        strokes in proptest::collection::vec((any::<u8>(), any::<u16>(), any::<u8>()), 1..60),
    ) {
        let entries = entries(&strokes);
        let built = build(None, &entries);
        let root = root(&built, entries.len() as u64);
        let Ok(Done::Verified { segments, .. }) = verify(&entries, root, built.written[0].clone()) else { panic!("it is right") };
        let last = segments.last().map(|segment| segment.end);
        prop_assert_eq!(last, Some(entries.len() as u64));
        let unpacked: Vec<Entry> =
            segments.iter().flat_map(|segment| unpack(&segment.bytes).expect("a segment")).collect();
        prop_assert_eq!(unpacked, entries);
    }

    #[test]
    fn promise_6_a_page_with_changed_bytes_is_found_and_harms_nobody(
        strokes in proptest::collection::vec((any::<u8>(), any::<u16>(), any::<u8>()), 8..30),
        at: prop::sample::Index,
        bit in 0u8..8,
    ) {
        let entries = entries(&strokes);
        let built = build(None, &entries);
        let mut page = page(&built).to_vec();
        let at = at.index(page.len());
        page[at] ^= 1 << bit;
        let mut root = root(&built, entries.len() as u64);
        root.pages = vec![PageId::of(&page)];
        let page = Bytes::from(page);
        prop_assert!(verify(&entries, root.clone(), page.clone()).is_err());
        // And as a base, as a device meets a page of a home that is not ours.
        let base = Some(Base { root: Arc::new(root), pages: vec![page] });
        let _ = Job::Build { stream: stream(), base, entries: Vec::new(), posts: 0 }.run(&mut || true);
    }

    #[test]
    fn random_segments_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = unpack(&bytes);
    }
}

#[test]
fn rule_8_a_page_holds_exactly_the_clocks_of_its_coverage() {
    let entries = entries(&[(0, 0, 1), (1, 1, 2), (2, 0, 1), (0, 2, 2)]);
    let built = build(None, &entries);
    for change in [-1i64, 1] {
        for at in 0..built.coverage.len() {
            let mut lie = root(&built, 5);
            let clock = &mut lie.coverage[at].1.clock;
            *clock = u32::try_from(i64::from(*clock) + change).expect("everybody wrote something");
            assert!(verify(&entries, lie, built.written[0].clone()).is_err());
        }
    }
    let mut lie = root(&built, 5);
    lie.coverage.pop();
    assert!(verify(&entries, lie, built.written[0].clone()).is_err(), "somebody is missing");
    assert!(verify(&entries, root(&built, 5), built.written[0].clone()).is_ok());
}

#[test]
fn a_job_that_has_no_time_left_ends() {
    let job = Job::Build { stream: stream(), base: None, entries: entries(&[(0, 0, 1)]), posts: 0 };
    assert_eq!(job.run(&mut || false).err(), Some(JobError::Time));
}

/// An update by this author that embeds one value into an empty text.
fn embedding(client: u64, value: &[u8]) -> Vec<u8> {
    let mut update = vec![1, 1];
    let mut number = client;
    while number >= 0x80 {
        update.push(number as u8 | 0x80);
        number >>= 7;
    }
    update.extend([number as u8, 0, 5, 1, 4]);
    update.extend(b"text");
    update.push(u8::try_from(value.len()).expect("a short value"));
    update.extend(value);
    update.push(0);
    update
}

/// A page that is built twice is one page, as a home holds what it reads back from its disk against a replay.
#[test]
fn m12_a_text_with_an_embedded_value_gets_its_snapshot_or_the_value_is_refused() {
    let replica = ReplicaId::from_bytes([1; 32]);
    for (value, taken) in [
        (r#"{"a":[{"b":1.5}]}"#, true),
        (r#"{"a":1,"b":2,"c":3,"d":4,"e":5,"f":6,"g":7,"h":8}"#, false),
        ("9.99999999999999999e299", false),
        ("999999999999999.99", false),
    ] {
        let mut log = StreamLog::new(stream());
        let update = embedding(replica.client(), value.as_bytes());
        let mut entries = Vec::new();
        for (seq, kind, payload) in [(1, EntryKind::Create, [].as_slice()), (2, EntryKind::Edit, &update)] {
            let (deps, logical) = log.next_place(&replica);
            let (stream, time, target, key_epoch) = (stream(), Millis(seq), None, 0);
            let payload_hash = [0; 32];
            let header =
                Header { stream, replica, seq, deps, logical, time, kind, target, key_epoch, payload_hash };
            let entry = wire::entry::build(header, payload);
            match log.judge(&entry) {
                Verdict::Fresh(accepted) => log.extend(&entry, accepted),
                Verdict::Refused(refusal) => {
                    assert_eq!((refusal.code(), taken), ("guard.unsupported", false), "{value}");
                    continue;
                }
                verdict => panic!("nothing is missing: {verdict:?}"),
            }
            entries.push(entry);
        }
        let built = build(None, &entries);
        let found = verify(&entries, root(&built, entries.len() as u64), built.written[0].clone());
        assert!(matches!(found, Ok(Done::Verified { .. })), "{value}: {found:?}");
        assert_eq!(entries.len() == 2, taken, "{value}");
    }
}

/// What is undone is written anew by whoever undoes it, as yrs has read it.
#[test]
fn m12_a_deletion_of_somebody_elses_embedded_value_can_be_undone() {
    let [ada, ben] = [1, 2].map(|number| ReplicaId::from_bytes([number; 32]));
    let mut log = StreamLog::new(stream());
    let mut join = |replica: ReplicaId, kind, payload: &[u8]| {
        let (deps, logical) = log.next_place(&replica);
        let (stream, seq, time) = (stream(), log.tip(&replica).seq + 1, Millis(logical));
        let (target, key_epoch, payload_hash) = (None, 0, [0; 32]);
        let header =
            Header { stream, replica, seq, deps, logical, time, kind, target, key_epoch, payload_hash };
        let entry = wire::entry::build(header, payload);
        let Verdict::Fresh(accepted) = log.judge(&entry) else { panic!("{:?}", log.judge(&entry)) };
        log.extend(&entry, accepted);
    };
    join(ada, EntryKind::Create, &[]);
    let value = embedding(ada.client(), br#"{"image":["x",0.123456789012345,100000000000000]}"#);
    join(ada, EntryKind::Edit, &value);
    let mut document = Document::new(ben.client());
    document.apply(&value).expect("it was let in");
    document.open_editor(EditorId(1));
    let (_, edited) = document.edit(Some(EditorId(1)), Millis(5), |edit| edit.delete(0, 1));
    join(ben, EntryKind::Edit, &edited.expect("it is gone").update);
    let undone = document.undo(EditorId(1), Millis(6)).expect("it comes back");
    join(ben, EntryKind::Edit, &undone.update);
}
