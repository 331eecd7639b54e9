//! Which question a request asks: the real registry's addresses, and what it does before them with a path that is not
//! clean.
use super::{
    super::{
        answer::Response,
        call::Call,
        route::{self, Cleaned},
    },
    answer::{self, Fault},
};
use crate::registry::{Digest, Name, NoName, Tag};

/// What is asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// `/`
    Front,
    /// `/v2/`
    Base,
    /// The names of all repositories.
    Catalogue,
    /// The tags of one.
    Tags(Name),
    /// A manifest.
    Manifest(Name, Reference),
    /// A blob.
    Blob(Name, Digest),
    /// Where uploads begin.
    Uploads(Name),
    /// One upload, by what stands in the address.
    Upload(Name, String),
}

/// How a manifest is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reference {
    /// By a name that may come to mean another.
    Tag(Tag),
    /// By what it is.
    Digest(Digest),
}

impl Asked {
    /// Reads the address of a request. An answer is one that does not depend on what the registry holds.
    pub fn of(call: &Call<'_>) -> Result<Self, Response> {
        let elsewhere = |to: String| match call.query {
            "" => Response::moved(to),
            query => Response::moved(format!("{to}?{query}")),
        };
        let path = match route::clean(call.path) {
            Cleaned::Path(path) => path,
            Cleaned::Elsewhere(to) => return Err(elsewhere(to)),
            Cleaned::Bad => return Err(Response::bad_request()),
        };
        let Some(asked) = Self::at(&path) else {
            // The router knows each address with a slash at its end and without, and prefers one.
            let other = path.strip_suffix('/').map_or_else(|| format!("{path}/"), str::to_owned);
            let known = Self::at(&other).is_some_and(|asked| asked.is_ok());
            return Err(if known { elsewhere(other) } else { answer::no_route() });
        };
        asked.map_err(Response::from)
    }

    /// Reads a clean, decoded path; none if nothing is served there.
    fn at(path: &str) -> Option<Result<Self, Fault>> {
        match path {
            "/" => return Some(Ok(Self::Front)),
            "/v2/" => return Some(Ok(Self::Base)),
            "/v2/_catalog" => return Some(Ok(Self::Catalogue)),
            _ => {}
        }
        let rest = path.strip_prefix("/v2/")?;
        let named = |name: &str, make: &dyn Fn(Name) -> Result<Self, Fault>| match Name::new(name) {
            Ok(name) => Some(make(name)),
            Err(NoName::Long) => Some(Err(Fault::name_invalid())),
            Err(NoName::Spelling) => None,
        };
        if let Some(name) = rest.strip_suffix("/tags/list") {
            return named(name, &|name| Ok(Self::Tags(name)));
        }
        if let Some(name) = rest.strip_suffix("/blobs/uploads/") {
            return named(name, &|name| Ok(Self::Uploads(name)));
        }
        let (before, last) = rest.rsplit_once('/')?;
        if let Some(name) = before.strip_suffix("/manifests") {
            if let Some(tag) = Tag::new(last) {
                return named(name, &|name| Ok(Self::Manifest(name, Reference::Tag(tag.clone()))));
            }
            let digest = like_a_digest(last).then(|| Digest::new(last).ok_or_else(Fault::no_digest))?;
            return named(name, &|name| digest.clone().map(|d| Self::Manifest(name, Reference::Digest(d))));
        }
        if let Some(name) = before.strip_suffix("/blobs/uploads") {
            let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '=');
            return last.chars().all(good).then(|| named(name, &|name| Ok(Self::Upload(name, last.to_owned()))))?;
        }
        let name = before.strip_suffix("/blobs")?;
        let digest = like_a_digest(last).then(|| Digest::new(last).ok_or_else(Fault::no_digest))?;
        named(name, &|name| digest.clone().map(|d| Self::Blob(name, d)))
    }
}

/// Whether the router lets this through as a digest. It is looser than what a digest is.
fn like_a_digest(text: &str) -> bool {
    let Some((algorithm, digits)) = text.split_once(':') else { return false };
    let part = |p: &str| !p.is_empty() && p.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    let encoded = |c: char| c.is_ascii_alphanumeric() || matches!(c, '=' | '_' | '-');
    algorithm.split(['.', '+', '_', '-']).all(part) && !digits.is_empty() && digits.chars().all(encoded)
}

/// A parameter of the query, as text; none if it is not there, empty or no text.
pub fn parameter(call: &Call<'_>, name: &str) -> Option<String> {
    String::from_utf8(route::parameter(call.query, name)).ok().filter(|value| !value.is_empty())
}
