//! ST7: a backup holds each space as it was at one moment, and whoever changes a byte of it is told where.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use causeway_core::storage::{Commit, CommitError, Page, Scan, StoreFailure};
use causeway_core::stored::{META, MetaRecord};
use causeway_core::time::Millis;
use causeway_store::backup::{
    BackupError, BackupReader, BackupWriter, Change, CopyError, Fresh, Gap, Packing, Part, RestoreError,
    Step, Summary, copy, copy_part, epoch_of, fill, own_space, printable, restore,
};
use causeway_store::{MemoryStore, OpenError, Space, Storage, Store, StoreGate, StoreKind};
use proptest::prelude::*;

type Rows = Vec<(Vec<u8>, Vec<u8>)>;

fn rows_of(store: &dyn Store, space: &Space) -> Rows {
    let all = Scan { start: Vec::new(), end: vec![0xff; 2000], max_bytes: usize::MAX, max_rows: usize::MAX };
    let page = store.scan(space, &all).unwrap();
    assert_eq!((page.damaged.len(), page.more), (0, None));
    page.rows
}

fn put(key: &[u8], value: &[u8]) -> Commit {
    Commit { put: vec![(key.to_vec(), value.to_vec())], ..Commit::default() }
}

fn room(name: &str) -> Space {
    Space::new(name).unwrap()
}

/// A clock that stands at this millisecond.
fn fresh(now: u64) -> Fresh {
    Fresh { now: Millis(now), chance: 0 }
}

/// Some rooms, one with a value that is cut into pieces.
fn sample(store: &dyn Store) {
    for number in 0..40u8 {
        store.apply(&room(&format!("room-{}", number % 3)), &put(&[number], &[number; 90])).unwrap();
    }
    store.apply(&room("room-1"), &put(b"long", &[9; 20_000])).unwrap();
    store.sync().unwrap();
}

fn backup_of(store: Arc<dyn Store>, packing: Packing) -> Vec<u8> {
    let gate = StoreGate::open(Storage::of(store));
    copy(&gate, Vec::new(), packing, Millis(5), &mut |_| {}).unwrap().0
}

fn read_all(bytes: &[u8]) -> Result<Vec<Step>, BackupError> {
    let mut reader = BackupReader::begin(bytes)?;
    let mut steps = Vec::new();
    loop {
        steps.push(reader.next_step()?);
        if let Some(Step::End(_)) = steps.last() {
            return Ok(steps);
        }
    }
}

#[test]
fn st7_a_backup_of_either_store_fills_a_folder_of_the_other_in_a_new_epoch() {
    let folder = tempfile::tempdir().unwrap();
    for (from, to) in [(StoreKind::Sled, StoreKind::Redb), (StoreKind::Redb, StoreKind::Sled)] {
        let (first, second) = (folder.path().join(from.name()), folder.path().join(format!("of-{from}")));
        let store = from.open(&first).unwrap();
        sample(&*store);
        let bytes = backup_of(Arc::clone(&store), Packing::Deflated);
        let told = restore(&bytes[..], &second, to, fresh(77), &mut |_| {}).unwrap();
        assert_eq!((told.made, told.rooms, told.rows, told.lost), (Millis(5), 3, 41, 0));
        assert_eq!(StoreKind::of(&second), Ok(Some(to)));
        let restored = to.open(&second).unwrap();
        for space in store.spaces(None, 10).unwrap() {
            assert_eq!(rows_of(&*restored, &space), rows_of(&*store, &space));
        }
        let own = rows_of(&*restored, &own_space());
        let epoch = fresh(77).epoch_after(1).unwrap();
        assert_eq!(own, [(META.to_vec(), MetaRecord { epoch }.encode())]);
        // Of the restored store: the clock may stand, the epoch does not, and is never the same twice.
        let again = backup_of(restored, Packing::Plain);
        let epochs = [0, 1].map(|chance| {
            let third = MemoryStore::new();
            let begun = Fresh { chance, ..fresh(3) };
            fill(BackupReader::begin(&again[..]).unwrap(), &third, begun, &mut |_| {}).unwrap();
            epoch_of(rows_of(&third, &own_space()).first().map(|row| &row.1[..])).unwrap()
        });
        assert!(epochs[0] > epoch && epochs[1] > epoch && epochs[0] != epochs[1], "{epochs:?}");
    }
}

