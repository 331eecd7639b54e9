//! What a client must be allowed to do for a request: what a gate in front of the registry asks of a token.
use super::{
    super::{call::Call, token::Access},
    request::{Asked, parameter},
};
use crate::registry::Name;
/// What a request needs; none where everybody may come, and nothing in particular where any token will do.
pub fn wanted(call: &Call<'_>) -> Option<Vec<Access>> {
    let name = match Asked::of(call) {
        Ok(Asked::Catalogue) => return Some(vec![Access::catalogue()]),
        Ok(Asked::Tags(name) | Asked::Manifest(name, _) | Asked::Blob(name, _)) => name,
        Ok(Asked::Uploads(name) | Asked::Upload(name, _)) => name,
        Ok(Asked::Front) => return None,
        Ok(Asked::Base) => return Some(Vec::new()),
        Err(_) => return None,
    };
    let actions: &[&str] = match call.method {
        "GET" | "HEAD" | "OPTIONS" => &["pull"],
        "DELETE" => &["delete"],
        _ => &["pull", "push"],
    };
    // Taking a blob over from another repository is reading there.
    let from = parameter(call, "from").and_then(|from| Name::new(&from).ok());
    let all = [Some(Access::repository(name.as_str(), actions)), from.map(|from| Access::repository(from.as_str(), &["pull"]))];
    Some(all.into_iter().flatten().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scopes(method: &str, path: &str, query: &str) -> String {
        let all = wanted(&Call::new(method, path).with_query(query));
        all.map_or("everybody".to_owned(), |all| all.iter().map(Access::scope).collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn each_request_says_what_must_be_allowed() {
        let digest = format!("/v2/a/b/blobs/{}", crate::registry::Digest::of(b""));
        for (method, path, query, expected) in [
            ("GET", "/", "", "everybody"),
            ("GET", "/v2/", "", ""),
            ("GET", "/v2/_catalog", "n=1", "registry:catalog:*"),
            ("GET", "/v2/a/b/tags/list", "", "repository:a/b:pull"),
            ("GET", "/v2/a/b/manifests/x", "", "repository:a/b:pull"),
            ("HEAD", "/v2/a/b/manifests/x", "", "repository:a/b:pull"),
            ("PUT", "/v2/a/b/manifests/x", "", "repository:a/b:pull,push"),
            ("DELETE", "/v2/a/b/manifests/x", "", "repository:a/b:delete"),
            ("GET", &digest, "", "repository:a/b:pull"),
            ("DELETE", &digest, "", "repository:a/b:delete"),
            ("POST", "/v2/a/b/blobs/uploads/", "", "repository:a/b:pull,push"),
            ("POST", "/v2/a/b/blobs/uploads/", "mount=x&from=c", "repository:a/b:pull,push repository:c:pull"),
            ("POST", "/v2/a/b/blobs/uploads/", "mount=x&from=C", "repository:a/b:pull,push"),
            ("PATCH", "/v2/a/b/blobs/uploads/x", "", "repository:a/b:pull,push"),
            ("PUT", "/v2/a/b/blobs/uploads/x", "", "repository:a/b:pull,push"),
            ("GET", "/v2/a/b/blobs/uploads/x", "", "repository:a/b:pull"),
            ("BREW", "/v2/a/b/blobs/uploads/x", "", "repository:a/b:pull,push"),
            ("GET", "/v2/a%2Fb/tags/list", "", "repository:a/b:pull"),
            ("GET", "/v2/a/../b/tags/list", "", "everybody"),
            ("GET", "/v2/A/tags/list", "", "everybody"),
            ("GET", "/x", "", "everybody"),
        ] {
            assert_eq!(scopes(method, path, query), expected, "{method} {path}?{query}");
        }
    }
}
