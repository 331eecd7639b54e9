//! Gives tokens to whoever may have them (protocol 11.2).
use super::{
    jwt::{self, Claims},
    rights::{Access, Person, Rights},
};
use crate::{
    keys::{KeyError, NewKey, PrivateKey, Signer as _, certificate::root_certificate, generate},
    sandbox::{
        answer::Response,
        call::{Call, Service},
        route,
        server::Clock,
    },
    tuf::{
        key::PublicKey,
        material::{Message, Method},
        name::Gun,
    },
};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use std::{borrow::Cow, sync::Arc};
use zeroize::Zeroizing;

/// Where tokens are given.
const PATH: &str = "/token";
/// How long a token holds unless it is set otherwise.
const LIFETIME: SignedDuration = SignedDuration::from_mins(5);
/// A token holds from a little before it was made: clocks differ.
const BEFORE: i64 = 10;
/// How long the certificate holds, on both sides of now: the servers compare it with their own clock.
const CERTIFICATE: SignedDuration = SignedDuration::from_hours(24 * 365);
/// What an identity token's signature covers besides the name, so that nothing else that was signed passes for one.
const IDENTITY: &str = "identity token of ";

/// Why there is no issuer.
#[derive(Debug, thiserror::Error)]
pub enum IssuerError {
    /// The key or its certificate cannot be made.
    #[error("the key of the token issuer cannot be made: {0}")]
    Key(#[from] KeyError),
    /// An account could not log in with a name like this.
    #[error("{0:?} is no name for an account: it must not be empty, and not hold a colon, which ends it in a login")]
    Account(String),
    /// The certificate cannot be made for this name.
    #[error("{0:?} is no name for a token issuer")]
    Name(String),
}

/// Somebody who gives tokens.
pub struct Issuer {
    name: String,
    key: PrivateKey,
    certificate: String,
    certificate_der: Vec<u8>,
    clock: Clock,
    people: Vec<Person>,
    anybody: Rights,
    lifetime: SignedDuration,
    age: SignedDuration,
}

/// Who asks.
enum Who<'i> {
    Nobody,
    Known(&'i Person),
    /// The name or the password is wrong, or both.
    Wrong,
}

impl Issuer {
    /// An issuer with a new key, who knows these people. `name` is the `iss` of its tokens.
    ///
    /// # Errors
    /// [`IssuerError`].
    pub fn new(name: &str, clock: Clock, people: impl IntoIterator<Item = Person>) -> Result<Self, IssuerError> {
        let people: Vec<Person> = people.into_iter().collect();
        if let Some(person) = people.iter().find(|p| p.name.is_empty() || p.name.contains(':')) {
            return Err(IssuerError::Account(person.name.clone()));
        }
        let key = generate(NewKey::EcdsaP256)?;
        let subject = Gun::new(name).map_err(|_| IssuerError::Name(name.to_owned()))?;
        let now = clock();
        let from = now.checked_sub(CERTIFICATE).unwrap_or(now);
        let until = now.checked_add(CERTIFICATE).unwrap_or(now);
        let certificate = root_certificate(&subject, &key, &mut |b| getrandom::fill(b), from, until)?;
        let der = pem::parse(&certificate).map_err(|_| KeyError::Internal("reading the certificate"))?.into_contents();
        Ok(Self {
            name: name.to_owned(),
            key,
            certificate,
            certificate_der: der,
            clock,
            people,
            anybody: Rights::none(),
            lifetime: LIFETIME,
            age: SignedDuration::ZERO,
        })
    }

    /// What may be done without an account.
    pub fn with_anybody(self, anybody: Rights) -> Self {
        Self { anybody, ..self }
    }

    /// How long its tokens hold.
    pub fn with_lifetime(self, lifetime: SignedDuration) -> Self {
        Self { lifetime, ..self }
    }

    /// Makes its tokens as old as this when they are given, though it says that they are new: an issuer whose clock is wrong.
    pub fn with_age(self, age: SignedDuration) -> Self {
        Self { age, ..self }
    }

    /// The `iss` of its tokens.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its certificate in PEM, for the `rootcertbundle` of a server.
    pub fn certificate(&self) -> &str {
        &self.certificate
    }

    /// Answers under `/token`.
    pub fn service(self: &Arc<Self>) -> Service {
        let issuer = self.clone();
        Arc::new(move |call| issuer.handle(call))
    }

    /// Answers a request.
    pub fn handle(&self, call: &Call<'_>) -> Response {
        match (call.path, call.method) {
            (PATH, "GET") => {
                let offline = first(call.query, "offline_token").as_deref() == Some("true");
                self.answer(self.by_header(call), call.query, offline)
            }
            (PATH, "POST") => {
                let Ok(form) = std::str::from_utf8(call.body) else { return failure(400, "the form is no text") };
                let who = match first(form, "grant_type").as_deref() {
                    Some("password") => {
                        let password = Zeroizing::new(route::parameter(form, "password"));
                        self.known(&first(form, "username").unwrap_or_default(), &password)
                    }
                    Some("refresh_token") => self.by_identity(&Zeroizing::new(first(form, "refresh_token").unwrap_or_default())),
                    _ => return failure(400, "grant_type must be password or refresh_token"),
                };
                self.answer(who, form, first(form, "access_type").as_deref() == Some("offline"))
            }
            (PATH, _) => failure(405, "a token is asked for with GET or POST"),
            _ => failure(404, "there is nothing but /token"),
        }
    }

