//! `sandbox`: the workstation on a world to practise on, or that world served for the old tools. Settings are not read:
//! nothing of the user's is opened here.
use super::{
    args::Options,
    output::{self, Failure},
    tour, workstation,
};
use crate::{
    journal::State,
    operator::Cancel,
    procedures::Workplace,
    repository::{Images, Repositories, Servers},
    sandbox::{DiskError, HOST, Sandbox, SandboxError, registry},
    text::Printable,
    tuf::pinning::Pinning,
    views::desk::{Desk, Facts, World},
};
use futures_util::FutureExt as _;
use jiff::Timestamp;
use std::{path::Path, sync::Arc};

/// What `--serve` is for, at the end of a sentence.
const SERVE: &str = if cfg!(feature = "network") { "; claviger sandbox --serve serves the world without one" } else { "" };

/// Refuses options that would lead out of the sandbox, or that it could not keep.
pub fn takes_no(options: &Options) -> Result<(), Failure> {
    let given = [
        ("--trust-dir", options.trust_dir.is_some()),
        ("--server", options.server.is_some()),
        ("--registry", options.registry.is_some()),
        ("--tlscacert", options.tlscacert.is_some()),
        ("--tlscert", options.tlscert.is_some()),
        ("--tlskey", options.tlskey.is_some()),
        ("--config", options.config.is_some()),
        ("--plain-http", !options.plain_http.is_empty()),
        ("--exact", options.exact),
        ("--state-dir", options.state_dir.is_some()),
        ("--read-only", options.read_only),
        ("--passphrase-file", options.passphrase_file.is_some()),
    ];
    let Some((name, _)) = given.into_iter().find(|(_, given)| *given) else { return Ok(()) };
    let message = format!("{name} does not go with sandbox, which has a world of its own");
    Err(Failure::new("usage", message, "nothing was opened", format!("Leave out {name}.")).exit(2))
}

/// Opens the workstation on a world: on the one that is kept in a directory, or a fresh one that is thrown away at the end.
pub async fn open(dir: Option<&Path>, options: &Options, stop: Cancel) -> Result<(), Failure> {
    workstation::can_open(options, SERVE)?;
    let world = make(dir)?;
    let facts = Facts {
        world: World::Sandbox,
        trust_dir: Printable::from_untrusted(&world.trust_dir().path().to_string_lossy()),
        server: Some(world.transport().address().shown()),
        config: None,
    };
    let repositories = repositories(&world);
    let place = Workplace { tour: Some(Arc::new(tour::world)), ..place(&world, repositories.clone()) };
    let (desk, screen) = (Desk::new(facts, repositories.clone()), crate::tui::Options::from_env());
    let examiner = Arc::new(|| crate::doctor::in_sandbox().boxed());
    let ended = workstation::open(desk, place, examiner, screen, options.plain, stop).await;
    // Whoever leaves while something is read must not leave half a sandbox behind.
    repositories.stop_keeping().await;
    drop(world);
    ended
}

/// The repositories of a world, asked in this process.
pub fn repositories(world: &Sandbox) -> Repositories {
    let images = Arc::new(registry::InProcess::new(world.registry().clone()));
    let images = Images { registry: images, name: HOST.to_owned(), host: HOST.to_owned(), all: false };
    let servers = Servers::fixed_with(world.transport(), images);
    Repositories::new(servers, world.trust_dir().clone(), Pinning::default(), true)
}

/// Where procedures work in a world.
pub fn place(world: &Sandbox, repositories: Repositories) -> Workplace {
    Workplace {
        trust_dir: world.trust_dir().clone(),
        repositories: Some(repositories),
        state: Some(State::of(&world.path().join("state"), world.trust_dir().path())),
        read_only: None,
        exact: false,
        // Public halves go there too: nothing is written where the user works.
        public_dir: world.public_dir(),
        tour: None,
    }
}

