//! Registries that lie, drip or never end: each is said in words, and none holds anybody up or fills the memory.
use super::{
    images::{pieces, verify},
    loopback::{Server, Stream, hang_up, reply},
    peers::{
        desk::Desk,
        program::Answer,
        server::{Kind, NotaryServer},
    },
    registry_client::sign,
    robot::driver::{Robot, Start},
    sandbox_registry::images::{CONFIG, LAYER, OCI, OCI_INDEX, image, list, sha256},
};
use rustix::process::Signal;
use serde_json::{Value, json};
use std::{
    io,
    path::Path,
    process::{Command, Stdio},
    sync::{Mutex, mpsc},
    time::{Duration, Instant},
};

/// Somebody who knows what was signed under the tags of a repository.
struct Reader {
    desk: Desk,
    gun: String,
}

fn reader(name: &str, signed: &[(&str, &str)]) -> Reader {
    let (desk, gun) = (Desk::new(NotaryServer::shared(Kind::Local), name), format!("reg.hostile/{name}"));
    desk.notary(&["init", &gun, "-p"]).ok();
    signed.iter().for_each(|(tag, manifest)| sign(&desk, &gun, tag, manifest));
    Reader { desk, gun }
}

/// Where the images are.
fn at(registry: &Server) -> String {
    format!("reg.hostile={}", registry.url())
}

impl Reader {
    fn ask(&self, tag: &str, registry: &Server) -> Answer {
        verify(&self.desk, &format!("{}:{tag}", self.gun), &["--registry", &at(registry)])
    }

    /// What claviger is started with for the image at a registry.
    fn arguments(&self, registry: &Server) -> Vec<String> {
        let image = format!("{}:v1", self.gun);
        let arguments = self.desk.claviger_arguments(&["image", "verify", &image, "--registry", &at(registry)]);
        arguments.into_iter().map(|a| a.into_string().unwrap()).collect()
    }
}

/// A registry with this manifest and [`CONFIG`], and something of its own for every other request.
fn serving(manifest: &str, then: impl Fn(&mut dyn Stream) -> io::Result<()> + Send + Sync + 'static) -> Server {
    let first = [reply("200 OK", "", manifest), reply("200 OK", "", CONFIG)];
    Server::plain(move |n, stream| match first.get(n) {
        Some(answer) => stream.write_all(answer),
        None => then(stream),
    })
}

/// An image of one layer that is said to have so many bytes.
fn image_of(digest: &str, size: u64) -> String {
    let mut manifest: Value = serde_json::from_str(&image(OCI, &[LAYER])).unwrap();
    manifest["layers"][0]["digest"] = json!(digest);
    manifest["layers"][0]["size"] = json!(size);
    manifest.to_string()
}

/// Something that a registry does.
type Does = Box<dyn Fn(&mut dyn Stream) -> io::Result<()> + Send + Sync>;

fn says(answer: Vec<u8>) -> Does {
    Box::new(move |stream| stream.write_all(&answer))
}

#[test]
fn whatever_is_sent_for_a_layer_is_said_in_words_and_never_taken_for_it() {
    let manifest = image(OCI, &[LAYER]);
    let reader = reader("layers", &[("v1", &manifest)]);
    let endless = |head: &'static str| -> Does {
        Box::new(move |stream| {
            stream.write_all(head.as_bytes())?;
            loop {
                stream.write_all(b"5\r\nlayer\r\n")?;
            }
        })
    };
    let broken: Does = Box::new(|stream| {
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nlay")?;
        stream.flush()?;
        hang_up()
    });
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let forbids = Server::saying(reply("403 Forbidden", "", ""));
    let to = |place: String| says(reply("307 Temporary Redirect", &format!("Location: {place}\r\n"), ""));
    let cases: Vec<(Does, i32, &str)> = vec![
        (says(reply("200 OK", "", "lay3r")), 3, "was tampered with: its digest is sha256:"),
        (says(reply("200 OK", "", "layer and more")), 3, "it has more than 5 bytes"),
        (says(reply("200 OK", "", "lay")), 3, "it has 3 bytes, and not 5"),
        (says(reply("200 OK", "", "")), 3, "it has 0 bytes, and not 5"),
        (endless("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"), 3, "it has more than 5 bytes"),
        (endless("HTTP/1.1 200 OK\r\nContent-Length: 9223372036854775807\r\n\r\n"), 3, "it has more than 5 bytes"),
        (says(reply("404 Not Found", "", "")), 3, "is not there"),
        (broken, 1, "the connection broke before the answer was complete"),
        (says(reply("200 OK", "Content-Encoding: gzip\r\n", LAYER)), 1, "it is compressed, which was not asked for"),
        (says(reply("500 Internal Server Error", "", "")), 1, "the server answered with status 500"),
        (says(reply("206 Partial Content", "", "lay")), 1, "the server answered with status 206"),
        (to("/v2/app/again".to_owned()), 1, "redirects to /v2/app/again, which was not followed"),
        (to("ftp://127.0.0.1/x".to_owned()), 1, "redirects to ftp://127.0.0.1/x, which was not followed"),
        (to(format!("http://user:pw@{}/x", forbids.addr)), 1, "which was not followed"),
        (
            to(format!("http://{nobody}/x?token=hidden")),
            1,
            "and there the server could not be reached: nothing accepts a connection",
        ),
        (to(format!("{}/x?token=hidden", forbids.url())), 1, "and there the server does not allow this (status 403)"),
    ];
    for (does, status, words) in cases {
        let registry = serving(&manifest, does);
        let answer = reader.ask("v1", &registry);
        assert_eq!(answer.status, status, "{words}: {answer:?}");
        assert!(answer.stderr.contains(words), "{words:?} is not in {answer:?}");
        assert!(answer.stderr.contains(&sha256(LAYER)), "{answer:?}");
        assert!(!answer.stderr.contains("hidden") && !answer.stdout.contains("\"verified\": true"), "{answer:?}");
        assert!(registry.requests() <= 8, "{words}: {} requests", registry.requests());
    }
    assert_eq!(forbids.requests(), 1, "an account in an address is nobody's");
}

