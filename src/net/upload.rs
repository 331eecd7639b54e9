//! What is sent with a request, and how far that has come.
use reqwest::{Body, RequestBuilder, header};
use std::{
    convert::Infallible,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::time::Instant;

/// How much is handed to the connection at a time.
const PIECE: usize = 64 << 10;

/// Bytes to send, of a kind. It can be sent again: a server that wants a login says so only when it has seen a request.
#[derive(Clone)]
pub struct Payload {
    kind: String,
    bytes: Arc<Vec<u8>>,
}

impl Payload {
    /// Bytes, and the value of their `Content-Type`.
    pub fn new(kind: String, bytes: Vec<u8>) -> Self {
        Self { kind, bytes: Arc::new(bytes) }
    }
}

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Payload({}, {} bytes)", self.kind, self.bytes.len())
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
    taken: usize,
    at: Option<Instant>,
}

impl Upload {
    /// Nothing has been sent yet.
    pub fn of(payload: &Payload) -> Self {
        Self { payload: payload.clone(), progress: Arc::default() }
    }

    /// A request that carries it.
    pub fn with(&self, request: RequestBuilder) -> RequestBuilder {
        let this = self.clone();
        let pieces = (0..self.payload.bytes.len()).step_by(PIECE).map(move |from| {
            let piece = this.payload.bytes.get(from..).unwrap_or_default();
            let piece = piece.get(..PIECE).unwrap_or(piece).to_vec();
            this.note(from + piece.len());
            Ok::<_, Infallible>(piece)
        });
        request
            .header(header::CONTENT_TYPE, &self.payload.kind)
            .header(header::CONTENT_LENGTH, self.payload.bytes.len())
            .body(Body::wrap_stream(futures_util::stream::iter(pieces)))
    }

    /// Notes that the connection took another piece, and so many bytes in all.
    pub fn note(&self, taken: usize) {
        *self.progress() = Progress { taken, at: Some(Instant::now()) };
    }

    /// Whether the connection has taken all of it; if not, nobody can have received it whole.
    pub fn is_whole(&self) -> bool {
        self.progress().taken >= self.payload.bytes.len()
    }

    /// When the connection took a piece of it the last time.
    pub fn moved(&self) -> Option<Instant> {
        self.progress().at
    }

    fn progress(&self) -> std::sync::MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
