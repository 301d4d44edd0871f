//! People who talk over a real relay, and one who stays the same person from day to day.

use causeway::{Channel, Engine, Reach, Saved, TimelineChange};
use futures_util::StreamExt;

use crate::harness::{Relay, offline_in, within};

async fn channel_of(engine: &Engine) -> Channel {
    let channel = engine.room("story").unwrap().main_channel();
    within(channel.ready()).await.unwrap();
    channel
}

/// Follows a channel until what is shown passes a look at it.
async fn until(channel: &Channel, look: impl Fn(&[causeway::Post]) -> bool) -> Vec<causeway::Post> {
    let mut changes = channel.changes();
    let mut shown = Vec::new();
    while !look(&shown) {
        match within(changes.next()).await.expect("the engine is open") {
            TimelineChange::Reset { posts, .. } => shown = posts,
            TimelineChange::Splice { at, remove, insert, .. } => drop(shown.splice(at..at + remove, insert)),
        }
    }
    shown
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_said_arrives_with_its_author_and_is_answered_changed_and_read() {
    let relay = Relay::start().await;
    let (ada, ben) = (relay.named("Ada"), relay.named("Ben"));
    let (at_ada, at_ben) = (channel_of(&ada).await, channel_of(&ben).await);
    let receipt = at_ada.post("ahoy 🌊", None).unwrap();
    within(receipt.reached(Reach::Relay)).await.unwrap();
    let heard = until(&at_ben, |posts| posts.len() == 1).await;
    assert_eq!((heard[0].author.name.as_str(), heard[0].text.as_str()), ("Ada", "ahoy 🌊"));
    assert_eq!(heard[0].author.person, ada.room("story").unwrap().person());
    assert_eq!((at_ben.unread().count, at_ada.unread().count), (1, 0));
    at_ben.mark_read(None);
    assert_eq!(at_ben.unread().count, 0);

    at_ben.react(heard[0].name, "👍", true).unwrap();
    at_ben.post("ahoy to you", Some(heard[0].name)).unwrap();
    let seen = until(&at_ada, |posts| posts.len() == 2 && !posts[0].reactions.is_empty()).await;
    assert_eq!(seen[1].reply_to, Some(seen[0].name));
    assert!(at_ada.amend(seen[1].name, "defaced").is_err(), "it is somebody else's");
    at_ada.retract(seen[0].name).unwrap();
    until(&at_ben, |posts| posts.first().is_some_and(|post| post.is_deleted && post.text.is_empty())).await;
    until(&at_ada, |posts| posts.iter().all(|post| post.saved == Saved::Relay)).await;
    relay.stop().await;
}

#[tokio::test]
async fn a_person_is_the_same_on_the_next_day_and_finds_what_they_said() {
    let folder = tempfile::tempdir().unwrap();
    let engine = offline_in(folder.path());
    let person = engine.room("story").unwrap().person();
    let receipt = channel_of(&engine).await.post("kept", None).unwrap();
    within(receipt.reached(Reach::Device)).await.unwrap();
    engine.close().await.unwrap();
    drop(engine);

    let engine = offline_in(folder.path());
    assert_eq!(engine.room("story").unwrap().person(), person);
    let posts = channel_of(&engine).await.posts().unwrap();
    assert_eq!((posts.len(), posts[0].text.as_str(), posts[0].is_mine), (1, "kept", true));
    assert_eq!(posts[0].saved, Saved::Device);
    engine.close().await.unwrap();
}
