//! Stories of the write-ahead log: what a process leaves in it, how it ends, and what a disk may do to it.
#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use causeway_core::storage::{Commit, Scan};
use causeway_core::stored::Prefix;
use causeway_store::contract::{put, rows, space};
use causeway_store::remains::examine;
use causeway_store::{OpenError, Store, StoreKind, WriteAheadLimits};

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for found in fs::read_dir(from).unwrap() {
        let found = found.unwrap();
        let to = to.join(found.file_name());
        if found.path().is_dir() {
            copy(&found.path(), &to);
        } else {
            fs::copy(found.path(), to).unwrap();
        }
    }
}

/// The files of a folder's log, the oldest first.
fn logs(folder: &Path) -> Vec<PathBuf> {
    let found = fs::read_dir(folder.join("ahead")).into_iter().flatten();
    let mut files: Vec<PathBuf> = found.map(|found| found.unwrap().path()).collect();
    files.sort();
    files
}

fn save(store: &dyn Store, commit: &Commit) {
    store.apply(&space("room"), commit).unwrap();
    store.sync().unwrap();
}

/// The rows of one room, which are what was written at some time.
fn shown(store: &dyn Store) -> BTreeMap<Vec<u8>, Vec<u8>> {
    rows(store, &space("room")).into_iter().collect()
}

const COMMITS: u8 = 8;

/// Each commit writes a row of its own, one that all write, and takes away one of those before.
fn commit(number: u8) -> Commit {
    let length = if number == 5 { 4_000 } else { 20 };
    let delete = if number > 2 { vec![vec![b'r', number - 2]] } else { Vec::new() };
    Commit { delete, ..put(&[(b"tip", &[number]), (&[b'r', number], &vec![number; length])]) }
}

/// The rows after so many commits.
fn after(commits: u8) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let mut rows = BTreeMap::new();
    for commit in (1..=commits).map(commit) {
        commit.delete.iter().for_each(|key| drop(rows.remove(key)));
        rows.extend(commit.put);
    }
    rows
}

/// A folder as a killed process leaves it, after so many commits of which the last were not synced.
fn killed(kind: StoreKind, synced: u8, folder: &Path) {
    let store = kind.open(folder.join("open")).unwrap();
    for number in 1..=COMMITS {
        store.apply(&space("room"), &commit(number)).unwrap();
        if number <= synced {
            store.sync().unwrap();
        }
    }
    copy(&folder.join("open"), &folder.join("killed"));
}

#[test]
fn st2_what_a_killed_process_left_in_the_log_is_there_and_an_end_in_order_leaves_none() {
    let kind = StoreKind::Redb;
    let folder = tempfile::tempdir().unwrap();
    killed(kind, 3, folder.path());
    assert!(logs(&folder.path().join("open")).is_empty(), "all of it was carried at the end");
    let data = folder.path().join("killed");
    assert_eq!(logs(&data).len(), 1);
    let store = kind.open(&data).unwrap();
    assert_eq!(shown(&*store), after(COMMITS));
    save(&*store, &put(&[(b"x", b"v")]));
    drop(store);
    assert!(logs(&data).is_empty());
    let mut expected = after(COMMITS);
    expected.insert(b"x".to_vec(), b"v".to_vec());
    assert_eq!(shown(&*kind.open(&data).unwrap()), expected);
}

#[test]
fn st2_a_log_that_outlived_its_carrying_is_passed_over() {
    let kind = StoreKind::Redb;
    let folder = tempfile::tempdir().unwrap();
    killed(kind, COMMITS, folder.path());
    let (carried, killed) = (folder.path().join("open"), folder.path().join("killed"));
    let store = kind.open(&carried).unwrap();
    save(&*store, &put(&[(b"later", b"v"), (b"tip", b"newest")]));
    drop(store);
    // The file that was taken away is back, and says what has long been replaced.
    copy(&killed.join("ahead"), &carried.join("ahead"));
    let mut expected = after(COMMITS);
    expected.extend([(b"later".to_vec(), b"v".to_vec()), (b"tip".to_vec(), b"newest".to_vec())]);
    for round in 0..3 {
        let store = kind.open(&carried).unwrap();
        assert_eq!(shown(&*store), expected);
        save(&*store, &put(&[(&[b'x', round], b"")]));
        expected.insert(vec![b'x', round], Vec::new());
    }
    assert!(logs(&carried).is_empty());
}

/// What came of opening a folder whose log was bent.
#[derive(Default, Debug)]
struct Tally {
    refused: u32,
    whole: u32,
    cut: u32,
}

