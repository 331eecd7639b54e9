//! What a procedure asks, and what is answered. A question is a page of a wizard, and a few lines on a terminal.
use crate::{finding::Finding, secret::Given};
use std::{fmt, sync::Arc};

/// Where a procedure is: a name that stays the same for scripts and records, and what the paper script says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// The name, in kebab-case.
    pub name: &'static str,
    /// What is done here, in one sentence.
    pub says: &'static str,
}

/// Something that is asked. All text in it must be printable: names from outside go through `Untrusted::shown`.
#[derive(Debug, Clone, PartialEq)]
pub enum Question {
    /// Several fields that belong together.
    Form(Form),
    /// A passphrase.
    Secret(SecretWanted),
    /// What will be done, to be looked at before it is.
    Review(Review),
    /// A consequence that somebody must want.
    Confirm(Confirm),
    /// Not a question: what is being done now. Answered at once.
    Working(String),
}

/// Fields that belong together.
#[derive(Debug, Clone, PartialEq)]
pub struct Form {
    /// What the page is about.
    pub title: String,
    /// What the fields are.
    pub fields: Vec<Field>,
}

impl Form {
    /// What is wrong with the values, field by field; empty if they can be taken. What is wrong with the world is not among it: a
    /// file that is not there is no wrong usage, and the procedure says so itself.
    pub fn problems(&self, values: &Values) -> Vec<(&'static str, String)> {
        self.fields.iter().filter(|f| !f.looks).filter_map(|f| f.judge(values).err().map(|why| (f.name, why))).collect()
    }
}

/// How a value is judged: what it is understood as, or what is wrong with it. It sees the other fields too.
pub type Check = Arc<dyn Fn(&str, &Values) -> Result<Option<String>, String> + Send + Sync>;

/// One field of a form.
#[derive(Clone)]
pub struct Field {
    /// The name, which is also the option or argument of the command line.
    pub name: &'static str,
    /// What stands before it.
    pub label: &'static str,
    /// What helps to fill it.
    pub help: &'static str,
    /// What can be in it.
    pub kind: Kind,
    /// What is in it at first.
    pub initial: String,
    /// How it is judged while somebody types.
    pub check: Check,
    /// Whether that looks at the world, so that the value may be right and yet of no use.
    pub looks: bool,
}

impl Field {
    /// A line of text, empty at first, that may be anything.
    pub fn text(name: &'static str, label: &'static str, help: &'static str) -> Self {
        Self { name, label, help, kind: Kind::Text, initial: String::new(), check: Arc::new(|_, _| Ok(None)), looks: false }
    }

    /// The name of a file or directory.
    pub fn path(name: &'static str, label: &'static str, help: &'static str) -> Self {
        Self { kind: Kind::Path, ..Self::text(name, label, help) }
    }

    /// One of several.
    pub fn choice(name: &'static str, label: &'static str, help: &'static str, options: Vec<Choice>) -> Self {
        let initial = options.first().map(|o| o.value.to_owned()).unwrap_or_default();
        Self { kind: Kind::Choice(options), initial, ..Self::text(name, label, help) }
    }

    /// The same field with this in it at first.
    pub fn with(self, initial: impl Into<String>) -> Self {
        Self { initial: initial.into(), ..self }
    }

    /// The same field, judged by this.
    pub fn checked(self, check: impl Fn(&str, &Values) -> Result<Option<String>, String> + Send + Sync + 'static) -> Self {
        Self { check: Arc::new(check), ..self }
    }

    /// The same field, judged by a look at the world. What that finds wrong keeps a screen from going on, and is left to the
    /// procedure where nobody can mend it.
    pub fn checked_by_looking(
        self,
        check: impl Fn(&str, &Values) -> Result<Option<String>, String> + Send + Sync + 'static,
    ) -> Self {
        Self { looks: true, ..self.checked(check) }
    }

    /// What its value is understood as, or what is wrong with it.
    pub fn judge(&self, values: &Values) -> Result<Option<String>, String> {
        let value = values.get(self.name);
        if let Kind::Choice(options) = &self.kind
            && !options.iter().any(|o| o.value == value)
        {
            let all: Vec<&str> = options.iter().map(|o| o.value).collect();
            return Err(format!("it is one of {}", all.join(", ")));
        }
        (self.check)(value, values)
    }
}

