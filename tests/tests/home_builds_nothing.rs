//! The home parses structure and never builds a document. A test of its own, because the count is one per process.

use causeway_core::ydoc::documents_built;
use causeway_tests::network::Network;

#[test]
fn passing_edits_on_catching_readers_up_and_restarting_build_no_document() {
    let (mut network, text) = Network::with_document(3);
    network.insert(0, text, 0, "begun");
    network.rest();
    let built = documents_built();
    for n in 0..60 {
        network.insert(n % 3, text, 0, "word ");
        network.rest();
        if n % 20 == 0 {
            network.drop_link(n % 3);
            network.go_online(n % 3);
        }
        if n % 25 == 0 {
            network.restart_home();
        }
    }
    assert_eq!(network.text(0, text), network.text(2, text));
    assert_eq!(documents_built(), built, "only a device that opens a text builds one");
}
