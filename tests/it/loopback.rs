//! A server on loopback that does whatever a test wants, byte by byte: no HTTP library would misbehave enough.
use std::{
    io::{self, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

/// A connection, plain or TLS.
pub trait Stream: Read + Write {}
impl<S: Read + Write> Stream for S {}

/// Answers one request, told how many came before it; an error ends the connection.
pub trait Answer: Fn(usize, &mut dyn Stream) -> io::Result<()> + Send + Sync + 'static {}
impl<F: Fn(usize, &mut dyn Stream) -> io::Result<()> + Send + Sync + 'static> Answer for F {}

/// The server; its threads end with the process.
pub struct Server {
    pub addr: SocketAddr,
    requests: Arc<AtomicUsize>,
    connections: Arc<AtomicUsize>,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Server {
    pub fn plain(answer: impl Answer) -> Self {
        Self::start(None, answer)
    }

    pub fn tls(config: rustls::ServerConfig, answer: impl Answer) -> Self {
        Self::start(Some(Arc::new(config)), answer)
    }

    /// Answers every request with these bytes.
    pub fn saying(answer: impl Into<Vec<u8>>) -> Self {
        let answer = answer.into();
        Self::plain(move |_, stream| stream.write_all(&answer))
    }

    fn start(tls: Option<Arc<rustls::ServerConfig>>, answer: impl Answer) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = Self {
            addr: listener.local_addr().unwrap(),
            requests: Arc::default(),
            connections: Arc::default(),
            heads: Arc::default(),
        };
        let (requests, connections, heads) = (server.requests.clone(), server.connections.clone(), server.heads.clone());
        let answer = Arc::new(answer);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                connections.fetch_add(1, Ordering::SeqCst);
                stream.set_nodelay(true).unwrap();
                let (tls, answer, requests, heads) = (tls.clone(), answer.clone(), requests.clone(), heads.clone());
                thread::spawn(move || {
                    let mut stream = match tls {
                        None => Box::new(stream) as Box<dyn Stream>,
                        Some(config) => {
                            let session = rustls::ServerConnection::new(config).unwrap();
                            Box::new(rustls::StreamOwned::<_, TcpStream>::new(session, stream))
                        }
                    };
                    while let Some(head) = read_head(&mut stream) {
                        let number = requests.fetch_add(1, Ordering::SeqCst);
                        heads.lock().unwrap_or_else(PoisonError::into_inner).push(head);
                        if answer(number, &mut *stream).and_then(|()| stream.flush()).is_err() {
                            break;
                        }
                    }
                });
            }
        });
        server
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    pub fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }

    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    pub fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Ends a connection from inside an answer.
pub fn hang_up() -> io::Result<()> {
    Err(io::ErrorKind::ConnectionAborted.into())
}

/// An answer with a length and a body.
pub fn reply(status: &str, headers: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

fn read_head(stream: &mut dyn Stream) -> Option<String> {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read(&mut byte) {
            Ok(1) => head.push(byte[0]),
            _ => return None,
        }
        // The first byte of TLS. A server without it answers at once that this is no request.
        if head == [0x16] {
            return Some(String::new());
        }
    }
    String::from_utf8(head).ok()
}
