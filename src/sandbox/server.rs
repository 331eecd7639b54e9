//! The Notary server's functions (protocol 10): a request comes in, an answer goes out. No socket, no file.
use super::{
    answer::Response,
    call::{Call, Service},
    feed::{self, Record},
    keys::KeyRing,
    publish,
    route::{self, Cleaned, Route, Version},
    store::Repository,
};
use crate::{
    keys::PrivateKey,
    tuf::{
        envelope::Document,
        name::{BaseRole, Gun, RoleName},
        root::Root,
    },
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use jiff::Timestamp;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

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
    keys: KeyRing,
}

impl Server {
    /// A server that holds these collections. Their timestamps, in the order of their times, are the change feed.
    pub fn new(clock: Clock, collections: impl IntoIterator<Item = Repository>) -> Self {
        let collections: BTreeMap<_, _> = collections.into_iter().map(|c| (c.gun().to_string(), c)).collect();
        let mut keys = KeyRing::default();
        collections.iter().for_each(|(gun, c)| keys.hold(gun, c.keys()));
        let mut stored: Vec<_> = collections
            .iter()
            .flat_map(|(gun, c)| {
                c.files(&BaseRole::Timestamp.into()).iter().map(move |f| (f.stored, gun.clone(), f.version, f.sha256()))
            })
            .collect();
        stored.sort();
        let changes = (1..)
            .zip(stored)
            .map(|(id, (created, gun, version, sha256))| Record { id, created, gun, timestamp: Some((version, sha256)) })
            .collect();
        Self { clock, state: Mutex::new(State { collections, changes, keys }) }
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
            ("GET", Route::Key { gun, role }) => self.key(&gun, &role, false),
            ("POST", Route::Key { gun, role }) => self.key(&gun, &role, true),
            ("POST", Route::Collection(gun)) => self.publish(&gun, call).unwrap_or_else(|refused| refused),
            ("DELETE", Route::Collection(gun)) => self.delete(&gun),
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

    /// The key with which the server signs for a role; a new one if there is none, or if it is to be replaced.
    fn key(&self, gun: &str, role: &str, replaced: bool) -> Response {
        let role = if role == BaseRole::Snapshot.as_str() { BaseRole::Snapshot } else { BaseRole::Timestamp };
        let Some(key) = self.state().key(gun, role, replaced) else { return Response::unknown() };
        let public = key.public();
        let (kind, bytes) = (public.key_type().as_str(), STANDARD.encode(public.public_bytes()));
        Response::plain(format!(r#"{{"keytype":"{kind}","keyval":{{"public":"{bytes}","private":null}}}}"#))
    }

    fn publish(&self, gun: &str, call: &Call<'_>) -> Result<Response, Response> {
        let sent = publish::read(call)?;
        let gun = Gun::new(gun).map_err(|_| Response::invalid_gun())?;
        let now = (self.clock)();
        let mut state = self.state();
        let state = &mut *state;
        let there = state.collections.get(gun.as_str());
        let made = publish::plan(&gun, &sent, there, &state.keys, now)?;
        state.keys.are_used(gun.as_str(), &made.keys);
        let timestamp = (made.timestamp.version, made.timestamp.sha256());
        let collection = state.collections.entry(gun.to_string());
        collection.or_insert_with(|| Repository::new(gun.clone(), made.keys.clone())).take(made);
        state.note(gun.as_str(), now, Some(timestamp));
        Ok(Response::done())
    }

    /// Deletes a collection, if it is there. The keys stay: its root may be published again.
    fn delete(&self, gun: &str) -> Response {
        let mut state = self.state();
        if state.collections.remove(gun).is_some() {
            state.note(gun, (self.clock)(), None);
        }
        Response::done()
    }
}

impl State {
    /// Signs anew what has expired, and writes that into the change feed.
    fn renew(&mut self, gun: &str, now: Timestamp) -> Result<(), super::store::CannotSign> {
        let Some(collection) = self.collections.get_mut(gun) else { return Ok(()) };
        if let Some(timestamp) = collection.renew(now)? {
            self.note(gun, now, Some((timestamp.version, timestamp.sha256())));
        }
        Ok(())
    }

    /// Writes into the change feed.
    fn note(&mut self, gun: &str, created: Timestamp, timestamp: Option<(u64, [u8; 32])>) {
        let id = self.changes.last().map_or(1, |r| r.id + 1);
        self.changes.push(Record { id, created, gun: gun.to_owned(), timestamp });
    }

    /// The key that the current root names, or one that waits for a root to name it.
    fn key(&mut self, gun: &str, role: BaseRole, replaced: bool) -> Option<Arc<PrivateKey>> {
        let root = self.collections.get(gun).filter(|_| !replaced).and_then(|c| c.current(&BaseRole::Root.into()));
        let root = root.and_then(|f| Document::<Root>::parse(&f.bytes).ok());
        let named = root.and_then(|root| self.keys.for_role(gun, &root.payload, role));
        named.or_else(|| self.keys.unused(gun, role))
    }
}