/// Opens a bent folder. It is refused as damaged, or shows the rows after a number of commits between these.
fn judge(kind: StoreKind, folder: &Path, synced: u8, what: &str, tally: &mut Tally) {
    match kind.open(folder) {
        Err(OpenError::Damaged { .. }) => tally.refused += 1,
        Err(other) => panic!("{what}: {other}"),
        Ok(store) => {
            let found = shown(&*store);
            let commits = (synced..=COMMITS).find(|commits| after(*commits) == found);
            match commits {
                Some(COMMITS) => tally.whole += 1,
                Some(_) => tally.cut += 1,
                None => panic!("{what}: {found:?} was never there, or was saved and is not"),
            }
        }
    }
}

#[test]
fn st3_bytes_of_the_log_may_change_and_nothing_wrong_is_read_and_nothing_saved_is_missing() {
    let kind = StoreKind::Redb;
    for synced in [0, 4, COMMITS] {
        let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
        killed(kind, synced, folder.path());
        let (data, bent) = (folder.path().join("killed"), folder.path().join("bent"));
        let name = logs(&data)[0].strip_prefix(&data).unwrap().to_path_buf();
        let whole = fs::read(data.join(&name)).unwrap();
        let used = whole.iter().rposition(|byte| *byte != 0).unwrap() + 1;
        let mut tally = Tally::default();
        for at in (0..used + 40).step_by(37) {
            copy(&data, &bent);
            let mut bytes = whole.clone();
            bytes[at] ^= 1 << (at % 8);
            fs::write(bent.join(&name), bytes).unwrap();
            judge(kind, &bent, synced, &format!("{kind}, {synced} synced, byte {at}"), &mut tally);
            fs::remove_dir_all(&bent).unwrap();
        }
        println!("{kind}, {synced} of {COMMITS} synced: {tally:?}");
        assert_eq!(tally.refused > 0, synced > 0, "what was saved and cannot be read is refused");
        assert_eq!(tally.cut > 0, synced < COMMITS, "what was never promised is cut");
    }
}

#[test]
fn st2_a_log_that_ends_anywhere_is_cut_where_nothing_was_promised_and_refused_where_something_was() {
    let kind = StoreKind::Redb;
    let folder = tempfile::tempdir().unwrap();
    killed(kind, 4, folder.path());
    let (data, bent) = (folder.path().join("killed"), folder.path().join("bent"));
    let name = logs(&data)[0].strip_prefix(&data).unwrap().to_path_buf();
    let whole = fs::read(data.join(&name)).unwrap();
    let used = whole.iter().rposition(|byte| *byte != 0).unwrap() + 1;
    let mut tally = Tally::default();
    for end in (0..used).step_by(29) {
        copy(&data, &bent);
        // Cut off, or never written over the zeros.
        let mut bytes = whole[..end].to_vec();
        if end % 2 == 0 {
            bytes.resize(whole.len(), 0);
        }
        fs::write(bent.join(&name), bytes).unwrap();
        judge(kind, &bent, 4, &format!("{kind}, ends at {end}"), &mut tally);
        fs::remove_dir_all(&bent).unwrap();
    }
    assert!(tally.refused > 0 && tally.cut > 0, "{tally:?}");
}

/// A power cut may take any of the records that were not synced, and leave those behind it.
#[test]
fn st2_a_record_missing_before_another_that_nobody_was_promised_is_an_end_and_no_damage() {
    let kind = StoreKind::Redb;
    let folder = tempfile::tempdir().unwrap();
    killed(kind, 4, folder.path());
    let data = folder.path().join("killed");
    let log = logs(&data).remove(0);
    let mut bytes = fs::read(&log).unwrap();
    // The long value is that of the fifth commit, behind which there are three more.
    let fifth = bytes.windows(100).position(|window| window == [5; 100]).unwrap();
    bytes[fifth..fifth + 512].fill(0);
    fs::write(&log, bytes).unwrap();
    let store = kind.open(&data).unwrap();
    assert_eq!(shown(&*store), after(4));
    // Those behind it are gone for good, also when the log goes on from there.
    save(&*store, &put(&[(b"after", b"v")]));
    let mut expected = after(4);
    expected.insert(b"after".to_vec(), b"v".to_vec());
    drop(store);
    assert_eq!(shown(&*kind.open(&data).unwrap()), expected);
}

