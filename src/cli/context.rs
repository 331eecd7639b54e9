//! What every command works with: settings, the trust directory, servers; and how failures of reading become sentences.
use super::{
    args::Options,
    output::{self, Failure},
};
use crate::{
    journal::State,
    notary::reference::{self, Reference},
    os::strongroom,
    procedures::{
        Workplace,
        repository::{load_failure, reading_failure, refused_roles},
    },
    repository::{LoadError, Loaded, Mode, Repositories, Servers},
    settings::{self, Environment, Flags, Settings},
    text::{self, Printable},
    trust_dir::{TrustDir, shown},
    tuf::{
        name::{Gun, KeyId},
        pinning::Pinning,
        x509,
    },
    views::{
        chain::KeysHere,
        desk::{Desk, Facts, World},
        reservations::reservations,
    },
};
use jiff::Timestamp;

/// What every command works with.
pub struct Context {
    /// The options of the command line.
    pub options: Options,
    /// All settings, with their origins.
    pub settings: Settings,
    desk: Desk,
}

impl Context {
    /// Resolves settings and opens nothing yet.
    pub fn new(options: Options) -> Result<Self, Failure> {
        let flags = Flags {
            trust_dir: options.trust_dir.clone(),
            server: options.server.clone(),
            registry: options.registry.clone(),
            tlscacert: options.tlscacert.clone(),
            tlscert: options.tlscert.clone(),
            tlskey: options.tlskey.clone(),
            config: options.config.clone(),
            state_dir: options.state_dir.clone(),
            plain_http: options.plain_http.clone(),
            read_only: options.read_only,
        };
        // Some variables hold passphrases.
        let all = || std::env::vars_os().filter_map(|(k, v)| Some((k.into_string().ok()?, v))).collect();
        let environment: Environment = strongroom(all);
        let settings = Settings::resolve(&flags, &environment, &settings::read_file).map_err(|e| {
            let exit = 2;
            Failure::new("settings", e.to_string(), "nothing was read or changed", e.remedy()).exit(exit)
        })?;
        let pinning = pinning(&settings)?;
        let trust_dir = TrustDir::new(&settings.trust_dir.value);
        let facts = Facts {
            world: if cfg!(feature = "network") { World::Online } else { World::Offline },
            trust_dir: text::path(&settings.trust_dir.value),
            server: settings.server.as_ref().map(|s| Printable::from_untrusted(&s.value)),
            config: settings.config.as_ref().map(|c| text::path(&c.value)),
        };
        let keep = !settings.read_only.value;
        let repositories = Repositories::new(Servers::from_settings(settings.clone()), trust_dir, pinning, keep);
        Ok(Self { options, settings, desk: Desk::new(facts, repositories) })
    }

    /// The desk of this trust directory.
    pub fn desk(&self) -> &Desk {
        &self.desk
    }

    /// Repositories of this trust directory.
    pub fn repositories(&self) -> &Repositories {
        self.desk.repositories()
    }

    /// The trust directory.
    pub fn trust_dir(&self) -> &TrustDir {
        self.repositories().trust_dir()
    }

    /// Where private keys lie.
    pub fn keys_here(&self) -> std::sync::Arc<KeysHere> {
        self.desk.keys_here()
    }

    /// Where procedures work.
    pub fn workplace(&self) -> Workplace {
        let read_only = &self.settings.read_only;
        Workplace {
            trust_dir: self.trust_dir().clone(),
            repositories: Some(self.repositories().clone()),
            state: self.settings.state_dir.as_ref().map(|all| State::of(&all.value, self.trust_dir().path())),
            read_only: read_only.value.then(|| read_only.origin.to_string()),
            exact: self.options.exact,
            public_dir: ".".into(),
            tour: None,
        }
    }

    /// Understands a repository that was typed, and says so where it is understood as another name.
    pub fn reference(&self, typed: &str) -> Result<Reference, Failure> {
        let cached = |gun: &Gun| self.trust_dir().metadata_dir(gun).is_dir();
        let reference = reference::read(typed, self.options.exact, &cached).map_err(|e| {
            Failure::new("name", e.to_string(), "nothing was read or changed", "Give a name such as registry.example/team/app.")
                .exit(2)
        })?;
        if reference.expanded {
            output::complain(&format!("claviger: {typed} is understood as {}; --exact takes names verbatim", reference.gun));
        }
        Ok(reference)
    }

    /// Understands a repository that was typed for a command that takes no tag.
    pub fn gun(&self, typed: &str) -> Result<Gun, Failure> {
        let reference = self.reference(typed)?;
        match reference.tag {
            None => Ok(reference.gun),
            Some(_) => Err(Failure::new(
                "name",
                format!("{} names a tag; this command takes a repository", reference.typed.shown()),
                "nothing was read or changed",
                format!("Give {} without the tag.", reference.gun),
            )
            .exit(2)),
        }
    }

    /// Loads a repository, and says on standard error how far it may be relied on.
    pub async fn load(&self, gun: &Gun, mode: Mode) -> Result<Loaded, LoadError> {
        let loaded = self.repositories().load(gun, Timestamp::now(), mode, &|_| {}).await?;
        let read_only = self.settings.read_only.value.then(|| self.settings.read_only.origin.to_string());
        let all = reservations(&loaded, self.trust_dir(), read_only.as_deref(), mode == Mode::Usual);
        all.iter().for_each(|reservation| output::note(reservation));
        Ok(loaded)
    }

    /// Names on standard error the roles that were refused, and makes that exit status 3.
    pub fn refused_roles(&self, loaded: &Loaded) -> Result<(), Failure> {
        refused_roles(&loaded.collection).map_or(Ok(()), Err)
    }

    /// The three sentences for a repository that could not be loaded, and where to see what it claims.
    pub fn load_failure(&self, gun: &Gun, error: LoadError) -> Failure {
        reading_failure(self.repositories(), gun, error)
    }

    /// The three sentences for a repository that could not be loaded.
    pub fn show_failure(&self, gun: &Gun, error: LoadError) -> Failure {
        load_failure(self.repositories(), gun, error)
    }
}

/// Reads pins out of the settings. A pin that cannot be read is an error: to leave it out would mean to trust more.
fn pinning(settings: &Settings) -> Result<Pinning, Failure> {
    let set = &settings.trust_pinning;
    let bad = |what: String| Failure::new("pin", what, "nothing was read or changed", format!("Mend {}.", set.origin)).exit(2);
    let mut pinning = Pinning { first_use_off: set.value.disable_tofu, ..Pinning::default() };
    for (gun, ids) in &set.value.certs {
        let gun_shown = Printable::from_untrusted(gun);
        let ids = ids.iter().map(|id| KeyId::new(id).map_err(|e| bad(format!("the pin for {gun_shown} names no key ID: {e}"))));
        pinning.certs.push((gun.clone(), ids.collect::<Result<_, _>>()?));
    }
    for (prefix, path) in &set.value.ca {
        let bytes = std::fs::read(path).map_err(|e| bad(format!("the pinned authority {} cannot be read: {e}", shown(path))))?;
        let authorities = x509::authorities(&bytes, Timestamp::now());
        if authorities.is_empty() {
            return Err(bad(format!("{} holds no certificate authority that is valid", shown(path))));
        }
        pinning.ca.push((prefix.clone(), authorities));
    }
    Ok(pinning)
}
