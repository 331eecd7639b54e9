//! The client certificate that a server would be shown: whose it is, until when, and who can read its key. That both can be
//! read and belong together is seen when the connection is made ready.
use super::{Area, CERTIFICATE_NEAR, Check};
use crate::{
    net::{HttpError, HttpSettings, client_pair},
    settings::Settings,
    text,
    tuf::x509::first_certificate,
};
use jiff::Timestamp;
use std::{fs, os::unix::fs::MetadataExt as _, path::Path};

/// Looks at it, if there is one for this server.
pub fn certificate(http: &HttpSettings, settings: &Settings) -> Result<Vec<Check>, HttpError> {
    let Some(pair) = client_pair(http)? else { return Ok(Vec::new()) };
    let from = match &settings.network.client {
        Some(set) => set.origin.to_string(),
        None => "from docker's directory for this server".to_owned(),
    };
    Ok([of_certificate(&pair.cert, &from, Timestamp::now()), of_key(&pair.key)].into_iter().flatten().collect())
}

fn of_certificate(path: &Path, from: &str, now: Timestamp) -> Option<Check> {
    // One that cannot be read is said where the connection is made ready.
    let leaf = first_certificate(&fs::read(path).ok()?)?;
    let whose = match leaf.common_name.raw().is_empty() {
        true => "it names nobody".to_owned(),
        false => format!("for {}", leaf.common_name.shown()),
    };
    let day = |time: Timestamp| time.strftime("%Y-%m-%d").to_string();
    let text = format!("client certificate {} ({from}): {whose}", text::path(path));
    let next = "Ask whoever issued it for a new one.";
    Some(match leaf.not_after.as_second().saturating_sub(now.as_second()) {
        ..=0 => Check::error(Area::Server, format!("{text}; it has expired on {}", day(leaf.not_after)), next),
        _ if leaf.not_before > now => {
            let text = format!("{text}; it is not valid before {}", day(leaf.not_before));
            Check::error(Area::Server, text, "Check this machine's clock, or wait until then.")
        }
        left if left < CERTIFICATE_NEAR => {
            Check::warn(Area::Server, format!("{text}; valid until {}", day(leaf.not_after)), next)
        }
        _ => Check::good(Area::Server, format!("{text}; valid until {}", day(leaf.not_after))),
    })
}

fn of_key(path: &Path) -> Option<Check> {
    let mode = fs::metadata(path).ok()?.mode();
    let shown = text::path(path);
    Some(match mode & 0o077 {
        0 => Check::good(Area::Server, format!("its private key {shown}: only its owner can read it")),
        _ => {
            let text = format!("its private key {shown}: others than its owner have rights to it (mode {:03o})", mode & 0o777);
            Check::warn(Area::Server, text, format!("Take them away: `chmod 600 {shown}`."))
        }
    })
}
