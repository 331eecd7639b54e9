//! One list of requests, asked of the real `docker-registry` and of ours one after the other: status, body, and the headers
//! that clients read.
use super::{
    images::{CONFIG, DOCKER, DOCKER_LIST, LAYER, OCI, OCI_INDEX, image, list, sha256},
    peer::{Answer, Headers, Peer, RealRegistry, octets, ours},
};

/// What clients read. `Content-Length` is what tells a client of `HEAD` how much there is.
const READ: [&str; 14] = [
    "accept-ranges",
    "allow",
    "cache-control",
    "content-length",
    "content-range",
    "content-type",
    "docker-content-digest",
    "docker-distribution-api-version",
    "docker-upload-uuid",
    "etag",
    "link",
    "location",
    "range",
    "www-authenticate",
];

/// How two answers may differ.
enum Same {
    Everything,
    /// Bodies are words for people, or Go's own.
    ButBody,
    /// Ours is this, because of a reason; the real one's status is the other.
    Not {
        ours: (u16, &'static str),
        real: u16,
        why: &'static str,
    },
}

struct Row {
    method: &'static str,
    /// `@` is the address of the upload that was begun last, as it was given then, and `#` as it was given last.
    target: String,
    headers: Headers,
    body: Vec<u8>,
    same: Same,
}

fn row(method: &'static str, target: impl Into<String>) -> Row {
    Row { method, target: target.into(), headers: Vec::new(), body: Vec::new(), same: Same::Everything }
}

impl Row {
    fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    fn accept(self, kind: &str) -> Self {
        self.header("accept", kind)
    }

    fn range(self, range: &str) -> Self {
        self.header("range", range)
    }

    fn kind(self, kind: &str) -> Self {
        self.header("content-type", kind)
    }

    fn body(self, body: impl Into<Vec<u8>>) -> Self {
        Self { body: body.into(), ..self }
    }

    /// A blob, or a part of one.
    fn blob(mut self, body: &str) -> Self {
        self.headers.extend(octets());
        self.body(body)
    }

    fn but_body(self) -> Self {
        Self { same: Same::ButBody, ..self }
    }

