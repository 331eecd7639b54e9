//! What the screen is drawn with: tones instead of colours, and marks that a terminal can show.
//!
//! A [`Tone`] says what a piece of text means; the theme turns it into a style. Without colour the tones differ by
//! weight only, so nothing may be told by a tone that is not also told by a word or a mark.
use crate::text;
use ratatui::style::{Color, Modifier, Style};
use std::borrow::Cow;

/// What a piece of text means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// Ordinary text.
    Plain,
    /// Secondary text and lines.
    Dim,
    /// What the eye should find first.
    Strong,
    /// A key that works, the place one is in.
    Accent,
    /// All is well.
    Good,
    /// Something should be done.
    Warn,
    /// Something is wrong.
    Bad,
    /// Something is wrong, and a whole line says so.
    Alarm,
    /// The selected row.
    Selected,
    /// The badge of a real server.
    BadgeOnline,
    /// The badge of the embedded world.
    BadgeSandbox,
    /// The badge of a program without network.
    BadgeOffline,
}

/// Marks and lines.
#[derive(Debug, PartialEq, Eq)]
pub struct Glyphs {
    /// It holds.
    pub tick: &'static str,
    /// It does not hold.
    pub cross: &'static str,
    /// Between clauses.
    pub dot: &'static str,
    /// Something was left out.
    pub dots: &'static str,
    /// Horizontal line.
    pub horizontal: &'static str,
    /// Vertical line.
    pub vertical: &'static str,
    /// Horizontal line with a vertical one below.
    pub tee_down: &'static str,
    /// Horizontal line with a vertical one above.
    pub tee_up: &'static str,
    /// Corners of a box: top left, top right, bottom left, bottom right.
    pub corners: [&'static str; 4],
    /// A child with later siblings.
    pub branch: &'static str,
    /// The last child.
    pub last: &'static str,
    /// Beside the children of a branch.
    pub pipe: &'static str,
    /// Left of the selected row.
    pub pointer: &'static str,
    /// Beside the column that sorts.
    pub sorted: &'static str,
    /// Keys that move up and down.
    pub up_down: &'static str,
    /// Keys that move left and right.
    pub left_right: &'static str,
    /// Done part of a progress bar.
    pub done: &'static str,
    /// Part of a progress bar that is to come.
    pub to_come: &'static str,
    /// Part of a scroll bar.
    pub thumb: &'static str,
    /// Something is going on.
    pub spinner: &'static [&'static str],
}

const UNICODE: Glyphs = Glyphs {
    tick: "✓",
    cross: "✗",
    dot: "·",
    dots: "…",
    horizontal: "─",
    vertical: "│",
    tee_down: "┬",
    tee_up: "┴",
    corners: ["┌", "┐", "└", "┘"],
    branch: "├─ ",
    last: "└─ ",
    pipe: "│  ",
    pointer: "▌",
    sorted: "▾",
    up_down: "↑↓",
    left_right: "←→",
    done: "━",
    to_come: "─",
    thumb: "┃",
    spinner: &["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"],
};

const ASCII: Glyphs = Glyphs {
    tick: "+",
    cross: "x",
    dot: "-",
    dots: "...",
    horizontal: "-",
    vertical: "|",
    tee_down: "+",
    tee_up: "+",
    corners: ["+", "+", "+", "+"],
    branch: "|- ",
    last: "`- ",
    pipe: "|  ",
    pointer: ">",
    sorted: "v",
    up_down: "up/down",
    left_right: "left/right",
    done: "#",
    to_come: ".",
    thumb: "#",
    spinner: &["|", "/", "-", "\\"],
};

/// How this terminal is drawn on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Theme {
    /// Whether colours may be used.
    pub colour: bool,
    /// Whether anything but ASCII may be written.
    pub unicode: bool,
}

impl Theme {
    /// Colours and Unicode.
    pub const FULL: Theme = Theme { colour: true, unicode: true };
    /// Neither: every terminal can show it.
    pub const BARE: Theme = Theme { colour: false, unicode: false };

    /// Reads what the environment says of the terminal: `NO_COLOR`, `TERM`, and the locale's character set from
    /// `LC_ALL`, `LC_CTYPE` or `LANG`, the first that is not empty.
    pub fn detect(variable: impl Fn(&str) -> Option<String>) -> Self {
        let get = |name: &str| variable(name).filter(|v| !v.is_empty());
        let term = get("TERM").unwrap_or_default();
        let locale = get("LC_ALL").or_else(|| get("LC_CTYPE")).or_else(|| get("LANG")).unwrap_or_default().to_ascii_lowercase();
        let utf8 = locale.contains("utf-8") || locale.contains("utf8");
        Self {
            colour: get("NO_COLOR").is_none() && term != "dumb" && !term.is_empty(),
            unicode: utf8 && !matches!(term.as_str(), "" | "dumb" | "linux" | "vt100" | "vt220"),
        }
    }

