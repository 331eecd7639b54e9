//! What comes of publishing (protocol 10.2, 10.3, 10.5). Whether anything was stored decides what may be done next, so the
//! answers are told apart by that.
use super::TransportError;
use crate::{
    net::{TlsFault, Why},
    text::Untrusted,
    tuf::name::BaseRole,
};
use serde_json::Value;
use std::borrow::Cow;

/// A role for which a server may sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ServerRole {
    /// Which versions belong together; owners may leave it to the server.
    Snapshot,
    /// That this is the newest snapshot; always the server's.
    Timestamp,
}

impl ServerRole {
    /// The role.
    pub fn base(self) -> BaseRole {
        match self {
            Self::Snapshot => BaseRole::Snapshot,
            Self::Timestamp => BaseRole::Timestamp,
        }
    }

    /// Its name.
    pub fn as_str(self) -> &'static str {
        self.base().as_str()
    }
}

/// Reads the answer to something that was done: a Notary server says nothing then.
///
/// # Errors
/// [`TransportError::Malformed`]: it was somebody else who answered.
pub fn read_done(body: &[u8]) -> Result<(), TransportError> {
    let said_nothing = body.trim_ascii().is_empty();
    said_nothing.then_some(()).ok_or_else(|| TransportError::Malformed(Untrusted::new("a Notary server says nothing to that")))
}

/// Why files were not published, or may not have been.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PublishError {
    /// 400 with `VERSION`: somebody published first. Nothing was stored.
    #[error("the server already has a newer version: somebody else published first")]
    Conflict,
    /// 400: the server looked at it and said no. Nothing was stored.
    #[error("the server refused what was to be published{}", said(.code, .name, .message))]
    Refused {
        /// The server's error code, for instance `INVALID_UPDATE`.
        code: Option<Untrusted>,
        /// Which check failed: one of `ErrValidation`, `ErrBadHierarchy`, `ErrBadRoot`, `ErrBadTargets` and `ErrBadSnapshot`.
        /// With the code `INVALID_ROLE`, the role that the server understood.
        name: Option<Untrusted>,
        /// The server's words.
        message: Option<Untrusted>,
    },
    /// It did not arrive whole, or was turned away before anybody looked at it. Nothing was stored.
    #[error("nothing was published: {0}")]
    NotSent(TransportError),
    /// It may have been stored: the answer is missing, or says nothing certain.
    #[error("it is not known whether the server stored what was sent: {0}")]
    Uncertain(TransportError),
}

impl PublishError {
    /// What a failed request means. `arrived`: whether it may have arrived whole; `body`: that of the answer, if there was
    /// one.
    pub fn of(error: TransportError, arrived: bool, body: &[u8]) -> Self {
        match &error {
            TransportError::Rejected { .. } => refused(body),
            TransportError::NotAllowed { .. } | TransportError::NotThere { .. } | TransportError::Login(_) => {
                Self::NotSent(error)
            }
            TransportError::Unavailable { status: 400..=499, .. } => Self::NotSent(error),
            // A server that wants another certificate reads nothing before it has it, but says so when we have sent already.
            TransportError::Unreachable { why: Why::Proxy | Why::Tls(TlsFault::ClientCertificateWanted), .. } => {
                Self::NotSent(error)
            }
            TransportError::Unreachable { .. } | TransportError::Malformed(_) if !arrived => Self::NotSent(error),
            TransportError::Unreachable { .. }
            | TransportError::Unavailable { .. }
            | TransportError::TooLarge { .. }
            | TransportError::Redirected { .. }
            | TransportError::Elsewhere { .. }
            | TransportError::Malformed(_) => Self::Uncertain(error),
        }
    }

    /// Whether it is certain that nothing was stored.
    pub fn is_certain(&self) -> bool {
        !matches!(self, Self::Uncertain(_))
    }

    /// What to do next, as one sentence.
    pub fn remedy(&self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::Conflict => "Look at what is published now, and make the change again on top of it.",
            Self::Refused { code, name, message } => refusal_remedy(code.as_ref(), name.as_ref(), message.as_ref()),
            Self::NotSent(TransportError::NotThere { .. }) => {
                "Check the address of the server (--server): nothing can be published there."
            }
            Self::NotSent(TransportError::Unavailable { status: 413, .. }) => {
                "Tell whoever runs the server: it, or a proxy before it, takes nothing as large as this."
            }
            Self::NotSent(error) => return error.remedy(),
            Self::Uncertain(_) => "Look at what the server has now before you publish again: the change may be there already.",
        })
    }
}

