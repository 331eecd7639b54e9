//! Reads Rust source just well enough to see its paths: comments, strings and character literals are gone,
//! what is left are words and signs with their lines.

/// A word or a sign, and the line it stands on, from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    pub text: String,
    pub line: usize,
}

/// A path with its groups spelled out: `use a::{b, c::d}` is `a::b` and `a::c::d`. `*` stands for a glob.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path {
    pub segments: Vec<String>,
    pub line: usize,
}

/// The words and signs of a source; `::` is one sign.
pub fn tokens(source: &str) -> Vec<Token> {
    let chars: Vec<char> = source.chars().collect();
    let (mut at, mut line, mut found) = (0, 1, Vec::new());
    while at < chars.len() {
        let rest = &chars[at..];
        let no_code = comment(rest).or_else(|| string(rest)).or_else(|| char_literal(rest));
        if let Some(length) = no_code {
            line += rest[..length].iter().filter(|c| **c == '\n').count();
            at += length;
        } else if rest[0].is_alphanumeric() || rest[0] == '_' {
            let raw = rest.starts_with(&['r', '#']) && rest.get(2).is_some_and(|c| is_word(*c));
            let from = if raw { 2 } else { 0 };
            let length = rest[from..].iter().take_while(|c| is_word(**c)).count();
            found.push(Token { text: rest[from..from + length].iter().collect(), line });
            at += from + length;
        } else {
            let length = if rest.starts_with(&[':', ':']) { 2 } else { 1 };
            if rest[0] == '\n' {
                line += 1;
            } else if !rest[0].is_whitespace() {
                found.push(Token { text: rest[..length].iter().collect(), line });
            }
            at += length;
        }
    }
    found
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Length of the comment that starts here. Block comments nest.
fn comment(rest: &[char]) -> Option<usize> {
    if rest.starts_with(&['/', '/']) {
        return Some(rest.iter().take_while(|c| **c != '\n').count());
    }
    if !rest.starts_with(&['/', '*']) {
        return None;
    }
    let (mut depth, mut at) = (0, 0);
    while at < rest.len() {
        if rest[at..].starts_with(&['/', '*']) {
            depth += 1;
            at += 2;
        } else if rest[at..].starts_with(&['*', '/']) {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return Some(at);
            }
        } else {
            at += 1;
        }
    }
    Some(rest.len())
}

/// Length of the string literal that starts here: plain, byte, C and raw ones.
fn string(rest: &[char]) -> Option<usize> {
    let prefix = rest.iter().take(2).take_while(|c| matches!(c, 'b' | 'c' | 'r')).count();
    let raw = rest[..prefix].contains(&'r');
    let hashes = if raw { rest[prefix..].iter().take_while(|c| **c == '#').count() } else { 0 };
    let open = prefix + hashes;
    if rest.get(open) != Some(&'"') {
        return None;
    }
    let mut at = open + 1;
    while at < rest.len() {
        match rest[at] {
            '\\' if !raw => at += 2,
            '"' if rest[at + 1..].iter().take(hashes).filter(|c| **c == '#').count() == hashes => return Some(at + 1 + hashes),
            _ => at += 1,
        }
    }
    Some(rest.len())
}

/// Length of the character literal that starts here, or of a lifetime, which is no word that matters.
fn char_literal(rest: &[char]) -> Option<usize> {
    let from = if rest.starts_with(&['b', '\'']) { 1 } else { 0 };
    if rest.get(from) != Some(&'\'') {
        return None;
    }
    if rest.get(from + 1) == Some(&'\\') {
        return rest.iter().skip(from + 3).position(|c| *c == '\'').map(|end| from + 3 + end + 1);
    }
    if rest.get(from + 2) == Some(&'\'') {
        return Some(from + 3);
    }
    Some(from + 1 + rest[from + 1..].iter().take_while(|c| is_word(**c)).count())
}