    /// The marks and lines.
    pub fn glyphs(self) -> &'static Glyphs {
        if self.unicode { &UNICODE } else { &ASCII }
    }

    /// The style of a tone.
    pub fn style(self, tone: Tone) -> Style {
        let weight = match tone {
            Tone::Plain | Tone::Good | Tone::Warn => Modifier::empty(),
            Tone::Dim => Modifier::DIM,
            Tone::Strong | Tone::Accent | Tone::Bad => Modifier::BOLD,
            Tone::Alarm | Tone::Selected | Tone::BadgeOnline | Tone::BadgeSandbox | Tone::BadgeOffline => {
                Modifier::BOLD.union(Modifier::REVERSED)
            }
        };
        let plain = Style::new().add_modifier(weight);
        if !self.colour {
            return plain;
        }
        match tone {
            Tone::Plain | Tone::Dim | Tone::Strong | Tone::Selected => plain,
            Tone::Accent => plain.fg(Color::Cyan),
            Tone::Good => plain.fg(Color::Green),
            Tone::Warn => plain.fg(Color::Yellow),
            Tone::Bad => plain.fg(Color::Red),
            Tone::Alarm => Style::new().fg(Color::White).bg(Color::Red).add_modifier(Modifier::BOLD),
            Tone::BadgeOnline => Style::new().fg(Color::Black).bg(Color::Green).add_modifier(Modifier::BOLD),
            Tone::BadgeSandbox => Style::new().fg(Color::Black).bg(Color::Yellow).add_modifier(Modifier::BOLD),
            Tone::BadgeOffline => Style::new().fg(Color::Black).bg(Color::Cyan).add_modifier(Modifier::BOLD),
        }
    }

    /// Text as this terminal may show it: plain characters only (see [`text::is_plain`]); on a terminal without
    /// Unicode, ASCII only.
    pub fn shown(self, s: &str) -> Cow<'_, str> {
        let safe = text::escape(s);
        if self.unicode || safe.is_ascii() {
            return safe;
        }
        let mut out = String::with_capacity(safe.len() + 16);
        for c in safe.chars() {
            match c {
                c if c.is_ascii() => out.push(c),
                '…' => out.push_str("..."),
                '·' | '–' | '—' => out.push('-'),
                '‘' | '’' => out.push('\''),
                '“' | '”' => out.push('"'),
                '→' => out.push_str("->"),
                c => out.push_str(&format!("<{:x}>", u32::from(c))),
            }
        }
        Cow::Owned(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn theme(pairs: &[(&str, &str)]) -> Theme {
        Theme::detect(|n| pairs.iter().find(|(k, _)| *k == n).map(|(_, v)| (*v).to_owned()))
    }

    #[test]
    fn the_environment_decides_what_is_drawn() {
        assert_eq!(theme(&[("TERM", "xterm-256color"), ("LANG", "de_DE.UTF-8")]), Theme::FULL);
        assert_eq!(theme(&[("TERM", "xterm"), ("LANG", "C.utf8"), ("NO_COLOR", "1")]), Theme { colour: false, unicode: true });
        assert_eq!(
            theme(&[("TERM", "xterm"), ("LANG", "C.UTF-8"), ("NO_COLOR", "")]),
            Theme::FULL,
            "an empty NO_COLOR says nothing"
        );
        assert_eq!(theme(&[("TERM", "linux"), ("LANG", "C.UTF-8")]), Theme { colour: true, unicode: false });
        assert_eq!(theme(&[("TERM", "dumb"), ("LANG", "C.UTF-8")]), Theme::BARE);
        assert_eq!(theme(&[("TERM", "xterm"), ("LC_ALL", "C"), ("LANG", "de_DE.UTF-8")]), Theme { colour: true, unicode: false });
        assert_eq!(theme(&[("TERM", "xterm"), ("LC_ALL", ""), ("LC_CTYPE", "de_DE.utf8")]), Theme::FULL);
        assert_eq!(theme(&[]), Theme::BARE);
    }

    #[test]
    fn without_colour_no_tone_has_a_colour() {
        for tone in
            [Tone::Plain, Tone::Good, Tone::Warn, Tone::Bad, Tone::Alarm, Tone::Accent, Tone::BadgeOnline, Tone::BadgeSandbox]
        {
            let s = Theme { colour: false, unicode: true }.style(tone);
            assert_eq!((s.fg, s.bg), (None, None), "{tone:?}");
        }
    }

    #[test]
    fn without_unicode_everything_becomes_ascii() {
        let marks = format!("{ASCII:?}");
        assert!(marks.is_ascii(), "{marks}");
        assert_eq!(Theme::BARE.shown("targets/… – “日” é"), "targets/... - \"<65e5>\" <e9>");
        assert_eq!(Theme::BARE.shown("a\u{1b}b"), "a<1b>b");
    }
}