fn refusal_remedy(code: Option<&Untrusted>, name: Option<&Untrusted>, message: Option<&Untrusted>) -> &'static str {
    // What a notary-signer says to its server, which passes it on as it is.
    let no_such_key = |m: &Untrusted| m.raw().contains("code = NotFound desc = key");
    match (code.map(Untrusted::raw), name.map(Untrusted::raw)) {
        // Whatever we send is a role with its whole name, so the server has cut it off.
        (Some("INVALID_ROLE"), Some(role)) if !role.contains('/') => {
            "This server cannot take delegations: it was built with Go 1.17 or later and cuts their names off at the slash; \
             whoever runs it must replace it."
        }
        (Some("INVALID_GUN"), _) => "Ask whoever runs the server which names of repositories it takes.",
        _ if message.is_some_and(no_such_key) => {
            "The server holds no key that the root names for it: get its keys for this repository anew, and name those."
        }
        (_, Some("ErrBadHierarchy")) => "Sign the snapshot here too, or leave its key to the server by rotating it.",
        (_, Some("ErrBadRoot")) => "Check that the root is signed with the keys that the published root names.",
        (_, Some("ErrBadTargets")) => "Check that each role is signed with the keys that it has now, and that none has expired.",
        (_, Some("ErrBadSnapshot")) => {
            "Check that the snapshot is signed with the key that it has now, and lists what is published."
        }
        _ => "Tell whoever runs the server what was to be published and what it said.",
    }
}

/// What a 400 means (protocol 10.5). Of what cannot be understood nothing is kept: the status says enough.
fn refused(body: &[u8]) -> PublishError {
    let envelope: Value = serde_json::from_slice(body).unwrap_or_default();
    let filled = |v: Option<&Value>| v.and_then(Value::as_str).filter(|s| !s.is_empty()).map(Untrusted::new);
    let errors = envelope.get("errors").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    // There is one in practice; one that names itself tells more.
    let coded = errors.iter().find(|e| filled(e.get("code")).is_some());
    let Some(error) = coded.or(errors.first()) else {
        return PublishError::Refused { code: None, name: None, message: None };
    };
    let code = filled(error.get("code"));
    let detail = error.get("detail");
    let why = detail.and_then(|d| d.get("Error"));
    let missing = || filled(why?.get("Missing")).map(|what| Untrusted::new(format!("{} is missing", what.raw())));
    let words = filled(why.and_then(|w| w.get("Msg"))).or_else(missing);
    match code.as_ref().map(Untrusted::raw) {
        Some("VERSION") => PublishError::Conflict,
        Some("INVALID_ROLE") => PublishError::Refused { code, name: filled(detail), message: filled(error.get("message")) },
        _ => {
            let name = filled(detail.and_then(|d| d.get("Name")));
            let words = words.or_else(|| filled(detail)).or_else(|| filled(error.get("message")));
            PublishError::Refused { code, name, message: words }
        }
    }
}