    fn differs(self, ours: (u16, &'static str), real: u16, why: &'static str) -> Self {
        Self { same: Same::Not { ours, real, why }, ..self }
    }
}

fn addresses() -> Vec<Row> {
    let name = "a".repeat(255);
    let absent = sha256("absent");
    let mut rows = vec![
        row("GET", "/"),
        row("GET", "/v2/"),
        row("HEAD", "/v2/"),
        row("POST", "/v2/"),
        row("GET", "/v2/?a=b"),
        row("GET", "/v2").but_body(),
        row("GET", "/v2?a=b").but_body(),
        row("GET", "/v2//").but_body(),
        row("GET", "/x"),
        row("GET", "/v2/x"),
        row("GET", "/v2/tags/list"),
        row("GET", "/v2/_catalog/").but_body(),
        row("GET", "/v2/a/tags/list/").but_body(),
        row("GET", "/v2/a/manifests/latest/").but_body(),
        row("GET", "/v2/a/manifests/"),
        row("GET", "/v2/a/blobs/"),
        row("GET", "/v2/a/blobs/latest"),
        row("POST", "/v2/a/blobs/uploads").but_body(),
        row("GET", "/v2/a/../b/tags/list").but_body(),
        row("GET", "/v2/..%2fb/tags/list").but_body(),
        row("GET", "/v2/a%zzb/tags/list").but_body(),
        row("GET", format!("/v2/a/referrers/{absent}")),
        row("GET", format!("/v2/{name}/tags/list")),
        row("GET", format!("/v2/{name}a/tags/list")).differs(
            (400, "NAME_INVALID"),
            500,
            "the real one knows that the name is too long, and answers with an error of its own",
        ),
        row("GET", "/v2/A/b/tags/list").differs(
            (404, ""),
            404,
            "the real one lets upper case through in what could be a host; the specification does not",
        ),
        row("GET", format!("/v2/a/manifests/{}", "t".repeat(128))),
        row("GET", format!("/v2/a/manifests/{}", "t".repeat(129))),
        row("GET", "/v2/a/manifests/sha256:abc").differs(
            (400, "DIGEST_INVALID"),
            500,
            "the real one takes it for a tag, and then shows where it looked for it",
        ),
        row("GET", "/v2/_catalog"),
        row("HEAD", "/v2/_catalog"),
        row("POST", "/v2/_catalog"),
        row("OPTIONS", "/v2/_catalog").but_body(),
        row("HEAD", "/v2/a/tags/list"),
        row("DELETE", "/v2/a/tags/list"),
        row("GET", "/v2/a/manifests/latest"),
        row("HEAD", "/v2/a/manifests/latest"),
        row("POST", "/v2/a/manifests/latest"),
        row("PATCH", "/v2/a/manifests/latest"),
        row("GET", format!("/v2/a/manifests/{absent}")),
        row("GET", format!("/v2/a/blobs/{absent}")),
        row("HEAD", format!("/v2/a/blobs/{absent}")),
        row("DELETE", format!("/v2/a/blobs/{absent}")),
        row("PUT", format!("/v2/a/blobs/{absent}")),
        row("GET", "/v2/a/blobs/sha256:abc"),
        row("DELETE", "/v2/a/blobs/sha256:abc"),
        row("GET", "/v2/a/blobs/md5:900150983cd24fb0d6963f7d28e17f72"),
        row("GET", format!("/v2/a/blobs/{}", absent.to_uppercase().replace("SHA", "sha"))),
    ];
    for name in [
        "a",
        "a/b",
        "a__b",
        "a--b",
        "a.b",
        "a___b",
        "a..b",
        "a._b",
        "a-",
        "-a",
        ".a",
        "a/-b",
        "a/LAB",
        "a%2Fb",
        "a%00b",
        "a%ffb",
        "a%20b",
        "a%2e%2e%2fb",
        "a+b",
        "a:b",
        "a/blobs/uploads",
        "manifests",
        "a%C3%A4",
    ] {
        rows.push(row("GET", format!("/v2/{name}/tags/list")));
    }
    for tag in ["_a", "-a", ".a", "a.b", "a-b", "a:b", "a@b", "a+b", "A"] {
        let row = row("GET", format!("/v2/a/manifests/{tag}"));
        rows.push(match tag {
            "a:b" => row.differs((400, "DIGEST_INVALID"), 500, "as `sha256:abc`"),
            _ => row,
        });
    }
    rows
}

fn uploads() -> Vec<Row> {
    let (hello, world) = (sha256("hello"), sha256("helloworld"));
    let start = || row("POST", "/v2/lab/img/blobs/uploads/");
    vec![
        row("GET", "/v2/lab/img/blobs/uploads/"),
        row("PUT", "/v2/lab/img/blobs/uploads/"),
        row("PATCH", "/v2/lab/img/blobs/uploads/"),
        row("DELETE", "/v2/lab/img/blobs/uploads/"),
        row("OPTIONS", "/v2/lab/img/blobs/uploads/").but_body(),
        row("GET", "/v2/lab/img/blobs/uploads/nosuch"),
        row("GET", "/v2/lab/img/blobs/uploads/nosuch?_state=-").but_body(),
        row("DELETE", "/v2/lab/img/blobs/uploads/nosuch"),
        row("GET", "/v2/lab/img/blobs/uploads/no%20such"),
        // The real registry does not take a blob with the beginning of its upload. Clients go on as if they had not tried.
        row("POST", format!("/v2/lab/img/blobs/uploads/?digest={hello}")).blob("hello"),
        row("GET", format!("/v2/lab/img/blobs/{hello}")),
        // In one piece.
        start(),
        row("GET", "@"),
        row("HEAD", "@"),
        row("PUT", "@"),
        row("PUT", "@&digest="),
        row("PUT", "@&digest=x"),
        row("PUT", "@&digest=sha256:abc"),
        row("PUT", "@&digest=md5:900150983cd24fb0d6963f7d28e17f72"),
        row("PUT", format!("@&digest={}", hello.to_uppercase().replace("SHA", "sha"))),
        row("PUT", format!("@&digest={hello}")).blob("hello"),
        row("GET", "@"),
        row("DELETE", "@"),
        row("PUT", format!("@&digest={hello}")).blob("hello"),
        row("GET", format!("/v2/lab/img/blobs/{hello}")),
        // In parts.
        start(),
        row("PATCH", "#").blob("hello"),
        row("GET", "@"),
        row("PATCH", "@").blob("world"),
        row("GET", "#"),
        row("PATCH", "#").blob("wor").header("content-range", "5-7"),
        row("PATCH", "#").blob(""),
        row("PUT", format!("#&digest={world}")).blob("ld"),
        row("GET", "#"),
        row("GET", format!("/v2/lab/img/blobs/{world}")),
        // In parts, to the last.
        start(),
        row("PATCH", "#").body("hello"),
        row("PUT", format!("#&digest={hello}")),
        // Parts out of order.
        start(),
        row("PATCH", "#").blob("world").header("content-range", "5-9").differs(
            (416, "RANGE_INVALID"),
            202,
            "the real one does not look at `Content-Range`; the specification wants this answer",
        ),
        start(),
        row("PATCH", "#").body("hello").kind("text/plain"),
        // Nothing.
        start(),
        row("PUT", format!("@&digest={}", sha256(""))),
        row("GET", format!("/v2/lab/img/blobs/{}", sha256(""))),
        // Something else than what was said.
        start(),
        row("PUT", format!("@&digest={}", sha256("x"))).blob("hello"),
        row("GET", format!("/v2/lab/img/blobs/{}", sha256("x"))),
        start(),
        row("PUT", format!("@&digest=sha512:{}", "0".repeat(128))).blob("hello"),
        // Given up.
        start(),
        row("DELETE", "@"),
        row("GET", "@"),
        // Under another name, and at an address that was not given out.
        start(),
        row("GET", "@&x=y"),
        row("POST", "@"),
        // Taken over.
        row("POST", format!("/v2/lab/other/blobs/uploads/?mount={hello}&from=lab/img")),
        row("GET", format!("/v2/lab/other/blobs/{hello}")),
        row("GET", format!("/v2/lab/third/blobs/{hello}")),
        row("POST", format!("/v2/lab/other/blobs/uploads/?mount={hello}")),
        row("POST", format!("/v2/lab/other/blobs/uploads/?mount={hello}&from=lab/nosuch")),
        row("POST", format!("/v2/lab/other/blobs/uploads/?mount={}&from=lab/img", sha256("x"))),
        row("POST", "/v2/lab/other/blobs/uploads/?mount=x&from=lab/img"),
        row("POST", format!("/v2/lab/other/blobs/uploads/?mount={hello}&from=../img")),
        row("DELETE", format!("/v2/lab/other/blobs/{hello}")),
        row("DELETE", format!("/v2/lab/other/blobs/{hello}")),
        row("GET", format!("/v2/lab/other/blobs/{hello}")),
        row("GET", format!("/v2/lab/img/blobs/{hello}")),
    ]
}

fn ranges() -> Vec<Row> {
    let blob = format!("/v2/lab/img/blobs/{}", sha256("helloworld"));
    let get = |range: &str| row("GET", &*blob).range(range);
    let tag = format!("\"{}\"", sha256("helloworld"));
    vec![
        row("HEAD", &*blob),
        get("bytes=0-3"),
        get("bytes=5-"),
        get("bytes=-3"),
        get("bytes=-100"),
        get("bytes=8-100"),
        get("bytes="),
        row("HEAD", &*blob).range("bytes=0-3"),
        get("bytes=10-").but_body(),
        get("bytes=100-200").but_body(),
        get("bytes=3-1").but_body(),
        get("bytes=x").but_body(),
        get("x=0-1").but_body(),
        get("bytes=-0").differs((416, ""), 206, "the last no bytes are no part"),
        get("bytes=0-1,4-5").differs((200, ""), 206, "the whole is given instead of several parts, as a server may"),
        get("bytes=0-3").header("if-range", &tag),
        get("bytes=0-3").header("if-range", "\"x\""),
        row("GET", &*blob).header("if-none-match", &tag),
        row("GET", &*blob).header("if-none-match", "\"x\""),
    ]
}

fn manifests() -> Vec<Row> {
    let (docker, oci) = (image(DOCKER, &[LAYER]), image(OCI, &[LAYER]));
    let (docker_list, index) = (list(DOCKER_LIST, &[("arm64", &oci), ("amd64", &docker)]), list(OCI_INDEX, &[("amd64", &oci)]));
    let put =
        |reference: &str, kind: &str, body: &str| row("PUT", format!("/v2/lab/img/manifests/{reference}")).kind(kind).body(body);
    let get = |reference: &str| row("GET", format!("/v2/lab/img/manifests/{reference}"));
    let start = || row("POST", "/v2/lab/img/blobs/uploads/");
    let broken = |body: &str, kind: &'static str| {
        put("bad", kind, body).differs((400, "MANIFEST_INVALID"), 500, "the real one breaks down")
    };
    let mut rows = vec![
        put("1.0", DOCKER, &docker),
        start(),
        row("PUT", format!("@&digest={}", sha256(CONFIG))).blob(CONFIG),
        put("1.0", DOCKER, &docker),
        start(),
        row("PUT", format!("@&digest={}", sha256(LAYER))).blob(LAYER),
        row("GET", "/v2/lab/img/tags/list"),
        put("1.0", DOCKER, &docker),
        put("1.0", DOCKER, &docker),
        get("1.0"),
        get("1.0").accept(DOCKER),
        row("HEAD", "/v2/lab/img/manifests/1.0").accept(DOCKER),
        get("1.0").accept(OCI),
        get("1.0").accept("*/*"),
        get("1.0").accept(&format!("application/json, {DOCKER};q=0.5")),
        get("1.0").accept(OCI).accept(DOCKER),
        get("1.0").accept(DOCKER).header("if-none-match", &format!("\"{}\"", sha256(&docker))),
        get("1.0").accept(DOCKER).header("if-none-match", &sha256(&docker)),
        get("1.0").accept(DOCKER).header("if-none-match", "\"x\""),
        get(&sha256(&docker)),
        get(&sha256(&docker)).accept(OCI),
        put("oci", OCI, &oci),
        get("oci"),
        get("oci").accept(OCI),
        get("oci").accept(DOCKER),
        get(&sha256(&oci)),
        get(&sha256(&oci)).accept(OCI),
        put(&sha256(&oci), OCI, &oci),
        put(&sha256(&oci), DOCKER, &docker),
        put("list", DOCKER_LIST, &docker_list),
        get("list"),
        get("list").accept(DOCKER_LIST),
        get("list").accept(DOCKER),
        get("list").accept(OCI_INDEX),
        get(&sha256(&docker_list)).accept(DOCKER),
        put("noamd64", DOCKER_LIST, &list(DOCKER_LIST, &[("arm64", &docker)])),
        get("noamd64").accept(DOCKER),
        put("index", OCI_INDEX, &index),
        get("index"),
        get("index").accept(OCI_INDEX),
        get("index").accept(OCI),
        get("index").accept(DOCKER),
        // A manifest is no blob.
        row("HEAD", format!("/v2/lab/img/blobs/{}", sha256(&oci))),
        // A tag moves.
        put("1.0", OCI, &oci),
        get("1.0").accept(OCI),
        put("1.0", &format!("{DOCKER}; charset=utf-8"), &docker),
        // What refers to something that is not there.
        put("bad", DOCKER, &image(DOCKER, &["absent"])),
        put("bad", OCI, &image(OCI, &["absent", LAYER, "absent too"])),
        put("bad", DOCKER_LIST, &list(DOCKER_LIST, &[("amd64", "absent")])),
        put("bad", OCI_INDEX, &list(OCI_INDEX, &[("amd64", "absent"), ("arm64", &oci)])),
        put("bad", OCI_INDEX, r#"{"schemaVersion":2,"manifests":[{"mediaType":"x","digest":"x","size":0}]}"#),
        // What is not of its kind.
        put("bad", DOCKER, "{}"),
        put("bad", DOCKER_LIST, "{}"),
        put("bad", DOCKER, &oci),
        put("bad", OCI, &docker),
        put("bad", OCI, &index),
        put("bad", OCI_INDEX, &oci),
        put("bad", DOCKER_LIST, &index),
        put("bad", "application/json", &docker),
        put("bad", "text/plain", &docker),
        put("bad", "application/vnd.docker.distribution.manifest.v1+prettyjws", &docker),
        row("PUT", "/v2/lab/img/manifests/bad").body(&*docker),
        put("bad", DOCKER, "not json").but_body(),
        put("bad", DOCKER, "").but_body(),
        put("bad", OCI, &docker.replace(DOCKER, OCI).replace("\"layers\"", "\"manifests\":[],\"layers\"")),
        put("bad", OCI_INDEX, r#"{"schemaVersion":2,"manifests":[],"layers":[]}"#),
        put("empty", OCI_INDEX, r#"{"schemaVersion":2,"manifests":[]}"#),
        put("silent", OCI, &oci.replace(&format!(r#""mediaType":"{OCI}","#), "")),
        broken("{}", OCI),
        broken("{}", OCI_INDEX),
        broken(r#"{"schemaVersion":1,"manifests":[]}"#, OCI_INDEX),
        put(&format!("sha512:{}", "0".repeat(128)), DOCKER, &docker),
        get("bad"),
    ];
    rows.extend(lists(&docker, &oci, &index));
    rows
}

fn lists(docker: &str, oci: &str, index: &str) -> Vec<Row> {
    let delete = |reference: &str| row("DELETE", format!("/v2/lab/img/manifests/{reference}"));
    let get = |reference: &str| row("GET", format!("/v2/lab/img/manifests/{reference}"));
    let mount = format!("/v2/alpha/blobs/uploads/?mount={}&from=lab/img", sha256(LAYER));
    let mut rows = vec![row("POST", mount), row("GET", "/v2/alpha/tags/list"), row("GET", "/v2/lab/img/tags/list")];
    for query in [
        "",
        "?n=1",
        "?n=1&last=alpha",
        "?n=2&last=alpha",
        "?n=3",
        "?n=0",
        "?n=-1",
        "?n=x",
        "?n=",
        "?n=1000",
        "?n=1001",
        "?n=10000",
        "?last=lab/img",
        "?last=zzz",
        "?n=1&last=zzz",
        "?n=2&n=1",
        "?n=1&last=alph",
        "?n=+1",
        "?n=01",
    ] {
        rows.push(row("GET", format!("/v2/_catalog{query}")));
    }
    rows.extend([
        delete("index"),
        delete("nosuch"),
        delete(&sha256("absent")),
        get("index").accept(OCI_INDEX),
        delete(&sha256(index)),
        delete(&sha256(index)),
        get("index").accept(OCI_INDEX),
        get(&sha256(index)).accept(OCI_INDEX),
        // All tags of a manifest go with it.
        delete(&sha256(docker)),
        get("1.0").accept(DOCKER),
        row("GET", "/v2/lab/img/tags/list"),
        // A list whose image was deleted.
        get("list").accept(DOCKER),
        row("DELETE", format!("/v2/lab/img/blobs/{}", sha256(LAYER))),
        get("oci").accept(OCI),
        row("PUT", "/v2/lab/img/manifests/oci").kind(OCI).body(oci),
    ]);
    rows
}

/// Without what is another at each time.
fn plain(answer: &Answer, uuid: &str) -> Answer {
    let without = |text: &str| {
        let text = if uuid.is_empty() { text.to_owned() } else { text.replace(uuid, "UUID") };
        match text.split_once("?_state=") {
            Some((before, _)) => format!("{before}?_state=S"),
            None => text,
        }
    };
    let mut headers: Headers =
        answer.headers.iter().filter(|(n, _)| READ.contains(&n.as_str())).map(|(n, v)| (n.clone(), without(v))).collect();
    if answer.header("content-length").is_none() {
        headers.push(("content-length".to_owned(), answer.body.len().to_string()));
    }
    headers.sort();
    Answer { status: answer.status, headers, body: answer.body.clone() }
}

/// Asks all of it, and gives what came back.
fn asked(peer: &impl Peer, rows: &[Row]) -> Vec<Answer> {
    let (mut begun, mut last, mut uuid) = (String::new(), String::new(), String::new());
    let mut answers = Vec::new();
    for row in rows {
        let target = row.target.replace('@', &begun).replace('#', &last);
        let target = if row.target.contains("a@b") { row.target.clone() } else { target };
        let answer = peer.ask(row.method, &target, &row.headers, &row.body);
        if let (Some(id), Some(place)) = (answer.header("docker-upload-uuid"), answer.header("location")) {
            (uuid, last) = (id.to_owned(), place.to_owned());
            if row.method == "POST" {
                begun.clone_from(&last);
            }
        }
        answers.push(plain(&answer, &uuid));
    }
    answers
}

/// Tags in the order of ours; the real one has none.
fn sorted(mut answer: Answer) -> Answer {
    if let Ok(mut body) = serde_json::from_slice::<serde_json::Value>(&answer.body)
        && let Some(tags) = body["tags"].as_array_mut()
    {
        tags.sort_by(|a, b| a.as_str().cmp(&b.as_str()));
        answer.body = format!("{body}\n").into_bytes();
    }
    answer
}

#[test]
fn every_answer_is_that_of_the_real_registry() {
    let rows: Vec<Row> = [addresses(), uploads(), ranges(), manifests()].into_iter().flatten().collect();
    assert!(rows.len() > 200, "only {}", rows.len());
    let theirs = asked(&RealRegistry::start(), &rows);
    let ours = asked(&ours(), &rows);
    let mut wrong = Vec::new();
    for ((row, ours), theirs) in rows.iter().zip(ours).zip(theirs) {
        let asked = format!("{} {} {:?}", row.method, row.target, row.headers);
        let same = match row.same {
            Same::Everything => ours == sorted(theirs.clone()),
            Same::ButBody => {
                let without = |a: &Answer| {
                    let headers = a.headers.iter().filter(|(n, _)| n != "content-length" && n != "content-type");
                    (a.status, headers.cloned().collect::<Vec<_>>())
                };
                without(&ours) == without(&theirs)
            }
            Same::Not { ours: (status, code), real, why } => {
                assert_ne!(ours, theirs, "{asked}: no difference ({why})");
                (ours.status, &*ours.code(), theirs.status) == (status, code, real)
            }
        };
        if !same {
            wrong.push(format!(
                "{asked}\n  ours   {ours:?}\n         {}\n  theirs {theirs:?}\n         {}",
                ours.text(),
                theirs.text()
            ));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), rows.len(), wrong.join("\n"));
}
