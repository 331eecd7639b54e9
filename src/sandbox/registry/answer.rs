//! What the registry answers: the real one's statuses, codes and messages, byte for byte.
use super::super::answer::Response;
use crate::registry::{Digest, Name};
use serde::Serialize;
use serde_json::{Value, json};
use std::borrow::Cow;

const JSON: &str = "application/json; charset=utf-8";
const TEXT: &str = "text/plain; charset=utf-8";

/// One thing that is wrong with a request.
#[derive(Debug, Clone, PartialEq)]
pub struct Fault {
    status: u16,
    error: Error,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct Error {
    code: &'static str,
    message: Cow<'static, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<Value>,
}

impl Fault {
    fn new(status: u16, code: &'static str, message: &'static str) -> Self {
        Self { status, error: Error { code, message: Cow::Borrowed(message), detail: None } }
    }

    /// The same with what the real registry adds.
    pub fn with(mut self, detail: impl Into<Value>) -> Self {
        self.error.detail = Some(detail.into());
        self
    }

    /// The real registry adds an empty object where it means an error of Go's that shows nothing of itself.
    fn with_nothing(self) -> Self {
        self.with(json!({}))
    }

    pub fn name_invalid() -> Self {
        Self::new(400, "NAME_INVALID", "invalid repository name")
    }

    pub fn name_unknown(name: &Name) -> Self {
        Self::new(404, "NAME_UNKNOWN", "repository name not known to registry").with(json!({ "name": name.as_str() }))
    }

    pub fn blob_unknown() -> Self {
        Self::new(404, "BLOB_UNKNOWN", "blob unknown to registry")
    }

    pub fn upload_unknown() -> Self {
        Self::new(404, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry")
    }

    /// An upload that was there and is over.
    pub fn upload_over() -> Self {
        Self::upload_unknown().with_nothing()
    }

    /// An upload that has gone on since.
    pub fn upload_elsewhere() -> Self {
        Self::new(404, "BLOB_UPLOAD_INVALID", "blob upload invalid")
    }

    /// An address of an upload that this registry has not given out.
    pub fn upload_invalid() -> Self {
        Self::upload_elsewhere().with_nothing()
    }

    pub fn range_invalid() -> Self {
        Self::new(416, "RANGE_INVALID", "invalid content range")
    }

    pub fn digest_invalid() -> Self {
        Self::new(400, "DIGEST_INVALID", "provided digest did not match uploaded content")
    }

    /// What stands for a digest is none.
    pub fn no_digest() -> Self {
        Self::digest_invalid().with_nothing()
    }

    /// What was sent has another digest.
    pub fn other_digest(said: &Digest) -> Self {
        Self::digest_invalid().with(json!({ "Digest": said.as_str(), "Reason": {} }))
    }

    pub fn manifest_unknown() -> Self {
        Self::new(404, "MANIFEST_UNKNOWN", "manifest unknown")
    }

    pub fn no_such_tag(tag: &str) -> Self {
        Self::manifest_unknown().with(json!({ "Tag": tag }))
    }

    pub fn no_such_revision(name: &Name, digest: &Digest) -> Self {
        Self::manifest_unknown().with(json!({ "Name": name.as_str(), "Revision": digest.as_str() }))
    }

    /// The manifest is of a kind that the client did not say it takes.
    pub fn not_accepted(message: &'static str) -> Self {
        Self::new(404, "MANIFEST_UNKNOWN", message)
    }

    pub fn manifest_invalid() -> Self {
        Self::new(400, "MANIFEST_INVALID", "manifest invalid").with_nothing()
    }

    pub fn manifest_too_large() -> Self {
        Self::manifest_invalid().with("http: request body too large")
    }

    pub fn manifest_blob_unknown(digest: &str) -> Self {
        Self::new(400, "MANIFEST_BLOB_UNKNOWN", "blob unknown to registry").with(digest)
    }

    pub fn too_many(n: u64) -> Self {
        Self::new(400, "PAGINATION_NUMBER_INVALID", "invalid number of results requested").with(json!({ "n": n }))
    }

    pub fn unknown() -> Self {
        Self::new(500, "UNKNOWN", "unknown error").with_nothing()
    }

    /// What only this registry says: the real one has as much room as its disk.
    pub fn full(room: u64) -> Self {
        let mut fault = Self::new(413, "DENIED", "");
        fault.error.message = Cow::Owned(format!(
            "the sandbox's registry holds at most {} MiB; nothing was stored; delete what is not needed, or start another sandbox",
            room >> 20
        ));
        fault
    }

    /// What only this registry says: the disk does not take it.
    pub fn disk() -> Self {
        let message =
            "the sandbox's registry could not write to its directory; nothing was stored; look at the disk and try again";
        Self::new(500, "UNKNOWN", message)
    }
}

impl From<Fault> for Response {
    fn from(fault: Fault) -> Self {
        faults(&[fault])
    }
}

/// All that is wrong with a request, with the status of what comes first. There is something wrong.
pub fn faults(all: &[Fault]) -> Response {
    #[derive(Serialize)]
    struct Body<'a> {
        errors: Vec<&'a Error>,
    }
    let status = all.first().map_or(500, |f| f.status);
    let body = serde_json::to_string(&Body { errors: all.iter().map(|f| &f.error).collect() }).unwrap_or_default();
    of_kind(status, JSON, format!("{body}\n"))
}

/// An answer with a header more.
pub fn with(mut answer: Response, name: &'static str, value: impl Into<Cow<'static, str>>) -> Response {
    answer.headers.push((name, value.into()));
    answer
}

/// An answer without a body.
pub fn empty(status: u16) -> Response {
    Response { status, headers: Vec::new(), body: Vec::new() }
}

/// An answer that says what it holds.
pub fn of_kind(status: u16, kind: &'static str, body: impl Into<Vec<u8>>) -> Response {
    with(Response { body: body.into(), ..empty(status) }, "Content-Type", kind)
}

/// JSON.
pub fn json(body: impl Into<Vec<u8>>) -> Response {
    of_kind(200, JSON, body)
}

/// Where something is now.
pub fn placed(location: String, digest: &Digest) -> Response {
    with(with(empty(201), "Location", location), "Docker-Content-Digest", digest.to_string())
}

/// No such address.
pub fn no_route() -> Response {
    of_kind(404, TEXT, *b"404 page not found\n")
}

/// The address is there, and takes these methods.
pub fn no_method(allowed: &'static str) -> Response {
    with(of_kind(405, TEXT, *b"Method not allowed\n"), "Allow", allowed)
}

/// The methods that an address takes.
pub fn options(allowed: &'static str) -> Response {
    with(empty(200), "Allow", allowed)
}

/// The client has it already.
pub fn not_modified() -> Response {
    empty(304)
}

/// Bytes that are not there.
pub fn no_such_range(size: Option<u64>) -> Response {
    let answer = of_kind(416, TEXT, Vec::new());
    match size {
        Some(size) => with(answer, "Content-Range", format!("bytes */{size}")),
        None => answer,
    }
}
