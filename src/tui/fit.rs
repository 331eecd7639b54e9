//! Text that has to fit: measured in terminal columns, cut at the end or in the middle, or wrapped.
use std::borrow::Cow;
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// Columns that the text takes.
pub fn width(s: &str) -> usize {
    s.width()
}

/// Cuts the end: `docker.io/libr…`.
pub fn end<'a>(s: &'a str, columns: usize, dots: &str) -> Cow<'a, str> {
    if width(s) <= columns {
        return Cow::Borrowed(s);
    }
    let dots = if width(dots) <= columns { dots } else { "" };
    let mut out = take(s.graphemes(true), columns - width(dots));
    out.push_str(dots);
    Cow::Owned(out)
}

/// Cuts the middle, so that both ends of a name can be read: `regis…/gold/app`. The end gets two thirds: there names
/// differ.
pub fn middle<'a>(s: &'a str, columns: usize, dots: &str) -> Cow<'a, str> {
    if width(s) <= columns {
        return Cow::Borrowed(s);
    }
    if columns < width(dots) + 2 {
        return end(s, columns, "");
    }
    let rest = columns - width(dots);
    let head = take(s.graphemes(true), rest / 3);
    let tail = take(s.graphemes(true).rev(), rest - rest / 3);
    let tail: String = tail.graphemes(true).rev().collect();
    Cow::Owned(format!("{head}{dots}{tail}"))
}

/// Lines of at most `columns` columns, broken between words where there is a word to break at. Never empty.
pub fn wrap(s: &str, columns: usize) -> Vec<String> {
    let columns = columns.max(1);
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in s.split(' ') {
        let gap = usize::from(!line.is_empty());
        if width(&line) + gap + width(word) <= columns {
            if gap == 1 {
                line.push(' ');
            }
            line.push_str(word);
            continue;
        }
        if !line.is_empty() {
            lines.push(std::mem::take(&mut line));
        }
        for g in word.graphemes(true) {
            if width(&line) + width(g) > columns && !line.is_empty() {
                lines.push(std::mem::take(&mut line));
            }
            line.push_str(g);
        }
    }
    if !line.is_empty() || lines.is_empty() {
        lines.push(line);
    }
    lines
}

fn take<'a>(graphemes: impl Iterator<Item = &'a str>, columns: usize) -> String {
    let mut used = 0;
    let mut out = String::new();
    for g in graphemes {
        used += width(g);
        if used > columns {
            break;
        }
        out.push_str(g);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_name_keeps_both_ends() {
        assert_eq!(middle("registry.lab.example/gold/app", 15, "…"), "regi…e/gold/app");
        assert_eq!(middle("short", 15, "…"), "short");
        assert_eq!(middle("abcdef", 2, "…"), "ab");
        assert_eq!(middle("abcdef", 0, "…"), "");
    }

    #[test]
    fn wide_characters_count_twice() {
        assert_eq!(width("日本"), 4);
        assert_eq!(end("日本語", 5, "…"), "日本…");
        assert_eq!(middle("日本語日本語", 7, "…"), "日…本語");
        for n in 0..14 {
            assert!(width(&middle("日本語日本語", n, "…")) <= n);
            assert!(width(&end("日本語日本語", n, "…")) <= n);
        }
    }

    #[test]
    fn a_sentence_is_broken_between_words_and_a_long_word_anywhere() {
        assert_eq!(wrap("the key is gone", 8), ["the key", "is gone"]);
        assert_eq!(wrap("abcdefghij k", 4), ["abcd", "efgh", "ij k"]);
        assert_eq!(wrap("", 4), [""]);
        assert_eq!(wrap("日本", 1), ["日", "本"], "what cannot fit still appears");
    }

    proptest::proptest! {
        #[test]
        fn nothing_is_wider_than_asked(s in "\\PC*", n in 0usize..40) {
            proptest::prop_assert!(width(&end(&s, n, "…")) <= n);
            proptest::prop_assert!(width(&middle(&s, n, "…")) <= n);
        }
    }
}
