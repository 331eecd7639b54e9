//! pcscd, through which hardware tokens are reached. It is asked for its version; no reader and no card is opened.
use super::{Area, Check};
use std::{
    io::{self, ErrorKind, Read as _, Write as _},
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    sync::mpsc,
    time::Duration,
};

/// Where it listens.
const SOCKET: &str = "/run/pcscd/pcscd.comm";
/// What points its clients elsewhere.
const ELSEWHERE: &str = "PCSCLITE_CSOCK_NAME";
/// How long it may take to answer: it may be started by being asked.
const PATIENCE: Duration = Duration::from_secs(3);
/// How it can fail to answer.
const SILENT: [ErrorKind; 4] = [ErrorKind::TimedOut, ErrorKind::UnexpectedEof, ErrorKind::ConnectionReset, ErrorKind::BrokenPipe];
/// Its command that exchanges versions, and the version that is offered.
const COMMAND: u32 = 0x11;
const VERSION: (u32, u32) = (4, 4);

/// Whether it is there and answers.
pub fn readers() -> Vec<Check> {
    let elsewhere = std::env::var_os(ELSEWHERE).filter(|v| !v.is_empty()).map(PathBuf::from);
    let mut all = vec![pcscd(elsewhere.as_deref().unwrap_or(Path::new(SOCKET)))];
    if elsewhere.is_some() {
        let text = format!("{ELSEWHERE} is set: what is found there need not be hardware");
        all.push(Check::warn(Area::Readers, text, "Unset it, unless a virtual token is meant."));
    }
    all
}

fn pcscd(socket: &Path) -> Check {
    let name = format!("pcscd ({})", crate::trust_dir::shown(socket));
    let next = "Start it again (`systemctl restart pcscd.socket pcscd`): hardware tokens need it.";
    match ask(socket) {
        Ok((major, minor)) => Check::good(Area::Readers, format!("{name}: answers, protocol {major}.{minor}")),
        Err(e) if e.kind() == ErrorKind::NotFound => {
            Check::good(Area::Readers, format!("{name}: not there; only hardware tokens need it"))
        }
        Err(e) if e.kind() == ErrorKind::PermissionDenied => {
            let next = "Let this user reach it, or ask whoever runs this machine: hardware tokens need it.";
            Check::warn(Area::Readers, format!("{name}: this user may not reach it"), next)
        }
        Err(e) if e.kind() == ErrorKind::ConnectionRefused => {
            Check::warn(Area::Readers, format!("{name}: its socket is there, and nobody listens"), next)
        }
        Err(e) if SILENT.contains(&e.kind()) => Check::warn(Area::Readers, format!("{name}: it does not answer"), next),
        Err(e) => Check::warn(Area::Readers, format!("{name}: {e}"), next),
    }
}

/// Exchanges versions, beside the thread that waits: even a connection can take for ever.
fn ask(socket: &Path) -> io::Result<(u32, u32)> {
    let (send, receive) = mpsc::channel();
    let socket = socket.to_owned();
    std::thread::spawn(move || {
        // Whoever waited may have given up.
        let _ = send.send(versions(&socket));
    });
    receive.recv_timeout(PATIENCE).unwrap_or_else(|_| Err(ErrorKind::TimedOut.into()))
}

/// Size and number of the command, then three numbers, which come back as those of the other side; the last one is its verdict.
fn versions(socket: &Path) -> io::Result<(u32, u32)> {
    let mut stream = UnixStream::connect(socket)?;
    let request: Vec<u8> = [12, COMMAND, VERSION.0, VERSION.1, 0].into_iter().flat_map(u32::to_ne_bytes).collect();
    stream.write_all(&request)?;
    let mut number = || {
        let mut bytes = [0; 4];
        stream.read_exact(&mut bytes).map(|()| u32::from_ne_bytes(bytes))
    };
    match (number()?, number()?, number()?) {
        (major, minor, 0) => Ok((major, minor)),
        (_, _, verdict) => Err(io::Error::other(format!("it refuses this program (code {verdict:#x})"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::Severity;
    use std::os::unix::net::UnixListener;

    /// What is said of somebody who listens there and does this with the first one who comes.
    fn said(answer: impl FnOnce(UnixStream) + Send + 'static) -> Check {
        let dir = tempfile::tempdir().unwrap();
        let socket = dir.path().join("pcscd.comm");
        let listener = UnixListener::bind(&socket).unwrap();
        std::thread::spawn(move || answer(listener.accept().unwrap().0));
        pcscd(&socket)
    }

    #[test]
    fn pcscd_is_asked_for_its_version_and_nothing_else() {
        let (send, receive) = mpsc::channel();
        let check = said(move |mut stream| {
            let mut asked = [0; 20];
            stream.read_exact(&mut asked).unwrap();
            stream.write_all(&[4u32, 5, 0].map(u32::to_ne_bytes).concat()).unwrap();
            let mut more = Vec::new();
            stream.read_to_end(&mut more).unwrap();
            send.send(more).unwrap();
        });
        assert!(check.severity.is_none() && check.text.ends_with("answers, protocol 4.5"), "{check:?}");
        assert!(receive.recv().unwrap().is_empty(), "nothing else is asked");
    }

    #[test]
    fn a_pcscd_that_does_not_work_is_named_and_holds_nobody_up() {
        let (keep, kept) = mpsc::channel();
        for (check, says) in [
            (said(drop), "it does not answer"),
            (said(move |stream| drop(keep.send(stream))), "it does not answer"),
            (
                said(|mut stream| {
                    let _ = stream.read_exact(&mut [0; 20]);
                    let _ = stream.write_all(&[4u32, 5, 0x8010_0006].map(u32::to_ne_bytes).concat());
                }),
                "it refuses this program (code 0x80100006)",
            ),
        ] {
            assert!(check.severity == Some(Severity::Warn) && check.text.ends_with(says), "{check:?}");
        }
        drop(kept);
        let dir = tempfile::tempdir().unwrap();
        let socket = dir.path().join("pcscd.comm");
        assert!(pcscd(&socket).severity.is_none(), "nobody needs it");
        drop(UnixListener::bind(&socket).unwrap());
        assert!(pcscd(&socket).text.ends_with("nobody listens"));
    }
}
