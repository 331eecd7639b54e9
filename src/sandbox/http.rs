//! A service behind HTTP and TLS, on the loopback interface only, for `notary`, `docker trust`, `skopeo` and everything else
//! that wants a real server. Its certificate is made at its start, by the authority that it is given.
use super::{
    answer::Response,
    authority::Authority,
    call::{Call, Guard, Service},
};
use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::{HeaderName, HeaderValue, StatusCode, request::Parts},
};
use axum_server::{Handle, tls_rustls::RustlsConfig};
use futures_util::StreamExt as _;
use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener},
    sync::Arc,
    time::Duration,
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    task::JoinHandle,
};

/// How long open connections may go on when the server stops.
const LAST_WORDS: Duration = Duration::from_secs(2);
/// Most bytes of a request's body.
const BODY: usize = 256 << 20;
/// Most bytes of all bodies that are being read or worked on at a time. Who comes then waits for room.
const BODIES: usize = 512 << 20;
/// How long somebody waits for it.
const PATIENCE: Duration = Duration::from_secs(20);
/// So much of a body that nobody wants is read all the same: a client that is still sending would take an early answer for
/// a broken connection. The real servers read as much.
const UNWANTED: usize = 256 << 10;

/// Why the server cannot be reached from outside this process.
#[derive(Debug, thiserror::Error)]
pub enum ShellError {
    /// The port is taken, or sockets cannot be used.
    #[error("cannot listen on 127.0.0.1 port {port}: {source}. Choose another port, or none to take any that is free")]
    Listen {
        /// The port that was wanted; 0 is any.
        port: u16,
        /// Why.
        source: std::io::Error,
    },
    /// The certificates cannot be made.
    #[error("the sandbox's TLS certificate cannot be made: {0}")]
    Certificate(#[from] rcgen::Error),
    /// TLS cannot be set up.
    #[error("TLS cannot be set up: {0}")]
    Tls(#[from] rustls::Error),
}

/// A server that listens. It stops when it is told to, and when it is dropped.
pub struct Shell {
    address: SocketAddr,
    ca: String,
    handle: Handle<SocketAddr>,
    task: JoinHandle<std::io::Result<()>>,
}

impl Shell {
    /// Listens on 127.0.0.1 with a certificate of `authority`, at `port` or, if that is 0, at any that is free. Must be called inside a tokio runtime.
    ///
    /// # Errors
    /// [`ShellError`].
    pub fn start(authority: &Authority, service: Service, port: u16) -> Result<Self, ShellError> {
        Self::start_guarded(authority, None, service, port)
    }

    /// The same behind a guard, who decides before the body of a request is read.
    ///
    /// # Errors
    /// [`ShellError`].
    pub fn start_guarded(authority: &Authority, guard: Option<Guard>, service: Service, port: u16) -> Result<Self, ShellError> {
        let listen = |source| ShellError::Listen { port, source };
        let (tls, ca) = (authority.tls()?, authority.pem().to_owned());
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map_err(listen)?;
        listener.set_nonblocking(true).map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        let app =
            Router::new().fallback(answer).with_state(Arc::new(Front { guard, service, room: Arc::new(Semaphore::new(BODIES)) }));
        let handle = Handle::new();
        let listening = axum_server::from_tcp_rustls(listener, RustlsConfig::from_config(Arc::new(tls))).map_err(listen)?;
        let task = tokio::spawn(listening.handle(handle.clone()).serve(app.into_make_service()));
        Ok(Self { address, ca, handle, task })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The server's address for clients, without a slash at the end.
    pub fn url(&self) -> String {
        format!("https://{}", self.address)
    }

    /// The certificate of the authority that clients must trust, in PEM.
    pub fn ca_pem(&self) -> &str {
        &self.ca
    }

    /// Stops: no new connections; those that are open have two seconds to end.
    pub async fn stop(mut self) {
        self.handle.graceful_shutdown(Some(LAST_WORDS));
        // It can only have ended, well or badly, and either is what was wanted.
        let _ = (&mut self.task).await;
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        self.handle.shutdown();
    }
}

/// What stands behind a socket.
struct Front {
    guard: Option<Guard>,
    service: Service,
    room: Arc<Semaphore>,
}

impl Front {
    /// Answers a request; a service that broke down has answered nothing.
    async fn answer(&self, request: Request) -> Option<Response> {
        let (head, body) = request.into_parts();
        let (head, guard) = (Arc::new(head), self.guard.clone());
        if let Some(guard) = guard {
            let head = head.clone();
            let checked = tokio::task::spawn_blocking(move || guard(&call(&head, &headers(&head), b""))).await;
            if let Err(refusal) = checked.ok()? {
                refuse(body).await;
                return Some(refusal);
            }
        }
        match self.read(body).await {
            // The room is held until the work is done.
            Ok((body, room)) => {
                let service = self.service.clone();
                let work = move || (service(&call(&head, &headers(&head), &body)), room).0;
                tokio::task::spawn_blocking(work).await.ok()
            }
            Err(refusal) => Some(refusal),
        }
    }

    /// Reads a body, as far as there is room for it.
    async fn read(&self, body: Body) -> Result<(Vec<u8>, Vec<OwnedSemaphorePermit>), Response> {
        let (mut bytes, mut room) = (Vec::new(), Vec::<OwnedSemaphorePermit>::new());
        let mut parts = body.into_data_stream();
        while let Some(part) = parts.next().await {
            // Who has gone hears no answer.
            let part = part.map_err(|_| Response::bad_request())?;
            if bytes.len() + part.len() > BODY {
                refuse(Body::from_stream(parts)).await;
                return Err(Response::too_large());
            }
            let wanted = u32::try_from(part.len()).map_err(|_| Response::too_large())?;
            match tokio::time::timeout(PATIENCE, self.room.clone().acquire_many_owned(wanted)).await {
                Ok(Ok(more)) => match room.last_mut() {
                    Some(room) => room.merge(more),
                    None => room.push(more),
                },
                _ => return Err(Response::busy()),
            }
            bytes.extend_from_slice(&part);
        }
        Ok((bytes, room))
    }
}

/// Reads what is still sent, and forgets it.
async fn refuse(body: Body) {
    let (mut parts, mut read) = (body.into_data_stream(), 0);
    let reading = async {
        while let Some(Ok(part)) = parts.next().await {
            read += part.len();
            if read > UNWANTED {
                return;
            }
        }
    };
    // Who says that something comes, and sends nothing, is answered all the same.
    let _ = tokio::time::timeout(LAST_WORDS, reading).await;
}

async fn answer(State(front): State<Arc<Front>>, request: Request) -> axum::response::Response {
    let Response { status, headers, body } = front.answer(request).await.unwrap_or_else(Response::unknown);
    let mut response = axum::response::Response::new(Body::from(body));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::from_str(&value)) {
            response.headers_mut().append(name, value);
        }
    }
    response
}

fn call<'a>(head: &'a Parts, headers: &'a [(String, String)], body: &'a [u8]) -> Call<'a> {
    let (path, query) = (head.uri.path(), head.uri.query().unwrap_or_default());
    Call { method: head.method.as_str(), path, query, headers, body }
}

/// Header names are in lower case here. A value that is no text is no header to us.
fn headers(head: &Parts) -> Vec<(String, String)> {
    head.headers.iter().filter_map(|(n, v)| Some((n.as_str().to_owned(), v.to_str().ok()?.to_owned()))).collect()
}