#[test]
fn a_manifest_that_is_not_what_was_signed_is_not_read_and_one_that_two_would_read_differently_is_not_followed() {
    let good = image(OCI, &[LAYER]);
    let both = good.replacen('{', r#"{"manifests":[],"#, 1);
    let other = good.replace("oci.image.manifest.v1", "oci.something.v9");
    let inner = list(OCI_INDEX, &[("amd64", &good)]);
    let mut outer: Value = serde_json::from_str(&inner).unwrap();
    outer["manifests"][0]["mediaType"] = json!(OCI_INDEX);
    let outer = outer.to_string();
    let entry = serde_json::from_str::<Value>(&inner).unwrap()["manifests"][0].clone();
    let many = json!({ "schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": vec![entry; 10_001] }).to_string();
    let signed = [("good", &*good), ("both", &both), ("other", &other), ("outer", &outer), ("many", &many)];
    let reader = reader("manifests", &signed);
    for (tag, sent, status, words) in [
        ("good", &inner, 3, "was tampered with: it has"),
        ("good", &good.replace("config", "Config"), 3, "was tampered with: its digest is"),
        ("both", &both, 3, "it is an image and a list of images at once"),
        ("other", &other, 3, "cannot be followed to its end"),
        // A list that contains itself.
        ("outer", &outer, 3, "was tampered with"),
        ("many", &many, 1, "it has more than 10000 pieces"),
    ] {
        let answers = reply("200 OK", "", sent);
        let registry = Server::plain(move |_, stream| stream.write_all(&answers));
        let answer = reader.ask(tag, &registry);
        assert_eq!(answer.status, status, "{tag}: {answer:?}");
        assert!(answer.stderr.contains(words), "{words:?} is not in {answer:?}");
        // Each of the two, the manifest and its tag, at most twice.
        assert!(registry.requests() <= 4, "{tag}: {} requests", registry.requests());
    }
}

#[test]
fn a_layer_that_is_kept_elsewhere_is_never_fetched_there() {
    let elsewhere = Server::saying(reply("200 OK", "", LAYER));
    let with = |kind: &str| {
        let mut manifest: Value = serde_json::from_str(&image(OCI, &[LAYER])).unwrap();
        manifest["layers"][0]["urls"] = json!([format!("{}/layer", elsewhere.url())]);
        manifest["layers"][0]["mediaType"] = json!(kind);
        manifest.to_string()
    };
    let foreign = with("application/vnd.oci.image.layer.nondistributable.v1.tar+gzip");
    let own = with("application/vnd.oci.image.layer.v1.tar+gzip");
    let reader = reader("urls", &[("foreign", &foreign), ("own", &own)]);
    let ask = |tag: &str, manifest: &str| reader.ask(tag, &serving(manifest, says(reply("404 Not Found", "", ""))));
    let answer = ask("foreign", &foreign).ok();
    assert_eq!(pieces(&answer)[2].2, "elsewhere");
    assert!(answer.stderr.contains("1 layer was not looked at"), "{answer:?}");
    // An address does not make a layer one that may be missing.
    let answer = ask("own", &own);
    assert_eq!((answer.status, &*pieces(&answer)[2].2), (3, "missing"), "{answer:?}");
    assert_eq!(elsewhere.requests(), 0);
}

#[test]
fn what_is_named_by_sha512_is_held_against_that() {
    use sha2::{Digest as _, Sha512};
    let digest = format!("sha512:{}", base16ct::lower::encode_string(&Sha512::digest(LAYER)));
    let manifest = image_of(&digest, LAYER.len() as u64);
    let reader = reader("sha512", &[("v1", &manifest)]);
    reader.ask("v1", &serving(&manifest, says(reply("200 OK", "", LAYER)))).ok();
    let answer = reader.ask("v1", &serving(&manifest, says(reply("200 OK", "", "lay3r"))));
    assert_eq!(answer.status, 3, "{answer:?}");
    assert!(answer.stderr.contains("was tampered with: its digest is sha512:"), "{answer:?}");
}

#[test]
fn a_registry_that_drips_is_left() {
    let manifest = image_of(&sha256("never whole"), 1 << 30);
    let reader = reader("drips", &[("v1", &manifest)]);
    let registry = serving(&manifest, |stream| {
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n")?;
        loop {
            stream.write_all(b"x")?;
            std::thread::sleep(Duration::from_millis(50));
        }
    });
    let config = reader.desk.write("config.toml", "[network]\nrequest_timeout = 2\n");
    let answer = verify(&reader.desk, &format!("{}:v1", reader.gun), &["--registry", &at(&registry), "--config", &config]);
    assert_eq!((answer.status, &*answer.stdout), (1, ""), "{answer:?}");
    assert!(answer.stderr.contains("fewer than 65536 bytes arrived in 2 s"), "{answer:?}");
}

#[test]
fn what_comes_is_shown_and_control_c_ends_it_at_once() {
    let manifest = image_of(&sha256("never whole"), 2 << 30);
    let reader = reader("progress", &[("v1", &manifest)]);
    let registry = serving(&manifest, |stream| {
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2147483648\r\n\r\n")?;
        loop {
            stream.write_all(&[0; 16 << 10])?;
            std::thread::sleep(Duration::from_millis(10));
        }
    });
    let environment = reader.desk.environment().into_iter().map(|(name, value)| (name, value.into_string().unwrap()));
    let mut robot = Robot::start(Start {
        program: Path::new(env!("CARGO_BIN_EXE_claviger")),
        arguments: reader.arguments(&registry),
        variables: environment.collect(),
        size: (100, 30),
    });
    let screen = robot.see("of 2048 MiB");
    let digits = sha256("never whole");
    assert!(screen.contains(&format!("layer {}", &digits[7..19])), "{screen}");
    let before = Instant::now();
    robot.signal(Signal::INT);
    assert_eq!(robot.end(), 130);
    assert!(before.elapsed() < Duration::from_secs(1), "{:?}", before.elapsed());
    let screen = robot.see("interrupted");
    assert!(!screen.contains("PLATFORM"), "{screen}");
    robot.wait_whole();
}

#[test]
fn a_layer_of_any_size_is_hashed_as_it_comes_and_kept_nowhere() {
    use sha2::{Digest as _, Sha256};
    const SIZE: usize = 256 << 20;
    let (piece, mut hash) = (vec![7_u8; 1 << 20], Sha256::new());
    (0..SIZE / piece.len()).for_each(|_| hash.update(&piece));
    let manifest = image_of(&format!("sha256:{}", base16ct::lower::encode_string(&hash.finalize())), SIZE as u64);
    let reader = reader("size", &[("v1", &manifest)]);
    let ((sent, is_sent), (go, may_go)) = (mpsc::channel(), mpsc::channel::<()>());
    let (sent, may_go) = (Mutex::new(sent), Mutex::new(may_go));
    let registry = serving(&manifest, move |stream| {
        write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {SIZE}\r\n\r\n")?;
        (1..SIZE / piece.len()).try_for_each(|_| stream.write_all(&piece))?;
        stream.write_all(&piece[1..])?;
        sent.lock().unwrap().send(()).unwrap();
        may_go.lock().unwrap().recv().unwrap();
        stream.write_all(&piece[..1])
    });
    let child = Command::new(env!("CARGO_BIN_EXE_claviger"))
        .args(reader.arguments(&registry))
        .env_clear()
        .envs(reader.desk.environment())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    is_sent.recv_timeout(Duration::from_secs(60)).unwrap();
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
    go.send(()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let peak = status.lines().find_map(|l| l.strip_prefix("VmHWM:")).unwrap().trim().trim_end_matches(" kB");
    let peak: usize = peak.parse().unwrap();
    assert!(peak < 100 << 10, "{peak} KiB for a layer of {} KiB", SIZE >> 10);
    println!("{peak} KiB at most, for a layer of {} KiB", SIZE >> 10);
}
