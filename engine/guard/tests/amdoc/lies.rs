//! Whatever passes, automerge can apply, save, open and go on with.

use automerge::{Automerge, ObjId, ObjType, ROOT, ReadDoc};
use causeway_guard::amdoc::{Ledger, Limits};

use crate::authors::{ACTORS, Dice, Fate, doc_of, fate, written};
use crate::writer::{self, Id, Key, Op, Spec};

/// An honest log, and the ledger and document it makes.
struct Case {
    log: Vec<(usize, Vec<u8>)>,
    ledger: Ledger,
    doc: Automerge,
}

fn case(seed: u64) -> Case {
    let log = written(seed, 8);
    let mut ledger = Ledger::new();
    for (who, bytes) in &log {
        ledger.admit(bytes, ACTORS[*who], &Limits::default()).expect("honest");
    }
    let doc = doc_of(log.iter().map(|(_, bytes)| bytes));
    Case { log, ledger, doc }
}

/// What passed and what automerge made of the rest.
#[derive(Debug, Default)]
struct Count {
    passed: u32,
    harmful_and_refused: u32,
}

impl Count {
    fn add(&mut self, case: &Case, who: usize, bytes: &[u8]) {
        let admitted = case.ledger.clone().admit(bytes, ACTORS[who], &Limits::default());
        let fate = fate(&case.doc, bytes);
        match admitted {
            Ok(_) => {
                assert_eq!(fate, Fate::Applied, "author {who}, change {bytes:?}, log {:?}", case.log);
                self.passed += 1;
            }
            Err(_) => self.harmful_and_refused += u32::from(fate == Fate::Harmed),
        }
    }
}

/// Mutated bytes of honest changes behind a checksum that holds.
#[test]
fn m11_mutated_changes_that_pass_do_no_harm_and_harmful_ones_are_refused() {
    let mut dice = Dice(0xA0_70);
    let mut count = Count::default();
    for seed in 0..25 {
        let full = written(seed, 9);
        let (last, _) = full.split_last().expect("nine steps");
        let case = case(seed);
        if case.log.len() + 1 != full.len() {
            continue;
        }
        let body = &last.1[8 + 1 + if last.1[9] < 0x80 { 1 } else { 2 }..];
        for _ in 0..60 {
            let mut body = body.to_vec();
            for _ in 0..=dice.below(2) {
                let at = dice.below(body.len());
                body[at] = match dice.below(3) {
                    0 => dice.next() as u8,
                    1 => body[at].wrapping_add(1),
                    _ => body[at].wrapping_sub(1),
                };
            }
            count.add(&case, last.0, &writer::framed(1, &body));
        }
    }
    println!("mutations: {count:?}");
    assert!(count.passed > 20 && count.harmful_and_refused > 5, "{count:?}");
}

/// Well-formed changes whose references are thrown at random.
#[test]
fn m11_well_formed_lies_that_pass_do_no_harm_and_harmful_ones_are_refused() {
    let mut dice = Dice(0x11E5);
    let mut count = Count::default();
    for seed in 100..130 {
        let case = case(seed);
        for _ in 0..60 {
            let who = dice.below(3);
            count.add(&case, who, &lie(&case, who, &mut dice).bytes());
        }
    }
    println!("lies: {count:?}");
    assert!(count.passed > 100 && count.harmful_and_refused > 20, "{count:?}");
}

fn lie(case: &Case, who: usize, dice: &mut Dice) -> Spec {
    let heads = case.doc.get_heads();
    let mut builds_on: Vec<[u8; 32]> = heads.iter().map(|hash| hash.0).collect();
    builds_on.sort_unstable();
    let newest = case.doc.get_changes(&[]).iter().map(automerge::Change::max_op).max().unwrap_or(0);
    let seq = case.log.iter().filter(|(author, _)| *author == who).count() as u64 + 1;
    let start = newest + 1;
    let mut ops: Vec<Op> = Vec::new();
    for _ in 0..=dice.below(4) {
        ops.push(op(case, who, start + ops.len() as u64, dice));
    }
    let others: Vec<Vec<u8>> =
        (0..3).filter(|other| *other != who).map(|other| ACTORS[other].to_vec()).collect();
    let mut spec = Spec { builds_on, actor: ACTORS[who].to_vec(), seq, start, others, ops };
    keep_named_actors(&mut spec);
    spec
}

