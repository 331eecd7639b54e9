//! The servers of a sandbox, each at a port of its own on the loopback interface: Notary server and registry, and an
//! issuer of tokens if they are to ask who comes.
use super::{
    authority::Authority,
    call::{Guard, Service},
    http::{Shell, ShellError},
    join::Invitation,
    registry::Registry,
    token::{Gate, Issuer, IssuerError, Person, Rights, notary_access},
    world::{PASSPHRASE, Sandbox, SandboxError},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::{path::Path, sync::Arc};

/// Accounts of a sandbox that asks for logins, and what they are for. The password is that of the keys.
pub const ACCOUNTS: [(&str, &str); 2] = [("owner", "may do everything"), ("reader", "may read")];

/// Why nothing is served.
#[derive(Debug, thiserror::Error)]
pub enum ServingError {
    /// A port or a certificate cannot be had.
    #[error(transparent)]
    Shell(#[from] ShellError),
    /// The files for those who join cannot be written.
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
    /// Nobody can give tokens.
    #[error(transparent)]
    Issuer(#[from] IssuerError),
}

/// The ports that a kept sandbox had: images and repositories may be named after them.
#[derive(Debug, Default, Clone, Copy, Serialize, Deserialize)]
#[serde(default)]
struct Ports {
    notary: u16,
    registry: u16,
    tokens: u16,
}

/// Servers that are reached over TLS. They stop when they are told to, and when this is dropped.
pub struct Serving {
    notary: Shell,
    registry: Shell,
    tokens: Option<Shell>,
    invitation: Invitation,
}

impl Serving {
    /// Serves a sandbox, to everybody or to those with a login only. Must be called inside a tokio runtime.
    ///
    /// # Errors
    /// [`ServingError`]
    pub fn start(world: &Sandbox, logins: bool) -> Result<Self, ServingError> {
        let authority = Authority::new()?;
        let kept = world.kept_ports();
        let ports = kept.as_deref().map(Ports::read).unwrap_or_default();
        let (notary, registry) = (world.server().service(), world.registry().service());
        let (mut before_notary, mut before_registry, mut tokens) = (None, None, None);
        if logins {
            let issuer = Arc::new(issuer()?);
            let shell = listen(&authority, None, &issuer.service(), ports.tokens)?;
            let realm = format!("{}/token", shell.url());
            before_notary = Some(Gate::new(&realm, "claviger-sandbox-notary", issuer.clone()).guard(notary_access));
            before_registry = Some(Gate::new(&realm, "claviger-sandbox-registry", issuer).of_registry().guard(Registry::wanted));
            tokens = Some(shell);
        }
        let notary = listen(&authority, before_notary, &notary, ports.notary)?;
        let registry = listen(&authority, before_registry, &registry, ports.registry)?;
        let mut invitation = world.invite(&notary)?.with_registry(&registry)?;
        if let (Some(shell), [(owner, _), _]) = (&tokens, ACCOUNTS) {
            invitation = invitation.with_login(shell, owner, PASSPHRASE)?;
        }
        if let Some(path) = kept {
            let port = |shell: &Shell| shell.address().port();
            let tokens = tokens.as_ref().map_or(ports.tokens, port);
            Ports { notary: port(&notary), registry: port(&registry), tokens }.write(&path)?;
        }
        Ok(Self { notary, registry, tokens, invitation })
    }

    /// How to join.
    pub fn invitation(&self) -> &Invitation {
        &self.invitation
    }

    /// Stops.
    pub async fn stop(self) {
        let tokens = async {
            if let Some(shell) = self.tokens {
                shell.stop().await;
            }
        };
        tokio::join!(self.notary.stop(), self.registry.stop(), tokens);
    }
}

/// Listens where it did before, or anywhere if somebody else is there now.
fn listen(authority: &Authority, guard: Option<Guard>, service: &Service, port: u16) -> Result<Shell, ShellError> {
    let start = |port| Shell::start_guarded(authority, guard.clone(), service.clone(), port);
    start(port).or_else(|e| match e {
        ShellError::Listen { .. } if port != 0 => start(0),
        e => Err(e),
    })
}

fn issuer() -> Result<Issuer, IssuerError> {
    let rights = [Rights::none().everywhere(&["*"]).with_catalogue(), Rights::none().everywhere(&["pull"]).with_catalogue()];
    let people = ACCOUNTS.into_iter().zip(rights).map(|((name, _), rights)| Person::new(name, PASSPHRASE, rights));
    Issuer::new("claviger-sandbox", Arc::new(Timestamp::now), people)
}

impl Ports {
    /// What was written, if that makes sense.
    fn read(path: &Path) -> Self {
        std::fs::read(path).ok().and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default()
    }

    fn write(self, path: &Path) -> Result<(), SandboxError> {
        let text = serde_json::json!({ "notary": self.notary, "registry": self.registry, "tokens": self.tokens });
        super::join::replace(path, &format!("{text}\n"))
    }
}
