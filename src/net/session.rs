//! Logging in to a server (protocol 11): first as nobody, then with the login that is found; tokens are kept until they
//! expire, and are fetched once for all who wait for the same.
use super::{
    answer,
    challenge::{Challenge, Scheme},
    host::seconds,
    realm::Realms,
};
use crate::{
    net::{
        AskedAs, Denial, LoginError, Refuser, TransportError, Wait, Why,
        login::{Account, Logins, Proof},
    },
    secret::Passphrase,
    text::Untrusted,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use reqwest::{Client, RequestBuilder, Url, header::HeaderValue};
use serde::Deserialize;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};
use tokio::{
    sync::{Mutex as Turn, OnceCell},
    time::timeout,
};
use zeroize::Zeroizing;

/// How long the issuer of tokens may take for a whole answer.
const PATIENCE: Duration = seconds(15);
/// Most bytes of its answer.
const ANSWER: u64 = 64 << 10;
/// How long a token is kept if the issuer says nothing, and at least.
const SHORTEST: u64 = 60;
/// And at most.
const LONGEST: u64 = 24 * 60 * 60;

/// Most passes that are kept: one a repository, and a workstation may look at many thousands.
const MOST: usize = 1024;

/// How long it is believed that there is no login, or none that is any good: long enough for one command that asks about
/// many repositories, but not as long as somebody needs to log in.
const SETTLED: Duration = seconds(10);

/// What a request is about: whose login to use, and what a token must allow.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct About {
    /// The registry whose login is meant.
    pub registry: String,
    /// What a token must allow, as issuers read it (protocol 11.2).
    pub scope: String,
}

/// The `Authorization` of a request, and what is known of it.
#[derive(Clone)]
pub(super) struct Pass {
    pub header: HeaderValue,
    pub asked_as: AskedAs,
    since: Instant,
}

/// What one server was told, and what it gave for it.
pub(super) struct Session {
    logins: Logins,
    realms: Realms,
    /// By registry.
    accounts: Mutex<HashMap<String, Place<Known>>>,
    /// By what a request is about, and whether it is made with a login.
    passes: Mutex<HashMap<(About, bool), Place<Kept>>>,
    /// What the server wants to see from whoever comes, once somebody has asked.
    pub(super) wanted: OnceCell<Option<Challenge>>,
}

/// Where something is put by the first who needs it, while the others wait.
type Place<T> = Arc<Turn<Option<T>>>;

/// What was found when a login was looked for, and when that was.
struct Known {
    found: Result<Option<Arc<Account>>, LoginError>,
    at: Instant,
    /// Whether a server or an issuer has refused it since.
    refused: bool,
}

/// A pass, and until when it is good.
struct Kept {
    pass: Pass,
    until: Instant,
}

impl Session {
    pub fn new(logins: Logins, realms: Realms) -> Self {
        Self { logins, realms, accounts: Mutex::default(), passes: Mutex::default(), wanted: OnceCell::new() }
    }

    /// What was good for such a request before.
    pub async fn remembered(&self, about: &About) -> Option<Pass> {
        for with_login in [true, false] {
            let place = lock(&self.passes).get(&(about.clone(), with_login)).cloned();
            if let Some(place) = place
                && let Some(kept) = place.lock().await.as_ref().filter(|k| k.until > Instant::now())
            {
                return Some(kept.pass.clone());
            }
        }
        None
    }

    /// What to show at once with what is to be changed, to a server that is known to want this: the login, if there is one.
    /// Nobody else may change anything, and to be told so only when everything was sent is late.
    pub async fn in_advance(
        &self,
        client: &Client,
        challenge: &Challenge,
        about: &About,
        begun: Instant,
    ) -> Result<Option<Pass>, TransportError> {
        if challenge.scheme != Scheme::Bearer {
            return self.answer(client, challenge, about, None, begun).await;
        }
        let account = self.account_for_token(challenge, about).await?;
        self.token(client, challenge, about, account.as_deref(), begun).await.map(Some)
    }

