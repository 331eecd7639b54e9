//! The sandbox's token issuer and gate against the real servers: they accept the tokens, and refuse with the same bytes.
use super::peers::{
    program::scratch,
    server::{NotaryServer, Registry},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use claviger::sandbox::{Access, Call, Clock, Gate, Issuer, Person, Response, Rights, Service, guarded, notary_access};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::sync::Arc;

const REALM: &str = "https://localhost:5002/token";
const SERVICE: &str = "the service";
const NAME: &str = "sandbox.test/issuer";

fn people() -> [Person; 3] {
    [
        Person::new("alice", "alice-secret", Rights::none().everywhere(&["*"]).with_catalogue()),
        Person::new("bob", "bob:secret", Rights::none().on("a/b", &["pull"])),
        Person::new("pusher", "pusher-secret", Rights::none().everywhere(&["pull", "push"])),
    ]
}

fn now() -> Clock {
    Arc::new(Timestamp::now)
}

fn issuer() -> Arc<Issuer> {
    Arc::new(Issuer::new(NAME, now(), people()).unwrap())
}

fn basic(user: &str, password: &str) -> Vec<(String, String)> {
    vec![("authorization".into(), format!("Basic {}", STANDARD.encode(format!("{user}:{password}"))))]
}

fn token_from(answer: &Response) -> String {
    assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
    serde_json::from_slice::<Value>(&answer.body).unwrap()["token"].as_str().unwrap().to_owned()
}

fn ask(issuer: &Issuer, query: &str, headers: &[(String, String)]) -> Response {
    issuer.handle(&Call::get("/token").with_query(query).with_headers(headers))
}

/// A token for a scope, as alice.
fn token(issuer: &Issuer, service: &str, scope: &str) -> String {
    let query = format!("service={}&scope={scope}", service.replace(' ', "+"));
    token_from(&ask(issuer, &query, &basic("alice", "alice-secret")))
}

/// How a server is told to believe an issuer.
fn believing(issuer: &Issuer) -> Value {
    let file = scratch("issuer").join("issuer.crt");
    std::fs::write(&file, issuer.certificate()).unwrap();
    json!({"realm": REALM, "service": SERVICE, "issuer": issuer.name(), "rootcertbundle": file})
}

/// What clients read of an answer. The real servers name the actions of a scope in no order.
fn essence(status: u16, headers: &[(String, String)], body: &str) -> (u16, Vec<(String, String)>, String) {
    const READ: &[&str] = &["content-type", "docker-distribution-api-version", "www-authenticate"];
    let sorted = |value: &str| {
        let (before, rest) = value.split_once(",scope=\"").unwrap_or((value, ""));
        let (scope, after) = rest.split_once('"').unwrap_or_default();
        let mut scopes: Vec<String> = scope
            .split(' ')
            .map(|s| {
                let (name, actions) = s.rsplit_once(':').unwrap_or((s, ""));
                let mut actions: Vec<_> = actions.split(',').collect();
                actions.sort_unstable();
                format!("{name}:{}", actions.join(","))
            })
            .collect();
        scopes.sort();
        format!("{before} {} {after}", scopes.join(" "))
    };
    let mut read: Vec<_> = headers
        .iter()
        .map(|(n, v)| (n.to_ascii_lowercase(), v))
        .filter(|(n, _)| READ.contains(&n.as_str()))
        .map(|(n, v)| (n.clone(), if n == "www-authenticate" { sorted(v) } else { v.clone() }))
        .collect();
    read.sort();
    (status, read, body.to_owned())
}

fn real(answer: &str) -> (u16, Vec<(String, String)>, String) {
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let headers: Vec<_> =
        head.lines().skip(1).filter_map(|l| l.split_once(": ")).map(|(n, v)| (n.to_owned(), v.to_owned())).collect();
    essence(status, &headers, body)
}

fn ours(answer: &Response) -> (u16, Vec<(String, String)>, String) {
    let headers: Vec<_> = answer.headers.iter().map(|(n, v)| ((*n).to_owned(), v.clone().into_owned())).collect();
    essence(answer.status, &headers, std::str::from_utf8(&answer.body).unwrap())
}

#[test]
fn an_account_that_could_not_log_in_is_refused_where_it_is_made() {
    for name in ["", "a:b", ":"] {
        let people = [Person::new(name, "secret", Rights::none())];
        let refused = Issuer::new(NAME, now(), people).err().map(|e| e.to_string()).unwrap_or_default();
        assert!(refused.contains(&format!("{name:?} is no name for an account")), "{refused}");
    }
}

/// Behind the gate of these tests: 299, which no server says.
fn behind(gate: Gate, wanted: fn(&Call<'_>) -> Option<Vec<Access>>) -> Service {
    guarded(Arc::new(|_| Response { status: 299, headers: Vec::new(), body: Vec::new() }), gate, wanted)
}

/// Every way not to get in, for what `scope` and `service` would open.
fn refused(issuer: &Arc<Issuer>, scope: &str) -> Vec<(&'static str, Option<String>)> {
    let other = self::issuer();
    let old = Issuer::new(NAME, now(), people()).unwrap().with_age(SignedDuration::from_hours(1));
    let good = token(issuer, SERVICE, scope);
    let (signed, signature) = good.rsplit_once('.').unwrap();
    let (header, _) = signed.split_once('.').unwrap();
    let other_token = token(&other, SERVICE, scope);
    let other_claims = other_token.split('.').nth(1).unwrap();
    let no_signature = "eyJ0eXAiOiJKV1QiLCJhbGciOiJub25lIn0";
    let bearer = |t: &str| Some(format!("Bearer {t}"));
    vec![
        ("nothing", None),
        ("another scheme", Some(format!("Basic {}", STANDARD.encode("alice:alice-secret")))),
        ("no token", Some("Bearer".into())),
        ("an empty token", bearer("")),
        ("two words", bearer("a b")),
        ("rubbish", bearer("rubbish")),
        ("three parts of rubbish", bearer("a.b.c")),
        ("another issuer's key", bearer(&other_token)),
        ("too old", bearer(&token(&old, SERVICE, scope))),
        ("for another service", bearer(&token(issuer, "another", scope))),
        ("for another scope", bearer(&token(issuer, SERVICE, "repository:other:pull,push"))),
        ("for nothing", bearer(&token(issuer, SERVICE, ""))),
        ("changed", bearer(&format!("{header}.{other_claims}.{signature}"))),
        ("not signed", bearer(&format!("{no_signature}.{other_claims}."))),
    ]
}

fn line(authorization: Option<&str>) -> String {
    authorization.map(|a| format!("Authorization: {a}\r\n")).unwrap_or_default()
}

fn by_us(service: &Service, method: &str, path: &str, authorization: Option<&str>) -> Response {
    let headers: Vec<_> = authorization.map(|a| ("authorization".to_owned(), a.to_owned())).into_iter().collect();
    service(&Call::new(method, path).with_headers(&headers))
}

#[test]
fn the_gate_before_a_notary_server_answers_as_the_real_one_does() {
    let issuer = issuer();
    let server = NotaryServer::with_tokens(&believing(&issuer));
    let gate = behind(Gate::new(REALM, SERVICE, issuer.clone()), notary_access);
    let gun = "localhost:5000/a/b";
    let at = |rest: &str| format!("/v2/{gun}/_trust/{rest}");
    let places = [
        ("GET", "/v2/".to_owned(), "registry:catalog:*".to_owned()),
        ("GET", "/v2/_trust/changefeed".into(), "registry:catalog:*".into()),
        ("GET", "/nothing".into(), "registry:catalog:*".into()),
        ("GET", at("tuf/"), "registry:catalog:*".into()),
        ("PUT", at("tuf/"), "registry:catalog:*".into()),
        ("GET", at("tuf/root.json"), format!("repository:{gun}:pull")),
        ("GET", at("tuf/1.root.json"), format!("repository:{gun}:pull")),
        ("GET", at("tuf/targets/releases.json"), format!("repository:{gun}:pull")),
        ("GET", at("changefeed"), format!("repository:{gun}:pull")),
        ("GET", at("tuf/timestamp.key"), format!("repository:{gun}:push,pull")),
        ("POST", at("tuf/"), format!("repository:{gun}:push,pull")),
        ("POST", at("tuf/snapshot.key"), format!("repository:{gun}:*")),
        ("DELETE", at("tuf/"), format!("repository:{gun}:*")),
    ];
    for (method, path, scope) in &places {
        for (case, authorization) in refused(&issuer, scope) {
            let authorization = authorization.as_deref();
            let theirs = real(&server.ask(method, path, &line(authorization)).unwrap());
            let ours = ours(&by_us(&gate, method, path, authorization));
            assert_eq!(ours, theirs, "{method} {path}, {case}");
            assert_eq!(ours.0, 401, "{method} {path}, {case}");
        }
        let good = format!("Bearer {}", token(&issuer, SERVICE, scope));
        let theirs = server.ask(method, path, &line(Some(&good))).unwrap();
        assert_ne!(real(&theirs).0, 401, "{method} {path}: {theirs}");
        assert_eq!(by_us(&gate, method, path, Some(&good)).status, 299, "{method} {path}");
        // Everything includes each part.
        let all = format!("Bearer {}", token(&issuer, SERVICE, &format!("{}:*", scope.rsplit_once(':').unwrap().0)));
        let theirs = server.ask(method, path, &line(Some(&all))).unwrap();
        assert_ne!(real(&theirs).0, 401, "{method} {path}: {theirs}");
        assert_eq!(by_us(&gate, method, path, Some(&all)).status, 299, "{method} {path}");
    }
    for (method, path) in [("GET", "/_notary_server/health"), ("GET", "//v2/"), ("PATCH", "/v2/"), ("GET", "/metrics")] {
        assert_ne!(real(&server.ask(method, path, "").unwrap()).0, 401, "{method} {path}");
        assert_eq!(by_us(&gate, method, path, None).status, 299, "{method} {path}");
    }
}

#[test]
fn the_gate_before_a_registry_answers_as_the_real_one_does() {
    fn wanted(call: &Call<'_>) -> Option<Vec<Access>> {
        Some(match (call.method, call.path) {
            (_, "/v2/") => Vec::new(),
            (_, "/v2/_catalog") => vec![Access::catalogue()],
            ("PUT", _) => vec![Access::repository("a/b", &["pull", "push"])],
            ("DELETE", _) => vec![Access::repository("a/b", &["delete"])],
            _ => vec![Access::repository("a/b", &["pull"])],
        })
    }
    let issuer = issuer();
    let registry = Registry::with_tokens(&believing(&issuer));
    let gate = behind(Gate::new(REALM, SERVICE, issuer.clone()).of_registry(), wanted);
    for (method, path, scope) in [
        ("GET", "/v2/", ""),
        ("GET", "/v2/_catalog", "registry:catalog:*"),
        ("GET", "/v2/a/b/manifests/latest", "repository:a/b:pull"),
        ("PUT", "/v2/a/b/manifests/latest", "repository:a/b:pull,push"),
        ("DELETE", "/v2/a/b/manifests/latest", "repository:a/b:delete"),
    ] {
        for (case, authorization) in refused(&issuer, scope) {
            // To ask whether one may come in at all needs any token.
            if scope.is_empty() && matches!(case, "for nothing" | "for another scope") {
                continue;
            }
            let authorization = authorization.as_deref();
            let theirs = real(&registry.ask(method, path, &line(authorization)).unwrap());
            let ours = ours(&by_us(&gate, method, path, authorization));
            assert_eq!(ours, theirs, "{method} {path}, {case}");
            assert_eq!(ours.0, 401, "{method} {path}, {case}");
        }
        let good = format!("Bearer {}", token(&issuer, SERVICE, scope));
        let theirs = registry.ask(method, path, &line(Some(&good))).unwrap();
        assert_ne!(real(&theirs).0, 401, "{method} {path}: {theirs}");
        assert_eq!(by_us(&gate, method, path, Some(&good)).status, 299, "{method} {path}");
    }
}

/// What a token from the issuer allows, and who it is for; none if the issuer refuses.
fn granted(answer: &Response) -> Option<(String, Value)> {
    if answer.status == 401 {
        let body = std::str::from_utf8(&answer.body).unwrap();
        assert_eq!(body, r#"{"errors":[{"code":"UNAUTHORIZED","message":"bad credentials"}]}"#);
        return None;
    }
    let token = token_from(answer);
    let claims = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
    let claims: Value = serde_json::from_slice(&claims).unwrap();
    assert_eq!(claims["aud"], SERVICE);
    Some((claims["sub"].as_str().unwrap().to_owned(), claims["access"].clone()))
}

#[test]
fn the_issuer_gives_each_person_what_they_may_have_and_no_more() {
    let issuer = Issuer::new(NAME, now(), people()).unwrap().with_anybody(Rights::none().on("public", &["pull"]));
    let asked = "service=the+service&scope=repository:a/b:pull,push&scope=repository%3Apublic%3Apull%20registry:catalog:*";
    let get = |headers: &[(String, String)]| granted(&ask(&issuer, asked, headers));
    let entry = |name: &str, actions: &[&str]| json!({"type": "repository", "name": name, "actions": actions});
    let catalogue = json!({"type": "registry", "name": "catalog", "actions": ["*"]});
    assert_eq!(get(&[]), Some((String::new(), json!([entry("public", &["pull"])]))));
    assert_eq!(get(&basic("bob", "bob:secret")), Some(("bob".into(), json!([entry("a/b", &["pull"])]))));
    let all = json!([entry("a/b", &["pull", "push"]), entry("public", &["pull"]), catalogue]);
    assert_eq!(get(&basic("alice", "alice-secret")), Some(("alice".into(), all.clone())));
    for (user, password) in [("alice", "bob:secret"), ("nobody", ""), ("", ""), ("alice", "")] {
        assert_eq!(get(&basic(user, password)), None, "{user}");
    }
    assert_eq!(get(&[("authorization".into(), "Bearer x".into())]), None);

    let post = |form: &str| issuer.handle(&Call::new("POST", "/token").with_body(form.as_bytes()));
    let password = format!("grant_type=password&username=alice&password=alice-secret&client_id=t&{asked}");
    assert_eq!(granted(&post(&password)), Some(("alice".into(), all.clone())));
    assert_eq!(granted(&post(&password.replace("alice-secret", "x"))), None);
    assert!(serde_json::from_slice::<Value>(&post(&password).body).unwrap()["refresh_token"].is_null());
    let offline: Value = serde_json::from_slice(&post(&format!("{password}&access_type=offline")).body).unwrap();
    let identity = offline["refresh_token"].as_str().unwrap();
    assert_eq!(
        granted(&post(&format!("grant_type=refresh_token&refresh_token={identity}&{asked}"))),
        Some(("alice".into(), all))
    );
    // A token for a service is no identity token, nor is one of somebody else.
    let (_, signature) = identity.split_once('.').unwrap();
    for wrong in ["", "x", offline["token"].as_str().unwrap(), &format!("Ym9i.{signature}")] {
        assert_eq!(granted(&post(&format!("grant_type=refresh_token&refresh_token={wrong}&{asked}"))), None, "{wrong}");
    }
    assert_eq!(post(asked).status, 400);
    assert_eq!(issuer.handle(&Call::get("/")).status, 404);
    assert_eq!(issuer.handle(&Call::new("DELETE", "/token")).status, 405);
}