impl PartialEq for Field {
    fn eq(&self, other: &Self) -> bool {
        // A check cannot be compared, and what it judges is.
        (self.name, self.label, &self.kind, &self.initial) == (other.name, other.label, &other.kind, &other.initial)
    }
}

impl fmt::Debug for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Field").field("name", &self.name).field("initial", &self.initial).finish_non_exhaustive()
    }
}

/// What can be in a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// A line of text.
    Text,
    /// The name of a file or directory: a line of text that can be completed.
    Path,
    /// One of these.
    Choice(Vec<Choice>),
}

/// One of several.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Choice {
    /// What the command line calls it.
    pub value: &'static str,
    /// What it means, in a few words.
    pub meaning: &'static str,
}

/// What was filled into a form.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Values(Vec<(&'static str, String)>);

impl Values {
    /// The values that a form has at first.
    pub fn of(form: &Form) -> Self {
        Self(form.fields.iter().map(|f| (f.name, f.initial.clone())).collect())
    }

    /// The value of a field; empty if there is none.
    pub fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(n, _)| *n == name).map_or("", |(_, v)| v)
    }

    /// Fills a field.
    pub fn set(&mut self, name: &'static str, value: impl Into<String>) {
        match self.0.iter_mut().find(|(n, _)| *n == name) {
            Some((_, v)) => *v = value.into(),
            None => self.0.push((name, value.into())),
        }
    }

    /// All fields with their values.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.0.iter().map(|(n, v)| (*n, v.as_str()))
    }
}

/// A passphrase that is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretWanted {
    /// What it opens or will protect, such as `the new root key`.
    pub label: String,
    /// The role in the key's file, which decides where the passphrase may come from.
    pub role: String,
    /// The key's ID in hexadecimal digits, if it is known.
    pub key_id: Option<String>,
    /// Whether it exists or is to be thought of.
    pub kind: SecretKind,
    /// Why it is asked once more.
    pub again: Option<String>,
}

/// Whether a passphrase exists, and so where it may come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretKind {
    /// It opens a key that there is.
    Existing,
    /// It will protect a new key: typed twice, and strong enough.
    New,
    /// It will protect a key that has another one: the same, and never from where the other one comes.
    Replacement,
}

/// What will be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Review {
    /// What the page is about.
    pub title: String,
    /// What will be, by name.
    pub facts: Vec<(&'static str, String)>,
    /// What is notable about it.
    pub findings: Vec<Finding>,
    /// What happens when it is accepted, as a verb: `Store the key`.
    pub verb: &'static str,
    /// Set where a plan is shown that a person or `--yes` must accept.
    pub plan: Option<PlanAsked>,
}

/// What a plan that is shown is known by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanAsked {
    /// Its digest.
    pub digest: String,
    /// Why only a person can accept it, if that is so.
    pub needs_person: Option<String>,
    /// Whether nothing is in its place, so that it is done unless another was expected.
    pub needs_nobody: bool,
    /// Whether another one was accepted before it.
    pub is_another: bool,
}

/// A consequence that somebody must want.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confirm {
    /// What will happen.
    pub title: String,
    /// What follows from it, in sentences.
    pub consequences: Vec<String>,
    /// What has to be typed, in full.
    pub typed: String,
}

/// What was answered.
pub enum Answer {
    /// A form, filled in.
    Values(Values),
    /// A passphrase. It is used and forgotten: no record of answers holds it.
    Secret(Given),
    /// A review that was accepted.
    Accepted,
    /// What was typed to confirm.
    Typed(String),
    /// What is being done was seen.
    Seen,
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Values(v) => f.debug_tuple("Values").field(v).finish(),
            Self::Secret(_) => f.write_str("Secret(entered)"),
            Self::Accepted => f.write_str("Accepted"),
            Self::Typed(t) => f.debug_tuple("Typed").field(t).finish(),
            Self::Seen => f.write_str("Seen"),
        }
    }
}
