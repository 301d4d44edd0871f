//! Where an edit is, and in which order it gets there.

use causeway::{Reach, SaveStatus};
use futures_util::StreamExt;

use crate::harness::{Relay, offline_in, text_of, within, write};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_edit_is_on_this_device_then_on_the_relay_then_seen_by_others() {
    let relay = Relay::start().await;
    let (ada, ben) = (relay.device(), relay.device());
    let (at_ada, _at_ben) = (text_of(&ada).await, text_of(&ben).await);
    let receipt = write(&at_ada, "one");
    assert!(!receipt.state().relay, "nothing travels within a call");
    within(receipt.reached(Reach::Device)).await.unwrap();
    within(receipt.reached(Reach::Relay)).await.unwrap();
    assert!(receipt.state().device, "what the relay has is on this device too");
    within(receipt.reached(Reach::Seen(1))).await.unwrap();
    relay.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_save_status_comes_down_to_zero_on_the_device_before_the_relay() {
    let relay = Relay::start().await;
    let ada = relay.device();
    let text = text_of(&ada).await;
    within(text.synced()).await;
    let mut statuses = text.save_statuses();
    assert_eq!(statuses.next().await, Some(SaveStatus::default()));
    let receipt = write(&text, "one");
    let mut told = Vec::new();
    // Whoever pulls late gets the latest only, which may be where it began.
    within(async {
        let saved = receipt.reached(Reach::Relay);
        tokio::pin!(saved);
        loop {
            tokio::select! {
                status = statuses.next() => told.push(status.unwrap()),
                reached = &mut saved => return reached.unwrap(),
            }
        }
    })
    .await;
    assert_eq!(text.save_status().unsaved_on_relay, 0);
    for status in told {
        assert!(status.unsaved_on_device <= status.unsaved_on_relay, "{status:?}");
    }
    relay.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_relay_an_edit_reaches_the_device_and_waits_there() {
    let folder = tempfile::tempdir().unwrap();
    let engine = offline_in(folder.path());
    let receipt = write(&text_of(&engine).await, "one");
    within(receipt.reached(Reach::Device)).await.unwrap();
    assert!(!receipt.state().relay);
    engine.close().await.unwrap();
    assert_eq!(within(receipt.reached(Reach::Relay)).await, Err(causeway::NotReached::Closed));
}
