//! What is wrong with something, how bad that is, and which procedure mends it.
use std::fmt;

/// How bad a finding is. Ordered: an error is greater than a warning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing; nothing need be done.
    Info,
    /// Something should be done.
    Warn,
    /// Something does not work, or is not safe, as it is.
    Error,
}

impl Severity {
    /// The word in JSON and on the screen: `info`, `warn` or `error`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The name of a procedure or command that mends a finding, such as `key migrate`. Only a name, so that what finds
/// a problem need not know what mends it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Remedy(pub &'static str);

impl fmt::Display for Remedy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.0)
    }
}

impl Remedy {
    /// The procedures that this version has. A test holds them against the command line.
    pub const OFFERED: [&'static str; 17] = [
        "key export",
        "key generate",
        "key import",
        "key list",
        "key load",
        "key mend",
        "key migrate",
        "key passwd",
        "key remove",
        "key show",
        "key strengthen",
        "key test",
        "renew",
        "repo show",
        "repo verify",
        "revoke",
        "witness",
    ];

    /// Whether this version has the procedure. What does not exist is not shown.
    pub fn is_offered(&self) -> bool {
        Self::OFFERED.contains(&self.0)
    }
}

/// One thing that was found.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Finding {
    /// A stable name in kebab-case, for scripts.
    pub code: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// What is the matter, in one sentence that is safe to print.
    pub text: String,
    /// What mends it, if a procedure does.
    pub remedy: Option<Remedy>,
}

impl Finding {
    /// A finding that no procedure mends. `text` must be printable: names from outside go through `Untrusted::shown`.
    pub fn new(code: &'static str, severity: Severity, text: impl Into<String>) -> Self {
        Self { code, severity, text: text.into(), remedy: None }
    }

    /// What mends it, if this version has the procedure.
    pub fn offered(&self) -> Option<Remedy> {
        self.remedy.filter(Remedy::is_offered)
    }

    /// The same finding with the name of the procedure that mends it.
    pub fn with_remedy(mut self, name: &'static str) -> Self {
        self.remedy = Some(Remedy(name));
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_greater_than_a_warning() {
        assert!(Severity::Error > Severity::Warn && Severity::Warn > Severity::Info);
    }

    #[test]
    fn a_remedy_is_a_name() {
        let f = Finding::new("legacy-layout", Severity::Warn, "old").with_remedy("key migrate");
        assert_eq!(f.remedy.unwrap().to_string(), "key migrate");
    }
}
