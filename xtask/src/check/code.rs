//! Source text without its comments and strings, so that a rule sees names only where they are names.

/// How comments and strings are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    Rust,
    Script,
}

/// Blanks comments, strings and character literals; every line and column stays where it was.
pub(crate) fn code_only(text: &str, language: Language) -> String {
    let mut scanner = Scanner { bytes: text.as_bytes(), at: 0, out: Vec::with_capacity(text.len()) };
    while scanner.at < scanner.bytes.len() {
        scanner.next_piece(language);
    }
    String::from_utf8_lossy(&scanner.out).into_owned()
}

/// The part of a Rust file before its `#[cfg(test)] mod …`, which by our custom comes last.
pub(crate) fn before_tests(code: &str) -> &str {
    let mut from = 0;
    while let Some(found) = code[from..].find("#[cfg(test)]") {
        let at = from + found;
        let after = code[at + "#[cfg(test)]".len()..].trim_start();
        let opens = after.starts_with("mod ") && after.find('{') < after.find(';').or(Some(usize::MAX));
        if opens && after.contains('{') {
            return &code[..at];
        }
        from = at + 1;
    }
    code
}

/// Whether a name stands in a line of code as a whole word.
pub(crate) fn names(line: &str, name: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let bytes = line.as_bytes();
    line.match_indices(name).any(|(at, _)| {
        let end = at + name.len();
        let starts = !is_part(name.as_bytes()[0]) || at == 0 || !is_part(bytes[at - 1]);
        let ends = !is_part(name.as_bytes()[name.len() - 1]) || end == bytes.len() || !is_part(bytes[end]);
        starts && ends
    })
}

struct Scanner<'a> {
    bytes: &'a [u8],
    at: usize,
    out: Vec<u8>,
}

impl Scanner<'_> {
    fn next_piece(&mut self, language: Language) {
        let rest = &self.bytes[self.at..];
        let piece = match (language, rest) {
            (_, [b'/', b'/', ..]) => line_comment(rest),
            (_, [b'/', b'*', ..]) => block_comment(rest, language),
            (Language::Rust, [b'r' | b'b' | b'c', ..]) if !self.inside_word() => raw_string(rest),
            (_, [b'"', ..]) => quoted(rest, b'"', language == Language::Rust),
            (Language::Rust, [b'\'', ..]) => character(rest),
            (Language::Script, [b'\'', ..]) => quoted(rest, b'\'', false),
            (Language::Script, [b'`', ..]) => quoted(rest, b'`', true),
            _ => 0,
        };
        if piece == 0 {
            self.out.push(rest[0]);
            self.at += 1;
            return;
        }
        self.out.extend(rest[..piece].iter().map(|&byte| if byte == b'\n' { b'\n' } else { b' ' }));
        self.at += piece;
    }

    fn inside_word(&self) -> bool {
        self.at > 0 && (self.bytes[self.at - 1].is_ascii_alphanumeric() || self.bytes[self.at - 1] == b'_')
    }
}

fn line_comment(rest: &[u8]) -> usize {
    rest.iter().position(|&byte| byte == b'\n').unwrap_or(rest.len())
}

/// Rust's comments nest.
fn block_comment(rest: &[u8], language: Language) -> usize {
    let mut depth = 1;
    let mut at = 2;
    while at < rest.len() {
        match &rest[at..] {
            [b'*', b'/', ..] => {
                depth -= 1;
                at += 2;
                if depth == 0 {
                    return at;
                }
            }
            [b'/', b'*', ..] if language == Language::Rust => {
                depth += 1;
                at += 2;
            }
            _ => at += 1,
        }
    }
    rest.len()
}

/// The length of `r"…"`, `br#"…"#` and the like; zero if a raw string does not start here.
fn raw_string(rest: &[u8]) -> usize {
    let prefix = rest.iter().take_while(|byte| matches!(byte, b'r' | b'b' | b'c')).count();
    let hashes = rest[prefix..].iter().take_while(|&&byte| byte == b'#').count();
    if !rest[..prefix].contains(&b'r') || rest.get(prefix + hashes) != Some(&b'"') {
        return 0;
    }
    let open = prefix + hashes + 1;
    let mut close = vec![b'"'];
    close.resize(hashes + 1, b'#');
    let length = rest[open..].windows(close.len()).position(|window| window == close.as_slice());
    length.map_or(rest.len(), |length| open + length + close.len())
}

/// A string that ends at its quote, or at the line's end where it may not go on: a stray quote, say in a regular
/// expression, then hides one line at most.
fn quoted(rest: &[u8], quote: u8, may_span_lines: bool) -> usize {
    let mut at = 1;
    while at < rest.len() {
        match rest[at] {
            b'\\' => at += 2,
            b'\n' if !may_span_lines => return at,
            byte if byte == quote => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}

/// The length of a character literal; zero for a lifetime.
fn character(rest: &[u8]) -> usize {
    if rest.get(1) == Some(&b'\\') {
        return quoted(rest, b'\'', false);
    }
    // One character is at most four bytes long.
    let close = (2..=5).find(|&at| rest.get(at) == Some(&b'\''));
    match close {
        Some(at) if std::str::from_utf8(&rest[1..at]).is_ok_and(|inner| inner.chars().count() == 1) => at + 1,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rust(text: &str) -> String {
        code_only(text, Language::Rust)
    }

    #[test]
    fn comments_and_strings_are_blanked_and_lines_stay() {
        let code = rust("let a = \"tokio // \\\" x\"; // tokio\n/* tokio /* inner */ tokio */ let b = 1;");
        assert!(!code.contains("tokio"), "{code}");
        assert!(code.contains("let a = ") && code.contains("let b = 1;"), "{code}");
        assert_eq!(code.lines().count(), 2);
    }

    #[test]
    fn raw_strings_characters_and_lifetimes_are_told_apart() {
        let code = rust(
            "fn f<'a>(x: &'a str) { g(r#\"un\"safe\"#, '\"', '\\'', 'ä'); h::<'a>() } let raw = br\"unsafe\";",
        );
        assert!(!code.contains("safe"), "{code}");
        assert!(code.contains("h::<'a>()"), "{code}");
    }

    #[test]
    fn a_stray_quote_in_a_script_hides_its_line_only() {
        let code = code_only("const r = /it's/; it.only(\n`tem\nplate` + react('x')", Language::Script);
        assert!(!code.contains("only") && !code.contains("plate"), "{code}");
        assert!(code.contains("react("), "{code}");
    }

    #[test]
    fn names_are_whole_words() {
        assert!(names("use std::time::Instant;", "Instant"));
        assert!(names("println!(x)", "println!"));
        assert!(!names("let instants = Instants::new();", "Instant"));
        assert!(!names("eprintln!(x)", "println!"));
    }

    #[test]
    fn the_tests_at_the_end_are_cut_but_not_a_declaration() {
        assert_eq!(before_tests("fn a() {}\n#[cfg(test)]\nmod tests {\n use x; }"), "fn a() {}\n");
        let declared = "#[cfg(test)]\nmod tests;\nfn a() {}";
        assert_eq!(before_tests(declared), declared);
    }
}
