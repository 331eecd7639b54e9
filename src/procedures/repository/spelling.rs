//! How what is wanted is spelled, on a command line and in a form alike.
use crate::{operator::as_text, tuf::name::KeyId};
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use std::path::Path;

/// Docker's rule for names, which is what `docker trust` finds again.
///
/// # Errors
/// With the reason, for what can be nobody's name.
pub fn signer_name(name: &str) -> Result<(), String> {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let legal = name.bytes().next().is_some_and(plain) && name.bytes().all(|b| plain(b) || b == b'-' || b == b'_');
    match name {
        "releases" => Err("releases is the role that docker pulls from, and nobody's name".to_owned()),
        _ if legal => Ok(()),
        _ => Err("a signer's name has lower-case letters, digits, - and _, and begins with a letter or digit".to_owned()),
    }
}

/// The digest and size of a manifest: the SHA-256 in hexadecimal digits.
///
/// # Errors
/// If no manifest has these.
pub fn manifest(digest: &str, size: i64) -> Result<(String, i64), String> {
    let hex = digest.strip_prefix("sha256:").unwrap_or(digest);
    match KeyId::new(hex) {
        Ok(_) if size >= 1 => Ok((hex.to_owned(), size)),
        _ => Err("the digest is sha256: and 64 hexadecimal digits, and the size at least 1".to_owned()),
    }
}

/// A day, to its end in UTC, or a moment.
///
/// # Errors
/// If it is neither.
pub fn moment(typed: &str) -> Result<Timestamp, String> {
    let day = || typed.parse::<Date>().ok()?.at(23, 59, 59, 0).to_zoned(TimeZone::UTC).ok().map(|z| z.timestamp());
    let found = typed.parse::<Timestamp>().ok().or_else(day);
    found.ok_or_else(|| "a date is 2030-12-31, or 2030-12-31T23:59:59Z".to_owned())
}

/// A file's name as it is written down: whoever goes on with the work may be elsewhere.
pub fn file(path: &Path) -> String {
    as_text::of(&std::path::absolute(path).unwrap_or_else(|_| path.to_owned()))
}