#[test]
fn st5_a_folder_from_before_there_was_a_log_is_opened_and_carried_on() {
    let kind = StoreKind::Redb;
    let folder = tempfile::tempdir().unwrap();
    let store = kind.open(folder.path()).unwrap();
    save(&*store, &commit(1));
    drop(store);
    // As the version before left it: the database, and no log.
    fs::remove_dir(folder.path().join("ahead")).unwrap();
    fs::write(folder.path().join("FORMAT"), format!("causeway store, {kind}, format 3\n")).unwrap();
    let store = kind.open(folder.path()).unwrap();
    assert_eq!(shown(&*store), after(1));
    let format = fs::read_to_string(folder.path().join("FORMAT")).unwrap();
    assert_eq!(
        format,
        format!("causeway store, {kind}, format 4\n"),
        "no older version takes it for its own"
    );
    save(&*store, &commit(2));
    drop(store);
    assert_eq!(shown(&*kind.open(folder.path()).unwrap()), after(2));
}

#[test]
fn st5_a_folder_from_before_there_was_a_log_that_is_refused_is_left_as_it_was() {
    let kind = StoreKind::Redb;
    let folder = tempfile::tempdir().unwrap();
    let (data, other) = (folder.path().join("data"), folder.path().join("other"));
    for (path, commits) in [(&data, 1), (&other, COMMITS)] {
        let store = kind.open(path).unwrap();
        (1..=commits).for_each(|number| save(&*store, &commit(number)));
    }
    // More was saved than there is.
    fs::copy(other.join("tip"), data.join("tip")).unwrap();
    let format = format!("causeway store, {kind}, format 3\n");
    fs::write(data.join("FORMAT"), &format).unwrap();
    fs::remove_dir(data.join("ahead")).unwrap();
    assert!(matches!(kind.open(&data), Err(OpenError::Damaged { .. })));
    assert_eq!(fs::read_to_string(data.join("FORMAT")).unwrap(), format);
    let mut names: Vec<_> = fs::read_dir(&data).unwrap().map(|found| found.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(
        names,
        ["FORMAT", "lock", "rows.redb", "tip"]
            .map(OsString::from)
            .into_iter()
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect::<Vec<_>>()
    );
}

#[test]
fn an_app_with_one_small_document_has_a_small_log() {
    let kind = StoreKind::Redb;
    let folder = tempfile::tempdir().unwrap();
    let store = kind.open(folder.path()).unwrap();
    assert!(logs(folder.path()).is_empty(), "whoever only reads makes no log");
    for number in 0..100u8 {
        save(&*store, &put(&[(b"tip", &[number]), (&[number], &[number; 60])]));
    }
    let log = fs::metadata(&logs(folder.path())[0]).unwrap().len();
    assert!(log < 100 * 1024, "{log} bytes for 100 small commits");
}

/// Changes a byte of the value of a commit in the newest file of a log.
fn bend(folder: &Path, number: u8) {
    let log = logs(folder).pop().unwrap();
    let mut bytes = fs::read(&log).unwrap();
    let place = bytes.windows(20).position(|window| window == [number; 20]).unwrap();
    bytes[place + 5] ^= 1;
    fs::write(&log, bytes).unwrap();
}

#[test]
fn st3_what_was_found_when_a_store_was_opened_counts_as_saved_from_then_on() {
    let kind = StoreKind::Redb;
    let folder = tempfile::tempdir().unwrap();
    killed(kind, 3, folder.path());
    let (data, later) = (folder.path().join("killed"), folder.path().join("later"));
    let store = kind.open(&data).unwrap();
    assert_eq!(shown(&*store), after(COMMITS), "rooms call saved what they read here");
    store.sync().unwrap();
    copy(&data, &later);
    drop(store);
    bend(&later, COMMITS);
    assert!(matches!(kind.open(&later), Err(OpenError::Damaged { .. })));
}

#[test]
fn rl14_of_commits_that_were_synced_together_those_behind_a_damaged_one_are_found() {
    let kind = StoreKind::Redb;
    let folder = tempfile::tempdir().unwrap();
    let (open, data) = (folder.path().join("open"), folder.path().join("killed"));
    let store = kind.open(&open).unwrap();
    (1..=COMMITS).for_each(|number| store.apply(&space("room"), &commit(number)).unwrap());
    store.sync().unwrap();
    copy(&open, &data);
    drop(store);
    bend(&data, 6);
    let scratch = folder.path().join("scratch");
    fs::create_dir_all(&scratch).unwrap();
    let remains = examine(&data, &scratch).unwrap();
    let told: Vec<_> = remains.findings.iter().map(|finding| finding.sentence.clone()).collect();
    assert!(!remains.is_sound() && told.iter().any(|told| told.contains("log is damaged")), "{told:?}");
    assert!(!told.iter().any(|told| told.contains("holds all")), "{told:?}");
    let found = remains.rows(&space("room"));
    assert_eq!(found[&b"tip"[..]][0], [COMMITS]);
    assert!(found.contains_key(&[b'r', 7][..]) && !found.contains_key(&[b'r', 6][..]));
}

#[test]
fn rl14_a_quarantine_that_ended_in_a_damaged_log_is_not_begun_again() {
    let kind = StoreKind::Redb;
    let folder = tempfile::tempdir().unwrap();
    let (open, data) = (folder.path().join("open"), folder.path().join("killed"));
    let store = kind.open(&open).unwrap();
    let (ended, lasting) = ([Prefix::Quarantine as u8, 1], [Prefix::Quarantine as u8, 2]);
    save(&*store, &put(&[(&ended, b"v"), (&lasting, b"v")]));
    save(&*store, &commit(6));
    save(&*store, &Commit { delete: vec![ended.to_vec()], ..Commit::default() });
    copy(&open, &data);
    drop(store);
    bend(&data, 6);
    let scratch = folder.path().join("scratch");
    fs::create_dir_all(&scratch).unwrap();
    let found = examine(&data, &scratch).unwrap().rows(&space("room"));
    assert!(!found.contains_key(&ended[..]) && found.contains_key(&lasting[..]));
}

#[test]
fn rl14_rows_of_the_log_are_found_above_those_of_the_database_and_behind_what_is_damaged() {
    let kind = StoreKind::Redb;
    let folder = tempfile::tempdir().unwrap();
    killed(kind, COMMITS, folder.path());
    let data = folder.path().join("killed");
    let looked = |scratch: &str| {
        let scratch = folder.path().join(format!("{kind}-{scratch}"));
        fs::create_dir_all(&scratch).unwrap();
        let remains = examine(&data, &scratch).unwrap();
        (remains.is_sound(), remains.rows(&space("room")), remains.findings)
    };
    let (sound, found, told) = looked("sound");
    assert!(sound, "{told:?}");
    let newest: BTreeMap<_, _> = found.into_iter().map(|(key, values)| (key, values[0].clone())).collect();
    assert_eq!(newest, after(COMMITS), "each row with its newest value and no other");

    let log = logs(&data).remove(0);
    let mut bytes = fs::read(&log).unwrap();
    let third = bytes.windows(20).position(|window| window == [3; 20]).unwrap();
    bytes[third] ^= 1;
    fs::write(&log, bytes).unwrap();
    assert!(matches!(kind.open(&data), Err(OpenError::Damaged { .. })));
    let (sound, found, told) = looked("damaged");
    let names = log.file_name().unwrap().to_str().unwrap();
    assert!(!sound && told.iter().any(|told| !told.sound && told.sentence.contains(names)), "{told:?}");
    assert_eq!(found[&b"tip"[..]][0], [COMMITS], "the newest first");
    let lost = (1..=COMMITS).filter(|number| !found.contains_key(&[b'r', *number][..]));
    assert_eq!(lost.collect::<Vec<_>>(), [3], "only the commit that is damaged");
}

#[test]
fn st1_pages_of_a_scan_are_of_one_moment_while_rows_are_carried() {
    let kind = StoreKind::Redb;
    let folder = tempfile::tempdir().unwrap();
    let limits = WriteAheadLimits { carry_bytes: 0, piece_bytes: 100, ..WriteAheadLimits::default() };
    let store = kind.open_within(limits, folder.path()).unwrap();
    let page = Scan { start: vec![0], end: vec![40], max_bytes: 1 << 20, max_rows: 100 };
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for round in 0..150u8 {
                let value = vec![round; if round % 3 == 0 { 7_000 } else { 3 }];
                let rows: Vec<_> = (0..20).map(|key| (vec![key], value.clone())).collect();
                let commit = Commit { put: rows, delete: vec![vec![30 + round % 3]], ..Commit::default() };
                store.apply(&space("room"), &commit).unwrap();
            }
        });
        while !writer.is_finished() {
            let found = store.scan(&space("room"), &page).unwrap();
            assert!(found.damaged.is_empty(), "{:?}", found.damaged);
            assert!(found.rows.windows(2).all(|two| two[0].1 == two[1].1), "half of a commit shows");
        }
        writer.join().unwrap();
    });
    assert_eq!(shown(&*store).len(), 20);
}
