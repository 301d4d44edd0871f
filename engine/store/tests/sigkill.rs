//! A process that dies without warning, over and over: what was answered is there.
#![allow(clippy::unwrap_used)]

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use causeway_core::storage::{Commit, Durability};
use causeway_store::contract::{put, rows, space};
use causeway_store::{OpenError, Store, StoreHandle, StoreKind, WriteAheadLimits, WriterLimits};

const ROUNDS: u32 = 20;
const ROOMS: u32 = 4;
/// Answers to read before the kill: different in each round, so that the kill falls into different moments.
const FIRST_KILL_AFTER: usize = 3;

const FOLDER: &str = "CAUSEWAY_STORE_TEST_SIGKILL_FOLDER";
const KIND: &str = "CAUSEWAY_STORE_TEST_SIGKILL_KIND";
const ROUND: &str = "CAUSEWAY_STORE_TEST_SIGKILL_ROUND";

fn room(number: u32) -> causeway_store::Space {
    space(&format!("room {number}"))
}

fn key(round: u32, number: u32) -> Vec<u8> {
    [round.to_be_bytes(), number.to_be_bytes()].concat()
}

/// Two rows that only ever exist together, one of them long now and then.
fn commit(round: u32, number: u32) -> Commit {
    let key = key(round, number);
    let twin = [b"twin", &key[..]].concat();
    let value = vec![number as u8; if number.is_multiple_of(5) { 20_000 } else { 200 }];
    // Every other room writes relaxed, which survives the death of a process all the same.
    let durability = if number.is_multiple_of(2) { Durability::Strict } else { Durability::Relaxed };
    Commit { durability, ..put(&[(&key, &value), (&twin, &value)]) }
}

/// Rows are carried never, all the time, or so seldom that most deaths fall between: whoever dies goes through each in turn.
fn limits(round: u32) -> WriteAheadLimits {
    match round % 3 {
        0 => WriteAheadLimits::default(),
        1 => WriteAheadLimits { carry_bytes: 0, piece_bytes: 100, ..WriteAheadLimits::default() },
        _ => WriteAheadLimits { carry_bytes: 30_000, full_bytes: 60_000, piece_bytes: 1_000 },
    }
}

/// Not a story of its own: the process that dies in the next one. Each room has one commit in flight; an answered one
/// is written to the ledger.
#[test]
fn the_dying_process() {
    let (Ok(folder), Ok(round)) = (std::env::var(FOLDER), std::env::var(ROUND)) else { return };
    let round: u32 = round.parse().unwrap();
    let kind: StoreKind = std::env::var(KIND).unwrap().parse().unwrap();
    let handle =
        StoreHandle::spawn(kind.open_within(limits(round), folder).unwrap(), WriterLimits::default());
    let (answered, answers) = std::sync::mpsc::channel();
    let mut numbers = [0; ROOMS as usize];
    let write = |room_number: u32, number: u32| {
        let answered = answered.clone();
        handle.commit(room(room_number), commit(round, number), move |answer| {
            answer.unwrap();
            answered.send(room_number).unwrap();
        });
    };
    (0..ROOMS).for_each(|room_number| write(room_number, 0));
    for room_number in answers {
        let number = &mut numbers[room_number as usize];
        writeln!(std::io::stdout(), "\nsaved {room_number} {number}").unwrap();
        *number += 1;
        write(room_number, *number);
    }
}

#[test]
fn st2_every_answered_commit_survives_a_killed_process_on_sled() {
    every_answered_commit_survives(StoreKind::Sled);
}

#[test]
fn st2_every_answered_commit_survives_a_killed_process_on_redb() {
    every_answered_commit_survives(StoreKind::Redb);
}

fn every_answered_commit_survives(kind: StoreKind) {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger: Vec<(u32, u32, u32)> = Vec::new();
    for round in 0..ROUNDS {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "the_dying_process", "--nocapture"])
            .env(FOLDER, folder.path())
            .env(KIND, kind.name())
            .env(ROUND, round.to_string())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut note = |line: String| {
            let Some(saved) = line.strip_prefix("saved ") else { return false };
            let Some((room, number)) = saved.split_once(' ') else { return false };
            if let (Ok(room), Ok(number)) = (room.parse(), number.parse()) {
                ledger.push((room, round, number));
            }
            true
        };
        let mut noted = 0;
        let mut running = lines.by_ref().map_while(Result::ok);
        while noted < FIRST_KILL_AFTER + 7 * round as usize {
            let line = running.next().expect("the process writes until it is killed");
            noted += usize::from(note(line));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        // What it said before it died counts as well, except a last line cut short.
        let mut rest: Vec<_> = lines.map_while(Result::ok).collect();
        rest.pop();
        for line in rest {
            note(line);
        }
        look(kind, folder.path(), &ledger);
    }
    assert!(ledger.len() > 1000, "only {} commits were answered", ledger.len());
}

/// A child that the other story has just forked holds what this process has locked, until it is another program.
fn open(kind: StoreKind, folder: &std::path::Path) -> Arc<dyn Store> {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        match kind.open(folder) {
            Err(OpenError::Locked(_)) if Instant::now() < deadline => std::thread::yield_now(),
            opened => return opened.unwrap(),
        }
    }
}

fn look(kind: StoreKind, folder: &std::path::Path, ledger: &[(u32, u32, u32)]) {
    let store = open(kind, folder);
    let rooms: Vec<std::collections::BTreeMap<_, _>> =
        (0..ROOMS).map(|number| rows(&*store, &room(number)).into_iter().collect()).collect();
    for (room_number, round, number) in ledger {
        for (key, value) in commit(*round, *number).put {
            let found = rooms[*room_number as usize].get(&key);
            assert_eq!(found, Some(&value), "room {room_number}, round {round}, commit {number}");
        }
    }
    for rows in rooms {
        let twins = rows.keys().filter(|key| key.starts_with(b"twin")).count();
        assert_eq!(twins * 2, rows.len(), "no commit is there in half");
    }
}
