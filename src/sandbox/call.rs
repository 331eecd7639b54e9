//! A request to the sandbox's servers, in process or over HTTP.
use super::answer::Response;
use std::sync::Arc;

/// What answers requests: a Notary server, a registry, an issuer of tokens. It may take a while, and is not asynchronous.
pub type Service = Arc<dyn Fn(&Call<'_>) -> Response + Send + Sync>;

/// What a request must pass before anything of its body is read: it sees everything but that, and may answer instead.
pub type Guard = Arc<dyn Fn(&Call<'_>) -> Result<(), Response> + Send + Sync>;

/// One request.
#[derive(Debug, Clone, Copy, Default)]
pub struct Call<'a> {
    /// The HTTP method.
    pub method: &'a str,
    /// The path as it stands in the request line, percent-encoded.
    pub path: &'a str,
    /// The query, without `?`, as it stands there.
    pub query: &'a str,
    /// Names in lower case, and values.
    pub headers: &'a [(String, String)],
    /// The body.
    pub body: &'a [u8],
}

impl<'a> Call<'a> {
    /// Asks for an address, without headers.
    pub fn get(path: &'a str) -> Self {
        Self::new("GET", path)
    }

    /// Any method, without headers and body.
    pub fn new(method: &'a str, path: &'a str) -> Self {
        Self { method, path, ..Self::default() }
    }

    /// The same with a query.
    pub fn with_query(self, query: &'a str) -> Self {
        Self { query, ..self }
    }

    /// The same with a body.
    pub fn with_body(self, body: &'a [u8]) -> Self {
        Self { body, ..self }
    }

    /// The same with headers, whose names are in lower case.
    pub fn with_headers(self, headers: &'a [(String, String)]) -> Self {
        Self { headers, ..self }
    }

    /// The first header of a name, which is given in lower case.
    pub fn header(&self, name: &str) -> Option<&'a str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }
}