    /// What to show to a server that answered a request, begun at `begun` and made with `shown`, with this challenge.
    /// None: there is nothing else to show.
    pub async fn answer(
        &self,
        client: &Client,
        challenge: &Challenge,
        about: &About,
        shown: Option<&Pass>,
        begun: Instant,
    ) -> Result<Option<Pass>, TransportError> {
        // A token that was fetched for this very request will not get better; an older one may have been withdrawn.
        let fresh = shown.is_some_and(|pass| pass.since >= begun);
        let as_nobody = shown.is_none_or(|pass| pass.asked_as == AskedAs::Nobody && !fresh);
        match challenge.scheme {
            Scheme::Bearer if as_nobody => match self.token(client, challenge, about, None, begun).await {
                // Some issuers give nobody anything, not even a token that allows nothing.
                Err(refused @ TransportError::NotAllowed { .. }) => match self.account_for_token(challenge, about).await? {
                    Some(account) => self.token(client, challenge, about, Some(&account), begun).await.map(Some),
                    None => Err(refused),
                },
                other => other.map(Some),
            },
            Scheme::Bearer => {
                if fresh && shown.is_some_and(|pass| pass.asked_as != AskedAs::Nobody) {
                    self.forget(&about.registry);
                    return Ok(None);
                }
                match self.account_for_token(challenge, about).await? {
                    Some(account) => self.token(client, challenge, about, Some(&account), begun).await.map(Some),
                    None => Ok(None),
                }
            }
            Scheme::Basic if shown.is_some() => {
                self.forget(&about.registry);
                Ok(None)
            }
            Scheme::Basic if !self.realms.server_may_have(&about.registry) => {
                let (registry, server) = (about.registry.as_str(), self.realms.server.as_str());
                Err(LoginError::OtherServer { registry: Untrusted::new(registry), server: Untrusted::new(server) }.into())
            }
            Scheme::Basic => {
                let account = self.account(&about.registry, &self.realms.server).await?;
                account.as_deref().map_or(Ok(()), has_a_name_to_send)?;
                Ok(account.as_deref().and_then(|account| basic(account, begun)))
            }
            Scheme::Other => Ok(None),
        }
    }

    /// The account to ask for a token with. Nobody is asked for one that could not be used.
    async fn account_for_token(&self, challenge: &Challenge, about: &About) -> Result<Option<Arc<Account>>, TransportError> {
        let realm = self.realms.admit(&challenge.realm.clone().unwrap_or_default(), &about.registry)?;
        self.account(&about.registry, realm.host_str().unwrap_or_default()).await
    }

    /// The account for a registry, which a host is to see. It is looked for once for all who need it: a helper may ask a person.
    async fn account(&self, registry: &str, host: &str) -> Result<Option<Arc<Account>>, TransportError> {
        let place = lock(&self.accounts).entry(registry.to_owned()).or_default().clone();
        let mut known = place.lock().await;
        // A person is asked once.
        let holds =
            |k: &Known| matches!(k.found, Ok(Some(_))) && !k.refused || self.logins.ask.is_some() || k.at.elapsed() < SETTLED;
        if !known.as_ref().is_some_and(holds) {
            let (logins, registry, host) = (self.logins.clone(), registry.to_owned(), host.to_owned());
            let found = tokio::task::spawn_blocking(move || logins.find(&registry, &host)).await;
            let found = found.map_err(|e| TransportError::Malformed(Untrusted::new(e.to_string())))?;
            *known = Some(Known { found: found.map(|account| account.map(Arc::new)), at: Instant::now(), refused: false });
        }
        match known.as_ref().map(|k| &k.found) {
            Some(Ok(account)) => Ok(account.clone()),
            Some(Err(e)) => Err(e.clone().into()),
            None => Ok(None),
        }
    }

    /// Looks for the account of a registry anew when it is needed later, because this one was refused; unless it was found by
    /// asking a person.
    fn forget(&self, registry: &str) {
        let place = lock(&self.accounts).get(registry).cloned();
        // Whoever holds it is looking for the account anew.
        if let Some(place) = place
            && let Ok(mut known) = place.try_lock()
            && let Some(known) = known.as_mut()
        {
            known.refused = true;
        }
    }

    /// A token that is not older than the request; one that somebody else has fetched meanwhile will do.
    async fn token(
        &self,
        client: &Client,
        challenge: &Challenge,
        about: &About,
        account: Option<&Account>,
        begun: Instant,
    ) -> Result<Pass, TransportError> {
        let place = {
            let mut passes = lock(&self.passes);
            let key = (about.clone(), account.is_some());
            if !passes.contains_key(&key) {
                make_room(&mut passes, MOST, Instant::now());
            }
            passes.entry(key).or_default().clone()
        };
        let mut kept = place.lock().await;
        if let Some(kept) = kept.as_ref().filter(|k| k.pass.since >= begun) {
            return Ok(kept.pass.clone());
        }
        account.map_or(Ok(()), has_a_name_to_send)?;
        let realm = challenge.realm.clone().unwrap_or_default();
        let url = self.realms.admit(&realm, &about.registry)?;
        let service = challenge.service.as_ref().map(Untrusted::raw).unwrap_or_default();
        let asked_as = account.map_or(AskedAs::Nobody, asked_as);
        let request = token_request(client, url, service, &about.scope, account);
        let bytes = match timeout(PATIENCE, fetch(request)).await {
            Ok(answer) => answer,
            Err(_) => Err(TransportError::Unreachable { why: Why::Timeout(Wait::Whole(PATIENCE)), text: Untrusted::default() }),
        };
        let bytes =
            bytes.map_err(|e| refused_by(realm.clone(), about, &asked_as, e)).inspect_err(|_| self.forget(&about.registry))?;
        let (token, seconds) = read_token(&bytes).ok_or_else(|| LoginError::Issuer {
            realm,
            error: Box::new(TransportError::Malformed(Untrusted::new("it holds no token"))),
        })?;
        let header = sensitive(&[b"Bearer ", token.expose()]).ok_or_else(|| {
            TransportError::Malformed(Untrusted::new("the issuer's token holds characters that no header can carry"))
        })?;
        let pass = Pass { header, asked_as, since: Instant::now() };
        *kept = Some(Kept { pass: pass.clone(), until: pass.since + Duration::from_secs(seconds) });
        Ok(pass)
    }
}

