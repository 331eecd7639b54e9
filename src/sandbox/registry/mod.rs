//! An OCI registry as plain functions: images are pushed to it and pulled from it as with docker's registry 2.8, byte for
//! byte where clients look, except where that one breaks down or does not do what the specification says.
//!
//! `request` reads addresses, `access` says what each needs, `blob`, `upload`, `manifest` and `list` answer, `store` and
//! `disk` keep; `image` makes what a world begins with. Nothing that a client sends becomes part of a path unless it is a
//! `Name`, `Tag` or `Digest`.
mod access;
mod answer;
mod blob;
mod client;
mod disk;
mod image;
mod list;
mod manifest;
mod request;
mod store;
mod upload;

use super::{
    answer::Response,
    call::{Call, Service},
};
pub use client::InProcess;
pub(super) use image::Image;

use request::Asked;
use std::{
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use store::Store;

/// The limits of a registry. What goes beyond one is refused in words; what stays below is kept.
pub mod limits {
    pub use super::{
        super::super::registry::name::{NAME, TAG},
        list::PAGE,
        manifest::MANIFEST,
        store::{EACH, ROOM, UPLOADS},
    };
}

/// A registry with its images.
pub struct Registry {
    store: Mutex<Store>,
}

impl Registry {
    /// An empty one in memory, with room for so many bytes ([`limits::ROOM`] is usual).
    pub fn in_memory(room: u64) -> Self {
        Self { store: Mutex::new(Store::in_memory(room)) }
    }

    /// One in a directory, with what was pushed to it before. What it has answered for stays through a power cut.
    ///
    /// # Errors
    /// The directory cannot be made, read or locked.
    pub fn on_disk(path: &Path, room: u64) -> std::io::Result<Self> {
        Ok(Self { store: Mutex::new(Store::on_disk(path, room)?) })
    }

    /// Files of its directory that cannot be read or make no sense, and why. They stay as they are and count for nothing;
    /// what they stood for can be pushed again.
    pub fn spoilt(&self) -> Vec<(std::path::PathBuf, String)> {
        self.store().spoilt.clone()
    }

    /// The same, while `fill` puts into it what a new world begins with: for that it does not wait for the disk. What a
    /// power cut spoils then is known by its digest, and not served.
    pub(super) fn begun<E>(self, fill: impl FnOnce(&Self) -> Result<(), E>) -> Result<Self, E> {
        self.store().wait_for_disk(false);
        let filled = fill(&self);
        self.store().wait_for_disk(true);
        filled.map(|()| self)
    }

    /// The registry as what answers requests.
    pub fn service(self: &Arc<Self>) -> Service {
        let registry = self.clone();
        Arc::new(move |call| registry.handle(call))
    }

    /// What a client must be allowed to do for this request, whether or not it then succeeds.
    pub fn wanted(call: &Call<'_>) -> Option<Vec<super::Access>> {
        access::wanted(call)
    }

    /// Answers a request.
    pub fn handle(&self, call: &Call<'_>) -> Response {
        let asked = match Asked::of(call) {
            Ok(Asked::Front) => return answer::with(answer::empty(200), "Cache-Control", "no-cache"),
            Ok(asked) => asked,
            // What is no path at all never comes as far as the real registry.
            Err(answer) if answer == Response::bad_request() => return answer,
            Err(answer) => return versioned(answer),
        };
        let answer = match &asked {
            Asked::Front | Asked::Base => Ok(answer::json(*b"{}")),
            Asked::Catalogue => self.catalogue(call),
            Asked::Tags(name) => self.tags(call, name),
            Asked::Manifest(name, reference) => self.manifest(call, name, reference),
            Asked::Blob(name, digest) => self.blob(call, name, digest),
            Asked::Uploads(name) => self.uploads(call, name),
            Asked::Upload(name, id) => self.upload(call, name, id),
        };
        versioned(answer.unwrap_or_else(Response::from))
    }

    fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Says which protocol this is: clients look at it before they look at anything else.
fn versioned(answer: Response) -> Response {
    answer::with(answer, "Docker-Distribution-Api-Version", "registry/2.0")
}