/// Leaves out the actors that no operation names, as automerge does.
fn keep_named_actors(spec: &mut Spec) {
    let mut used = [false; 3];
    let walk = |spec: &mut Spec, visit: &mut dyn FnMut(&mut Id)| {
        for op in &mut spec.ops {
            op.object.iter_mut().for_each(&mut *visit);
            if let Key::Element(id) = &mut op.key {
                visit(id);
            }
            op.replaces.iter_mut().for_each(&mut *visit);
        }
    };
    walk(spec, &mut |id| used[id.0 as usize] = true);
    let kept: Vec<usize> = (1..3).filter(|actor| used[*actor]).collect();
    walk(spec, &mut |id| {
        id.0 = kept.iter().position(|actor| *actor as u64 == id.0).map_or(0, |at| at as u64 + 1);
    });
    spec.others = kept.iter().map(|actor| spec.others[actor - 1].clone()).collect();
}

/// An operation whose parts are there and belong together, but for one in three, where something is thrown at random.
fn op(case: &Case, who: usize, counter: u64, dice: &mut Dice) -> Op {
    let stray = |dice: &mut Dice| -> Id { (dice.below(3) as u64, 1 + dice.next() % (counter + 1)) };
    let places = places(&case.doc, who);
    let (mut object, mut key, mut replaces) = dice.pick(&places).clone();
    let action = *dice.pick(&ACTIONS);
    let mut insert = !matches!(key, Key::Name(_)) && (dice.below(2) == 0 || matches!(key, Key::Head));
    if insert {
        replaces.clear();
    }
    match dice.below(15) {
        0 => object = Some(stray(dice)),
        1 => key = Key::Element(stray(dice)),
        2 => replaces.push(stray(dice)),
        3 => insert = !insert,
        4 => key = Key::Name("b".into()),
        _ => {}
    }
    // By counter, then by actor: `ACTORS` are in order.
    let actor = |number: u64| (0..3).find(|at| numbered(*at, who) == number);
    replaces.sort_unstable_by_key(|id| (id.1, actor(id.0)));
    replaces.dedup();
    if dice.below(20) == 0 {
        replaces.reverse();
    }
    let mut op = Op::new(object, key, action).replacing(&replaces);
    op.insert = insert;
    op.value = match action {
        writer::SET => dice.pick(&[(3, vec![7]), (8, vec![5]), (6, b"abc".to_vec()), (0, vec![])]).clone(),
        writer::INCREMENT => (4, vec![2]),
        _ => (0, vec![]),
    };
    op
}

type Stands = (Option<Id>, Key, Vec<Id>);

/// Where something can be written: object, key or element, and what stands there.
fn places(doc: &Automerge, who: usize) -> Vec<Stands> {
    let mut places = Vec::new();
    let mut open = vec![ROOT];
    while let Some(object) = open.pop() {
        let own = named(&object, who);
        if doc.object_type(&object).is_ok_and(|kind| kind == ObjType::Map) {
            for name in ["a", "b", "count", "new"] {
                let values = doc.get_all(&object, name).expect("a map");
                let ids = values.iter().filter_map(|(_, id)| named(id, who)).collect();
                places.push((own, Key::Name(name.into()), ids));
                open.extend(values.into_iter().filter(|(value, _)| value.is_object()).map(|(_, id)| id));
            }
        } else {
            places.push((own, Key::Head, vec![]));
            for at in 0..doc.length(&object).min(3) {
                let values = doc.get_all(&object, at).expect("an element");
                let ids: Vec<Id> = values.iter().filter_map(|(_, id)| named(id, who)).collect();
                // The first value of an element made it, unless that one was replaced; then this is a lie.
                if let Some(first) = ids.first() {
                    places.push((own, Key::Element(*first), ids));
                }
            }
        }
    }
    places
}

/// An operation with its actor as a number: zero is `who`, the others follow.
fn named(id: &ObjId, who: usize) -> Option<Id> {
    let ObjId::Id(counter, actor, _) = id else { return None };
    let at = ACTORS.iter().position(|name| *name == actor.to_bytes())?;
    Some((numbered(at, who), *counter))
}

fn numbered(at: usize, who: usize) -> u64 {
    match at {
        at if at == who => 0,
        at if at < who => at as u64 + 1,
        at => at as u64,
    }
}

const ACTIONS: [u64; 8] = [
    writer::SET,
    writer::SET,
    writer::SET,
    writer::MAKE_MAP,
    writer::MAKE_LIST,
    writer::MAKE_TEXT,
    writer::DELETE,
    writer::INCREMENT,
];
