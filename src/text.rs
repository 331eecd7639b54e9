//! Text from outside, and what of it may reach a terminal.
//!
//! Everything that a server, a file, a certificate or the clipboard says is [`Untrusted`]: it has no `Display`, so it
//! cannot be printed by accident. [`Untrusted::shown`] makes a [`Printable`], in which control, bidirectional and
//! invisible characters have become visible escapes such as `<1b>` or `<202e>`. JSON output keeps the true value
//! through [`Untrusted::raw`].
use std::{borrow::Cow, fmt, os::unix::ffi::OsStrExt as _, path::Path};

/// Text whose author we do not know.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Untrusted(String);

impl Untrusted {
    /// Takes text as it came.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Takes bytes as they came; what is not UTF-8 becomes U+FFFD.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        Self(String::from_utf8_lossy(bytes).into_owned())
    }

    /// The true value, for JSON, comparison and look-up; never for a terminal.
    pub fn raw(&self) -> &str {
        &self.0
    }

    /// The value as a terminal may show it.
    pub fn shown(&self) -> Printable {
        Printable::from_untrusted(&self.0)
    }
}

impl fmt::Debug for Untrusted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Untrusted({:?})", self.shown().as_str())
    }
}

/// Text that is safe to write to a terminal: one line, no control, bidirectional or invisible characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Printable(String);

impl Printable {
    /// Escapes what a terminal must not receive.
    pub fn from_untrusted(text: &str) -> Self {
        Self(escape(text).into_owned())
    }

    /// The safe text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Printable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl From<Printable> for String {
    fn from(p: Printable) -> String {
        p.0
    }
}

/// Replaces each character that is not [plain](is_plain) by its code in angle brackets.
pub fn escape(text: &str) -> Cow<'_, str> {
    if is_plain_ascii(text, b"") || text.chars().all(is_plain) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_plain(c) {
            out.push(c);
        } else {
            out.push_str(&format!("<{:02x}>", u32::from(c)));
        }
    }
    Cow::Owned(out)
}

/// A path as a terminal may show it. What is not UTF-8 becomes visible byte by byte, so that two names do not look the same.
pub fn path(path: &Path) -> Printable {
    let mut out = String::new();
    for chunk in path.as_os_str().as_bytes().utf8_chunks() {
        out.push_str(&escape(chunk.valid()));
        chunk.invalid().iter().for_each(|byte| out.push_str(&format!("<{byte:02x}>")));
    }
    Printable(out)
}

/// A word for a POSIX shell that stands for exactly these bytes, and that a terminal may show: what is not plain is written in
/// octal digits.
pub fn shell_word(bytes: &[u8]) -> String {
    let bare = |b: &u8| b.is_ascii_alphanumeric() || b"/._-:@%+=,".contains(b);
    match std::str::from_utf8(bytes) {
        Ok(word) if !word.is_empty() && bytes.iter().all(bare) => word.to_owned(),
        Ok(word) if word.chars().all(is_plain) => format!("'{}'", word.replace('\'', r"'\''")),
        _ => {
            let escaped = |b: &u8| {
                if b.is_ascii_alphanumeric() || b"/._-".contains(b) { char::from(*b).to_string() } else { format!("\\{b:03o}") }
            };
            let text: String = bytes.iter().map(escaped).collect();
            // A shell takes away line ends after what a command prints; the other form not every shell knows.
            if bytes.ends_with(b"\n") { format!("$'{text}'") } else { format!("\"$(printf '{text}')\"") }
        }
    }
}

/// Whether text is printable ASCII and `more`. Nearly all text is, and then it needs no decoding; looked at block by block,
/// without a way out of the middle of one, it takes next to no time.
pub fn is_plain_ascii(text: &str, more: &[u8]) -> bool {
    let fits = |b: &u8| (b' '..=b'~').contains(b) | more.iter().fold(false, |any, m| any | (m == b));
    text.as_bytes().chunks(64).all(|block| block.iter().fold(true, |all, b| all & fits(b)))
}

/// Whether a character may reach a terminal as it is: no C0 or C1 control, nothing that changes direction, nothing
/// that takes no room and could hide (zero-width, joiners, variation selectors, tags, fillers), no line or paragraph
/// separator, nothing private or unassigned by design (noncharacters).
pub fn is_plain(c: char) -> bool {
    if c.is_ascii() {
        return !c.is_ascii_control();
    }
    let code = u32::from(c);
    let hidden = c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{2800}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
            | '\u{e000}'..='\u{f8ff}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{10ffff}')
        || code & 0xfffe == 0xfffe
        || (0xfdd0..=0xfdef).contains(&code);
    // Combining marks stacked on a base character can climb over neighbouring lines; they stay visible as codes.
    !hidden && !is_combining(code)
}

