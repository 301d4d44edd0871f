//! Two devices, the network between them, and the lack of it.

use crate::harness::{Relay, offline_in, reads, text_of, until, within, write};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_one_device_writes_the_other_reads() {
    let relay = Relay::start().await;
    let (ada, ben) = (relay.device(), relay.device());
    let (at_ada, at_ben) = (text_of(&ada).await, text_of(&ben).await);
    write(&at_ada, "Dear Ben");
    reads(&at_ben, "Dear Ben").await;
    write(&at_ben, ", yes?");
    reads(&at_ada, "Dear Ben, yes?").await;
    relay.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_write_at_once_and_end_equal_with_nothing_lost_or_doubled() {
    let relay = Relay::start().await;
    let (ada, ben) = (relay.device(), relay.device());
    let (at_ada, at_ben) = (text_of(&ada).await, text_of(&ben).await);
    for n in 0..200 {
        at_ada.edit(|text| text.insert(0, "a")).unwrap();
        at_ben.edit(|text| text.insert(text.len(), "b")).unwrap();
        if n % 20 == 0 {
            // pace: lets entries of the two cross
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    }
    let whole = |text: &str| text.len() == 400;
    until(&at_ada, "400 letters", whole).await;
    until(&at_ben, "400 letters", whole).await;
    let text = at_ada.read().unwrap();
    assert_eq!(text, at_ben.read().unwrap());
    assert_eq!(text.matches('a').count(), 200);
    relay.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_written_offline_is_sent_when_the_folder_is_opened_with_a_relay() {
    let folder = tempfile::tempdir().unwrap();
    let away = offline_in(folder.path());
    write(&text_of(&away).await, "on the train");
    away.close().await.unwrap();

    let relay = Relay::start().await;
    let (home, reader) = (relay.device_in(folder.path()), relay.device());
    let at_home = text_of(&home).await;
    assert_eq!(at_home.read().unwrap(), "on the train");
    reads(&text_of(&reader).await, "on the train").await;
    within(at_home.synced()).await;
    relay.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_device_that_was_cut_off_goes_on_writing_and_is_sent_when_the_relay_is_back() {
    let (kept, device) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let relay = Relay::in_folder(kept.path(), "127.0.0.1:0").await;
    let address = relay.address.to_string();
    let ada = relay.device_in(device.path());
    let at_ada = text_of(&ada).await;
    within(write(&at_ada, "before, ").reached(causeway::Reach::Relay)).await.unwrap();
    relay.stop().await;

    write(&at_ada, "during");
    let relay = Relay::in_folder(kept.path(), &address).await;
    ada.room("story").unwrap().reconnect();
    let ben = relay.device();
    reads(&text_of(&ben).await, "before, during").await;
    relay.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn documents_made_on_one_device_are_found_on_the_other() {
    let relay = Relay::start().await;
    let (ada, ben) = (relay.device().room("story").unwrap(), relay.device().room("story").unwrap());
    let documents = ada.documents();
    within(documents.ready()).await.unwrap();
    let poem = documents.create("poems/spring.md").unwrap();
    within(poem.ready()).await.unwrap();
    write(&poem, "The tide");
    documents.rename(poem.id(), "poems/tide.md").unwrap();

    let mut events = ben.events();
    within(async {
        use futures_util::StreamExt;
        while ben.documents().list().first().is_none_or(|found| found.path != "poems/tide.md") {
            events.next().await.expect("the room goes on");
        }
    })
    .await;
    let found = ben.text(ben.documents().list()[0].document).unwrap();
    within(found.ready()).await.unwrap();
    reads(&found, "The tide").await;
    relay.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_see_each_other_and_not_themselves() {
    let relay = Relay::start().await;
    let (ada, ben) = (relay.named("Ada"), relay.named("Ben"));
    let (ada, ben) = (ada.room("story").unwrap(), ben.room("story").unwrap());
    let mut events = ada.events();
    within(async {
        use futures_util::StreamExt;
        while ada.presence().others().is_empty() {
            events.next().await.expect("the room goes on");
        }
    })
    .await;
    let names: Vec<String> = ada.presence().others().into_iter().map(|(_, person)| person.name).collect();
    assert_eq!(names, ["Ben"]);
    drop(ben);
    relay.stop().await;
}
