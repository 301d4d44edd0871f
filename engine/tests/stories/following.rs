//! Streams: the whole first, then each change; and bounded for those who pull too late.

use causeway::{Change, Delta, DeltaOp, Engine, EngineConfig, Event};
use futures_util::{FutureExt, StreamExt};

use crate::harness::{Relay, text_of, within, write};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_follower_that_applies_every_change_has_the_same_text() {
    let relay = Relay::start().await;
    let (ada, ben) = (relay.device(), relay.device());
    let (at_ada, at_ben) = (text_of(&ada).await, text_of(&ben).await);
    write(&at_ada, "first é");
    let mut letters = "first é".len() - 1 + 50;
    let mut changes = at_ben.changes();
    let mut mirror = Mirror::default();
    for n in 0..50 {
        let words = format!("🐚{n}");
        letters += words.encode_utf16().count();
        at_ada.edit(|text| text.insert(text.len(), &words)).unwrap();
        at_ben.edit(|text| text.insert(0, "x")).unwrap();
    }
    while mirror.units.len() < letters {
        mirror.take(within(changes.next()).await.unwrap());
    }
    assert_eq!(mirror.text(), at_ben.read().unwrap());
    relay.stop().await;
}

#[tokio::test]
async fn the_first_item_of_everything_is_a_reset() {
    let engine = Engine::open(EngineConfig::default()).unwrap();
    let text = text_of(&engine).await;
    write(&text, "here");
    assert_eq!(text.changes().next().await, Some(Change::Reset("here".into())));
    assert_eq!(engine.room("story").unwrap().events().next().await, Some(Event::Reset));
}

#[tokio::test]
async fn a_follower_that_sleeps_gets_the_text_anew_instead_of_costing_memory() {
    let engine = Engine::open(EngineConfig::default()).unwrap();
    let text = text_of(&engine).await;
    let mut changes = text.changes();
    assert_eq!(changes.next().await, Some(Change::Reset(String::new())));
    for _ in 0..5_000 {
        write(&text, "z");
    }
    let mut mirror = Mirror::default();
    let mut pulled = 0;
    while let Some(Some(change)) = changes.next().now_or_never() {
        mirror.take(change);
        pulled += 1;
    }
    assert!(pulled <= 1024, "{pulled} items waited");
    assert_eq!(mirror.text().len(), 5_000);
}

#[tokio::test]
async fn an_editor_is_not_told_what_it_wrote_itself() {
    let engine = Engine::open(EngineConfig::default()).unwrap();
    let text = text_of(&engine).await;
    let (left, right) = (text.editor().unwrap(), text.editor().unwrap());
    let (mut to_left, mut to_right) = (left.changes(), right.changes());
    to_left.next().await;
    to_right.next().await;
    left.edit(|text| text.insert(0, "one")).unwrap();
    let told = Change::Delta { delta: vec![DeltaOp::Insert("one".into())], editor: Some(left.id()) };
    assert_eq!(to_right.next().await, Some(told));
    assert_eq!(to_left.next().now_or_never(), None);
}

/// A view that knows only what it was told.
#[derive(Default)]
struct Mirror {
    units: Vec<u16>,
}

impl Mirror {
    fn take(&mut self, change: Change) {
        match change {
            Change::Reset(text) => self.units = text.encode_utf16().collect(),
            Change::Delta { delta, .. } => self.apply(&delta),
        }
    }

    fn apply(&mut self, delta: &Delta) {
        let mut at = 0;
        for op in delta {
            match op {
                DeltaOp::Retain(length) => at += *length as usize,
                DeltaOp::Insert(text) => {
                    let units: Vec<u16> = text.encode_utf16().collect();
                    self.units.splice(at..at, units.iter().copied());
                    at += units.len();
                }
                DeltaOp::Delete(length) => {
                    self.units.drain(at..at + *length as usize);
                }
            }
        }
    }

    fn text(&self) -> String {
        String::from_utf16(&self.units).unwrap()
    }
}