#[test]
fn st7_a_backup_of_the_last_epoch_is_refused() {
    let store = MemoryStore::new();
    store.apply(&own_space(), &put(META, &MetaRecord { epoch: u64::MAX }.encode())).unwrap();
    let bytes = backup_of(Arc::new(store), Packing::Plain);
    let folder = tempfile::tempdir().unwrap();
    let into = folder.path().join("data");
    let error = restore(&bytes[..], &into, StoreKind::Sled, fresh(1), &mut |_| {}).unwrap_err();
    assert!(error.to_string().contains("epoch") && !into.exists(), "{error}");
}

/// A restore and a relay that are started in one folder at one moment: whichever comes first has it, and the other one
/// takes nothing away.
#[test]
fn st7_a_restore_and_a_store_that_open_one_folder_at_once_leave_each_other_alone() {
    let source = Arc::new(MemoryStore::new());
    sample(&*source);
    let whole = backup_of(source, Packing::Plain);
    let cut = &whole[..whole.len() - 1];
    let folder = tempfile::tempdir().unwrap();
    for round in 0..60u32 {
        let kind = StoreKind::ALL[round as usize % 2];
        let into = folder.path().join(round.to_string());
        if round % 3 == 0 {
            fs::create_dir(&into).unwrap();
        }
        let start = std::sync::Barrier::new(2);
        let serving = || {
            start.wait();
            let store = kind.open(&into).ok()?;
            store.apply(&room("mine"), &put(b"k", b"v")).unwrap();
            store.sync().unwrap();
            Some(store)
        };
        let opened = std::thread::scope(|threads| {
            let serving = threads.spawn(serving);
            start.wait();
            restore(cut, &into, kind, fresh(1), &mut |_| {}).unwrap_err();
            serving.join().unwrap()
        });
        match opened {
            Some(store) => {
                drop(store);
                let store = kind.open(&into).unwrap();
                assert_eq!(rows_of(&*store, &room("mine")), [(b"k".to_vec(), b"v".to_vec())], "{round}");
            }
            None => assert!(!into.exists() || listing(&into).is_empty(), "{round}"),
        }
    }
}

#[test]
fn st7_any_changed_byte_and_any_end_too_early_is_refused() {
    let store = Arc::new(MemoryStore::new());
    for (key, value) in [(b"a", b"first"), (b"b", b"other")] {
        store.apply(&room("harbour"), &put(key, value)).unwrap();
    }
    for packing in [Packing::Plain, Packing::Deflated] {
        let bytes = backup_of(store.clone(), packing);
        assert!(read_all(&bytes).is_ok());
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut bent = bytes.clone();
                bent[at] ^= 1 << bit;
                assert!(read_all(&bent).is_err(), "byte {at}, bit {bit}");
            }
            let cut = read_all(&bytes[..at]).unwrap_err();
            assert!(matches!(cut, BackupError::CutOff(_)), "{at}: {cut}");
        }
        let longer = [&bytes[..], &[0]].concat();
        assert!(read_all(&longer).unwrap_err().to_string().contains("behind its end"));
    }
}

#[test]
fn st7_damage_is_told_with_its_place_and_leaves_no_folder() {
    let store = Arc::new(MemoryStore::new());
    sample(&*store);
    let mut bytes = backup_of(store, Packing::Plain);
    let at = bytes.windows(200).position(|nines| nines == [9; 200]).unwrap();
    bytes[at] ^= 1;
    let folder = tempfile::tempdir().unwrap();
    let into = folder.path().join("data");
    for kind in StoreKind::ALL {
        let error = restore(&bytes[..], &into, kind, fresh(1), &mut |_| {}).unwrap_err();
        let RestoreError::Backup(BackupError::Damaged { place, .. }) = &error else { panic!("{error}") };
        // The record with the changes of the room: its kind stands there.
        assert_eq!(bytes[place.byte as usize], b'p', "{error}");
        assert!(place.byte < at as u64 && place.room.as_deref() == Some("room-1"), "{error}");
        assert!(!into.exists());
        let below = into.join("some/more");
        restore(&bytes[..], &below, kind, fresh(1), &mut |_| {}).unwrap_err();
        assert!(!into.exists(), "and none of the folders above that were made for it");
    }
}

