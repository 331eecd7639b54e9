//! Which Notary server answers for which repository. Where its images are is said in `registries`.
use crate::{
    notary::Transport,
    registry::Registry,
    settings::{Settings, SettingsError},
    tuf::name::Gun,
};
use std::sync::Arc;
#[cfg(feature = "network")]
use {
    crate::{
        net::{HttpError, HttpSettings, login::Ask},
        notary::http::Http,
    },
    std::{
        collections::HashMap,
        sync::{Mutex, OnceLock, PoisonError},
    },
};

/// Servers, opened when they are first needed.
#[derive(Clone)]
pub struct Servers(pub(super) Arc<Kind>);

pub(super) enum Kind {
    /// One for all repositories, and perhaps one registry for their images.
    Fixed(Arc<dyn Transport>, Option<Images>),
    /// As the settings say, for each repository.
    Settings {
        settings: Box<Settings>,
        #[cfg(feature = "network")]
        open: Mutex<HashMap<String, Arc<dyn Transport>>>,
        /// Registries, by what names begin with.
        #[cfg(feature = "network")]
        registries: Mutex<HashMap<String, Arc<dyn Registry>>>,
        #[cfg(feature = "network")]
        ask: OnceLock<Ask>,
    },
}

/// A registry, and which names its images have.
#[derive(Clone)]
pub struct Images {
    /// The registry.
    pub registry: Arc<dyn Registry>,
    /// What their names begin with.
    pub name: String,
    /// What they may begin with as well: the address itself.
    pub host: String,
    /// Whether all names lead there.
    pub all: bool,
}

impl Images {
    /// Whether names that begin with this lead to it.
    pub fn has(&self, first: &str) -> bool {
        self.all || first == self.name || first == self.host
    }
}

/// Why there is no server to ask.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// None is configured, or its settings make no sense.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// Its settings cannot be used.
    #[cfg(feature = "network")]
    #[error(transparent)]
    Http(#[from] HttpError),
    /// This program has no network code.
    #[cfg(not(feature = "network"))]
    #[error("this build of claviger contains no network code")]
    NoNetwork,
}

impl ServerError {
    /// What to do next.
    pub fn remedy(&self) -> String {
        match self {
            Self::Settings(e) => e.remedy().to_owned(),
            #[cfg(feature = "network")]
            Self::Http(e) => e.remedy(),
            #[cfg(not(feature = "network"))]
            Self::NoNetwork => "Use the ordinary build on a machine that is online.".to_owned(),
        }
    }
}

impl Servers {
    /// One server for all repositories.
    pub fn fixed(transport: Arc<dyn Transport>) -> Self {
        Self(Arc::new(Kind::Fixed(transport, None)))
    }

    /// The server that the settings name, or that docker would ask, by repository.
    pub fn from_settings(settings: Settings) -> Self {
        Self(Arc::new(Kind::Settings {
            settings: Box::new(settings),
            #[cfg(feature = "network")]
            open: Mutex::default(),
            #[cfg(feature = "network")]
            registries: Mutex::default(),
            #[cfg(feature = "network")]
            ask: OnceLock::new(),
        }))
    }

    /// Asks this person for a login where none is found. It holds for servers that are opened from now on.
    #[cfg(feature = "network")]
    pub fn asking(&self, person: Ask) {
        if let Kind::Settings { ask, .. } = &*self.0 {
            // Who was named first is asked.
            let _ = ask.set(person);
        }
    }

    /// Whether a person may be asked for a login.
    pub(super) fn asks(&self) -> bool {
        match &*self.0 {
            Kind::Fixed(..) => false,
            #[cfg(feature = "network")]
            Kind::Settings { ask, .. } => ask.get().is_some(),
            #[cfg(not(feature = "network"))]
            Kind::Settings { .. } => false,
        }
    }

    /// The server for a repository.
    pub fn of(&self, gun: &Gun) -> Result<Arc<dyn Transport>, ServerError> {
        match &*self.0 {
            Kind::Fixed(t, _) => Ok(t.clone()),
            Kind::Settings { settings, .. } => self.open(settings, settings.server_for(gun.as_str())?.value),
        }
    }

    /// The server that is asked about all repositories, if there is one; it may know more of them.
    pub fn common(&self) -> Option<Result<Arc<dyn Transport>, ServerError>> {
        match &*self.0 {
            Kind::Fixed(t, _) => Some(Ok(t.clone())),
            Kind::Settings { settings, .. } => settings.server.as_ref().map(|s| self.open(settings, s.value.clone())),
        }
    }

    #[cfg(feature = "network")]
    fn open(&self, settings: &Settings, url: String) -> Result<Arc<dyn Transport>, ServerError> {
        let Kind::Settings { open, ask, .. } = &*self.0 else {
            return Err(SettingsError::NoServer(crate::text::Untrusted::new(url)).into());
        };
        let mut open = open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(t) = open.get(&url) {
            return Ok(t.clone());
        }
        let mut http = HttpSettings::from_settings(settings, url.clone())?;
        if let Some(logins) = &mut http.logins {
            logins.ask = ask.get().cloned();
        }
        let http: Arc<dyn Transport> = Arc::new(Http::new(&http)?);
        open.insert(url, http.clone());
        Ok(http)
    }

    #[cfg(not(feature = "network"))]
    fn open(&self, _: &Settings, _: String) -> Result<Arc<dyn Transport>, ServerError> {
        Err(ServerError::NoNetwork)
    }
}
