//! The line interface: what each command does with what was typed.
mod args;
mod change;
mod context;
mod doctor;
mod image;
mod image_push;
mod journal;
mod key;
#[cfg(feature = "network")]
mod login;
mod operator;
mod output;
mod pages;
mod passphrase;
mod plain;
mod repo;
#[cfg(feature = "sandbox")]
mod sandbox;
mod signals;
mod tag_state;
mod tags;
#[cfg(feature = "sandbox")]
mod tour;
mod usage;
mod workstation;

use crate::{cli::operator::PlanAnswer, operator::Cancel};
use args::{
    Arguments, Command, ImageCommand, RepoCommand,
    change::{DelegationCommand, SignerCommand},
    key::KeyCommand,
};
use clap::{CommandFactory as _, Parser as _};
use context::Context;
use futures_util::FutureExt as _;
use output::Failure;
use signals::Signals;
use std::{ffi::OsString, io, pin::pin, process::ExitCode, time::Duration};

impl From<io::Error> for Failure {
    fn from(e: io::Error) -> Self {
        // Whoever reads our output has gone; there is nobody to tell.
        let exit = if e.kind() == io::ErrorKind::BrokenPipe { 141 } else { 1 };
        Self::new("output", format!("the result could not be printed: {e}"), "nothing was changed", "").exit(exit)
    }
}

/// The definition of the whole command line, for tests and for what is made from it.
pub fn definition() -> clap::Command {
    Arguments::command()
}

/// How long work on keys may take to stop after a signal before the program ends without it.
const GRACE: Duration = Duration::from_secs(1);
/// How many threads may wait for the disk or be busy with keys in one command, if there are not more cores. Each takes memory.
const FEW: usize = 4;
/// The same where somebody sits before a screen, and several things may wait for other programs.
const MANY: usize = 512;

/// Runs what the command line says and returns the exit status.
pub fn main() -> ExitCode {
    crate::os::tune();
    let mut refused = crate::os::harden();
    let unlocked = crate::os::lock_strongroom();
    let typed: Vec<OsString> = std::env::args_os().collect();
    output::use_json(typed.iter().any(|a| a == "--json"));
    let arguments = match Arguments::try_parse_from(&typed) {
        Ok(arguments) => arguments,
        Err(e) => return usage::answer(e, &typed),
    };
    output::use_json(arguments.options.json);
    if matches!(arguments.command, None | Some(Command::Key(_) | Command::Passphrase(_)))
        || arguments.command.as_ref().is_some_and(Command::changes_repositories)
    {
        refused.extend(unlocked);
    }
    for r in refused {
        output::note(&format!("the system refused to {}: {}", r.what, r.why));
    }
    // What stays open until it is told to end hears signals itself, and cleans up.
    let by_lines = workstation::is_plain(arguments.options.plain);
    let hears_signals = match &arguments.command {
        None => !by_lines,
        #[cfg(all(feature = "sandbox", feature = "network"))]
        Some(Command::Sandbox { serve, destroy, tour, .. }) => destroy.is_none() && !tour && (*serve || !by_lines),
        #[cfg(all(feature = "sandbox", not(feature = "network")))]
        Some(Command::Sandbox { destroy, tour, .. }) => destroy.is_none() && !tour && !by_lines,
        Some(_) => false,
    };
    let knows_best = matches!(arguments.command, Some(Command::Key(_) | Command::Resume { .. } | Command::Passphrase(_)))
        || arguments.command.as_ref().is_some_and(Command::changes_repositories)
        || by_lines && !hears_signals;
    let publishes = arguments.command.as_ref().is_some_and(Command::changes_repositories);
    let aside = if publishes { std::thread::available_parallelism().map_or(FEW, |cores| cores.get().max(FEW)) } else { MANY };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).max_blocking_threads(aside).enable_all().build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(e) => {
            let failure = Failure::new("start", format!("the program could not start: {e}"), "nothing was read or changed", "");
            output::print_failure(&failure, output::as_json());
            return ExitCode::FAILURE;
        }
    };
    let stop = Cancel::default();
    let result = runtime.block_on(async {
        let mut signals = if hears_signals { None } else { Signals::listen().ok() };
        let mut work = pin!(run(arguments, stop.clone()));
        tokio::select! {
            // Heard before anything else, so that a result that comes at the same time does not swallow it.
            biased;
            ended = signals::of(&mut signals) => {
                stop.set();
                // Whoever is asked will not answer any more.
                crate::secret::give_terminal_back();
                // Work on keys stops by itself, and knows best what was done and what was not.
                let stopped = if knows_best { tokio::time::timeout(GRACE, &mut work).await.ok() } else { None };
                let stopped = stopped.unwrap_or_else(|| {
                    Err(Failure::interrupted(match publishes {
                        true => "nothing was published unless that had begun: `claviger resume` says whether it had",
                        false => "what had not been printed was not done",
                    }))
                });
                stopped.map_err(|failure| signals::named(ended, failure))
            }
            // A question hears signals too, and may have been the first.
            result = &mut work => result.map_err(|failure| match signals::of(&mut signals).now_or_never() {
                Some(ended) => signals::named(ended, failure),
                None => failure,
            }),
        }
    });
    crate::secret::give_terminal_back();
    if crate::os::strongroom_was_full() {
        output::note("there was more to work on than locked memory holds; the rest was erased, but may have been swapped");
    }
    runtime.shutdown_background();
    // Nobody waits for them any more.
    crate::os::child::end_children();
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            if failure.exit != 141 {
                output::print_failure(&failure, output::as_json());
            }
            ExitCode::from(failure.exit)
        }
    }
}