/// The server's own words, if it had any.
fn said(code: &Option<Untrusted>, name: &Option<Untrusted>, message: &Option<Untrusted>) -> String {
    let labels: Vec<String> = [name, code].into_iter().flatten().map(|t| t.shown().to_string()).collect();
    match (message, labels.is_empty()) {
        (Some(m), true) => format!(": {}", m.shown()),
        (Some(m), false) => format!(": {} ({})", m.shown(), labels.join(", ")),
        (None, true) => String::new(),
        (None, false) => format!(": {}", labels.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::Wait;
    use std::time::Duration;

    fn of_400(body: &str) -> PublishError {
        PublishError::of(TransportError::Rejected { code: None, message: None }, true, body.as_bytes())
    }

    fn told(body: &str) -> [Option<String>; 3] {
        match of_400(body) {
            PublishError::Refused { code, name, message } => [code, name, message].map(|t| t.map(|t| t.raw().to_owned())),
            other => panic!("{other:?}"),
        }
    }

    fn error(code: &str, detail: &str) -> String {
        format!(r#"{{"errors":[{{"code":"{code}","message":"the words"{detail}}}]}}"#)
    }

    #[test]
    fn a_refusal_is_read_whatever_shape_its_reason_has() {
        let bad = |error: &str| format!(r#","detail":{{"Name":"ErrBadTargets","Error":{error}}}"#);
        let cases = [
            (bad(r#"{"Msg":"no good"}"#), Some("ErrBadTargets"), "no good"),
            (bad(r#"{"Missing":"snapshot","Msg":"no key"}"#), Some("ErrBadTargets"), "no key"),
            (bad(r#"{"Missing":"snapshot"}"#), Some("ErrBadTargets"), "snapshot is missing"),
            (bad("null"), Some("ErrBadTargets"), "the words"),
            (bad(r#"{"Msg":5}"#), Some("ErrBadTargets"), "the words"),
            (r#","detail":{"Name":["x"]}"#.to_owned(), None, "the words"),
            (r#","detail":"a reason""#.to_owned(), None, "a reason"),
            (r#","detail":"""#.to_owned(), None, "the words"),
            (r#","detail":null"#.to_owned(), None, "the words"),
            (r#","detail":{}"#.to_owned(), None, "the words"),
            (r#","detail":[1]"#.to_owned(), None, "the words"),
            (String::new(), None, "the words"),
        ];
        for (detail, name, message) in cases {
            let wanted = [Some("INVALID_UPDATE"), name, Some(message)].map(|t| t.map(str::to_owned));
            assert_eq!(told(&error("INVALID_UPDATE", &detail)), wanted, "{detail}");
        }
    }

    #[test]
    fn of_a_refusal_that_makes_no_sense_nothing_is_kept() {
        let deep = format!("{}{}", "[".repeat(5000), "]".repeat(5000));
        for junk in ["", "<html>", "[]", "null", "{}", r#"{"errors":null}"#, r#"{"errors":{}}"#, r#"{"errors":[]}"#, &deep] {
            assert_eq!(told(junk), [None, None, None], "{junk:.20}");
        }
        for junk in [r#"{"errors":[null]}"#, r#"{"errors":[[]]}"#, r#"{"errors":[{"code":5,"message":[]}]}"#] {
            assert_eq!(told(junk), [None, None, None], "{junk}");
        }
        // Of several, the first that says what it is.
        assert_eq!(told(r#"{"errors":[{},{"code":"X"},{"code":"VERSION"}]}"#), [Some("X".into()), None, None]);
    }

    #[test]
    fn a_newer_version_is_a_conflict_and_no_refusal() {
        assert_eq!(of_400(&error("VERSION", r#","detail":{}"#)), PublishError::Conflict);
    }

    #[test]
    fn a_server_that_cuts_the_names_of_delegations_is_diagnosed() {
        let cut = of_400(&error("INVALID_ROLE", r#","detail":"releases""#));
        assert!(cut.remedy().contains("cannot take delegations"), "{}", cut.remedy());
        assert_eq!(cut.to_string(), "the server refused what was to be published: the words (releases, INVALID_ROLE)");
        for other in [error("INVALID_ROLE", r#","detail":"targets/a""#), error("INVALID_ROLE", "")] {
            assert!(!of_400(&other).remedy().contains("delegations"), "{other}");
        }
    }

    #[test]
    fn a_signer_that_has_no_such_key_is_diagnosed() {
        let words = r#"{"Msg":"rpc error: code = NotFound desc = key 12ab not found"}"#;
        let refused = of_400(&error("INVALID_UPDATE", &format!(r#","detail":{{"Name":"ErrValidation","Error":{words}}}"#)));
        assert!(refused.remedy().contains("holds no key"), "{}", refused.remedy());
    }

    #[test]
    fn only_what_certainly_stored_nothing_is_said_to_have_stored_nothing() {
        let unavailable = |status| TransportError::Unavailable { status, code: None, message: None };
        let unreachable = |why| TransportError::Unreachable { why, text: Untrusted::default() };
        let idle = Why::Timeout(Wait::Idle(Duration::from_secs(1)));
        let not_allowed = TransportError::NotAllowed {
            status: 401,
            realm: None,
            scope: None,
            denial: Box::default(),
            code: None,
            message: None,
        };
        let never = [
            (not_allowed, true),
            (TransportError::NotThere { code: None, message: None }, true),
            (unavailable(413), true),
            (unavailable(405), true),
            (unavailable(429), true),
            (unreachable(Why::Proxy), true),
            (unreachable(Why::Tls(TlsFault::ClientCertificateWanted)), true),
            (unreachable(Why::Connect), false),
            (unreachable(Why::Dns), false),
            (unreachable(Why::Tls(TlsFault::UnknownAuthority)), false),
            (unreachable(Why::Broken), false),
            (unreachable(idle), false),
            // An issuer of tokens that talks rubbish, for instance.
            (TransportError::Malformed(Untrusted::default()), false),
        ];
        for (error, arrived) in never {
            assert_eq!(PublishError::of(error.clone(), arrived, b""), PublishError::NotSent(error));
        }
        let perhaps = [
            unavailable(500),
            unavailable(503),
            unavailable(202),
            unavailable(304),
            unreachable(Why::Broken),
            unreachable(idle),
            unreachable(Why::Tls(TlsFault::Protocol)),
            TransportError::Redirected { to: Untrusted::default() },
            TransportError::TooLarge { limit: 1 },
            TransportError::Malformed(Untrusted::default()),
        ];
        for error in perhaps {
            let made = PublishError::of(error.clone(), true, b"");
            assert!(!made.is_certain() && made.remedy().contains("before you publish again"), "{made}");
            assert_eq!(made, PublishError::Uncertain(error));
        }
    }

    #[test]
    fn what_a_server_says_is_shown_without_harm() {
        let e = of_400(&error(r"A\u001b[2J", r#","detail":{"Name":"\u202e","Error":{"Msg":"\u0007"}}"#));
        assert_eq!(e.to_string(), "the server refused what was to be published: <07> (<202e>, A<1b>[2J)");
    }

    #[test]
    fn a_server_that_has_done_something_says_nothing() {
        assert_eq!(read_done(b""), Ok(()));
        assert_eq!(read_done(b"\r\n"), Ok(()));
        assert!(matches!(read_done(b"<html>"), Err(TransportError::Malformed(_))));
    }
}
