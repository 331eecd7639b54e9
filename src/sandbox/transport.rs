//! The server as a [`Transport`] in this process: no socket, no thread.
use super::{answer::Response, call::Call, server::Server};
use crate::{
    notary::{
        Answer, Change, ChangeRecord, KEY, PublishError, ServerRole, Transport, TransportError, multipart, publish::read_done,
        read_server_key,
    },
    text::Untrusted,
    tuf::{
        key::PublicKey,
        name::{Gun, RoleName},
        request::Request,
    },
};
use futures_util::{FutureExt as _, future::BoxFuture};
use serde::Deserialize;
use std::sync::Arc;

/// A [`Server`] that is asked by calling it.
#[derive(Clone)]
pub struct InProcess {
    server: Arc<Server>,
    address: Untrusted,
}

impl InProcess {
    /// Asks this server.
    pub fn new(server: Arc<Server>) -> Self {
        Self { server, address: Untrusted::new("sandbox") }
    }

    fn ask(&self, call: &Call<'_>, limit: u64) -> Result<Vec<u8>, TransportError> {
        let answer = self.server.handle(call);
        match answer.status {
            200 if answer.body.len() as u64 > limit => Err(TransportError::TooLarge { limit }),
            200 => Ok(answer.body),
            _ => Err(failed(&answer)),
        }
    }
}

/// What an answer means that is none of those that were hoped for.
pub(super) fn failed(answer: &Response) -> TransportError {
    let (code, message) = said(&answer.body);
    match answer.status {
        301 => TransportError::Redirected { to: Untrusted::new(answer.header("Location").unwrap_or_default()) },
        400 => TransportError::Rejected { code, message },
        404 => TransportError::NotThere { code, message },
        status => TransportError::Unavailable { status, code, message },
    }
}

/// The code and words of an error.
fn said(body: &[u8]) -> (Option<Untrusted>, Option<Untrusted>) {
    #[derive(Deserialize)]
    struct Envelope {
        errors: Vec<One>,
    }
    #[derive(Deserialize)]
    struct One {
        code: String,
        message: String,
    }
    let first = serde_json::from_slice::<Envelope>(body).ok().and_then(|e| e.errors.into_iter().next());
    first.map_or((None, None), |e| (Some(Untrusted::new(e.code)), Some(Untrusted::new(e.message))))
}

/// An address below those of a repository's metadata. A name holds nothing that would have to be encoded.
fn path(gun: &Gun, file: &str) -> String {
    format!("/v2/{gun}/_trust/tuf/{file}")
}

fn key_path(gun: &Gun, role: ServerRole) -> String {
    path(gun, &format!("{}.key", role.as_str()))
}

impl Transport for InProcess {
    fn get<'a>(&'a self, gun: &'a Gun, request: &'a Request) -> Answer<'a, Vec<u8>> {
        async move { self.ask(&Call::get(&path(gun, &request.file_name())), request.limit) }.boxed()
    }

    fn change_feed<'a>(&'a self, gun: Option<&'a Gun>, from: Option<&'a str>, records: i32) -> Answer<'a, Vec<ChangeRecord>> {
        async move {
            let rejected = TransportError::Rejected { code: Some(Untrusted::new("INVALID_PARAMETERS")), message: None };
            let found = self.server.changes(gun.map(Gun::as_str), from, records).ok_or(rejected)?;
            let record = |r: super::feed::Record| ChangeRecord {
                id: Untrusted::new(r.id.to_string()),
                created: Untrusted::new(r.created.to_string()),
                gun: Untrusted::new(r.gun),
                version: r.timestamp.map_or(0, |(v, _)| i64::try_from(v).unwrap_or(i64::MAX)),
                sha256: Untrusted::new(r.timestamp.map_or_else(String::new, |(_, s)| base16ct::lower::encode_string(&s))),
                change: if r.timestamp.is_some() { Change::Update } else { Change::Deletion },
            };
            Ok(found.into_iter().map(record).collect())
        }
        .boxed()
    }

    fn ping(&self) -> Answer<'_, ()> {
        async move { self.ask(&Call::get("/v2/"), u64::MAX).map(drop) }.boxed()
    }

    fn publish<'a>(&'a self, gun: &'a Gun, files: &'a [(RoleName, Vec<u8>)]) -> BoxFuture<'a, Result<(), PublishError>> {
        async move {
            let (kind, body) = multipart::body(files);
            let headers = [("content-type".to_owned(), kind)];
            let answer = self.server.handle(&Call::new("POST", &path(gun, "")).with_headers(&headers).with_body(&body));
            match answer.status {
                200 => read_done(&answer.body).map_err(PublishError::Uncertain),
                _ => Err(PublishError::of(failed(&answer), true, &answer.body)),
            }
        }
        .boxed()
    }

    fn server_key<'a>(&'a self, gun: &'a Gun, role: ServerRole) -> Answer<'a, PublicKey> {
        async move { read_server_key(&self.ask(&Call::get(&key_path(gun, role)), KEY)?) }.boxed()
    }

    fn new_server_key<'a>(&'a self, gun: &'a Gun, role: ServerRole) -> Answer<'a, PublicKey> {
        async move { read_server_key(&self.ask(&Call::new("POST", &key_path(gun, role)), KEY)?) }.boxed()
    }

    fn delete<'a>(&'a self, gun: &'a Gun) -> Answer<'a, ()> {
        async move { read_done(&self.ask(&Call::new("DELETE", &path(gun, "")), u64::MAX)?) }.boxed()
    }

    fn address(&self) -> &Untrusted {
        &self.address
    }
}
