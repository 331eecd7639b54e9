//! The Notary server's functions (protocol 10): a request comes in, an answer goes out. No socket, no file.
use super::{
    answer::Response,
    call::{Call, Service},
    disk::DiskError,
    feed::{self, Record},
    publish, refused,
    route::{self, Cleaned, Route, Version},
    state::{NotWritten, State},
    store::Repository,
};
use crate::tuf::name::{BaseRole, Gun, RoleName};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use jiff::Timestamp;
use std::{
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// What time it is on the server.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// How many bytes of metadata a server keeps.
#[derive(Debug, Clone, Copy)]
pub struct Room {
    /// Of one collection, all versions together.
    pub collection: u64,
    /// Of all.
    pub all: u64,
}

impl Default for Room {
    fn default() -> Self {
        Self { collection: 128 << 20, all: 512 << 20 }
    }
}

/// A server with its collections.
pub struct Server {
    clock: Clock,
    room: Room,
    /// How the names of collections begin that are served; none, and all are.
    prefixes: Vec<String>,
    state: Mutex<State>,
}

impl Server {
    /// A server that holds these collections, and forgets everything at its end.
    pub fn new(clock: Clock, collections: impl IntoIterator<Item = Repository>) -> Self {
        Self::of(clock, State::new(collections))
    }

    fn of(clock: Clock, state: State) -> Self {
        Self { clock, room: Room::default(), prefixes: Vec::new(), state: Mutex::new(state) }
    }

    /// The same for collections only whose names begin so, as the real server's `repositories.gun_prefixes`.
    pub fn with_prefixes(self, prefixes: &[&str]) -> Self {
        Self { prefixes: prefixes.iter().map(|p| (*p).to_owned()).collect(), ..self }
    }

    /// The same with room for more, or for less.
    pub fn with_room(self, room: Room) -> Self {
        Self { room, ..self }
    }

    /// A server that begins with these collections, and writes everything into a file that is not there yet.
    ///
    /// # Errors
    /// [`DiskError`]
    pub fn create(clock: Clock, path: &Path, collections: impl IntoIterator<Item = Repository>) -> Result<Self, DiskError> {
        Ok(Self::of(clock, State::create(path, collections)?))
    }

    /// A server that goes on where the one that wrote this file has ended, however it did.
    ///
    /// # Errors
    /// [`DiskError`]
    pub fn open(clock: Clock, path: &Path) -> Result<Self, DiskError> {
        Ok(Self::of(clock, State::open(path)?))
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
        let route = Route::of(&path);
        let served = |gun: &str| self.prefixes.is_empty() || self.prefixes.iter().any(|p| gun.starts_with(p));
        let known = matches!(call.method, "GET" | "POST" | "PUT" | "HEAD" | "DELETE");
        if let Some(gun) = route.gun().filter(|gun| known && !served(gun)) {
            let published = call.method == "POST" && route == Route::Collection(gun.to_owned());
            return if published { refused::other_name(&self.prefixes) } else { Response::no_route() };
        }
        match (call.method, route) {
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
        let made = publish::plan(&gun, &sent, state.collections.get(gun.as_str()), &state.keys, now)?;
        let held = |of: Option<&Repository>| of.map_or(0, Repository::held);
        if held(state.collections.get(gun.as_str())) + made.size() > self.room.collection {
            return Err(refused::full("one collection's metadata", self.room.collection));
        }
        if state.collections.values().map(|c| held(Some(c))).sum::<u64>() + made.size() > self.room.all {
            return Err(refused::full("metadata", self.room.all));
        }
        state.store(gun, made).map_err(|NotWritten| Response::updating())?;
        Ok(Response::done())
    }

    /// Deletes a collection, if it is there. The keys stay: its root may be published again.
    fn delete(&self, gun: &str) -> Response {
        match self.state().delete(gun, (self.clock)()) {
            Ok(()) => Response::done(),
            Err(NotWritten) => Response::unknown(),
        }
    }
}