#[test]
fn st7_a_folder_that_holds_something_is_left_alone_and_a_half_restored_one_is_opened_by_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let bytes = backup_of(Arc::new(MemoryStore::new()), Packing::Plain);
    fs::write(folder.path().join("mine"), "mine").unwrap();
    let error = restore(&bytes[..], folder.path(), StoreKind::Redb, fresh(1), &mut |_| {}).unwrap_err();
    assert!(matches!(error, RestoreError::Open(OpenError::NotEmpty(_))), "{error}");
    assert_eq!(listing(folder.path()), ["mine"]);

    for kind in StoreKind::ALL {
        let into = folder.path().join(kind.name());
        // As it is when the power is cut in the middle.
        fs::create_dir(&into).unwrap();
        fs::write(into.join("restoring"), "").unwrap();
        let refused = kind.open(&into).map(drop).unwrap_err();
        assert_eq!(refused, OpenError::HalfRestored(into.clone()));
        let refused = restore(&bytes[..], &into, kind, fresh(1), &mut |_| {}).unwrap_err();
        assert!(matches!(refused, RestoreError::Open(OpenError::HalfRestored(_))), "{refused}");
        assert_eq!(listing(&into), ["restoring"]);
    }
}

fn listing(folder: &Path) -> Vec<String> {
    let found = fs::read_dir(folder).unwrap();
    found.map(|found| found.unwrap().file_name().into_string().unwrap()).collect()
}

/// A store in which somebody else writes whenever a page has been read.
struct Busy {
    store: MemoryStore,
    writes: std::sync::Mutex<std::vec::IntoIter<Commit>>,
    /// How many between a page and the look at what was written.
    at_once: usize,
    space: Space,
    gate: std::sync::OnceLock<StoreGate>,
}

impl Busy {
    /// The next of the writes, made and answered.
    fn write_next(&self) {
        let next = self.writes.lock().unwrap().next();
        if let (Some(gate), Some(commit)) = (self.gate.get(), next) {
            let (done, is_done) = std::sync::mpsc::channel();
            gate.commit(self.space.clone(), commit, move |answer| done.send(answer).unwrap());
            is_done.recv().unwrap().unwrap();
        }
    }
}

impl Store for Busy {
    fn apply(&self, space: &Space, commit: &Commit) -> Result<(), CommitError> {
        self.store.apply(space, commit)
    }
    fn settle(&self) -> Result<(), StoreFailure> {
        Ok(())
    }
    fn sync(&self) -> Result<(), StoreFailure> {
        Ok(())
    }
    fn scan(&self, space: &Space, scan: &Scan) -> Result<Page, StoreFailure> {
        // Small pages, so that there is a between.
        let page = self.store.scan(space, &Scan { max_rows: 2, ..scan.clone() });
        (0..self.at_once).for_each(|_| self.write_next());
        page
    }
    fn spaces(&self, after: Option<&Space>, max: usize) -> Result<Vec<Space>, StoreFailure> {
        self.store.spaces(after, max)
    }
}

fn commit() -> impl Strategy<Value = Commit> {
    let key = || prop::collection::vec(0..3u8, 1..3);
    let puts = prop::collection::vec((key(), prop::collection::vec(any::<u8>(), 0..4)), 0..4);
    let deletes = prop::collection::vec(key(), 0..2);
    let clears = prop::collection::vec(prop::collection::vec(0..3u8, 0..2), 0..2);
    (puts, deletes, clears).prop_map(|(put, delete, delete_prefix)| Commit {
        put,
        delete,
        delete_prefix,
        ..Commit::default()
    })
}

