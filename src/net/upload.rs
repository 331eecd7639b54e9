//! What is sent with a request, and how far that has come.
use super::pieces::{Pieces, Reading};
use futures_util::{Stream, stream};
use reqwest::{Body, RequestBuilder, header};
use std::{
    fmt, io,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{task::spawn_blocking, time::Instant};

/// How much is handed to the connection at a time.
const PIECE: usize = 64 << 10;

/// Something to send, of a kind. It can be sent again: a server that wants a login says so only when it has seen a request.
#[derive(Clone)]
pub struct Payload {
    kind: String,
    content: Content,
}

#[derive(Clone)]
enum Content {
    Bytes(Arc<Vec<u8>>),
    Pieces(Arc<dyn Pieces>),
}

impl Payload {
    /// Bytes, and the value of their `Content-Type`.
    pub fn new(kind: String, bytes: Vec<u8>) -> Self {
        Self { kind, content: Content::Bytes(Arc::new(bytes)) }
    }

    /// Something large that is read while it is sent. It may take as long as it takes, as long as the server takes it.
    pub fn read_while_sent(kind: String, pieces: Arc<dyn Pieces>) -> Self {
        Self { kind, content: Content::Pieces(pieces) }
    }

    fn size(&self) -> u64 {
        match &self.content {
            Content::Bytes(bytes) => bytes.len() as u64,
            Content::Pieces(pieces) => pieces.size(),
        }
    }

    /// Whether it is too large to say how long it may take.
    pub(super) fn is_large(&self) -> bool {
        matches!(self.content, Content::Pieces(_))
    }
}

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Payload({}, {} bytes)", self.kind, self.size())
    }
}

/// One sending of it; copies share its progress.
#[derive(Clone)]
pub(super) struct Upload {
    payload: Payload,
    progress: Arc<Mutex<Progress>>,
}

/// How much the connection has taken, and when the last of that.
#[derive(Default)]
struct Progress {
    taken: u64,
    at: Option<Instant>,
}

impl Upload {
    /// Nothing has been sent yet.
    pub fn of(payload: &Payload) -> Self {
        Self { payload: payload.clone(), progress: Arc::default() }
    }

    /// A request that carries it.
    pub fn with(&self, request: RequestBuilder) -> RequestBuilder {
        let request =
            request.header(header::CONTENT_TYPE, &self.payload.kind).header(header::CONTENT_LENGTH, self.payload.size());
        request.body(match &self.payload.content {
            Content::Bytes(bytes) => Body::wrap_stream(stream::iter(self.clone().cut(bytes.clone()))),
            Content::Pieces(pieces) => Body::wrap_stream(self.clone().read(pieces.clone())),
        })
    }

    fn cut(self, bytes: Arc<Vec<u8>>) -> impl Iterator<Item = io::Result<Vec<u8>>> {
        (0..bytes.len()).step_by(PIECE).map(move |from| {
            let piece = bytes.get(from..).unwrap_or_default();
            let piece = piece.get(..PIECE).unwrap_or(piece).to_vec();
            self.note(piece.len());
            Ok(piece)
        })
    }

    /// Reads it elsewhere than on the threads that must stay awake.
    fn read(self, pieces: Arc<dyn Pieces>) -> impl Stream<Item = io::Result<Vec<u8>>> {
        stream::unfold(Some((self, pieces, None::<Reading>)), async |state| {
            let (this, pieces, reading) = state?;
            let read = spawn_blocking(move || {
                let mut reading = match reading {
                    Some(reading) => reading,
                    None => pieces.begin()?,
                };
                Ok((reading.next().transpose()?, pieces, reading))
            });
            match read.await.map_err(io::Error::other).and_then(|read| read) {
                Ok((None, ..)) => None,
                Ok((Some(piece), pieces, reading)) => {
                    this.note(piece.len());
                    Some((Ok(piece), Some((this, pieces, Some(reading)))))
                }
                Err(e) => Some((Err(e), None)),
            }
        })
    }

    /// Notes that the connection took another piece.
    pub fn note(&self, more: usize) {
        let mut progress = self.progress();
        *progress = Progress { taken: progress.taken.saturating_add(more as u64), at: Some(Instant::now()) };
    }

    /// Whether the connection has taken all of it; if not, nobody can have received it whole.
    pub fn is_whole(&self) -> bool {
        self.progress().taken >= self.payload.size()
    }

    /// When the connection took a piece of it the last time.
    pub fn moved(&self) -> Option<Instant> {
        self.progress().at
    }

    /// How long may pass until it takes the next one, or answers: who has taken something large needs time to put it away.
    pub fn patience(&self, idle: Duration, whole: Duration) -> Duration {
        if self.payload.is_large() && self.is_whole() { whole } else { idle }
    }

    fn progress(&self) -> std::sync::MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