    /// The key with which its tokens can be checked.
    pub(super) fn public(&self) -> &PublicKey {
        self.key.public()
    }

    pub(super) fn now(&self) -> Timestamp {
        (self.clock)()
    }

    fn by_header(&self, call: &Call<'_>) -> Who<'_> {
        let Some(header) = call.header("authorization") else { return Who::Nobody };
        let decoded = header.strip_prefix("Basic ").and_then(|given| STANDARD.decode(given).ok()).map(Zeroizing::new);
        let parts = decoded.as_ref().and_then(|bytes| {
            let at = bytes.iter().position(|b| *b == b':')?;
            Some((std::str::from_utf8(bytes.get(..at)?).ok()?, bytes.get(at + 1..)?))
        });
        parts.map_or(Who::Wrong, |(name, password)| self.known(name, password))
    }

    fn known(&self, name: &str, password: &[u8]) -> Who<'_> {
        let found = self.people.iter().find(|p| p.name == name && p.password.expose() == password);
        found.map_or(Who::Wrong, Who::Known)
    }

    /// An identity token is the name and a signature over it, so that nothing has to be remembered.
    fn identity(&self, name: &str) -> Result<Zeroizing<String>, KeyError> {
        let signature = self.key.sign(format!("{IDENTITY}{name}").as_bytes())?;
        Ok(Zeroizing::new(format!("{}.{}", URL_SAFE_NO_PAD.encode(name), URL_SAFE_NO_PAD.encode(signature.bytes))))
    }

    fn by_identity(&self, token: &str) -> Who<'_> {
        let read = token.split_once('.').and_then(|(name, signature)| {
            let name = String::from_utf8(URL_SAFE_NO_PAD.decode(name).ok()?).ok()?;
            let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
            let signed = format!("{IDENTITY}{name}");
            let ours = self.public().material().verify(&Method::Ecdsa, &Message::new(signed.as_bytes()), &signature);
            self.people.iter().find(|p| ours && p.name == name)
        });
        read.map_or(Who::Wrong, Who::Known)
    }

    /// A token, with as much of what is asked for as may be given; that can be nothing.
    fn answer(&self, who: Who<'_>, parameters: &str, offline: bool) -> Response {
        let (subject, may) = match who {
            Who::Wrong => return self.unauthorized(),
            Who::Nobody => ("", &self.anybody),
            Who::Known(person) => (person.name.as_str(), &person.may),
        };
        let scopes = parameters.split('&').map(|pair| route::parameter(pair, "scope"));
        let scopes = scopes.map(|s| String::from_utf8_lossy(&s).into_owned()).collect::<Vec<_>>().join(" ");
        let access = scopes.split_ascii_whitespace().filter_map(Access::parse).filter_map(|asked| may.granted(&asked)).collect();
        let service = first(parameters, "service").unwrap_or_default();
        self.token(subject, service, access, offline && !subject.is_empty()).unwrap_or_else(|e| failure(500, &e.to_string()))
    }

    fn token(&self, subject: &str, service: String, access: Vec<Access>, offline: bool) -> Result<Response, KeyError> {
        let now = self.now();
        let born = now.as_second().saturating_sub(self.age.as_secs());
        let mut jti = [0; 16];
        getrandom::fill(&mut jti).map_err(|_| KeyError::Internal("the random generator"))?;
        let claims = Claims {
            iss: self.name.clone(),
            sub: subject.to_owned(),
            aud: service,
            exp: born.saturating_add(self.lifetime.as_secs()),
            nbf: born.saturating_sub(BEFORE),
            iat: born,
            jti: base16ct::lower::encode_string(&jti),
            access,
        };
        let token = jwt::sign(&claims, &self.key, &self.certificate_der)?;
        let mut answer = json!({
            "token": *token, "access_token": *token, "expires_in": self.lifetime.as_secs(),
            "issued_at": now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        });
        if offline && let Some(answer) = answer.as_object_mut() {
            answer.insert("refresh_token".to_owned(), self.identity(subject)?.as_str().into());
        }
        Ok(json_answer(200, answer.to_string()))
    }

    fn unauthorized(&self) -> Response {
        let mut answer = failure(401, "bad credentials");
        answer.headers.push(("Www-Authenticate", Cow::Owned(format!("Basic realm=\"{}\"", self.name))));
        answer
    }
}

/// The first value of a parameter that is set to something.
fn first(parameters: &str, name: &str) -> Option<String> {
    let value = route::parameter(parameters, name);
    String::from_utf8(value).ok().filter(|v| !v.is_empty())
}

fn failure(status: u16, message: &str) -> Response {
    let code = match status {
        401 => "UNAUTHORIZED",
        404 | 405 => "UNSUPPORTED",
        _ => "UNKNOWN",
    };
    json_answer(status, json!({"errors": [{"code": code, "message": message}]}).to_string())
}

fn json_answer(status: u16, body: String) -> Response {
    Response { status, headers: vec![("Content-Type", Cow::Borrowed("application/json"))], body: body.into_bytes() }
}