proptest! {
    #[test]
    fn st7_what_is_written_during_a_copy_is_in_it_whole_or_not_at_all(
        before in prop::collection::vec(commit(), 0..6),
        during in prop::collection::vec(commit(), 0..12),
    ) {
        let space = room("harbour");
        let model = MemoryStore::new();
        let store = MemoryStore::new();
        for commit in &before {
            store.apply(&space, commit).unwrap();
            model.apply(&space, commit).unwrap();
        }
        let busy = Arc::new(Busy {
            store,
            writes: std::sync::Mutex::new(during.clone().into_iter()),
            at_once: 1,
            space: space.clone(),
            gate: std::sync::OnceLock::new(),
        });
        let gate = StoreGate::open(Storage::of(busy.clone()));
        busy.gate.set(gate.clone()).unwrap();
        // The copy is watched when it has taken what was written, and before it reads on: what is written behind the last
        // page is not of the room as it was copied.
        let mut written = 0;
        let mut watch = |_: &Summary| {
            written = during.len() - busy.writes.lock().unwrap().len();
            busy.write_next();
        };
        let (bytes, _) = copy(&gate, Vec::new(), Packing::Plain, Millis(1), &mut watch).unwrap();
        let restored = MemoryStore::new();
        fill(BackupReader::begin(&bytes[..]).unwrap(), &restored, fresh(1), &mut |_| {}).unwrap();
        let has_room = !model.spaces(None, 1).unwrap().is_empty();
        if has_room {
            for commit in &during[..written] {
                model.apply(&space, commit).unwrap();
            }
            prop_assert_eq!(rows_of(&restored, &space), rows_of(&model, &space));
        }
        // The stories' store and its gate hold each other.
        gate.close().unwrap();
    }

    #[test]
    fn st7_changes_come_out_as_they_went_in(changes in prop::collection::vec(change(), 0..40)) {
        for packing in [Packing::Plain, Packing::Deflated] {
            let mut writer = BackupWriter::begin(Vec::new(), packing, Millis(1)).unwrap();
            writer.begin_room(&room("harbour")).unwrap();
            changes.iter().for_each(|change| writer.change(change).unwrap());
            let (bytes, summary) = writer.finish().unwrap();
            let steps = read_all(&bytes).unwrap();
            let found: Vec<Change> = steps
                .iter()
                .flat_map(|step| match step {
                    Step::Changes(changes) => changes.clone(),
                    Step::Room(_) | Step::RoomEnd | Step::Gap(_) | Step::End(_) => Vec::new(),
                })
                .collect();
            prop_assert_eq!(&found, &changes);
            prop_assert_eq!(steps.last(), Some(&Step::End(summary)));
        }
    }
}

fn change() -> impl Strategy<Value = Change> {
    let bytes = |most| prop::collection::vec(any::<u8>(), 0..most);
    prop_oneof![
        (bytes(20), bytes(9000)).prop_map(|(key, value)| Change::Put(key, value)),
        bytes(20).prop_map(Change::Delete),
        bytes(20).prop_map(Change::Clear),
        bytes(20).prop_map(Change::Lost),
        Just(Change::LeftOut),
    ]
}

#[test]
fn st7_the_format_stays_as_it_is() {
    let mut writer = BackupWriter::begin(Vec::new(), Packing::Plain, Millis(258)).unwrap();
    writer.begin_room(&room("harbour")).unwrap();
    writer.change(&Change::Put(b"k".to_vec(), b"value".to_vec())).unwrap();
    writer.change(&Change::Delete(b"d".to_vec())).unwrap();
    writer.change(&Change::Clear(b"c".to_vec())).unwrap();
    writer.change(&Change::Lost(b"l".to_vec())).unwrap();
    writer.gap(&Gap { behind: Some(room("a")), before: None }).unwrap();
    writer.begin_room(&room("quay")).unwrap();
    writer.change(&Change::LeftOut).unwrap();
    let (bytes, _) = writer.finish().unwrap();
    let hex: String = bytes[25..].iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(&bytes[..25], b"causeway backup, format 1");
    assert_eq!(hex, GOLDEN);
}

const GOLDEN: &str = "0a6200000008000000000000010278447296685ed68c4988580adc1e5e987200000007686172626f7572312a11e0635e05112e50a8ad44\
    1a3e507000000019010001000000056b76616c756502000164030001630400016cdeef139a14c9f26e31a1de69d2bb2629650000001000\
    00000000000001000000000000000186325cadcb4c26023cb6a3f90897b49f6700000003016100a10538e89501501500720f127073e28b\
    720000000471756179a201fdc5b8cd8936c469106918b45ee3700000000305000065de93ce2278421d1f3d12497825eae6650000001000\
    0000000000000000000000000000015745b60586536feacc7b880ede279686740000002000000000000000010000000000000001000000\
    000000000300000000000000065f3e5c477b386532ab63ccb21c7d4e1d";