/// Every path of a source, made absolute as far as `crate`, `self` and `super` tell: those start with `crate`.
/// `module` is where the file stands, e.g. `["tuf", "verify"]` for `src/tuf/verify.rs`.
pub fn paths(tokens: &[Token], module: &[String]) -> Vec<Path> {
    let mut found = Vec::new();
    // inline modules, each with the depth of braces at which it ends
    let (mut inside, mut depth, mut inline) = (module.to_vec(), 0_usize, Vec::new());
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        let next = tokens.get(at + 1).map_or("", |t| t.text.as_str());
        match token.text.as_str() {
            "{" => depth += 1,
            "}" => {
                depth = depth.saturating_sub(1);
                if inline.last() == Some(&depth) {
                    inline.pop();
                    inside.pop();
                }
            }
            "mod" if tokens.get(at + 2).is_some_and(|t| t.text == "{") => {
                inside.push(next.to_owned());
                inline.push(depth);
                at += 1;
            }
            text if starts_path(tokens, at, text) => {
                let mut base = Vec::new();
                let after = tree(tokens, at, &mut base, &inside, true, &mut found);
                at = after.max(at + 1);
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    found
}

fn starts_path(tokens: &[Token], at: usize, text: &str) -> bool {
    if !text.starts_with(|c: char| c.is_alphabetic() || c == '_') {
        return false;
    }
    let before = |n: usize| at.checked_sub(n).and_then(|i| tokens.get(i)).map_or("", |t| t.text.as_str());
    let global = before(1) == "::" && !before(2).ends_with(|c: char| is_word(c) || c == '>');
    if before(1) == "::" && !global || before(1) == "." {
        return false;
    }
    let leads_on = tokens.get(at + 1).is_some_and(|t| t.text == "::");
    leads_on || (before(1) == "use" && text != "use")
}

/// Follows one path or one branch of a `use` tree from `at`; returns where it ends.
fn tree(
    tokens: &[Token],
    mut at: usize,
    base: &mut Vec<String>,
    inside: &[String],
    mut anchor: bool,
    found: &mut Vec<Path>,
) -> usize {
    let line = tokens.get(at).map_or(0, |t| t.line);
    while let Some(token) = tokens.get(at) {
        match token.text.as_str() {
            "{" => {
                at += 1;
                while let Some(token) = tokens.get(at) {
                    match token.text.as_str() {
                        "}" => return at + 1,
                        "," => at += 1,
                        _ => at = tree(tokens, at, &mut base.clone(), inside, anchor, found).max(at + 1),
                    }
                }
                return at;
            }
            "crate" if anchor => *base = vec!["crate".to_owned()],
            "self" if anchor => *base = rooted(inside),
            "self" => {}
            "super" => {
                if anchor {
                    *base = rooted(inside);
                }
                if base.len() > 1 {
                    base.pop();
                }
            }
            word if word == "*" || word.starts_with(is_word) => base.push(word.to_owned()),
            // a turbofish: what is inside has paths of its own
            _ => {
                at -= 1;
                break;
            }
        }
        anchor = false;
        if tokens.get(at + 1).is_none_or(|t| t.text != "::") {
            at += 1;
            break;
        }
        at += 2;
    }
    if tokens.get(at).is_some_and(|t| t.text == "as") {
        at += 2;
    }
    found.push(Path { segments: base.clone(), line });
    at
}

fn rooted(inside: &[String]) -> Vec<String> {
    std::iter::once("crate".to_owned()).chain(inside.iter().cloned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(source: &str) -> Vec<String> {
        tokens(source).into_iter().map(|t| t.text).collect()
    }

    fn spelled(source: &str, module: &[&str]) -> Vec<String> {
        let module: Vec<String> = module.iter().map(|s| (*s).to_owned()).collect();
        paths(&tokens(source), &module).into_iter().map(|p| p.segments.join("::")).collect()
    }

    #[test]
    fn comments_strings_and_characters_are_not_read() {
        assert_eq!(words("a // crate::b\n/* c /* d */ e */ f"), ["a", "f"]);
        assert_eq!(words(r##"x("crate::b \" y", r#"say "crate::c""#, b"d", br"e", c"f") z"##).join(" "), "x ( , , , , ) z");
        assert_eq!(
            words(r"let q = '\''; let r = '\u{7f}'; let s: &'a str = b'x'; t").join(" "),
            "let q = ; let r = ; let s : & str = ; t"
        );
    }

    #[test]
    fn lines_are_counted_through_comments_and_strings() {
        let found = tokens("/* 1\n2 */\n\"3\n4\"\nhere");
        assert_eq!(found.last().map(|t| (t.text.as_str(), t.line)), Some(("here", 5)));
    }

    #[test]
    fn groups_are_spelled_out_at_any_depth() {
        assert_eq!(
            spelled("use crate::{tuf::{name::{Gun, KeyId as K}, self}, keys::*, text};", &[]),
            ["crate::tuf::name::Gun", "crate::tuf::name::KeyId", "crate::tuf", "crate::keys::*", "crate::text"]
        );
        assert_eq!(spelled("use std::{fs::{self, File}, io};", &[]), ["std::fs", "std::fs::File", "std::io"]);
        assert_eq!(spelled("use {crate::tui, super::keys};", &["tuf"]), ["crate::tui", "crate::keys"]);
    }

    #[test]
    fn super_and_self_are_followed_from_where_they_stand() {
        assert_eq!(spelled("use super::super::text::Untrusted;", &["tuf", "verify"]), ["crate::text::Untrusted"]);
        assert_eq!(spelled("use super::name;", &["tuf", "verify"]), ["crate::tuf::name"]);
        assert_eq!(
            spelled("mod tests { use super::super::super::tui::App; } use self::x::y;", &["tuf", "verify"]),
            ["crate::tui::App", "crate::tuf::verify::x::y"]
        );
        assert_eq!(spelled("use super::{super::tui, name};", &["tuf", "verify"]), ["crate::tui", "crate::tuf::name"]);
    }

    #[test]
    fn paths_inside_code_are_seen() {
        assert_eq!(
            spelled("fn f() -> Vec<crate::tui::App> { crate::cli::run(::std::fs::read) }", &["tuf"]),
            ["crate::tui::App", "crate::cli::run", "std::fs::read"]
        );
        assert_eq!(spelled("a::<crate::tui::B>::c()", &["tuf"]), ["a", "crate::tui::B"]);
        assert_eq!(spelled("pub(crate) fn f(self) {} pub(super) struct X; x.raw()", &["tuf"]), Vec::<String>::new());
        assert_eq!(spelled("use r#crate_like::x; $crate::tui::y!()", &["tuf"]), ["crate_like::x", "crate::tui::y"]);
    }
}