/// Serves a world until interrupted.
#[cfg(feature = "network")]
pub async fn serve(dir: Option<&Path>, logins: bool, as_json: bool) -> Result<(), Failure> {
    use super::signals::Signals;
    use crate::sandbox::{ACCOUNTS, Serving, ServingError};
    // Listened to before anything is made: what is made halfway would stay.
    let mut signals = Signals::listen()?;
    let world = make(dir)?;
    let serving = Serving::start(&world, logins).map_err(|e| match e {
        ServingError::Sandbox(e) => failure(&e),
        e => Failure::new("sandbox", e.to_string(), "nothing is served", "Run it again when that is mended."),
    })?;
    let invitation = serving.invitation();
    if as_json {
        let variables: serde_json::Map<String, serde_json::Value> =
            invitation.variables.iter().map(|(k, v)| (k.to_string(), v.to_string().into())).collect();
        output::say_json(&serde_json::json!({
            "schema": "claviger/sandbox/1",
            "url": invitation.url,
            "registry": invitation.registry.as_ref().map(|r| &r.url),
            "tokens": invitation.tokens,
            "ca_file": invitation.ca_file.to_string_lossy(),
            "docker_config": invitation.docker_config.to_string_lossy(),
            "notary_config": invitation.notary_config.to_string_lossy(),
            "trust_dir": world.trust_dir().path().to_string_lossy(),
            "passphrase": world.passphrase(),
            "repositories": world.guns().iter().map(|g| g.as_str()).collect::<Vec<_>>(),
            "variables": variables,
        }))?;
    } else {
        let mut text = invitation.lines().join("\n");
        text.push_str(&format!("\n# passphrase of every key: {}\n", world.passphrase()));
        if let Some(tokens) = &invitation.tokens {
            let accounts = ACCOUNTS.map(|(name, may)| format!("{name} ({may})")).join(" or ");
            text.push_str(&format!("# log in as {accounts}, with the same password\n# tokens come from {tokens}\n"));
        }
        output::say(&text)?;
        let then = if dir.is_some() { "it stays in its directory" } else { "it is gone afterwards" };
        output::note(&format!("a sandbox is served at {} until Ctrl-C; {then}", invitation.url));
    }
    signals.heard().await;
    serving.stop().await;
    Ok(())
}

/// Ends a world that was kept.
pub fn destroy(dir: &Path, as_json: bool) -> Result<(), Failure> {
    let others = Sandbox::destroy(dir).map_err(|e| match e {
        SandboxError::NotOurs(_) | SandboxError::Memory { .. } => failure(&e),
        e => Failure::new("sandbox", e.to_string(), "not all of the sandbox was removed", "Run it again when that is mended."),
    })?;
    let dir = crate::text::path(dir);
    if as_json {
        let said = serde_json::json!({"schema": "claviger/sandbox-destroyed/1", "directory": dir.to_string(), "left": others});
        return Ok(output::say_json(&said)?);
    }
    Ok(match others.as_slice() {
        [] => output::say(&format!("The sandbox {dir} is gone.\n")),
        others => output::say(&format!("The sandbox {dir} is gone. What is not of it was left: {}.\n", others.join(", "))),
    }?)
}

pub fn make(dir: Option<&Path>) -> Result<Sandbox, Failure> {
    let now = Timestamp::now();
    let world = dir.map_or_else(|| Sandbox::new(now, None), |dir| Sandbox::kept(now, dir)).map_err(|e| failure(&e))?;
    for (file, why) in world.registry().spoilt() {
        let file = crate::text::path(&file);
        output::note(&format!("an image's file is left out: {file} ({why}); push it again, or remove the file"));
    }
    Ok(world)
}

pub fn failure(error: &SandboxError) -> Failure {
    let half_made = (
        "nothing was changed",
        "Its making was cut off, or somebody changed it: end it with claviger sandbox --destroy DIR, and make another.",
    );
    let (nothing, hint) = match error {
        SandboxError::NotOurs(_) | SandboxError::NotEmpty(_) => ("nothing was changed", "Check the directory's name."),
        SandboxError::Memory { source: DiskError::Busy, .. } => {
            ("nothing was changed", "End the program that serves it, or name another directory.")
        }
        SandboxError::Memory { source: DiskError::Damaged(_), .. } => half_made,
        SandboxError::Images { source, .. } if source.kind() == std::io::ErrorKind::ResourceBusy => {
            ("nothing was changed", "End the program that serves it, or name another directory.")
        }
        SandboxError::Images { .. } => {
            ("nothing is served", "Check that its owner can read and write it, or move it away: images can be pushed again.")
        }
        SandboxError::Memory { source: DiskError::File(e), .. } if e.kind() == std::io::ErrorKind::NotFound => half_made,
        _ => ("there is no sandbox", "Check that the directory can be written (TMPDIR, if none was named)."),
    };
    Failure::new("sandbox", error.to_string(), nothing, hint)
}
