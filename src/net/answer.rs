//! Reading an answer: status, limits, and what the server says about an error (protocol 10.5).
use super::{challenge, failure, retry};
use crate::{
    net::{TransportError, Wait, Why},
    text::Untrusted,
};
use jiff::Timestamp;
use reqwest::{Response, StatusCode, header};
use serde::Deserialize;
use std::time::Duration;
use tokio::time::{Instant, timeout, timeout_at};

/// Most bytes of an error's body that are read.
pub const ERROR_BODY: u64 = 64 << 10;

/// How much room is made before the first byte: a server that promises much should not make us keep much.
const FIRST_ROOM: u64 = 1 << 20;

/// An answer of which the body may be read; any status but those that say that it was `done` is an error.
pub(super) async fn open(mut response: Response, done: &[u16], idle: Duration) -> Result<Response, Box<retry::Failed>> {
    let status = response.status();
    if done.contains(&status.as_u16()) {
        // We asked for none, and a limit on packed bytes would be no limit.
        if response.headers().get(header::CONTENT_ENCODING).is_some_and(|v| v != "identity") {
            return Err(TransportError::Malformed(Untrusted::new("it is compressed, which was not asked for")).into());
        }
        return Ok(response);
    }
    if status.is_redirection() && status != StatusCode::NOT_MODIFIED {
        let to = text(&response, header::LOCATION.as_str()).unwrap_or_default();
        return Err(TransportError::Redirected { to }.into());
    }
    let after = text(&response, header::RETRY_AFTER.as_str()).and_then(|v| retry::retry_after(v.raw(), Timestamp::now()));
    let challenge = challenge::first(response.headers().get_all(header::WWW_AUTHENTICATE).iter().map(|v| v.as_bytes()));
    // The status says enough where nothing more can be read.
    let said = body(&mut response, ERROR_BODY, idle).await.unwrap_or_default();
    let (code, message) = words(&said);
    let again = matches!(status.as_u16(), 429 | 502 | 503 | 504);
    let error = match status.as_u16() {
        400 => TransportError::Rejected { code, message },
        401 | 403 => {
            let (realm, scope) = challenge.as_ref().map_or((None, None), |c| (c.realm.clone(), c.scope.clone()));
            TransportError::NotAllowed { status: status.as_u16(), realm, scope, denial: Box::default(), code, message }
        }
        404 => TransportError::NotThere { code, message },
        407 => TransportError::Unreachable { why: Why::Proxy, text: Untrusted::new("status 407") },
        status => TransportError::Unavailable { status, code, message },
    };
    let challenge = challenge.filter(|_| status == StatusCode::UNAUTHORIZED);
    Err(Box::new(retry::Failed { error, arrived: true, said, again, after, challenge }))
}

/// Least bytes of a large body in the time that a small one may take as a whole: one that drips would take for ever.
pub const PACE: u64 = 64 << 10;

/// The body, piece by piece.
pub(super) async fn pieces(
    response: &mut Response,
    limit: u64,
    idle: Duration,
    whole: Duration,
    take: &mut (dyn FnMut(&[u8]) + Send),
) -> Result<(), TransportError> {
    let (mut room, mut until, mut came) = (limit, Instant::now() + whole, 0_u64);
    let slow = || TransportError::Unreachable { why: Why::Timeout(Wait::Pace(PACE, whole)), text: Untrusted::default() };
    while let Some(piece) = timeout_at(until, next(response, idle)).await.map_err(|_| slow())?? {
        let more = piece.len() as u64;
        room = room.checked_sub(more).ok_or(TransportError::TooLarge { limit })?;
        take(&piece);
        came = came.saturating_add(more);
        if came >= PACE {
            (until, came) = (Instant::now() + whole, 0);
        }
    }
    Ok(())
}

/// The body, if it has at most `limit` bytes.
pub(super) async fn body(response: &mut Response, limit: u64, idle: Duration) -> Result<Vec<u8>, TransportError> {
    let promised = response.content_length().unwrap_or(0);
    if promised > limit {
        return Err(TransportError::TooLarge { limit });
    }
    let mut bytes = Vec::with_capacity(usize::try_from(promised.min(FIRST_ROOM)).unwrap_or(0));
    while let Some(chunk) = next(response, idle).await? {
        if (bytes.len() as u64).saturating_add(chunk.len() as u64) > limit {
            return Err(TransportError::TooLarge { limit });
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

async fn next(
    response: &mut Response,
    idle: Duration,
) -> Result<Option<impl AsRef<[u8]> + std::ops::Deref<Target = [u8]> + use<>>, TransportError> {
    match timeout(idle, response.chunk()).await {
        Ok(chunk) => {
            chunk.map_err(|e| TransportError::Unreachable { why: Why::Broken, text: Untrusted::new(failure::reasons(&e)) })
        }
        Err(_) => Err(TransportError::Unreachable { why: Why::Timeout(Wait::Idle(idle)), text: Untrusted::default() }),
    }
}

/// The server's code and words. What cannot be understood is left out: the status says enough.
fn words(said: &[u8]) -> (Option<Untrusted>, Option<Untrusted>) {
    #[derive(Deserialize)]
    struct Envelope {
        errors: Vec<One>,
    }
    #[derive(Deserialize)]
    struct One {
        code: Option<String>,
        message: Option<String>,
    }
    let first = serde_json::from_slice::<Envelope>(said).ok().and_then(|e| e.errors.into_iter().next());
    let filled = |s: Option<String>| s.filter(|s| !s.is_empty()).map(Untrusted::new);
    first.map_or((None, None), |e| (filled(e.code), filled(e.message)))
}

/// A header, if there is one.
pub(super) fn text(response: &Response, name: &str) -> Option<Untrusted> {
    response.headers().get(name).map(|v| Untrusted::from_bytes(v.as_bytes()))
}
