//! Everything the line interface prints goes through here, so that nothing a terminal must not receive can get there, and
//! standard output carries the result and nothing else.
use crate::text;
use serde_json::{Value, json};
use std::{
    borrow::Cow,
    cell::Cell,
    io::{self, IsTerminal as _, Write},
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
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

pub use crate::failure::Failure;

/// Prints a failure to standard error, as JSON if that was asked for.
pub fn print_failure(failure: &Failure, as_json: bool) {
    if as_json {
        let error = json!({
            "code": failure.code,
            "message": failure.message,
            "did_not_happen": failure.did_not_happen,
            "hint": failure.hint,
        });
        line(&json_line(&json!({ "schema": "claviger/error/1", "error": error })));
        return;
    }
    line(&format!("claviger: {}", failure.message));
    failure.rest().iter().for_each(|sentence| line(&format!("  {sentence}")));
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

/// Prints a line to standard error.
pub fn line(text: &str) {
    // There is nowhere left to report that standard error is closed.
    let _ = writeln!(io::stderr().lock(), "{}", safe(text));
}

/// One line of a terminal that says what goes on, and is taken away at the end.
#[derive(Default)]
pub struct Progress {
    said: Cell<Option<Instant>>,
}

impl Progress {
    /// What goes on now: printable, and short enough for a line.
    pub fn say(&self, text: impl FnOnce() -> String) {
        let recent = self.said.get().is_some_and(|at| at.elapsed() < Duration::from_millis(100));
        if recent || as_json() || !io::stderr().is_terminal() {
            return;
        }
        self.said.set(Some(Instant::now()));
        let mut terminal = io::stderr().lock();
        let _ = write!(terminal, "\r{}\x1b[K", safe(&text())).and_then(|()| terminal.flush());
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.said.get().is_some() {
            let _ = write!(io::stderr().lock(), "\r\x1b[K");
        }
    }
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

/// Text with whatever a terminal must not receive escaped; lines and tabs stay.
pub fn safe(text: &str) -> Cow<'_, str> {
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
}