/// Marks that draw over their neighbour. Ordinary letters with accents have codes of their own.
fn is_combining(code: u32) -> bool {
    matches!(code, 0x300..=0x36f | 0x483..=0x489 | 0x1ab0..=0x1aff | 0x1dc0..=0x1dff | 0x20d0..=0x20ff | 0xfe20..=0xfe2f)
}

/// So many of something, in words: `1 name`, `2 names`.
pub fn count<N: fmt::Display + From<u8> + PartialEq>(n: N, what: &str) -> String {
    format!("{n} {what}{}", if n == N::from(1) { "" } else { "s" })
}

/// So many bytes, in few digits.
pub fn amount(bytes: u64) -> String {
    match bytes {
        1 => "1 byte".to_owned(),
        0..0x2800 => format!("{bytes} bytes"),
        0x2800..0xa0_0000 => format!("{} KiB", bytes >> 10),
        _ => format!("{} MiB", bytes >> 20),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_sequence_becomes_visible_text() {
        let s = Untrusted::new("a\u{1b}]52;c;ZXZpbA==\u{7}\u{9b}31m\u{202e}b\n").shown();
        assert_eq!(s.as_str(), "a<1b>]52;c;ZXZpbA==<07><9b>31m<202e>b<0a>");
    }

    #[test]
    fn invisible_characters_become_visible() {
        for c in [
            '\u{200b}',
            '\u{200d}',
            '\u{2066}',
            '\u{feff}',
            '\u{fe0f}',
            '\u{e0041}',
            '\u{3164}',
            '\u{ad}',
            '\u{2028}',
            '\u{301}',
            '\u{10ffff}',
        ] {
            let s = escape(&c.to_string()).into_owned();
            assert_eq!(s, format!("<{:02x}>", u32::from(c)));
        }
    }

    #[test]
    fn ordinary_text_in_any_script_stays() {
        for s in ["v1.0", "a/é", "日本語", "Привет", "naïve <b>&"] {
            assert_eq!(escape(s), s);
        }
    }

    #[test]
    fn debug_output_is_escaped_too() {
        assert!(!format!("{:?}", Untrusted::new("\u{1b}[2J")).contains('\u{1b}'));
    }

    #[test]
    fn a_word_for_a_shell_stands_for_exactly_its_bytes_and_can_be_shown() {
        let through = |shell: &str, word: &str| {
            std::process::Command::new(shell).arg("-c").arg(format!("printf %s {word}")).output().unwrap().stdout
        };
        let words: [&[u8]; 12] = [
            b"",
            b"plain/word:1",
            b"two words",
            b"it's",
            b"$(boom)",
            b"`x`",
            b"a\\b",
            b"a\"b",
            "é".as_bytes(),
            b"\xff%s'\\",
            b"\x1b[2J\nx",
            "a\u{202e}b".as_bytes(),
        ];
        for bytes in words {
            let word = shell_word(bytes);
            assert_eq!(through("sh", &word), bytes, "{word}");
            assert!(word.chars().all(is_plain), "{word:?}");
        }
        assert_eq!(through("bash", &shell_word(b"a\xff\n")), b"a\xff\n");
    }

    proptest::proptest! {
        #[test]
        fn the_short_cut_for_ascii_lets_nothing_through(s in "[ -~]{0,70}[\\x00-\\x7f\u{9b}]?[ -~\\n]{0,70}") {
            let one_by_one = |more: &[u8]| s.bytes().all(|b| (b' '..=b'~').contains(&b) || more.contains(&b));
            proptest::prop_assert_eq!(is_plain_ascii(&s, b""), one_by_one(b""));
            proptest::prop_assert_eq!(is_plain_ascii(&s, b"\n\t"), one_by_one(b"\n\t"));
        }

        #[test]
        fn nothing_unprintable_survives(s in "\\PC*|[\\x00-\\x20\\u{80}-\\u{9f}\\u{200b}-\\u{206f}]*") {
            proptest::prop_assert!(escape(&s).chars().all(is_plain));
        }
    }
}