/// Runs what keeps a core busy or asks a person beside the tasks that listen.
async fn aside(work: impl FnOnce() -> Result<(), Failure> + Send + 'static) -> Result<(), Failure> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(e) => match e.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(e) => Err(Failure::new("start", e.to_string(), "nothing was changed", "")),
        },
    }
}

async fn run(arguments: Arguments, stop: Cancel) -> Result<(), Failure> {
    let Arguments { options, command } = arguments;
    #[cfg(feature = "sandbox")]
    if matches!(command, Some(Command::Sandbox { .. })) {
        sandbox::takes_no(&options)?;
    }
    #[cfg(feature = "sandbox")]
    match command {
        Some(Command::Sandbox { tour: true, yes, .. }) => return tour::walk(&options, yes, stop).await,
        Some(Command::Sandbox { destroy: Some(dir), .. }) => return sandbox::destroy(&dir, options.json),
        #[cfg(feature = "network")]
        Some(Command::Sandbox { serve: true, logins, dir, .. }) => {
            return sandbox::serve(dir.as_deref(), logins, options.json).await;
        }
        Some(Command::Sandbox { dir, .. }) => return sandbox::open(dir.as_deref(), &options, stop).await,
        _ => {}
    }
    match command {
        Some(Command::Completions { shell }) => return pages::completions(shell, options.json),
        Some(Command::Man { dir }) => return pages::man(&dir, options.json),
        _ => {}
    }
    let command = match command {
        // It needs no trust directory, and no setting that could be wrong.
        Some(Command::Passphrase(command)) => return aside(move || passphrase::run(command, options.json)).await,
        None => {
            workstation::can_open(&options, "")?;
            None
        }
        command => command,
    };
    if let Some(Command::Doctor { report }) = command {
        // Settings that cannot be used are one of the things it finds.
        return doctor::examine(options, report).await;
    }
    let context = Context::new(options)?;
    if command.as_ref().is_some_and(Command::changes_repositories) {
        journal::say_interrupted(&context);
    }
    // The workstation draws on the terminal, and nobody could be asked there.
    #[cfg(feature = "network")]
    if command.is_some() {
        login::may_ask(context.repositories().servers());
    }
    match command {
        None => {
            let options = workstation::options(&context.settings);
            let (desk, place) = (context.desk().clone(), context.workplace());
            let examiner = doctor::examiner(place.clone(), context.settings.clone());
            workstation::open(desk, place, examiner, options, context.options.plain, stop).await
        }
        Some(Command::Journal { work }) => aside(move || journal::journal(&context, work.as_deref())).await,
        Some(Command::Resume { work: None, .. }) => journal::interrupted(&context),
        Some(Command::Resume { work: Some(work), give_up: true, .. }) => journal::give_up(&context, &work),
        Some(Command::Resume { work: Some(work), new_passphrase_file, yes, .. }) => {
            journal::resume(&context, &work, new_passphrase_file.as_deref(), yes, stop).await
        }
        Some(Command::Key(command)) => {
            journal::say_interrupted(&context);
            match command {
                KeyCommand::List | KeyCommand::Show { .. } => aside(move || key::read(&context, command)).await,
                KeyCommand::Test { ids } => key::test(&context, &ids, stop).await,
                KeyCommand::Rotate(typed) => change::rotate(&context, typed, stop).await,
                change => key::change(&context, change, stop).await,
            }
        }
        Some(Command::Repo(RepoCommand::List)) => repo::list(&context).await,
        Some(Command::Repo(RepoCommand::Show { gun })) => repo::show(&context, &gun).await,
        Some(Command::Repo(RepoCommand::Verify { gun })) => repo::verify(&context, &gun).await,
        Some(Command::Inspect { names, pretty }) => tags::inspect(&context, &names, pretty).await,
        Some(Command::Image(ImageCommand::Resolve { image: name })) => image::resolve(&context, &name, stop).await,
        Some(Command::Image(ImageCommand::Verify { image: name, platform })) => {
            image::verify(&context, &name, platform.as_deref(), stop).await
        }
        Some(Command::Image(ImageCommand::Push { layout, image: name, dry_run: true, .. })) => {
            image_push::look(&context, &layout, &name).await
        }
        Some(Command::Image(ImageCommand::Push { layout, image: name, yes, expect, .. })) => {
            image_push::push(&context, (&layout, &name), PlanAnswer { yes, expect }, stop).await
        }
        Some(Command::Tags { gun, registry_state: false }) => tags::tags(&context, &gun).await,
        Some(Command::Tags { gun, registry_state: true }) => tag_state::tags(&context, &gun, stop).await,
        Some(Command::Signer(SignerCommand::List { gun })) => tags::signers(&context, &gun).await,
        Some(Command::Delegation(DelegationCommand::List { gun })) => tags::delegations(&context, &gun).await,
        Some(Command::Init(typed)) => change::init(&context, typed, stop).await,
        Some(Command::Status { gun }) => change::status(&context, &gun),
        Some(Command::Publish(typed)) => change::publish(&context, typed, stop).await,
        Some(Command::Reset(typed)) => change::reset(&context, typed, stop).await,
        Some(Command::Delete(typed)) => change::delete(&context, typed, stop).await,
        Some(Command::Sign(typed)) => change::sign(&context, typed, stop).await,
        Some(Command::Revoke(typed)) => change::revoke(&context, typed, stop).await,
        Some(Command::Witness(typed)) => change::witness(&context, typed, stop).await,
        Some(Command::Renew(typed)) => change::renew(&context, typed, stop).await,
        Some(Command::Signer(command)) => change::signer(&context, command, stop).await,
        Some(Command::Delegation(command)) => change::delegation(&context, command, stop).await,
        Some(Command::RootKey(command)) => change::root_key(&context, command, stop).await,
        // Those that need no settings were run above.
        Some(Command::Doctor { .. } | Command::Passphrase(_) | Command::Completions { .. } | Command::Man { .. }) => Ok(()),
        #[cfg(feature = "sandbox")]
        Some(Command::Sandbox { .. }) => Ok(()),
    }
}
