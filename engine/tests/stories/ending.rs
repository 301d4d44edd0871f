//! The end of an engine, its beginning again, and what cannot be opened.

use causeway::{EditFailure, Engine, EngineConfig, OpenError, RoomError, StoreChoice};
use futures_util::StreamExt;

use crate::harness::{Relay, offline_in, reads, text_of, within, write};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_keeps_what_was_not_saved_and_sends_it() {
    let folder = tempfile::tempdir().unwrap();
    for words in ["one ", "two ", "three"] {
        let engine = offline_in(folder.path());
        write(&text_of(&engine).await, words);
        engine.close().await.unwrap();
    }
    let relay = Relay::start().await;
    let (writer, reader) = (relay.device_in(folder.path()), relay.device());
    let text = text_of(&writer).await;
    write(&text, "!");
    reads(&text_of(&reader).await, "one two three!").await;
    relay.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_on_redb_keeps_what_was_written_and_the_folder_stays_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let open = |store| Engine::open(EngineConfig { store, ..EngineConfig::default() });
    for words in ["one ", "two"] {
        let engine = open(StoreChoice::Redb(folder.path().into())).unwrap();
        write(&text_of(&engine).await, words);
        engine.close().await.unwrap();
    }
    let told = open(StoreChoice::Sled(folder.path().into())).unwrap_err();
    assert!(told.to_string().contains("ask for redb"), "{told}");
    let engine = open(StoreChoice::Folder(folder.path().into())).unwrap();
    assert_eq!(text_of(&engine).await.read().unwrap(), "one two");
    engine.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unsaved_work_is_sent_even_when_nobody_opens_the_document_again() {
    let folder = tempfile::tempdir().unwrap();
    let engine = offline_in(folder.path());
    write(&text_of(&engine).await, "left behind");
    engine.close().await.unwrap();
    let relay = Relay::start().await;
    let (writer, reader) = (relay.device_in(folder.path()), relay.device());
    let _room = writer.room("story").unwrap();
    reads(&text_of(&reader).await, "left behind").await;
    relay.stop().await;
}

#[tokio::test]
async fn after_the_end_nothing_is_written_and_streams_are_over() {
    let engine = Engine::open(EngineConfig::default()).unwrap();
    let text = text_of(&engine).await;
    let mut changes = text.changes();
    write(&text, "kept");
    engine.close().await.unwrap();
    assert_eq!(text.edit(|text| text.insert(0, "x")).unwrap_err(), EditFailure::Closed);
    assert_eq!(text.read().unwrap(), "kept");
    assert_eq!(engine.room("other").unwrap_err(), RoomError::Closed);
    assert!(within(changes.next()).await.is_some());
    assert!(within(changes.next()).await.is_none());
    engine.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_engine_that_is_only_dropped_writes_what_waits_and_frees_its_folder() {
    let folder = tempfile::tempdir().unwrap();
    {
        let engine = offline_in(folder.path());
        write(&text_of(&engine).await, "dropped");
    }
    let again = within(async {
        loop {
            let store = StoreChoice::Folder(folder.path().into());
            match Engine::open(EngineConfig { store, ..EngineConfig::default() }) {
                Ok(engine) => return engine,
                // pace: between two looks at the folder
                Err(_) => tokio::time::sleep(std::time::Duration::from_millis(20)).await,
            }
        }
    })
    .await;
    assert_eq!(text_of(&again).await.read().unwrap(), "dropped");
    again.close().await.unwrap();
}

#[tokio::test]
async fn a_folder_that_is_in_use_is_one_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let engine = offline_in(folder.path());
    let store = StoreChoice::Folder(folder.path().into());
    let told = Engine::open(EngineConfig { store, ..EngineConfig::default() }).unwrap_err();
    assert!(matches!(told, OpenError::Store(_)));
    assert!(told.to_string().contains("in use"), "{told}");
    engine.close().await.unwrap();
}

#[test]
fn outside_of_tokio_an_engine_says_so() {
    assert_eq!(Engine::open(EngineConfig::default()).unwrap_err(), OpenError::NoRuntime);
}

#[tokio::test]
async fn a_name_that_is_none_is_told_before_anything_happens() {
    let engine = Engine::open(EngineConfig::default()).unwrap();
    assert!(matches!(engine.room("a/b").unwrap_err(), RoomError::Name(_)));
    let told = Engine::open(EngineConfig { name: "x".repeat(65), ..EngineConfig::default() });
    assert!(matches!(told.unwrap_err(), OpenError::Person(_)));
}
