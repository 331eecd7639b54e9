//! The Notary server's reading functions (protocol 10): a method, a path and a query come in, an answer goes out. No
//! socket, no file.
use super::{
    answer::Response,
    call::{Call, Service},
    feed::{self, Record},
    route::{self, Cleaned, Route, Version},
    store::Repository,
};
use crate::{
    keys::{NewKey, PrivateKey, generate},
    tuf::name::{BaseRole, Gun, RoleName},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use jiff::Timestamp;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Most keys that are made for those who ask for the key of a collection that is not there yet.
const MADE_KEYS: usize = 1024;

/// What time it is on the server.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// A server with its collections.
pub struct Server {
    clock: Clock,
    state: Mutex<State>,
}

struct State {
    collections: BTreeMap<String, Repository>,
    changes: Vec<Record>,
    /// Keys that were asked for before there was a collection to use them.
    made: BTreeMap<(String, BaseRole), Arc<PrivateKey>>,
}

impl Server {
    /// A server that holds these collections. Their timestamps, in the order of their times, are the change feed.
    pub fn new(clock: Clock, collections: impl IntoIterator<Item = Repository>) -> Self {
        let collections: BTreeMap<_, _> = collections.into_iter().map(|c| (c.gun().to_string(), c)).collect();
        let mut stored: Vec<_> = collections
            .iter()
            .flat_map(|(gun, c)| {
                c.files(&BaseRole::Timestamp.into()).iter().map(move |f| (f.stored, gun.clone(), f.version, f.sha256()))
            })
            .collect();
        stored.sort();
        let changes =
            (1..).zip(stored).map(|(id, (created, gun, version, sha256))| Record { id, created, gun, version, sha256 }).collect();
        Self { clock, state: Mutex::new(State { collections, changes, made: BTreeMap::new() }) }
    }

    /// The server as what answers requests.
    pub fn service(self: &Arc<Self>) -> Service {
        let server = self.clone();
        Arc::new(move |call| server.handle(call))
    }

    /// The collections on the server, sorted.
    pub fn guns(&self) -> Vec<Gun> {
        self.state().collections.values().map(|c| c.gun().clone()).collect()
    }

    /// Answers a request.
    pub fn handle(&self, call: &Call<'_>) -> Response {
        let path = match route::clean(call.path) {
            Cleaned::Path(p) => p,
            Cleaned::Elsewhere(to) if call.query.is_empty() => return Response::moved(to),
            Cleaned::Elsewhere(to) => return Response::moved(format!("{to}?{}", call.query)),
            Cleaned::Bad => return Response::bad_request(),
        };
        match (call.method, Route::of(&path)) {
            ("GET", Route::Ping) => Response::plain(*b"{}"),
            ("GET", Route::Health) => Response::healthy(),
            ("GET", Route::Feed(gun)) => feed::answer(&self.state().changes, gun.as_deref(), call.query),
            ("GET", Route::File { gun, role, which }) => self.file(&gun, &role, &which),
            ("GET", Route::Key { gun, role }) => self.key(&gun, &role),
            ("POST" | "DELETE", Route::Collection(_)) | ("POST", Route::Key { .. }) => Response::read_only(),
            ("GET" | "POST" | "PUT" | "HEAD" | "DELETE", _) => Response::no_route(),
            _ => Response::no_method(),
        }
    }

    /// Changes of one collection or of all, as [`crate::notary::Transport::change_feed`] wants them; none if `from` is no
    /// change's ID.
    pub(super) fn changes(&self, gun: Option<&str>, from: Option<&str>, records: i32) -> Option<Vec<Record>> {
        let from = feed::change_id(from.unwrap_or_default().as_bytes()).ok()?;
        Some(feed::select(&self.state().changes, gun, from, records).into_iter().cloned().collect())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn file(&self, gun: &str, role: &str, which: &Version) -> Response {
        let mut state = self.state();
        let number = match which {
            Version::Number(digits) => match digits.parse::<i64>() {
                Ok(n) => n,
                Err(_) => return Response::no_such_number(digits),
            },
            _ => 0,
        };
        let Ok(role) = RoleName::new(role) else { return Response::not_found() };
        if *which == Version::Current
            && matches!(role.base(), Some(BaseRole::Timestamp | BaseRole::Snapshot))
            && state.renew(gun, (self.clock)()).is_err()
        {
            return Response::unknown();
        }
        let Some(collection) = state.collections.get(gun) else { return Response::not_found() };
        let found = match which {
            Version::Current => collection.current(&role),
            Version::Number(_) => collection.by_version(&role, number),
            Version::Checksum(digits) => {
                let mut sum = [0; 32];
                let exact = base16ct::lower::decode(digits, &mut sum).is_ok_and(|d| d.len() == 32);
                exact.then(|| collection.by_sha256(&role, sum)).flatten()
            }
        };
        match found {
            Some(f) => Response::metadata(f.bytes.clone(), f.stored, *which != Version::Current),
            None => Response::not_found(),
        }
    }

    fn key(&self, gun: &str, role: &str) -> Response {
        let role = if role == BaseRole::Snapshot.as_str() { BaseRole::Snapshot } else { BaseRole::Timestamp };
        let Some(key) = self.state().key(gun, role) else { return Response::unknown() };
        let public = key.public();
        let (kind, bytes) = (public.key_type().as_str(), STANDARD.encode(public.public_bytes()));
        Response::plain(format!(r#"{{"keytype":"{kind}","keyval":{{"public":"{bytes}","private":null}}}}"#))
    }
}

impl State {
    /// Signs anew what has expired, and writes that into the change feed.
    fn renew(&mut self, gun: &str, now: Timestamp) -> Result<(), super::store::CannotSign> {
        let Some(collection) = self.collections.get_mut(gun) else { return Ok(()) };
        if let Some(timestamp) = collection.renew(now)? {
            let id = self.changes.last().map_or(1, |r| r.id + 1);
            let (version, sha256) = (timestamp.version, timestamp.sha256());
            self.changes.push(Record { id, created: now, gun: gun.to_owned(), version, sha256 });
        }
        Ok(())
    }

    /// The key in use, or one that waits for a collection to use it.
    fn key(&mut self, gun: &str, role: BaseRole) -> Option<Arc<PrivateKey>> {
        if let Some(key) = self.collections.get(gun).and_then(|c| c.key(role)) {
            return Some(key.clone());
        }
        let place = (gun.to_owned(), role);
        if let Some(key) = self.made.get(&place) {
            return Some(key.clone());
        }
        if self.made.len() >= MADE_KEYS {
            return None;
        }
        let key = Arc::new(generate(NewKey::EcdsaP256).ok()?);
        self.made.insert(place, key.clone());
        Some(key)
    }
}