/// Forgets passes that are over, and of the others those that end first, until there is room for one more of so many. One
/// that somebody is waiting for or looking at stays.
fn make_room<K: Clone + Eq + std::hash::Hash>(passes: &mut HashMap<K, Place<Kept>>, most: usize, now: Instant) {
    // Whoever has a place in hand holds it too; nobody takes one up while the table is locked.
    let end = |place: &Place<Kept>| match place.try_lock() {
        Ok(kept) if Arc::strong_count(place) == 1 => Some(kept.as_ref().map(|kept| kept.until)),
        _ => None,
    };
    passes.retain(|_, place| end(place).is_none_or(|until| until.is_some_and(|until| until > now)));
    let over = (passes.len() + 1).saturating_sub(most);
    if over == 0 {
        return;
    }
    // More than is needed, so that this is not done for every new one.
    let mut ends: Vec<(Instant, K)> = passes.iter().filter_map(|(key, place)| Some((end(place)??, key.clone()))).collect();
    ends.sort_unstable_by_key(|(until, _)| *until);
    for (_, key) in ends.into_iter().take(over.max(most / 8)) {
        passes.remove(&key);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn asked_as(account: &Account) -> AskedAs {
    AskedAs::Account { user: account.user.clone(), origin: account.origin.clone() }
}

/// With a password, a name with a colon would be read as another name and another password.
fn has_a_name_to_send(account: &Account) -> Result<(), LoginError> {
    match account.proof {
        Proof::Password(_) if account.user.raw().contains(':') => {
            Err(LoginError::UserName { user: account.user.clone(), origin: account.origin.clone() })
        }
        _ => Ok(()),
    }
}

/// A password for the server itself. An identity token is none.
fn basic(account: &Account, begun: Instant) -> Option<Pass> {
    let Proof::Password(password) = &account.proof else { return None };
    let header = basic_header(account.user.raw(), password)?;
    Some(Pass { header, asked_as: asked_as(account), since: begun })
}

fn basic_header(user: &str, password: &Passphrase) -> Option<HeaderValue> {
    let mut plain = Zeroizing::new(Vec::with_capacity(user.len() + password.expose().len() + 1));
    plain.extend_from_slice(user.as_bytes());
    plain.push(b':');
    plain.extend_from_slice(password.expose());
    sensitive(&[b"Basic ", Zeroizing::new(STANDARD.encode(&*plain)).as_bytes()])
}

/// A header that no log shows.
fn sensitive(parts: &[&[u8]]) -> Option<HeaderValue> {
    let mut header = HeaderValue::from_bytes(&Zeroizing::new(parts.concat())).ok()?;
    header.set_sensitive(true);
    Some(header)
}

/// GET with a password or as nobody, POST with an identity token (protocol 11.2).
fn token_request(client: &Client, mut url: Url, service: &str, scope: &str, account: Option<&Account>) -> RequestBuilder {
    if let Some(Account { proof: Proof::Identity(token), .. }) = account {
        let mut form = Zeroizing::new(String::from("grant_type=refresh_token&client_id=claviger"));
        for (name, value) in [("service", service.as_bytes()), ("scope", scope.as_bytes()), ("refresh_token", token.expose())] {
            form.push_str(&Zeroizing::new(format!("&{name}={}", *encoded(value))));
        }
        let kind = HeaderValue::from_static("application/x-www-form-urlencoded");
        return client.post(url).header(reqwest::header::CONTENT_TYPE, kind).body(form.as_bytes().to_vec());
    }
    url.query_pairs_mut().append_pair("service", service).append_pair("scope", scope);
    let mut header = None;
    if let Some(Account { user, proof: Proof::Password(password), .. }) = account {
        url.query_pairs_mut().append_pair("account", user.raw());
        header = basic_header(user.raw(), password);
    }
    let request = client.get(url);
    match header {
        Some(header) => request.header(reqwest::header::AUTHORIZATION, header),
        None => request,
    }
}

/// A value of a form.
fn encoded(value: &[u8]) -> Zeroizing<String> {
    let mut out = Zeroizing::new(String::with_capacity(value.len() * 3));
    for b in value {
        match b {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(char::from(*b)),
            b => {
                let digit = |n: u8| char::from_digit(n.into(), 16).unwrap_or_default().to_ascii_uppercase();
                out.extend(['%', digit(b >> 4), digit(b & 15)]);
            }
        }
    }
    out
}

async fn fetch(request: RequestBuilder) -> Result<Zeroizing<Vec<u8>>, TransportError> {
    let response = request.send().await.map_err(|e| super::failure::classify(&e, PATIENCE).error)?;
    let mut opened = answer::open(response, &[200], PATIENCE).await.map_err(|failed| failed.error)?;
    answer::body(&mut opened, ANSWER, PATIENCE).await.map(Zeroizing::new)
}

/// An issuer that says no has refused the account; any other failure is one of logging in.
fn refused_by(realm: Untrusted, about: &About, asked_as: &AskedAs, error: TransportError) -> TransportError {
    match error {
        TransportError::NotAllowed { status, code, message, .. } => TransportError::NotAllowed {
            status,
            scope: Some(Untrusted::new(about.scope.as_str())),
            denial: Box::new(Denial { by: Refuser::Issuer(realm.clone()), asked_as: asked_as.clone() }),
            realm: Some(realm),
            code,
            message,
        },
        error => LoginError::Issuer { realm, error: Box::new(error) }.into(),
    }
}

/// The token in an issuer's answer, and how many seconds it may be kept. The clock of the issuer does not matter: it counts
/// from now.
fn read_token(bytes: &[u8]) -> Option<(Passphrase, u64)> {
    #[derive(Deserialize)]
    struct Answer {
        token: Option<String>,
        access_token: Option<String>,
        expires_in: Option<f64>,
    }
    crate::os::strongroom(|| {
        let answer: Answer = serde_json::from_slice(bytes).ok()?;
        let token = answer.access_token.filter(|t| !t.is_empty()).or(answer.token).filter(|t| !t.is_empty())?;
        // A float's conversion ends at the limits of the type.
        let seconds = answer.expires_in.map_or(SHORTEST, |s| s as u64).clamp(SHORTEST, LONGEST);
        Some((Passphrase::from(token), seconds))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(until: Option<Instant>) -> Place<Kept> {
        let since = Instant::now();
        let pass = || Pass { header: HeaderValue::from_static("x"), asked_as: AskedAs::Nobody, since };
        Arc::new(Turn::new(until.map(|until| Kept { pass: pass(), until })))
    }

    #[test]
    fn passes_that_are_over_are_forgotten_and_there_are_never_more_than_so_many() {
        let now = Instant::now();
        let at = |seconds| Some(now + Duration::from_secs(seconds));
        let mut passes: HashMap<u64, Place<Kept>> = (1..=5).map(|n| (n, place(at(n)))).collect();
        passes.insert(100, place(None));
        make_room(&mut passes, 10, now + Duration::from_secs(2));
        let mut left: Vec<u64> = passes.keys().copied().collect();
        left.sort_unstable();
        assert_eq!(left, [3, 4, 5], "those that are over, and those for which there never was one");

        let in_hand = place(None);
        passes.insert(0, in_hand.clone());
        for n in 10..5000 {
            make_room(&mut passes, 100, now);
            passes.insert(n, place(at(n)));
            assert!(passes.len() <= 100, "{}", passes.len());
        }
        assert!(passes.contains_key(&0) && passes.contains_key(&4999) && !passes.contains_key(&10));
        drop(in_hand);
    }

    #[test]
    fn a_token_is_kept_for_a_minute_at_least_and_a_day_at_most() {
        let kept = |json: &str| read_token(json.as_bytes()).map(|(t, s)| (String::from_utf8_lossy(t.expose()).into_owned(), s));
        assert_eq!(kept(r#"{"token":"a"}"#), Some(("a".into(), 60)));
        assert_eq!(kept(r#"{"token":"a","access_token":"b","expires_in":300}"#), Some(("b".into(), 300)));
        assert_eq!(kept(r#"{"token":"a","access_token":"","expires_in":-5}"#), Some(("a".into(), 60)));
        assert_eq!(kept(r#"{"token":"a","expires_in":1e300}"#), Some(("a".into(), 86_400)));
        for junk in ["", "[]", "{}", r#"{"token":""}"#, r#"{"token":5}"#] {
            assert_eq!(kept(junk), None, "{junk}");
        }
    }

    #[test]
    fn no_header_with_a_secret_shows_it() {
        let header = basic_header("alice", &Passphrase::new(b"hunter2".to_vec())).unwrap();
        assert!(header.is_sensitive() && !format!("{header:?}").contains("Basic"));
    }
}
