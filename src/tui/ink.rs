//! Writing on a part of the screen. Everything the screen shows goes through [`Ink`], which clips to its area and
//! makes text safe, so that no screen can forget to.
use super::{
    fit,
    theme::{Glyphs, Theme, Tone},
};
use ratatui::{buffer::Buffer, layout::Rect};

/// A part of the screen, with its own coordinates from (0, 0).
pub struct Ink<'a> {
    buffer: &'a mut Buffer,
    area: Rect,
    /// How this terminal is drawn on.
    pub theme: Theme,
}

impl<'a> Ink<'a> {
    /// Writes on `area`, as far as it lies on the buffer.
    pub fn new(buffer: &'a mut Buffer, area: Rect, theme: Theme) -> Self {
        let area = area.intersection(buffer.area);
        Self { buffer, area, theme }
    }

    /// A part of this part; `area` is in screen coordinates.
    pub fn on(&mut self, area: Rect) -> Ink<'_> {
        let area = area.intersection(self.area);
        Ink { buffer: self.buffer, area, theme: self.theme }
    }

    /// Rows `from` up to, but not including, `to` of this part.
    pub fn rows(&mut self, from: u16, to: u16) -> Ink<'_> {
        let a = self.area;
        let from = from.min(a.height);
        let to = to.clamp(from, a.height);
        self.on(Rect { y: a.y + from, height: to - from, ..a })
    }

    /// Columns in all.
    pub fn width(&self) -> u16 {
        self.area.width
    }

    /// Rows in all.
    pub fn height(&self) -> u16 {
        self.area.height
    }

    /// Where this is on the screen.
    pub fn area(&self) -> Rect {
        self.area
    }

    /// The marks of this terminal.
    pub fn glyphs(&self) -> &'static Glyphs {
        self.theme.glyphs()
    }

    /// Writes text from column `x` of row `y` on and returns the column behind it. What does not fit is cut.
    pub fn put(&mut self, x: u16, y: u16, text: &str, tone: Tone) -> u16 {
        if x >= self.area.width || y >= self.area.height {
            return x;
        }
        let shown = self.theme.shown(text);
        let room = usize::from(self.area.width - x);
        let (end, _) = self.buffer.set_stringn(self.area.x + x, self.area.y + y, &shown, room, self.theme.style(tone));
        end.saturating_sub(self.area.x)
    }

    /// Writes pieces one after the other from column 0; the last one that does not fit is cut with dots.
    pub fn line(&mut self, y: u16, pieces: &[(&str, Tone)]) -> u16 {
        let mut x = 0;
        for (text, tone) in pieces {
            x = self.clip(x, y, self.width().saturating_sub(x), text, *tone);
        }
        x
    }

    /// Writes text that may take so many columns, its end cut with dots.
    pub fn clip(&mut self, x: u16, y: u16, columns: u16, text: &str, tone: Tone) -> u16 {
        let shown = self.theme.shown(text);
        let columns = columns.min(self.width().saturating_sub(x));
        let dots = self.glyphs().dots;
        self.put(x, y, &fit::end(&shown, usize::from(columns), dots), tone)
    }

    /// Writes text that may take so many columns, its middle cut with dots.
    pub fn clip_middle(&mut self, x: u16, y: u16, columns: u16, text: &str, tone: Tone) -> u16 {
        let shown = self.theme.shown(text);
        let columns = columns.min(self.width().saturating_sub(x));
        let dots = self.glyphs().dots;
        self.put(x, y, &fit::middle(&shown, usize::from(columns), dots), tone)
    }

    /// Writes text that ends at the right edge and returns the column where it begins.
    pub fn right(&mut self, y: u16, text: &str, tone: Tone) -> u16 {
        let shown = self.theme.shown(text);
        let columns = u16::try_from(fit::width(&shown)).unwrap_or(u16::MAX);
        let x = self.width().saturating_sub(columns);
        self.put(x, y, &shown, tone);
        x
    }

    /// Writes text over as many rows as it needs, from row `y` and column `x`, and returns the row below.
    pub fn wrapped(&mut self, x: u16, y: u16, text: &str, tone: Tone) -> u16 {
        let shown = self.theme.shown(text).into_owned();
        let columns = usize::from(self.width().saturating_sub(x));
        let mut y = y;
        for line in fit::wrap(&shown, columns) {
            if y >= self.height() {
                break;
            }
            self.put(x, y, &line, tone);
            y += 1;
        }
        y
    }

    /// Fills a row with one mark.
    pub fn rule(&mut self, y: u16, mark: &str, tone: Tone) {
        for x in 0..self.width() {
            self.put(x, y, mark, tone);
        }
    }

    /// Gives a whole row one style, over what was written there.
    pub fn paint_row(&mut self, y: u16, tone: Tone) {
        if y < self.area.height {
            let row = Rect { y: self.area.y + y, height: 1, ..self.area };
            for p in row.positions() {
                if let Some(cell) = self.buffer.cell_mut(p) {
                    let symbol = cell.symbol().to_owned();
                    cell.reset();
                    cell.set_symbol(&symbol).set_style(self.theme.style(tone));
                }
            }
        }
    }

    /// Empties this part.
    pub fn clear(&mut self) {
        for p in self.area.positions() {
            if let Some(cell) = self.buffer.cell_mut(p) {
                cell.reset();
            }
        }
    }

    /// Empties this part and draws a box around it; returns what is inside.
    pub fn boxed(&mut self, title: &str) -> Ink<'_> {
        self.clear();
        let g = self.glyphs();
        let (w, h) = (self.width(), self.height());
        if w < 4 || h < 3 {
            let none = Rect { width: 0, height: 0, ..self.area };
            return self.on(none);
        }
        for y in [0, h - 1] {
            self.rule(y, g.horizontal, Tone::Dim);
        }
        for y in 1..h - 1 {
            self.put(0, y, g.vertical, Tone::Dim);
            self.put(w - 1, y, g.vertical, Tone::Dim);
        }
        let [tl, tr, bl, br] = g.corners;
        for (x, y, c) in [(0, 0, tl), (w - 1, 0, tr), (0, h - 1, bl), (w - 1, h - 1, br)] {
            self.put(x, y, c, Tone::Dim);
        }
        self.clip(2, 0, w - 4, &format!(" {title} "), Tone::Strong);
        let a = self.area;
        self.on(Rect { x: a.x + 2, y: a.y + 1, width: w - 4, height: h - 2 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text;

    #[test]
    fn nothing_is_written_outside_and_nothing_unsafe_inside() {
        let mut b = Buffer::empty(Rect::new(0, 0, 10, 3));
        let mut ink = Ink::new(&mut b, Rect::new(4, 1, 50, 50), Theme::FULL);
        assert_eq!((ink.width(), ink.height()), (6, 2));
        ink.put(0, 0, "a\u{1b}[31m日本語", Tone::Plain);
        ink.put(9, 9, "x", Tone::Plain);
        ink.line(1, &[("日本語日本語", Tone::Plain), ("y", Tone::Plain)]);
        let all: String = b.content.iter().map(|c| c.symbol()).collect();
        assert!(all.chars().all(text::is_plain));
        assert!(all.contains("a<1b>"));
        assert!(!all.contains('x'));
    }

    #[test]
    fn no_room_is_no_trouble() {
        let mut b = Buffer::empty(Rect::new(0, 0, 0, 0));
        let mut ink = Ink::new(&mut b, Rect::new(0, 0, 80, 24), Theme::FULL);
        ink.boxed("title").put(0, 0, "x", Tone::Plain);
        ink.rule(0, "-", Tone::Dim);
        ink.paint_row(0, Tone::Selected);
        assert_eq!(ink.wrapped(0, 0, "some words", Tone::Plain), 0);
    }
}
