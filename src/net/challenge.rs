//! `WWW-Authenticate`: what a server wants before it answers (protocol 11.1).
use crate::text::Untrusted;

/// What a server asks for.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Challenge {
    pub scheme: Scheme,
    /// The scheme in the server's own word.
    pub word: Untrusted,
    pub realm: Option<Untrusted>,
    pub service: Option<Untrusted>,
    pub scope: Option<Untrusted>,
}

/// How it wants to be shown who asks.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Scheme {
    /// By a token from an issuer.
    Bearer,
    /// By user and password.
    Basic,
    /// In a way that we do not know.
    #[default]
    Other,
}

/// The bearer challenge among the headers, else the basic one, else the first of any scheme.
pub(super) fn first<'v>(headers: impl Iterator<Item = &'v [u8]>) -> Option<Challenge> {
    // The first of the best scheme.
    headers.flat_map(|header| parse(&String::from_utf8_lossy(header))).min_by_key(|challenge| challenge.scheme)
}

/// Reads `scheme key=value, key="value", scheme …`. What does not fit is passed over.
pub(super) fn parse(header: &str) -> Vec<Challenge> {
    let mut found: Vec<Challenge> = Vec::new();
    let mut rest = header.trim_start_matches([' ', '\t', ',']);
    while !rest.is_empty() {
        let (word, after) = split_at(rest, |c| matches!(c, '=' | ' ' | '\t' | ','));
        let value = after.trim_start_matches([' ', '\t']).strip_prefix('=');
        match value {
            Some(value) if !word.is_empty() => {
                let (value, after) = read_value(value.trim_start_matches([' ', '\t']));
                if let Some(challenge) = found.last_mut() {
                    match word.to_ascii_lowercase().as_str() {
                        "realm" => challenge.realm = Some(Untrusted::new(value)),
                        "service" => challenge.service = Some(Untrusted::new(value)),
                        "scope" => challenge.scope = Some(Untrusted::new(value)),
                        _ => {}
                    }
                }
                rest = after;
            }
            _ => {
                if !word.is_empty() {
                    let scheme = match word.to_ascii_lowercase().as_str() {
                        "bearer" => Scheme::Bearer,
                        "basic" => Scheme::Basic,
                        _ => Scheme::Other,
                    };
                    found.push(Challenge { scheme, word: Untrusted::new(word), ..Challenge::default() });
                }
                rest = if word.is_empty() { after.get(1..).unwrap_or("") } else { after };
            }
        }
        rest = rest.trim_start_matches([' ', '\t', ',']);
    }
    found
}

/// A token, or a quoted string with its escapes resolved; and what comes after it.
fn read_value(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let (token, rest) = split_at(text, |c| matches!(c, ',' | ' ' | '\t'));
        return (token.to_owned(), rest);
    };
    let mut value = String::new();
    let mut chars = quoted.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return (value, quoted.get(at + 1..).unwrap_or("")),
            '\\' => value.extend(chars.next().map(|(_, c)| c)),
            c => value.push(c),
        }
    }
    (value, "")
}

fn split_at(text: &str, stop: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(stop).unwrap_or(text.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(headers: &[&str]) -> Option<(Option<String>, Option<String>)> {
        let raw = |u: Option<Untrusted>| u.map(|u| u.raw().to_owned());
        first(headers.iter().map(|h| h.as_bytes())).map(|c| (raw(c.realm), raw(c.scope)))
    }

    #[test]
    fn the_bearer_challenge_is_found_among_others() {
        let hub = r#"Basic realm="x", Bearer realm="https://auth.docker.io/token",service="notary.docker.io",scope="repository:docker.io/library/alpine:pull,push",error="invalid_token""#;
        let wanted =
            Some((Some("https://auth.docker.io/token".into()), Some("repository:docker.io/library/alpine:pull,push".into())));
        assert_eq!(read(&[hub]), wanted);
        assert_eq!(read(&[r#"Basic realm=y"#, hub]), wanted);
        assert_eq!(read(&[r#"Basic realm="a \"b\"", charset=UTF-8"#]), Some((Some("a \"b\"".into()), None)));
        assert_eq!(read(&["Negotiate"]), Some((None, None)));
        assert_eq!(read(&[]), None);
    }

    proptest::proptest! {
        #[test]
        fn any_header_is_read_to_its_end(s in "[a-cB =,\"\\\\\t]*|\\PC*") {
            let _ = parse(&s);
        }
    }
}
