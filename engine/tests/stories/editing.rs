//! Undo, places that stay, and edits that cannot be made.

use causeway::{DocumentError, EditError, EditFailure, Engine, EngineConfig, Side};

use crate::harness::{Relay, reads, text_of, write};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn undo_takes_back_ones_own_words_and_leaves_the_others() {
    let relay = Relay::start().await;
    let (ada, ben) = (relay.device(), relay.device());
    let (at_ada, at_ben) = (text_of(&ada).await, text_of(&ben).await);
    let editor = at_ada.editor().unwrap();
    editor.edit(|text| text.insert(0, "mine ")).unwrap();
    reads(&at_ben, "mine ").await;
    write(&at_ben, "yours");
    reads(&at_ada, "mine yours").await;
    assert!(editor.can_undo() && !editor.can_redo());
    editor.undo().unwrap();
    reads(&at_ben, "yours").await;
    editor.redo().unwrap();
    reads(&at_ben, "mine yours").await;
    relay.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cursor_moves_with_the_text_that_others_write_before_it() {
    let relay = Relay::start().await;
    let (ada, ben) = (relay.device(), relay.device());
    let (at_ada, at_ben) = (text_of(&ada).await, text_of(&ben).await);
    write(&at_ada, "0123456789abc");
    reads(&at_ben, "0123456789abc").await;
    let cursor = at_ada.anchor(10, Side::After).unwrap();
    at_ben.edit(|text| text.insert(0, "xyz")).unwrap();
    reads(&at_ada, "xyz0123456789abc").await;
    assert_eq!(at_ada.resolve(&cursor), Some(13));
    relay.stop().await;
}

#[tokio::test]
async fn a_place_behind_the_end_is_an_error_and_changes_nothing() {
    let engine = Engine::open(EngineConfig::default()).unwrap();
    let text = text_of(&engine).await;
    write(&text, "ab");
    let told = text.edit(|text| text.insert(3, "c")).unwrap_err();
    let behind = EditError::OutOfBounds { end: 3, length: 2 };
    assert_eq!(told, EditFailure::Document(DocumentError::Edit(behind)));
    assert_eq!(text.read().unwrap(), "ab");
}
