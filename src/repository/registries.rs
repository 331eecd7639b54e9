//! Which registry has the images of which repository.
use super::{
    Servers,
    servers::{Images, Kind, ServerError},
};
use crate::{
    registry::{Name, NoName, Registry},
    settings::RegistryAddress,
    text::Untrusted,
    tuf::name::Gun,
};
use std::sync::Arc;
#[cfg(feature = "network")]
use {
    crate::{net::HttpSettings, registry::http::Http, settings::Settings},
    std::sync::PoisonError,
};

/// Why there is no registry to ask.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    /// The name does not say where its images are.
    #[error("no registry is known for {0}: its name does not begin with one")]
    NoRegistry(Gun),
    /// No registry takes such a name.
    #[error("{} can be no repository of images: {reason}", .name.shown())]
    Name {
        /// The name without its registry.
        name: Untrusted,
        /// Why.
        reason: &'static str,
    },
    /// It cannot be asked with these settings.
    #[error(transparent)]
    Server(#[from] ServerError),
}

impl ImageError {
    /// What to do next.
    pub fn remedy(&self) -> String {
        match self {
            Self::NoRegistry(_) => "Give a name that begins with a registry, such as registry.example/team/app.".to_owned(),
            Self::Name { .. } => "Check the name of the repository.".to_owned(),
            Self::Server(e) => e.remedy(),
        }
    }
}

impl Servers {
    /// One server for all repositories, and one registry for all images.
    pub fn fixed_with(transport: Arc<dyn crate::notary::Transport>, images: Images) -> Self {
        Self(Arc::new(Kind::Fixed(transport, Some(images))))
    }

    /// The registry that is asked for all its repositories: the one that was set, if there is one. Registries that names lead
    /// to are not: whoever makes up names would say whom we ask.
    pub fn common_registry(&self) -> Option<Result<Images, ServerError>> {
        match &*self.0 {
            Kind::Fixed(_, images) => images.clone().map(Ok),
            Kind::Settings { settings, .. } => {
                let set = settings.registry.as_ref()?.value.clone();
                let host = host_of(&set.url);
                let name = name_of(&set);
                let registry = self.open_registry(&name, Some(set.url));
                Some(registry.map(|registry| Images { registry, name, host, all: set.name.is_none() }))
            }
        }
    }

    /// The registry with the images of a repository, and what they are called there.
    pub fn images(&self, gun: &Gun) -> Result<(Arc<dyn Registry>, Name), ImageError> {
        let first = crate::settings::registry_of(gun.as_str()).ok_or_else(|| ImageError::NoRegistry(gun.clone()))?;
        let rest = gun.as_str().get(first.len() + 1..).unwrap_or_default();
        let name = Name::new(rest).map_err(|why| ImageError::Name {
            name: Untrusted::new(rest),
            reason: match why {
                NoName::Spelling => "there, names have lower case letters, digits, and single separators between them",
                NoName::Long => "it is too long",
            },
        })?;
        let registry = match &*self.0 {
            Kind::Fixed(_, images) => images.as_ref().ok_or_else(|| ImageError::NoRegistry(gun.clone()))?.registry.clone(),
            Kind::Settings { settings, .. } => {
                let set = settings.registry.as_ref().map(|set| &set.value);
                match set.filter(|set| set.name.as_deref().is_none_or(|name| name == first || host_of(&set.url) == first)) {
                    // A login goes by the name that was given to the registry, not by one that leads to it because all do.
                    Some(set) => self.open_registry(&name_of(set), Some(set.url.clone()))?,
                    None => self.open_registry(first, None)?,
                }
            }
        };
        Ok((registry, name))
    }

    /// A registry by its name, at the address that was set for it or at the one that the name leads to.
    #[cfg(feature = "network")]
    fn open_registry(&self, name: &str, url: Option<String>) -> Result<Arc<dyn Registry>, ServerError> {
        let Kind::Settings { settings, registries, ask, .. } = &*self.0 else {
            return Err(crate::settings::SettingsError::NoServer(Untrusted::new(name)).into());
        };
        let mut open = registries.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(registry) = open.get(name) {
            return Ok(registry.clone());
        }
        let mut http = HttpSettings::of_registry(settings as &Settings, url.clone().unwrap_or_default())?;
        if let Some(logins) = &mut http.logins {
            logins.ask = ask.get().cloned();
        }
        let made = if url.is_some() { Http::new(&http, name) } else { Http::named(&http, name) };
        let registry: Arc<dyn Registry> = Arc::new(made?);
        open.insert(name.to_owned(), registry.clone());
        Ok(registry)
    }

    #[cfg(not(feature = "network"))]
    fn open_registry(&self, _: &str, _: Option<String>) -> Result<Arc<dyn Registry>, ServerError> {
        Err(ServerError::NoNetwork)
    }
}

/// What the names of a registry's images begin with.
fn name_of(set: &RegistryAddress) -> String {
    set.name.clone().unwrap_or_else(|| host_of(&set.url))
}

/// Host and port of an address.
fn host_of(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split('/').next().unwrap_or_default().to_owned()
}
