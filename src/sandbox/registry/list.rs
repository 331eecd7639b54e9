//! Lists: the tags of a repository and the names of all repositories, page by page.
use super::{
    super::{answer::Response, call::Call},
    Registry,
    answer::{self, Fault},
    request::parameter,
};
use crate::registry::Name;
use serde::Serialize;

/// Most entries of a page that a client may ask of the catalogue, and how many it gets if it does not ask.
pub const PAGE: u64 = 1000;
const USUAL_PAGE: u64 = 100;

impl Registry {
    /// The names of all repositories.
    pub(super) fn catalogue(&self, call: &Call<'_>) -> Result<Response, Fault> {
        #[derive(Serialize)]
        struct Body<'a> {
            repositories: Vec<&'a str>,
        }
        if call.method != "GET" {
            return Ok(only_reading(call));
        }
        let n = number(call).unwrap_or(USUAL_PAGE);
        if n > PAGE {
            return Err(Fault::too_many(n));
        }
        let store = self.store();
        let Page { entries, next } = page(store.names(), n, parameter(call, "last").as_deref());
        Ok(linked("/v2/_catalog", n, next, &Body { repositories: entries }))
    }

    /// The tags of a repository. The real registry gives all of them in no order; this is what the specification says.
    pub(super) fn tags(&self, call: &Call<'_>, name: &Name) -> Result<Response, Fault> {
        #[derive(Serialize)]
        struct Body<'a> {
            name: &'a str,
            tags: Vec<&'a str>,
        }
        if call.method != "GET" {
            return Ok(only_reading(call));
        }
        let store = self.store();
        let tags = store.tags(name).ok_or_else(|| Fault::name_unknown(name))?;
        let n = number(call).unwrap_or(u64::MAX);
        let Page { entries, next } = page(tags, n, parameter(call, "last").as_deref());
        Ok(linked(&format!("/v2/{}/tags/list", name.as_str()), n, next, &Body { name: name.as_str(), tags: entries }))
    }
}

/// A part of a list.
struct Page<'a> {
    entries: Vec<&'a str>,
    /// The last entry, if others follow it.
    next: Option<&'a str>,
}

fn page<'a>(all: impl Iterator<Item = &'a str>, n: u64, last: Option<&str>) -> Page<'a> {
    let mut following = all.filter(|entry| last.is_none_or(|last| *entry > last)).peekable();
    let mut entries = Vec::new();
    while (entries.len() as u64) < n
        && let Some(entry) = following.next()
    {
        entries.push(entry);
    }
    let next = following.peek().and(entries.last().copied());
    Page { entries, next }
}

/// How many are wanted. What is no number is as if it were not there.
fn number(call: &Call<'_>) -> Option<u64> {
    parameter(call, "n")?.parse().ok()
}

fn linked(place: &str, n: u64, next: Option<&str>, body: &impl Serialize) -> Response {
    let answer = answer::json(format!("{}\n", serde_json::to_string(body).unwrap_or_default()));
    match next {
        // Of all that names and tags hold, only this means something else in a query.
        Some(last) => answer::with(answer, "Link", format!("<{place}?last={}&n={n}>; rel=\"next\"", last.replace('/', "%2F"))),
        None => answer,
    }
}

fn only_reading(call: &Call<'_>) -> Response {
    if call.method == "OPTIONS" { answer::options("GET") } else { answer::no_method("GET") }
}