#[test]
fn st7_a_store_that_fails_breaks_the_copy_off_and_whoever_reads_it_is_told() {
    struct Failing(MemoryStore);
    impl Store for Failing {
        fn apply(&self, space: &Space, commit: &Commit) -> Result<(), CommitError> {
            self.0.apply(space, commit)
        }
        fn settle(&self) -> Result<(), StoreFailure> {
            Ok(())
        }
        fn sync(&self) -> Result<(), StoreFailure> {
            Ok(())
        }
        fn scan(&self, _: &Space, _: &Scan) -> Result<Page, StoreFailure> {
            Err(StoreFailure::new(causeway_core::storage::FailureKind::Io, "The disk is gone."))
        }
        fn spaces(&self, after: Option<&Space>, max: usize) -> Result<Vec<Space>, StoreFailure> {
            self.0.spaces(after, max)
        }
    }
    let store = MemoryStore::new();
    sample(&store);
    let gate = StoreGate::open(Storage::of(Arc::new(Failing(store))));
    let out = Pipe::default();
    let error = copy(&gate, out.clone(), Packing::Plain, Millis(5), &mut |_| {}).unwrap_err();
    assert!(matches!(error, CopyError::Store(_)), "{error}");
    let bytes = out.0.lock().unwrap().clone();
    let told = read_all(&bytes).unwrap_err();
    assert!(matches!(&told, BackupError::BrokenOff(why) if why.contains("The disk is gone")), "{told}");
}

#[test]
fn st7_one_backup_is_made_at_a_time_from_its_beginning_to_its_end() {
    let store = Arc::new(MemoryStore::new());
    sample(&*store);
    let gate = StoreGate::open(Storage::of(store));
    let mut refused = 0;
    let mut watch = |_: &Summary| {
        let second = copy(&gate, Vec::new(), Packing::Plain, Millis(6), &mut |_| {});
        assert!(matches!(second, Err(CopyError::Another)));
        refused += 1;
    };
    let (bytes, _) = copy(&gate, Vec::new(), Packing::Plain, Millis(5), &mut watch).unwrap();
    assert!(read_all(&bytes).is_ok() && refused >= 3, "of each room");
    assert!(copy(&gate, Vec::new(), Packing::Plain, Millis(7), &mut |_| {}).is_ok());
}

#[test]
fn st7_a_room_that_takes_in_more_than_is_read_of_it_breaks_the_copy_off() {
    let space = room("harbour");
    let store = MemoryStore::new();
    store.apply(&space, &put(b"k", b"v")).unwrap();
    let busy = Arc::new(Busy {
        store,
        writes: std::sync::Mutex::new(vec![put(b"big", &[7; 20 << 20]); 2].into_iter()),
        at_once: 2,
        space,
        gate: std::sync::OnceLock::new(),
    });
    let gate = StoreGate::open(Storage::of(busy.clone()));
    busy.gate.set(gate.clone()).unwrap();
    let out = Pipe::default();
    let error = copy(&gate, out.clone(), Packing::Plain, Millis(1), &mut |_| {}).unwrap_err();
    assert!(matches!(error, CopyError::TooSlow), "{error}");
    let bytes = out.0.lock().unwrap().clone();
    assert!(matches!(read_all(&bytes), Err(BackupError::BrokenOff(_))));
    gate.close().unwrap();
}

/// A store in which one row cannot be read of one room, and the second page of another.
struct Worn(MemoryStore);

