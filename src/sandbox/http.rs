//! A service behind HTTP and TLS, on the loopback interface only, for `notary`, `docker trust`, `skopeo` and everything else
//! that wants a real server. Its certificate is made at its start, by the authority that it is given.
use super::{
    answer::Response,
    authority::Authority,
    call::{Call, Service},
};
use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::{HeaderName, HeaderValue, StatusCode, request::Parts},
};
use axum_server::{Handle, tls_rustls::RustlsConfig};
use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener},
    sync::Arc,
    time::Duration,
};
use tokio::task::JoinHandle;

/// How long open connections may go on when the server stops.
const LAST_WORDS: Duration = Duration::from_secs(2);
/// Most bytes of a request's body.
const BODY: usize = 256 << 20;

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
        let listen = |source| ShellError::Listen { port, source };
        let (tls, ca) = (authority.tls()?, authority.pem().to_owned());
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map_err(listen)?;
        listener.set_nonblocking(true).map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        let app = Router::new().fallback(answer).with_state(service);
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

async fn answer(State(service): State<Service>, request: Request) -> axum::response::Response {
    let (head, body) = request.into_parts();
    // A client that is still sending would take an early answer for a broken connection.
    let answer = match axum::body::to_bytes(body, BODY).await {
        Ok(body) => tokio::task::spawn_blocking(move || service(&call(&head, &headers(&head), &body))).await.ok(),
        Err(_) => Some(Response::too_large()),
    };
    // A service that broke down has answered nothing.
    let Response { status, headers, body } = answer.unwrap_or_else(Response::unknown);
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
