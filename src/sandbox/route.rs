//! Which question an address asks: the patterns of the real server's router (protocol 10.1), and what it does before
//! them with a path that is not clean.

/// Digits of the checksums that the router lets through: SHA-256, SHA-384, SHA-512.
const CHECKSUMS: [usize; 3] = [64, 96, 128];

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    /// `/v2/`
    Ping,
    /// `/_notary_server/health`
    Health,
    /// Changes of one collection, or of all.
    Feed(Option<String>),
    /// A file of a role.
    File { gun: String, role: String, which: Version },
    /// The public key with which the server signs for a role.
    Key { gun: String, role: String },
    /// The address at which changes are published (POST) and collections deleted (DELETE).
    Collection(String),
    /// Nothing that is served.
    Nothing,
}

/// Which file of a role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Version {
    /// The current one.
    Current,
    /// The one with this checksum, digits as they came.
    Checksum(String),
    /// The one with this number, digits as they came.
    Number(String),
}

/// A path as the router sees it, or what it says at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cleaned {
    /// Decoded.
    Path(String),
    /// It has a shorter form, encoded here.
    Elsewhere(String),
    /// It is no path.
    Bad,
}

/// Decodes a path and takes out `//`, `.` and `..` as Go does. A path that changes by that is answered with a redirect.
pub fn clean(path: &str) -> Cleaned {
    if !path.starts_with('/') {
        return Cleaned::Bad;
    }
    let Some(decoded) = percent_decode(path, false) else { return Cleaned::Bad };
    let mut parts: Vec<&[u8]> = Vec::new();
    for part in decoded.split(|b| *b == b'/') {
        match part {
            b"" | b"." => {}
            b".." => drop(parts.pop()),
            other => parts.push(other),
        }
    }
    let mut cleaned = vec![b'/'];
    cleaned.extend_from_slice(&parts.join(&b'/'));
    if decoded.ends_with(b"/") && cleaned.len() > 1 {
        cleaned.push(b'/');
    }
    if cleaned == decoded {
        Cleaned::Path(String::from_utf8_lossy(&decoded).into_owned())
    } else {
        Cleaned::Elsewhere(encode(&cleaned))
    }
}

impl Route {
    /// Reads a clean, decoded path.
    pub fn of(path: &str) -> Self {
        match path {
            "/v2/" => return Self::Ping,
            "/_notary_server/health" => return Self::Health,
            "/v2/_trust/changefeed" => return Self::Feed(None),
            _ => {}
        }
        let Some(rest) = path.strip_prefix("/v2/") else { return Self::Nothing };
        let is_gun = |g: &str| !g.is_empty() && !g.contains('*');
        if let Some(gun) = rest.strip_suffix("/_trust/changefeed").filter(|g| is_gun(g)) {
            return Self::Feed(Some(gun.to_owned()));
        }
        // As long a GUN as possible, so the last place first: the router's patterns are greedy.
        for (at, marker) in rest.rmatch_indices("/_trust/tuf/") {
            let (Some(gun), Some(file)) = (rest.get(..at), rest.get(at + marker.len()..)) else { continue };
            if let Some(route) = is_gun(gun).then(|| Self::file(gun, file)).flatten() {
                return route;
            }
        }
        Self::Nothing
    }

    /// The collection that it is about.
    pub fn gun(&self) -> Option<&str> {
        match self {
            Self::Feed(gun) => gun.as_deref(),
            Self::File { gun, .. } | Self::Key { gun, .. } | Self::Collection(gun) => Some(gun),
            Self::Ping | Self::Health | Self::Nothing => None,
        }
    }

    fn file(gun: &str, file: &str) -> Option<Self> {
        if file.is_empty() {
            return Some(Self::Collection(gun.to_owned()));
        }
        if let Some(role) = file.strip_suffix(".key").filter(|r| matches!(*r, "snapshot" | "timestamp")) {
            return Some(Self::Key { gun: gun.to_owned(), role: role.to_owned() });
        }
        let name = file.strip_suffix(".json")?;
        let found = |role: &str, which| is_role(role).then(|| Self::File { gun: gun.to_owned(), role: role.to_owned(), which });
        let hexadecimal = |s: &str| CHECKSUMS.contains(&s.len()) && s.bytes().all(|b| b.is_ascii_hexdigit());
        if let Some((role, sum)) = name.rsplit_once('.').filter(|(_, s)| hexadecimal(s))
            && let Some(route) = found(role, Version::Checksum(sum.to_owned()))
        {
            return Some(route);
        }
        let digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
        if let Some((number, role)) = name.split_once('.').filter(|(n, _)| digits(n))
            && let Some(route) = found(role, Version::Number(number.to_owned()))
        {
            return Some(route);
        }
        found(name, Version::Current)
    }
}

/// What the router lets through as a role. It is looser than the names of protocol 5.4.
fn is_role(name: &str) -> bool {
    let component = |c: &str| !c.is_empty() && !c.contains(['\t', '\n', '\u{c}', '\r', ' ']);
    match name {
        "root" | "snapshot" | "timestamp" | "targets" => true,
        _ => name.strip_prefix("targets/").is_some_and(|rest| rest.split('/').all(component)),
    }
}

/// The first value of a parameter, decoded. Pairs that Go cannot read do not exist.
pub fn parameter(query: &str, name: &str) -> Vec<u8> {
    let pairs = query.split('&').filter(|p| !p.contains(';'));
    for pair in pairs {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        if let (Some(key), Some(value)) = (percent_decode(key, true), percent_decode(value, true))
            && key == name.as_bytes()
        {
            return value;
        }
    }
    Vec::new()
}

fn percent_decode(text: &str, plus_is_space: bool) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(b) = bytes.next() {
        match b {
            b'%' => {
                let digit = |b: Option<u8>| b.and_then(|b| char::from(b).to_digit(16));
                let (high, low) = (digit(bytes.next())?, digit(bytes.next())?);
                out.push(u8::try_from(high * 16 + low).ok()?);
            }
            b'+' if plus_is_space => out.push(b' '),
            b => out.push(b),
        }
    }
    Some(out)
}

/// Encodes a path as Go does.
fn encode(path: &[u8]) -> String {
    let mut out = String::with_capacity(path.len());
    for b in path {
        match b {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => out.push(char::from(*b)),
            b'-' | b'_' | b'.' | b'~' | b'$' | b'&' | b'+' | b',' | b'/' | b':' | b';' | b'=' | b'@' => out.push(char::from(*b)),
            b => out.push_str(&format!("%{b:02X}")),
        }
    }
    out
}

/// Text in quotation marks as Go's `%q` writes it, for error messages that quote what came.
pub fn go_quote(bytes: &[u8]) -> String {
    let mut out = String::from("\"");
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '"' | '\\' => out.extend(['\\', c]),
                '\u{7}' => out.push_str("\\a"),
                '\u{8}' => out.push_str("\\b"),
                '\u{c}' => out.push_str("\\f"),
                '\n' => out.push_str("\\n"),
                '\r' => out.push_str("\\r"),
                '\t' => out.push_str("\\t"),
                '\u{b}' => out.push_str("\\v"),
                c if crate::text::is_plain(c) => out.push(c),
                c if c.is_ascii() => out.push_str(&format!("\\x{:02x}", u32::from(c))),
                c if u32::from(c) < 0x10000 => out.push_str(&format!("\\u{:04x}", u32::from(c))),
                c => out.push_str(&format!("\\U{:08x}", u32::from(c))),
            }
        }
        chunk.invalid().iter().for_each(|b| out.push_str(&format!("\\x{b:02x}")));
    }
    out.push('"');
    out
}
