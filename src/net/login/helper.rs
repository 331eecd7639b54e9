//! The programs that keep docker's logins: `docker-credential-NAME get`, with the registry on standard input and JSON on
//! standard output. They may hang, break, and print what they like.
use super::{Account, Proof, VARIABLES};
use crate::{
    net::LoginError,
    os::strongroom,
    secret::{self, Passphrase},
    text::Untrusted,
};
use rustix::process::{Pid, Signal, kill_process_group};
use serde::Deserialize;
use std::{
    io::{self, Read as _, Write as _},
    os::unix::process::CommandExt as _,
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
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
/// How often one that has said everything is asked whether it has ended.
const PAUSE: Duration = Duration::from_millis(5);

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

/// Runs one until it has ended or nobody waits any more. It ends in any case, with all that it has started.
fn run(name: &str, key: &str, patience: Duration) -> Result<(ExitStatus, Zeroizing<Vec<u8>>), String> {
    let mut command = Command::new(format!("docker-credential-{name}"));
    command.arg("get").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).process_group(0);
    for variable in secret::VARIABLES.iter().chain(&VARIABLES) {
        command.env_remove(variable);
    }
    let mut child = command.spawn().map_err(|e| match e.kind() {
        io::ErrorKind::NotFound => "is not installed (not found in PATH)".to_owned(),
        _ => format!("cannot be started: {e}"),
    })?;
    let group = Pid::from_child(&child);
    let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
    let deadline = Instant::now() + patience;
    let (send, receive) = mpsc::channel();
    let key = key.to_owned();
    thread::spawn(move || {
        // One that does not read its input may still know the answer.
        let _ = stdin.map(|mut stdin| stdin.write_all(key.as_bytes()));
        let mut said = strongroom(|| Zeroizing::new(Vec::with_capacity(ANSWER + 1)));
        let read = stdout.map_or(Ok(0), |stdout| stdout.take(ANSWER as u64 + 1).read_to_end(&mut said));
        // Whoever waited may have given up.
        let _ = send.send(read.map(|_| said));
    });
    let said = receive.recv_timeout(patience);
    let end = |child: &mut Child| {
        // Its number is its own until it has been waited for.
        let _ = kill_process_group(group, Signal::KILL);
        let _ = child.wait();
    };
    let slow = || format!("did not answer within {} s, and was ended", patience.as_secs_f64());
    let text = match said {
        Ok(Ok(text)) if text.len() <= ANSWER => text,
        other => {
            end(&mut child);
            return Err(match other {
                Ok(Ok(_)) => format!("printed more than {ANSWER} bytes, and was ended"),
                Ok(Err(e)) => format!("cannot be heard: {e}"),
                Err(_) => slow(),
            });
        }
    };
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Ok((status, text)),
            Ok(None) if Instant::now() < deadline => thread::sleep(PAUSE),
            _ => {
                end(&mut child);
                return Err(slow());
            }
        }
    }
}
