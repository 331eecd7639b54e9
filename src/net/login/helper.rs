//! The programs that keep docker's logins: `docker-credential-NAME get`, with the registry on standard input and JSON on
//! standard output. They may hang, break, and print what they like.
use super::{Account, Proof, VARIABLES};
use crate::{
    net::LoginError,
    os::{
        child::{self, Ran},
        strongroom,
    },
    secret::{self, Passphrase},
    text::Untrusted,
};
use serde::Deserialize;
use std::{
    process::{Command, ExitStatus},
    time::Duration,
};
use zeroize::Zeroizing;

/// How long one may take. Some ask a person, but none of those is of use where nobody expects a question.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);
/// Most bytes of an answer.
const ANSWER: usize = 64 << 10;
/// How every one of them says that it has no such login.
const NOT_FOUND: &str = "credentials not found";
/// The user's name that says that the secret is an identity token.
const IDENTITY: &str = "<token>";
#[derive(Deserialize)]
struct Answer {
    #[serde(rename = "Username")]
    user: String,
    #[serde(rename = "Secret")]
    secret: String,
}

/// Asks one for the login of a registry; none if it has none.
pub(super) fn get(name: &str, key: &str) -> Result<Option<Account>, LoginError> {
    get_within(name, key, PATIENCE)
}

pub(super) fn get_within(name: &str, key: &str, patience: Duration) -> Result<Option<Account>, LoginError> {
    let problem = |reason: String| LoginError::Helper { name: Untrusted::new(name), reason };
    // It becomes a part of a program's name: nothing that could be a path.
    if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-')) {
        return Err(problem(
            "has a name that no program may have (letters, digits, `.`, `_` and `-`); it was not started".into(),
        ));
    }
    let (status, said) = run(name, key, patience).map_err(problem)?;
    if !status.success() {
        let not_found = said.windows(NOT_FOUND.len()).any(|w| w == NOT_FOUND.as_bytes());
        return if not_found { Ok(None) } else { Err(problem(format!("failed ({status})"))) };
    }
    let read = strongroom(|| {
        let answer: Answer = serde_json::from_slice(&said).ok()?;
        let (user, secret) = (answer.user, Passphrase::new(Zeroizing::new(answer.secret).as_bytes().to_vec()));
        Some((user, secret))
    });
    let (user, secret) = read.ok_or_else(|| problem("answered with something that is no login".into()))?;
    if secret.is_empty() {
        return Ok(None);
    }
    let origin = format!("the credential helper docker-credential-{name}");
    Ok(Some(match user == IDENTITY {
        true => Account { user: Untrusted::default(), proof: Proof::Identity(secret), origin },
        false => Account { user: Untrusted::new(user), proof: Proof::Password(secret), origin },
    }))
}

/// Runs one. It sees the variables of this process, as it does with docker (`GPG_TTY` among them), but no credentials.
fn run(name: &str, key: &str, patience: Duration) -> Result<(ExitStatus, Zeroizing<Vec<u8>>), String> {
    let mut command = Command::new(format!("docker-credential-{name}"));
    command.arg("get");
    for variable in secret::VARIABLES.iter().chain(&VARIABLES) {
        command.env_remove(variable);
    }
    match child::run(command, key.as_bytes(), patience, ANSWER) {
        Ran::Done(status, said) => Ok((status, said)),
        Ran::NotThere => Err("is not installed (not found in PATH)".to_owned()),
        Ran::Failed(e) => Err(format!("cannot be run: {e}")),
        Ran::Slow => Err(format!("did not answer within {} s, and was ended", patience.as_secs_f64())),
        Ran::TooMuch(_) => Err(format!("printed more than {ANSWER} bytes, and was ended")),
    }
}
