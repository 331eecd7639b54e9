//! Why something did not work, in the three sentences that every error has.

/// What happened, what did *not* happen, what to do next. All three must be printable: names from outside go through
/// `Untrusted::shown`.
#[derive(Debug, Clone, PartialEq, Eq)]
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

/// The code of what somebody ended.
const INTERRUPTED: &str = "interrupted";

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
        Self::new(INTERRUPTED, "interrupted", did_not_happen, "").exit(130)
    }

    /// The same with another exit status.
    pub fn exit(self, exit: u8) -> Self {
        Self { exit, ..self }
    }

    /// The same, where something else did not happen.
    pub fn instead(self, did_not_happen: impl Into<String>) -> Self {
        Self { did_not_happen: did_not_happen.into(), ..self }
    }

    /// Whether somebody ended it.
    pub fn is_interrupt(&self) -> bool {
        self.code == INTERRUPTED
    }

    /// What happened, as a sentence.
    pub fn happened(&self) -> String {
        sentence(&self.message)
    }

    /// What did not happen and what to do next, as sentences; what is empty is left out.
    pub fn rest(&self) -> Vec<String> {
        [&self.did_not_happen, &self.hint].into_iter().filter(|s| !s.is_empty()).map(|s| sentence(s)).collect()
    }
}

/// A text with a capital letter at its start and a full stop at its end.
pub fn sentence(text: &str) -> String {
    // A name stays as it is.
    if text.split_whitespace().next().is_some_and(|word| word.contains(['/', '.', '_', '`'])) {
        return ended(text);
    }
    let mut chars = text.chars();
    let first = chars.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    ended(&format!("{first}{}", chars.as_str()))
}

/// A text with a full stop at its end, which begins as it does: with a file or a name.
pub fn ended(text: &str) -> String {
    let end = if text.ends_with(['.', '!', '?', ':']) { "" } else { "." };
    format!("{text}{end}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_three_sentences() {
        let f = Failure::new("x", "the file is damaged", "nothing was changed", "see chmod 600 x.");
        assert_eq!(f.happened(), "The file is damaged.");
        assert_eq!(f.rest(), ["Nothing was changed.", "See chmod 600 x."]);
        assert!(Failure { hint: String::new(), ..f }.rest().len() == 1);
    }
}
