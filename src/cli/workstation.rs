//! `claviger` alone: the workstation, on a screen.
use super::{args, output::Failure, plain, signals};
use crate::{
    operator::Cancel,
    procedures::Workplace,
    settings::{Origin, Settings, Sourced},
    tui::{self, Ended, Examiner, Options},
    views::desk::Desk,
};
use std::io::{self, IsTerminal as _};

/// Refuses to open the workstation where it cannot be: without a terminal, or with `--json`. `hint` is what could be done
/// instead, besides the commands.
pub fn can_open(options: &args::Options, hint: &str) -> Result<(), Failure> {
    let commands = format!("Every command works without a screen: claviger --help{hint}");
    if options.json {
        let message = "the workstation is a screen and has no JSON, so nothing was opened";
        return Err(Failure::new("usage", message, "nothing was read or changed", commands).exit(2));
    }
    if !options.plain && !io::stdin().is_terminal() {
        let message = "no terminal here, so nothing was opened";
        return Err(Failure::new("no-terminal", message, "nothing was read or changed", commands).exit(2));
    }
    Ok(())
}

/// Whether the workstation speaks line by line: it was asked to, or the terminal can do no more.
pub fn is_plain(asked: bool) -> bool {
    let term = std::env::var("TERM").unwrap_or_default();
    asked || matches!(term.as_str(), "" | "dumb") || !io::stdout().is_terminal()
}

/// How to draw: as the configuration file says, else as the environment does.
pub fn options(settings: &Settings) -> Options {
    let mut options = Options::from_env();
    let of_file = |s: &Sourced<bool>| matches!(s.origin, Origin::File { .. }).then_some(s.value);
    options.theme.colour = of_file(&settings.color).unwrap_or(options.theme.colour);
    options.theme.unicode = of_file(&settings.ascii).map_or(options.theme.unicode, |ascii| !ascii);
    options.lock_after = settings.lock_after.value;
    options
}

/// Opens the workstation.
pub async fn open(
    desk: Desk,
    place: Workplace,
    examiner: Examiner,
    options: Options,
    plain: bool,
    stop: Cancel,
) -> Result<(), Failure> {
    if is_plain(plain) {
        return plain::open(desk, place, options.theme.unicode, stop).await;
    }
    // What was done was said on the screen; what had begun was waited for.
    let nothing = "nothing was left half done";
    let ended = tui::run(desk, place, examiner, options)
        .await
        .map_err(|e| Failure::new("screen", e.to_string(), nothing, "Every command works without a screen: claviger --help."))?;
    match ended {
        Ended::Quit => Ok(()),
        ended => Err(signals::failure(ended, nothing)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Flags;
    use std::path::Path;

    #[test]
    fn the_configuration_decides_about_colour_and_ascii() {
        for (toml, colour, unicode) in
            [("color = true\nascii = false", true, true), ("color = false\nascii = true", false, false)]
        {
            let text = format!("[screen]\n{toml}\n");
            let read = |_: &Path| Ok(Some(text.clone().into_bytes()));
            let flags = Flags { config: Some("/c.toml".into()), trust_dir: Some("/t".into()), ..Flags::default() };
            let theme = options(&Settings::resolve(&flags, &Default::default(), &read).unwrap()).theme;
            assert_eq!((theme.colour, theme.unicode), (colour, unicode));
        }
    }
}
