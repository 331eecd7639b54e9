//! Talking line by line: plain text goes out, a line comes in. No sequence ever moves a cursor or changes a colour.
use crate::{
    cli::{
        output,
        signals::{self, Signals},
    },
    failure::Failure,
    operator::Stop,
    tui::theme::Theme,
};
use std::{
    fs::OpenOptions,
    io::{self, BufRead, BufReader, Read as _, Write},
    sync::{Arc, Mutex, PoisonError},
};

/// Most bytes of a line that is typed.
const MOST: u64 = 64 << 10;

/// Somebody who types lines.
#[derive(Clone)]
pub struct Talk {
    input: Arc<Mutex<dyn BufRead + Send>>,
    out: Arc<Mutex<dyn Write + Send>>,
    theme: Theme,
}

/// What was typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// Only Enter.
    Nothing,
    /// To the question before.
    Back,
    /// Not at all.
    Stop,
    /// What can be typed here?
    Help,
    /// Anything else.
    Text(String),
}

impl Said {
    fn of(line: &str) -> Self {
        match line.trim() {
            "" => Self::Nothing,
            "<" | "back" => Self::Back,
            "stop" => Self::Stop,
            "?" => Self::Help,
            // The word itself.
            text => Self::Text(text.strip_prefix('\\').unwrap_or(text).to_owned()),
        }
    }
}

impl Talk {
    /// On standard input and output.
    pub fn standard(unicode: bool) -> Self {
        Self::new(BufReader::new(io::stdin()), io::stdout(), unicode)
    }

    /// On the terminal itself, wherever results go; none if there is none.
    pub fn terminal(unicode: bool) -> Option<Self> {
        let tty = OpenOptions::new().read(true).write(true).open("/dev/tty").ok()?;
        let out = tty.try_clone().ok()?;
        Some(Self::new(BufReader::new(tty), out, unicode))
    }

    /// On what is given.
    pub fn new(input: impl BufRead + Send + 'static, out: impl Write + Send + 'static, unicode: bool) -> Self {
        let theme = Theme { colour: false, unicode };
        Self { input: Arc::new(Mutex::new(input)), out: Arc::new(Mutex::new(out)), theme }
    }

    /// Says something, in one line or several.
    pub fn say(&self, text: &str) -> Result<(), Failure> {
        Ok(self.write(&format!("{text}\n"))?)
    }

    /// Text as it can be shown here.
    pub fn shown(&self, text: &str) -> String {
        text.split('\n').map(|line| self.theme.shown(line).into_owned()).collect::<Vec<_>>().join("\n")
    }

    fn write(&self, text: &str) -> io::Result<()> {
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        out.write_all(output::safe(&self.shown(text)).as_bytes())?;
        out.flush()
    }

    /// Asks for a line. A signal ends everything.
    pub async fn ask(&self, prompt: &str) -> Result<Said, Stop> {
        // Before anybody can see that there is a question: a signal that comes at once must not be missed.
        let mut signals = Signals::listen().ok();
        self.write(&format!("{prompt}: ")).map_err(Failure::from)?;
        let input = self.input.clone();
        let read = tokio::task::spawn_blocking(move || {
            let mut line = String::new();
            let mut input = input.lock().unwrap_or_else(PoisonError::into_inner);
            (&mut *input).take(MOST).read_line(&mut line).map(|n| (n > 0).then_some(line))
        });
        tokio::select! {
            biased;
            ended = signals::of(&mut signals) => Err(signals::failure(ended, "what was asked was not done").into()),
            read = read => match read {
                Ok(Ok(Some(line))) => Ok(Said::of(&line)),
                // Nobody types any more.
                _ => Err(Stop::Cancelled),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_mean_something_can_be_meant_themselves() {
        for (line, said) in [
            ("\n", Said::Nothing),
            (" < \n", Said::Back),
            ("back", Said::Back),
            ("stop\n", Said::Stop),
            ("?", Said::Help),
            ("\\stop", Said::Text("stop".into())),
            ("\\\\x", Said::Text("\\x".into())),
            ("alice\r\n", Said::Text("alice".into())),
        ] {
            assert_eq!(Said::of(line), said, "{line:?}");
        }
    }

    #[test]
    fn what_is_said_holds_no_sequence_and_only_ascii_where_that_is_asked_for() {
        for unicode in [true, false] {
            let text = Talk::new(io::empty(), io::sink(), unicode).shown("a\u{1b}[2J\n\u{202e}é");
            assert_eq!(text, if unicode { "a<1b>[2J\n<202e>é" } else { "a<1b>[2J\n<202e><e9>" });
        }
    }
}
