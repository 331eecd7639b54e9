//! Docker's `config.json`, as far as it says who we are (protocol 11.4).
use super::{Account, Found, Proof, basic};
use crate::{net::LoginError, os::strongroom, secret::Passphrase, text::Untrusted};
use rustix::fs::OFlags;
use serde::Deserialize;
use std::{collections::BTreeMap, fs, io::Read as _, os::unix::fs::OpenOptionsExt as _, path::Path};
use zeroize::Zeroizing;

/// Most bytes of docker's configuration.
const CONFIG: u64 = 1 << 20;

#[derive(Deserialize, Default)]
#[serde(default)]
struct Config {
    auths: Option<BTreeMap<String, Option<Entry>>>,
    #[serde(rename = "credHelpers")]
    helpers: Option<BTreeMap<String, String>>,
    #[serde(rename = "credsStore")]
    store: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Entry {
    auth: Option<String>,
    #[serde(rename = "identitytoken")]
    identity: Option<String>,
}

/// `DOCKER_AUTH_CONFIG` has logins and nothing else.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Variable {
    auths: BTreeMap<String, VariableEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct VariableEntry {
    auth: String,
}

/// Looks into the value of `DOCKER_AUTH_CONFIG`.
pub(super) fn from_variable(text: &[u8], key: &str) -> Result<Option<Account>, LoginError> {
    const ORIGIN: &str = "DOCKER_AUTH_CONFIG";
    strongroom(|| {
        let read: Variable = serde_json::from_slice(text).map_err(|e| unreadable(ORIGIN.to_owned(), &e))?;
        let entries =
            read.auths.into_iter().map(|(name, e)| (name, Some(Entry { auth: Some(e.auth), identity: None }))).collect();
        login(&entries, key, ORIGIN)
    })
}

/// Looks into docker's configuration file: it has a login, or names the program that does.
pub(super) fn from_file(path: &Path, key: &str) -> Result<Found, LoginError> {
    let origin = crate::text::path(path).to_string();
    let failed = |e: std::io::Error| LoginError::Unreadable { origin: origin.clone(), reason: Untrusted::new(e.to_string()) };
    let wrong = |reason: &str| LoginError::Unreadable { origin: origin.clone(), reason: Untrusted::new(reason) };
    // A pipe is opened without waiting for whoever would write into it.
    let flags = i32::try_from(OFlags::NONBLOCK.bits()).unwrap_or_default();
    let file = match fs::File::options().read(true).custom_flags(flags).open(path) {
        Err(e) if matches!(e.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory) => {
            return Ok(Found::Login(None));
        }
        other => other.map_err(failed)?,
    };
    if !file.metadata().map_err(failed)?.is_file() {
        return Err(wrong("it is no file"));
    }
    strongroom(|| {
        let mut text = Zeroizing::new(Vec::with_capacity(16 << 10));
        file.take(CONFIG + 1).read_to_end(&mut text).map_err(failed)?;
        if text.len() as u64 > CONFIG {
            return Err(wrong(&format!("it is longer than {CONFIG} bytes")));
        }
        // docker takes an empty file for one without logins.
        if text.trim_ascii().is_empty() {
            return Ok(Found::Login(None));
        }
        let config: Config = serde_json::from_slice(&text).map_err(|e| unreadable(origin.clone(), &e))?;
        let helper = config.helpers.as_ref().and_then(|all| all.get(key)).or(config.store.as_ref()).filter(|h| !h.is_empty());
        match helper {
            Some(name) => Ok(Found::Helper { name: name.clone(), origin: origin.clone() }),
            None => Ok(Found::Login(login(&config.auths.unwrap_or_default(), key, &origin)?)),
        }
    })
}

/// The entry of this name, else any of the same host: docker has written names in many forms.
fn login(entries: &BTreeMap<String, Option<Entry>>, key: &str, origin: &str) -> Result<Option<Account>, LoginError> {
    let entry = entries.get(key).or_else(|| entries.iter().find(|(name, _)| host(name) == host(key)).map(|(_, e)| e));
    // docker takes `null` for an entry without a login.
    let Some(Some(entry)) = entry else { return Ok(None) };
    let filled = |text: &Option<String>| text.as_ref().is_some_and(|t| !t.is_empty());
    let auth = entry.auth.as_deref().unwrap_or_default();
    if filled(&entry.identity) {
        let token = Passphrase::new(entry.identity.as_deref().unwrap_or_default().as_bytes().to_vec());
        let user = user(auth).unwrap_or_default();
        return Ok(Some(Account { user, proof: Proof::Identity(token), origin: origin.to_owned() }));
    }
    if auth.is_empty() {
        return Ok(None);
    }
    let reason = || Untrusted::new("a login in it is not user:password in base64");
    let account = basic(auth.as_bytes(), origin.to_owned());
    account.map(Some).ok_or_else(|| LoginError::Unreadable { origin: origin.to_owned(), reason: reason() })
}

/// The user in an entry that has an identity token in place of a password.
fn user(auth: &str) -> Option<Untrusted> {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let decoded = Zeroizing::new(STANDARD.decode(auth).ok()?);
    let at = decoded.iter().position(|b| *b == b':')?;
    Some(Untrusted::from_bytes(decoded.get(..at)?))
}

/// What is wrong with the JSON and where, without any of it: it holds passwords.
fn unreadable(origin: String, e: &serde_json::Error) -> LoginError {
    let what = match e.classify() {
        serde_json::error::Category::Data => "something in it is not what it should be",
        _ => "it is no JSON",
    };
    LoginError::Unreadable { origin, reason: Untrusted::new(format!("{what} (line {}, column {})", e.line(), e.column())) }
}

/// The name without scheme and path.
fn host(name: &str) -> &str {
    let bare = name.strip_prefix("https://").or_else(|| name.strip_prefix("http://")).unwrap_or(name);
    bare.split('/').next().unwrap_or(bare)
}
