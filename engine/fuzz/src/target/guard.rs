//! The guard alone.

use causeway_guard::Limits;
use causeway_guard::ydoc::{Known, Summary, check, check_text, scan};

/// Asks the guard's three questions about one update, with the usual bounds and with tight ones.
pub(super) fn judge(input: &[u8]) -> usize {
    let limits = Limits::default();
    let scanned = scan(input, &limits);
    let checked = check(input, OWN, &Stream, &limits);
    let as_text = check_text(input, OWN, "text", &Stream, &limits);
    if let Ok(summary) = &scanned {
        within(summary, input.len(), &limits);
    }
    if let Ok(extension) = &checked {
        assert!(scanned.is_ok(), "what is checked is scanned");
        assert_eq!(Some(extension.from), Stream.clock(OWN));
        assert!(extension.to >= extension.from);
    }
    if as_text.is_ok() {
        assert_eq!(as_text, checked, "a text is a document");
    }
    if let Ok(summary) = scan(input, &TIGHT) {
        assert!(scanned.is_ok(), "tight bounds refuse more");
        within(&summary, input.len(), &TIGHT);
    }
    usize::from(scanned.is_ok()) + usize::from(checked.is_ok()) + usize::from(as_text.is_ok())
}

fn within(summary: &Summary, bytes: usize, limits: &Limits) {
    assert!(bytes <= limits.bytes);
    assert!(summary.blocks <= limits.blocks && summary.blocks as usize * 2 <= bytes);
    assert!(summary.clients <= limits.clients && summary.clients <= summary.blocks);
    assert!(summary.delete_ranges <= limits.delete_ranges && summary.delete_ranges as usize * 2 <= bytes);
    assert!(summary.max_depth <= limits.depth);
    assert!(summary.skips <= summary.blocks && summary.types <= summary.blocks);
}

/// A stream that three clients have written. Small ids are one byte long, which chance hits.
struct Stream;

impl Known for Stream {
    fn clock(&self, client: u64) -> Option<u32> {
        match client {
            OWN => Some(4),
            2 => Some(100),
            3 => Some(1),
            _ => None,
        }
    }
}

const OWN: u64 = 1;

const TIGHT: Limits = Limits { bytes: 64, blocks: 3, clients: 2, delete_ranges: 2, depth: 2, nested: 1 };
