//! A transcript as it is read: each line of the record in words, with what belongs to it below.
use crate::{
    journal::{Line, Record, event},
    text::{Printable, Untrusted},
};
use jiff::Timestamp;
use serde_json::{Map, Value};

/// A line of a transcript.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// When it was written.
    pub at: Timestamp,
    /// What kind of line it is, by the name that the record has for it.
    pub event: Printable,
    /// What it says.
    pub says: Printable,
    /// What was answered or shown, and which files it is about.
    pub more: Vec<Printable>,
}

/// The transcript of a piece of work.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Transcript {
    /// Its lines, the oldest first.
    pub entries: Vec<Entry>,
    /// What is wrong with the chain, as a sentence.
    pub broken: Option<String>,
}

impl Transcript {
    /// Of a record.
    pub fn of(record: &Record) -> Self {
        Self { entries: record.lines.iter().map(entry).collect(), broken: super::journal::broken(record) }
    }
}

fn entry(line: &Line) -> Entry {
    let text = |name| line.text(name).to_owned();
    let (says, more) = match line.event() {
        event::WORK => {
            let by = format!("claviger {}", line.text("claviger"));
            (format!("{}, by {by}, in {}", line.text("name"), line.text("directory")), Vec::new())
        }
        event::ANSWER => answer(line),
        event::BACK => ("back to the question before".to_owned(), Vec::new()),
        event::BEGUN => (text("what"), line.entry.get("changes").map(changes).unwrap_or_default()),
        event::RESUMED => ("taken up again".to_owned(), Vec::new()),
        event::WITHDRAWN => (format!("taken away: {}", line.text("removed")), Vec::new()),
        event::DONE | event::FAILED | event::END => {
            let all = ["outcome", "result", "message", "did_not_happen"].map(|name| line.text(name));
            (all.into_iter().filter(|t| !t.is_empty()).collect::<Vec<_>>().join("; "), Vec::new())
        }
        _ => (Value::Object(line.entry.clone()).to_string(), Vec::new()),
    };
    let more = more.into_iter().map(|m| Untrusted::new(m).shown()).collect();
    Entry { at: line.at, event: Untrusted::new(line.event()).shown(), says: Untrusted::new(says).shown(), more }
}

/// What was asked, and what was answered.
fn answer(line: &Line) -> (String, Vec<String>) {
    let nothing = Map::new();
    let asked = line.entry.get("question").and_then(Value::as_object).unwrap_or(&nothing);
    let answer = line.entry.get("answer").unwrap_or(&Value::Null);
    let text = |name| asked.get(name).and_then(Value::as_str);
    if let Some(form) = text("form") {
        let fields = answer.as_object().unwrap_or(&nothing);
        return (form.to_owned(), fields.iter().map(|(name, value)| format!("{name}: {}", plain(value))).collect());
    }
    if let Some(label) = text("passphrase") {
        return (format!("{label}: {}", plain(answer)), Vec::new());
    }
    if let Some(review) = text("review") {
        let pair = |fact: &Value| Some(format!("{}: {}", plain(fact.get(0)?), plain(fact.get(1)?)));
        let facts = list(asked.get("facts")).filter_map(pair);
        let findings = list(asked.get("findings")).filter_map(|f| Some(format!("! {}", plain(f.get("text")?))));
        return (format!("{review}: {}", plain(answer)), facts.chain(findings).collect());
    }
    if let Some(confirm) = text("confirm") {
        let typed = answer.get("typed").map(plain).unwrap_or_default();
        let consequences = list(asked.get("consequences")).map(plain).collect();
        return (format!("{confirm}: {typed} was typed"), consequences);
    }
    (plain(answer), Vec::new())
}

/// The files that something is about, each with what becomes of it.
fn changes(all: &Value) -> Vec<String> {
    list(Some(all))
        .filter_map(|change| {
            let there = |when| change.get(when).is_some_and(|hash| !hash.is_null());
            let becomes = match (there("before"), there("after")) {
                (false, true) => "made",
                (true, false) => "removed",
                (true, true) => "changed",
                (false, false) => "not there",
            };
            Some(format!("{}: {becomes}", plain(change.get("path")?)))
        })
        .collect()
}

fn list(value: Option<&Value>) -> impl Iterator<Item = &Value> {
    value.and_then(Value::as_array).into_iter().flatten()
}

/// A text without its quotes; anything else as JSON.
fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::saying;
    use serde_json::json;

    fn read(line: crate::journal::Entry) -> (String, Vec<String>) {
        let e = entry(&Line { seq: 1, at: Timestamp::UNIX_EPOCH, entry: line });
        (e.says.to_string(), e.more.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn every_kind_of_answer_is_read_with_what_was_asked() {
        let said = |question: Value, answer: Value| read(saying(event::ANSWER, [("question", question), ("answer", answer)]));
        let form = said(json!({"form": "New key"}), json!({"role": "targets", "gun": "a/b"}));
        assert_eq!(form, ("New key".to_owned(), vec!["gun: a/b".to_owned(), "role: targets".to_owned()]));
        let secret = said(json!({"passphrase": "For the key", "role": "root"}), json!("entered"));
        assert_eq!(secret.0, "For the key: entered");
        let review = said(
            json!({"review": "Store it?", "facts": [["ID", "abc"]], "findings": [{"code": "x", "text": "It is old."}]}),
            json!("accepted"),
        );
        assert_eq!(review, ("Store it?: accepted".to_owned(), vec!["ID: abc".to_owned(), "! It is old.".to_owned()]));
        let confirm = said(json!({"confirm": "Remove it", "consequences": ["It is lost."]}), json!({"typed": "abc"}));
        assert_eq!(confirm, ("Remove it: abc was typed".to_owned(), vec!["It is lost.".to_owned()]));
    }

    #[test]
    fn what_begins_names_each_file_and_what_becomes_of_it() {
        let changes = json!([
            {"path": "/a", "before": null, "after": "1"}, {"path": "/b", "before": "1", "after": null},
            {"path": "/c\u{1b}[2J", "before": "1", "after": "2"}
        ]);
        let (says, more) = read(saying(event::BEGUN, [("what", "storing it".into()), ("changes", changes)]));
        assert_eq!((says.as_str(), &more[..2]), ("storing it", &["/a: made".to_owned(), "/b: removed".to_owned()][..]));
        assert!(more[2].ends_with(": changed") && !more[2].contains('\u{1b}'), "{}", more[2]);
    }

    #[test]
    fn a_line_of_a_kind_that_is_not_known_is_shown_as_it_is() {
        let (says, _) = read(saying("later", [("new", 5.into())]));
        assert_eq!(says, r#"{"event":"later","new":5}"#);
    }
}
