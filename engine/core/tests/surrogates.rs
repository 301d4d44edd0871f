//! Positions inside a character of two UTF-16 units: as in Yjs, each half becomes U+FFFD, and nothing else is harmed.

use causeway_core::time::Millis;
use causeway_core::ydoc::Document;

const A: u64 = (1 << 52) | 1;
const B: u64 = (1 << 52) | 2;

#[test]
fn an_edit_inside_a_character_leaves_all_devices_with_one_text() {
    for cut in 0..=4u32 {
        let mut a = Document::new(A);
        let mut b = Document::new(B);
        let (_, first) = a.edit(None, Millis(0), |text| text.insert(0, "x🐚y"));
        b.apply(&first.expect("a change").update).expect("applies");
        let (_, second) = a.edit(None, Millis(1), |text| text.insert(cut, "—"));
        if let Some(second) = second {
            b.apply(&second.update).expect("applies");
        }
        assert_eq!(a.text(), b.text());
        assert_eq!(a.text().encode_utf16().count() as u32, a.len());
        let (_, third) = a.edit(None, Millis(1), |text| text.delete(cut.min(text.len() - 1), 1));
        if let Some(third) = third {
            b.apply(&third.update).expect("applies");
        }
        assert_eq!(a.text(), b.text());
        assert_eq!(a.text().encode_utf16().count() as u32, a.len());
    }
}