impl Store for Worn {
    fn apply(&self, space: &Space, commit: &Commit) -> Result<(), CommitError> {
        self.0.apply(space, commit)
    }
    fn settle(&self) -> Result<(), StoreFailure> {
        Ok(())
    }
    fn sync(&self) -> Result<(), StoreFailure> {
        Ok(())
    }
    fn scan(&self, space: &Space, scan: &Scan) -> Result<Page, StoreFailure> {
        let most = if *space == room("room-2") { 2 } else { scan.max_rows };
        if *space == room("room-2") && !scan.start.is_empty() {
            return Err(StoreFailure::damaged(&scan.start));
        }
        let mut page = self.0.scan(space, &Scan { max_rows: most, ..scan.clone() })?;
        page.damaged = page.rows.extract_if(.., |(key, _)| *key == [0]).map(|(key, _)| key).collect();
        Ok(page)
    }
    fn spaces(&self, after: Option<&Space>, max: usize) -> Result<Vec<Space>, StoreFailure> {
        self.0.spaces(after, max)
    }
}

#[test]
fn st7_a_room_that_cannot_be_read_to_its_end_is_left_out_whole_and_is_not_counted() {
    let store = MemoryStore::new();
    sample(&store);
    store.apply(&own_space(), &put(META, &MetaRecord { epoch: 9 }.encode())).unwrap();
    let bytes = backup_of(Arc::new(Worn(store)), Packing::Deflated);
    let restored = MemoryStore::new();
    let told = fill(BackupReader::begin(&bytes[..]).unwrap(), &restored, fresh(1), &mut |_| {}).unwrap();
    assert_eq!((told.rooms, told.lost), (2, 2));
    let row = rows_of(&restored, &room("room-0")).swap_remove(0);
    assert_eq!(row, (vec![0], Vec::new()), "whoever looks for it finds that it cannot be read");
    assert_eq!(rows_of(&restored, &room("room-2")), []);
    assert!(!restored.spaces(None, 10).unwrap().contains(&room("room-2")));
}

/// A store that fails wherever one of these names would have to be read.
struct Unlisted(MemoryStore, Vec<Space>);

impl Store for Unlisted {
    fn apply(&self, space: &Space, commit: &Commit) -> Result<(), CommitError> {
        self.0.apply(space, commit)
    }
    fn settle(&self) -> Result<(), StoreFailure> {
        Ok(())
    }
    fn sync(&self) -> Result<(), StoreFailure> {
        Ok(())
    }
    fn scan(&self, space: &Space, scan: &Scan) -> Result<Page, StoreFailure> {
        self.0.scan(space, scan)
    }
    fn spaces(&self, after: Option<&Space>, max: usize) -> Result<Vec<Space>, StoreFailure> {
        let found = self.0.spaces(after, max)?;
        let bad = found.iter().find(|space| self.1.contains(space));
        bad.map_or(Ok(found.clone()), |space| Err(StoreFailure::damaged(space.as_bytes())))
    }
}

/// A store that counts the rows it hands out.
#[derive(Default)]
struct Counting(MemoryStore, AtomicUsize);

impl Store for Counting {
    fn apply(&self, space: &Space, commit: &Commit) -> Result<(), CommitError> {
        self.0.apply(space, commit)
    }

    fn settle(&self) -> Result<(), StoreFailure> {
        self.0.settle()
    }

    fn sync(&self) -> Result<(), StoreFailure> {
        self.0.sync()
    }

    fn scan(&self, space: &Space, scan: &Scan) -> Result<Page, StoreFailure> {
        let page = self.0.scan(space, scan)?;
        self.1.fetch_add(page.rows.len(), Ordering::Relaxed);
        Ok(page)
    }

    fn spaces(&self, after: Option<&Space>, max: usize) -> Result<Vec<Space>, StoreFailure> {
        self.0.spaces(after, max)
    }
}

