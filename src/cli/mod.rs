//! The line interface: what each command does with what was typed.
mod args;
mod context;
mod key;
mod output;
mod repo;
#[cfg(feature = "sandbox")]
mod sandbox;
mod tags;
mod workstation;

use args::{Arguments, Command, DelegationCommand, KeyCommand, RepoCommand, SignerCommand};
use clap::Parser;
use context::Context;
use output::Failure;
use std::{io, process::ExitCode};

impl From<io::Error> for Failure {
    fn from(e: io::Error) -> Self {
        // Whoever reads our output has gone; there is nobody to tell.
        let exit = if e.kind() == io::ErrorKind::BrokenPipe { 141 } else { 1 };
        Self::new("output", format!("the result could not be printed: {e}"), "nothing was changed", "").exit(exit)
    }
}

/// Runs what the command line says and returns the exit status.
pub fn main() -> ExitCode {
    let refused = crate::os::harden();
    let arguments = Arguments::parse();
    for r in refused {
        output::complain(&format!("claviger: the system refused to {}: {}", r.what, r.why));
    }
    let as_json = arguments.options.json;
    // What stays open until it is told to end hears signals itself, and cleans up.
    #[cfg(feature = "sandbox")]
    let hears_signals = matches!(arguments.command, None | Some(Command::Sandbox { .. }));
    #[cfg(not(feature = "sandbox"))]
    let hears_signals = arguments.command.is_none();
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
        Ok(runtime) => runtime,
        Err(e) => {
            Failure::new("start", format!("the program could not start: {e}"), "nothing was read or changed", "").print(as_json);
            return ExitCode::FAILURE;
        }
    };
    let result = runtime.block_on(async {
        tokio::select! {
            result = run(arguments) => result,
            () = interrupted(), if !hears_signals => Err(Failure::new("interrupted", "interrupted", "what had not been printed was not done", "").exit(130)),
        }
    });
    runtime.shutdown_background();
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            if failure.exit != 141 {
                failure.print(as_json);
            }
            ExitCode::from(failure.exit)
        }
    }
}

async fn interrupted() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}

async fn run(arguments: Arguments) -> Result<(), Failure> {
    let Arguments { options, command } = arguments;
    #[cfg(feature = "sandbox")]
    match command {
        #[cfg(feature = "network")]
        Some(Command::Sandbox { serve: true }) => return sandbox::serve(options.json).await,
        Some(Command::Sandbox { .. }) => return sandbox::open().await,
        _ => {}
    }
    let context = Context::new(options)?;
    match command {
        None => workstation::open(context.desk().clone()).await,
        Some(Command::Key(KeyCommand::List)) => key::list(&context),
        Some(Command::Key(KeyCommand::Show { id })) => key::show(&context, &id),
        Some(Command::Key(KeyCommand::Test { ids })) => key::test(&context, &ids),
        Some(Command::Key(KeyCommand::Generate { name, role, gun, algorithm, dir })) => {
            key::generate(&context, &name, role, gun.as_deref(), algorithm, &dir)
        }
        Some(Command::Repo(RepoCommand::List)) => repo::list(&context).await,
        Some(Command::Repo(RepoCommand::Show { gun })) => repo::show(&context, &gun).await,
        Some(Command::Repo(RepoCommand::Verify { gun })) => repo::verify(&context, &gun).await,
        Some(Command::Inspect { names, pretty }) => tags::inspect(&context, &names, pretty).await,
        Some(Command::Tags { gun }) => tags::tags(&context, &gun).await,
        Some(Command::Signer(SignerCommand::List { gun })) => tags::signers(&context, &gun).await,
        Some(Command::Delegation(DelegationCommand::List { gun })) => tags::delegations(&context, &gun).await,
        #[cfg(feature = "sandbox")]
        Some(Command::Sandbox { .. }) => Ok(()),
    }
}
