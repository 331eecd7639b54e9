//! Lines of labelled text: on a page of their own, or below a list about what is selected there.
use crate::tui::{
    fit,
    ink::Ink,
    theme::{Theme, Tone},
};

/// Columns of the labels.
pub const LABEL: u16 = 12;
/// Columns of marks in their place.
const MARK: u16 = 2;

/// A line: label and text, each with its tone.
#[derive(Debug, Clone)]
pub struct Line {
    /// What it is; empty if the line goes on with the one above.
    pub label: String,
    /// What there is to say.
    pub text: String,
    /// How it is meant.
    pub tone: Tone,
}

/// Lines of a known width.
#[derive(Debug)]
pub struct Lines {
    theme: Theme,
    label: u16,
    columns: usize,
    /// What was written.
    pub lines: Vec<Line>,
}

impl Lines {
    /// Lines so many columns wide, labels included.
    pub fn new(theme: Theme, columns: u16) -> Self {
        Self { theme, label: LABEL, columns: usize::from(columns.saturating_sub(LABEL)).max(8), lines: Vec::new() }
    }

    /// Lines so many columns wide, with a mark before each that has the tone of its text.
    pub fn marked(theme: Theme, columns: u16) -> Self {
        Self { theme, label: MARK, columns: usize::from(columns.saturating_sub(MARK)).max(8), lines: Vec::new() }
    }

    /// Lines so many columns wide that have no labels.
    pub fn bare(theme: Theme, columns: u16) -> Self {
        Self { theme, label: 0, columns: usize::from(columns).max(8), lines: Vec::new() }
    }

    /// Writes text, over as many lines as it needs.
    pub fn say(&mut self, label: &str, text: &str, tone: Tone) {
        let shown = self.theme.shown(text).into_owned();
        for (i, line) in fit::wrap(&shown, self.columns).into_iter().enumerate() {
            let label = if i == 0 { label.to_owned() } else { String::new() };
            self.lines.push(Line { label, text: line, tone });
        }
    }

    /// Writes text in one line, its end cut with dots.
    pub fn one(&mut self, label: &str, text: &str, tone: Tone) {
        let shown = self.theme.shown(text);
        let text = fit::end(&shown, self.columns, self.theme.glyphs().dots).into_owned();
        self.lines.push(Line { label: label.to_owned(), text, tone });
    }

    /// Writes 64 hexadecimal digits, in halves if they do not fit in one line.
    pub fn digits(&mut self, label: &str, prefix: &str, hex: &str, tone: Tone) {
        if prefix.len() + hex.len() <= self.columns {
            return self.say(label, &format!("{prefix}{hex}"), tone);
        }
        let half = hex.len() / 2;
        let (a, b) = (hex.get(..half).unwrap_or(hex), hex.get(half..).unwrap_or(""));
        self.say(label, &format!("{prefix}{a}"), tone);
        let text = self.theme.shown(&format!("{}{b}", " ".repeat(prefix.len()))).into_owned();
        self.lines.push(Line { label: String::new(), text, tone });
    }

    /// Writes an empty line.
    pub fn gap(&mut self) {
        self.lines.push(Line { label: String::new(), text: String::new(), tone: Tone::Plain });
    }

    /// Writes a heading.
    pub fn heading(&mut self, text: &str) {
        self.lines.push(Line { label: text.to_owned(), text: String::new(), tone: Tone::Strong });
    }

    /// Leaves out what goes beyond so many lines; whether there was any. A text that is broken off is marked; one that is
    /// whole is not, or a name would seem to go on.
    pub fn cut(&mut self, rows: usize) -> bool {
        let Some(next) = self.lines.get(rows) else { return false };
        let broken = next.label.is_empty() && !next.text.is_empty();
        self.lines.truncate(rows);
        if !broken {
            return true;
        }
        let dots = self.theme.glyphs().dots;
        if let Some(last) = self.lines.last_mut() {
            let room = self.columns.saturating_sub(fit::width(dots) + 1);
            last.text = format!("{} {dots}", fit::end(&last.text, room, ""));
        }
        true
    }

    /// Draws the lines from a number on, as far as there is room.
    pub fn draw(&self, ink: &mut Ink<'_>, from: usize) {
        let rows = usize::from(ink.height());
        for (y, line) in self.lines.iter().skip(from).take(rows).enumerate() {
            let y = u16::try_from(y).unwrap_or(u16::MAX);
            let heading = line.text.is_empty() && line.tone == Tone::Strong;
            if !line.label.is_empty() {
                let tone = match heading {
                    true => Tone::Strong,
                    false if self.label == MARK => line.tone,
                    false => Tone::Dim,
                };
                ink.put(0, y, &line.label, tone);
            }
            if !heading {
                ink.put(self.label, y, &line.text, line.tone);
            }
        }
    }
}
