//! Everything the line interface prints goes through here, so that nothing a terminal must not receive can get there, and
//! standard output carries the result and nothing else.
use crate::text;
use serde_json::{Value, json};
use std::{
    borrow::Cow,
    io::{self, Write},
    sync::atomic::{AtomicBool, Ordering},
};

/// Whether what is said beside the result is JSON too.
static AS_JSON: AtomicBool = AtomicBool::new(false);

/// Whether `--json` was given.
pub fn as_json() -> bool {
    AS_JSON.load(Ordering::Relaxed)
}

/// Says once, at the start, whether `--json` was given.
pub fn use_json(yes: bool) {
    AS_JSON.store(yes, Ordering::Relaxed);
}

/// Why a command failed, in the three sentences that every error has.
#[derive(Debug)]
pub struct Failure {
    /// A stable name for scripts.
    pub code: &'static str,
    /// The exit status.
    pub exit: u8,
    /// What happened.
    pub message: String,
    /// What did not happen.
    pub did_not_happen: String,
    /// What to do next; empty if there is nothing to say.
    pub hint: String,
}

impl Failure {
    /// A failure with exit status 1.
    pub fn new(
        code: &'static str,
        message: impl Into<String>,
        did_not_happen: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        Self { code, exit: 1, message: message.into(), did_not_happen: did_not_happen.into(), hint: hint.into() }
    }

    /// Ctrl-C: exit status 130.
    pub fn interrupted(did_not_happen: impl Into<String>) -> Self {
        Self::new("interrupted", "interrupted", did_not_happen, "").exit(130)
    }

    /// The same with another exit status.
    pub fn exit(self, exit: u8) -> Self {
        Self { exit, ..self }
    }

    /// Prints it to standard error, as JSON if that was asked for.
    pub fn print(&self, as_json: bool) {
        if as_json {
            let error = json!({
                "code": self.code,
                "message": self.message,
                "did_not_happen": self.did_not_happen,
                "hint": self.hint,
            });
            line(&json_line(&json!({ "schema": "claviger/error/1", "error": error })));
            return;
        }
        line(&format!("claviger: {}", self.message));
        for more in [&self.did_not_happen, &self.hint] {
            if !more.is_empty() {
                line(&format!("  {}", sentence(more)));
            }
        }
    }
}

fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    let end = if text.ends_with(['.', '!', '?', ':']) { "" } else { "." };
    format!("{first}{}{end}", chars.as_str())
}

/// Prints text for people. Lines and tabs stay; whatever else a terminal must not receive is escaped once more, in case
/// it was forgotten before.
pub fn say(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(safe(text).as_bytes())?;
    out.flush()
}

/// Prints a note about the result to standard error: with `--json` one object in one line. `text` is a sentence without
/// the program's name.
pub fn note(text: &str) {
    if as_json() {
        line(&json_line(&json!({ "schema": "claviger/note/1", "note": text })));
    } else {
        line(&format!("claviger: {text}"));
    }
}

/// [`note`] for a text that begins with the program's name.
pub fn complain(text: &str) {
    note(text.strip_prefix("claviger: ").unwrap_or(text));
}

fn line(text: &str) {
    // There is nowhere left to report that standard error is closed.
    let _ = writeln!(io::stderr().lock(), "{}", safe(text));
}

/// Prints JSON: two spaces of indentation, true values, unprintable characters escaped.
pub fn say_json(value: &Value) -> io::Result<()> {
    say_json_text(&format!("{}\n", serde_json::to_string_pretty(value).unwrap_or_default()))
}

/// Prints JSON text that was laid out elsewhere.
pub fn say_json_text(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(escape_json(text).as_bytes())?;
    out.flush()
}

fn json_line(value: &Value) -> String {
    escape_json(&value.to_string())
}

fn safe(text: &str) -> Cow<'_, str> {
    if text::is_plain_ascii(text, b"\n\t") || text.chars().all(|c| matches!(c, '\n' | '\t') || text::is_plain(c)) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 64);
    for part in text.split_inclusive(['\n', '\t']) {
        let body = part.strip_suffix(['\n', '\t']).unwrap_or(part);
        out.push_str(&text::escape(body));
        out.push_str(part.get(body.len()..).unwrap_or_default());
    }
    Cow::Owned(out)
}

/// Writes characters that a terminal must not receive as JSON escapes. They can only stand inside strings.
fn escape_json(text: &str) -> String {
    if text::is_plain_ascii(text, b"\n") || text.chars().all(|c| c == '\n' || text::is_plain(c)) {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len() + 64);
    for c in text.chars() {
        if c == '\n' || text::is_plain(c) {
            out.push(c);
        } else {
            let mut units = [0u16; 2];
            for unit in c.encode_utf16(&mut units) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_holds_no_terminal_sequence() {
        assert_eq!(safe("a\u{1b}[2J\tb\u{202e}\n"), "a<1b>[2J\tb<202e>\n");
    }

    #[test]
    fn json_keeps_the_true_value_and_is_printable() {
        let v = json!({"name": "a\u{1b}\u{202e}\u{e0041}\u{9b}é"});
        let text = json_line(&v);
        assert!(text.chars().all(text::is_plain));
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), v);
    }

    #[test]
    fn an_error_is_three_sentences() {
        assert_eq!(sentence("the file is damaged"), "The file is damaged.");
        assert_eq!(sentence("see chmod 600 x."), "See chmod 600 x.");
    }
}
