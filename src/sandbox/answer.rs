//! What the server answers: status, headers, body. The texts are the real server's, byte for byte (protocol 10.4, 10.5).
use jiff::Timestamp;
use std::borrow::Cow;

/// An answer to one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// Header names and values; without `Date` and `Content-Length`, which belong to the connection.
    pub headers: Vec<(&'static str, Cow<'static, str>)>,
    /// The body.
    pub body: Vec<u8>,
}

/// Body of everything that is not there because no such thing is served.
const NO_ROUTE: &str =
    r#"{"errors":[{"code":"METADATA_NOT_FOUND","message":"You have requested metadata that does not exist."}]}"#;
/// Body of metadata that could be there and is not.
const NOT_FOUND: &str =
    r#"{"errors":[{"code":"METADATA_NOT_FOUND","message":"You have requested metadata that does not exist.","detail":{}}]}"#;
const BAD_PARAMETERS: &str =
    r#"{"errors":[{"code":"INVALID_PARAMETERS","message":"The parameters provided are not valid.","detail":{}}]}"#;
const UNKNOWN: &str = r#"{"errors":[{"code":"UNKNOWN","message":"unknown error","detail":{}}]}"#;
const JSON: &str = "application/json; charset=utf-8";
const TEXT: &str = "text/plain; charset=utf-8";
/// How long what is current may be kept, and what has its version or hash in its name, which never changes.
const CURRENT: &str = "public, max-age=300, s-maxage=300, must-revalidate";
const FOR_GOOD: &str = "public, max-age=2592000, s-maxage=2592000";

impl Response {
    fn new(status: u16, kind: &'static str, body: impl Into<Vec<u8>>) -> Self {
        Self { status, headers: vec![("Content-Type", Cow::Borrowed(kind))], body: body.into() }
    }

    fn error(status: u16, body: &str) -> Self {
        Self::new(status, JSON, format!("{body}\n"))
    }

    /// Text or JSON that a handler wrote without saying what it is.
    pub(super) fn plain(body: impl Into<Vec<u8>>) -> Self {
        Self::new(200, TEXT, body)
    }

    /// The health check.
    pub(super) fn healthy() -> Self {
        Self::new(200, JSON, *b"{}")
    }

    /// Metadata, with the time at which it was stored.
    pub(super) fn metadata(body: Vec<u8>, stored: Timestamp, for_good: bool) -> Self {
        let mut answer = Self::plain(body);
        answer.headers.push(("Cache-Control", Cow::Borrowed(if for_good { FOR_GOOD } else { CURRENT })));
        answer.headers.push(("Last-Modified", Cow::Owned(stored.strftime("%a, %d %b %Y %H:%M:%S UTC").to_string())));
        answer
    }

    /// No such address.
    pub(super) fn no_route() -> Self {
        Self::error(404, NO_ROUTE)
    }

    /// The address makes sense, and there is nothing.
    pub(super) fn not_found() -> Self {
        Self::error(404, NOT_FOUND)
    }

    /// A version number beyond 64 bits; `digits` are digits.
    pub(super) fn no_such_number(digits: &str) -> Self {
        let detail = format!(r#","detail":{{"Func":"Atoi","Num":"{digits}","Err":{{}}}}}}]}}"#);
        Self::error(404, &NOT_FOUND.replace(r#","detail":{}}]}"#, &detail))
    }

    /// A parameter of the change feed is wrong; with words of Go's number parser where the server has them.
    pub(super) fn bad_parameters(words: Option<&str>) -> Self {
        match words {
            None => Self::error(400, BAD_PARAMETERS),
            Some(words) => {
                let detail = format!(r#""detail":{}}}]}}"#, crate::tuf::json::ordinary_string(words));
                Self::error(400, &BAD_PARAMETERS.replace(r#""detail":{}}]}"#, &detail))
            }
        }
    }

    /// Something the server should be able to do and cannot.
    pub(super) fn unknown() -> Self {
        Self::error(500, UNKNOWN)
    }

    /// Something was done, and there is nothing to say about it.
    pub(super) fn done() -> Self {
        Self { status: 200, headers: Vec::new(), body: Vec::new() }
    }

    /// A request was refused; `detail` is JSON.
    pub(super) fn refused(status: u16, code: &str, message: &str, detail: Option<&str>) -> Self {
        let detail = detail.map(|d| format!(r#","detail":{d}"#)).unwrap_or_default();
        let message = crate::tuf::json::ordinary_string(message);
        Self::error(status, &format!(r#"{{"errors":[{{"code":"{code}","message":{message}{detail}}}]}}"#))
    }

    /// What was to be stored could not be.
    pub(super) fn updating() -> Self {
        Self::refused(500, "UPDATING", "An error has occurred while updating the TUF repository.", None)
    }

    /// A name that cannot be a collection's. The real server takes every name; this one is a path for our clients.
    pub(super) fn invalid_gun() -> Self {
        Self::refused(400, "INVALID_GUN", "The repository name you specified is invalid.", None)
    }

    /// A body beyond what is taken.
    #[cfg(feature = "network")]
    pub(super) fn too_large() -> Self {
        Self::new(413, TEXT, *b"413 Request Entity Too Large")
    }

    /// What only this server says: others send so much that there is no room for more.
    #[cfg(feature = "network")]
    pub(super) fn busy() -> Self {
        Self::new(503, TEXT, *b"the sandbox is reading as much as it can hold; nothing was done; try again")
    }

    /// A method that the server does not know.
    pub(super) fn no_method() -> Self {
        Self { status: 405, headers: Vec::new(), body: Vec::new() }
    }

    /// The path has another, cleaner form.
    pub(super) fn moved(to: String) -> Self {
        Self { status: 301, headers: vec![("Location", Cow::Owned(to))], body: Vec::new() }
    }

    /// The path is none.
    pub(super) fn bad_request() -> Self {
        Self::new(400, TEXT, *b"400 Bad Request")
    }

    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_ref())
    }
}