#[test]
fn st7_of_a_part_of_a_room_nothing_else_is_read() {
    let store = Arc::new(Counting::default());
    for number in 0..9_000u32 {
        let letter = [b'a', b'b', b'c'][number as usize % 3];
        let key = [&[letter], number.to_be_bytes().as_slice()].concat();
        store.apply(&room("harbour"), &put(&key, b"value")).unwrap();
    }
    // What begins with the highest byte is of the part as well.
    store.apply(&room("harbour"), &put(&[b'b', 0xff, 0xff], b"last")).unwrap();
    let gate = StoreGate::open(Storage::of(Arc::clone(&store) as Arc<dyn Store>));
    let part = Part { prefixes: vec![[b'a', 0, 0, 0].to_vec(), b"b".to_vec()] };
    let (bytes, told) = copy_part(&gate, &room("harbour"), &part, Vec::new(), Millis(5)).unwrap();
    assert_eq!(told.rows, 86 + 3_001);
    assert_eq!(store.1.load(Ordering::Relaxed) as u64, told.rows);
    let steps = read_all(&bytes).unwrap();
    let changes = steps.iter().filter_map(|step| match step {
        Step::Changes(changes) => Some(changes.len()),
        Step::Room(_) | Step::RoomEnd | Step::Gap(_) | Step::End(_) => None,
    });
    assert_eq!(changes.sum::<usize>() as u64, told.rows);
}

#[test]
fn st7_names_that_cannot_be_listed_cost_no_other_room() {
    let names =
        |numbers: std::ops::Range<u32>| numbers.map(|n| room(&format!("room-{n:03}"))).collect::<Vec<_>>();
    let cases = [
        (names(0..0), None, None),
        (names(100..105), Some(99), Some(105)),
        (names(0..2), None, Some(2)),
        (names(398..400), Some(397), None),
        (names(199..201), Some(198), Some(201)),
    ];
    for (bad, behind, before) in cases {
        let store = MemoryStore::new();
        names(0..400).iter().for_each(|space| store.apply(space, &put(b"k", b"v")).unwrap());
        let bytes = backup_of(Arc::new(Unlisted(store, bad.clone())), Packing::Plain);
        let steps = read_all(&bytes).unwrap();
        let gaps: Vec<_> = steps.iter().filter(|step| matches!(step, Step::Gap(_))).cloned().collect();
        let name = |n: Option<u32>| n.map(|n| room(&format!("room-{n:03}")));
        let expected = Step::Gap(Gap { behind: name(behind), before: name(before) });
        assert_eq!(gaps, if bad.is_empty() { vec![] } else { vec![expected] });
        let Some(Step::End(told)) = steps.last() else { panic!("it ends") };
        assert_eq!((told.rooms, told.lost), (400 - bad.len() as u64, gaps.len() as u64));
    }
}

#[test]
fn st7_a_block_that_nobody_writes_is_refused_before_it_is_held() {
    // What deflates to almost nothing: as many deletes as fit.
    let deletes = [2, 0, 0].repeat(20_000_000);
    let mut bytes = backup_of(Arc::new(MemoryStore::new()), Packing::Deflated);
    let end = bytes.len() - (1 + 4 + 32 + 16);
    let mut sum: [u8; 16] = bytes[end - 16..end].try_into().unwrap();
    bytes.truncate(end);
    let deflated = miniz_oxide::deflate::compress_to_vec(&deletes, 1);
    let length = u32::try_from(deletes.len()).unwrap().to_be_bytes();
    for (kind, body) in [(b'r', b"harbour".to_vec()), (b'z', [&length[..], &deflated].concat())] {
        let head = [&[kind][..], &u32::try_from(body.len()).unwrap().to_be_bytes()].concat();
        sum = sum_after(&[&sum, &head[..1], &head[1..], &body]);
        bytes.extend([&head[..], &body, &sum].concat());
    }
    let refused = read_all(&bytes).unwrap_err();
    assert!(refused.to_string().contains("more than any that is written"), "{refused}");
}

/// As the format says.
fn sum_after(parts: &[&[u8]]) -> [u8; 16] {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        hasher.update(&(part.len() as u64).to_be_bytes());
        hasher.update(part);
    }
    hasher.finalize().as_bytes()[..16].try_into().unwrap()
}

#[test]
fn st7_what_a_file_says_is_shown_without_what_steers_a_terminal() {
    assert_eq!(
        printable(b"a \x1b[31m\"room\"\r\n\xe2\x80\xaetxt"),
        "a \\u{1b}[31m\"room\"\\r\\n\\u{202e}txt"
    );
    assert_eq!(printable("hafen-\u{e4}".as_bytes()), "hafen-\u{e4}");
}

/// What is left of an output that the writer keeps.
#[derive(Clone, Debug, Default)]
struct Pipe(Arc<std::sync::Mutex<Vec<u8>>>);

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
