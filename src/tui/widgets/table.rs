//! A table that draws only the rows that are seen, however many there are.
use crate::tui::{ink::Ink, roster::View, theme::Tone};
use ratatui::layout::Rect;
use std::borrow::Cow;

/// How a text that does not fit is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// The end goes.
    End,
    /// The middle goes.
    Middle,
}

/// A column.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    /// Its heading.
    pub title: &'static str,
    /// Columns of the terminal; 0 takes what the others leave.
    pub width: u16,
    /// How its texts are cut.
    pub cut: Cut,
}

/// A column of a fixed width.
pub const fn fixed(title: &'static str, width: u16) -> Column {
    Column { title, width, cut: Cut::End }
}

/// The column that takes what the others leave; names in it keep both ends.
pub const fn rest(title: &'static str) -> Column {
    Column { title, width: 0, cut: Cut::Middle }
}

/// Text and tone of a cell.
pub type Cell<'a> = (Cow<'a, str>, Tone);

/// Columns left of the first: the pointer and a gap.
const POINTER: u16 = 2;
/// The column at the right edge where the scroll bar is.
const BAR: u16 = 1;
/// Columns between two columns.
const GAP: u16 = 1;

/// Where the rows of a table in this area are: below its heading.
pub fn body(area: Rect) -> Rect {
    Rect { y: area.y + area.height.min(1), height: area.height.saturating_sub(1), ..area }
}

/// Draws heading and rows. `sorted` is the column that sorts; `row` is asked for visible rows only.
pub fn draw<'a>(
    ink: &mut Ink<'_>,
    columns: &[Column],
    sorted: Option<usize>,
    view: &View,
    mut row: impl FnMut(usize) -> Vec<Cell<'a>>,
) {
    let places = places(columns, ink.width());
    let mark = ink.glyphs().sorted;
    for (i, (column, (x, w))) in columns.iter().zip(&places).enumerate() {
        let end = ink.clip(*x, 0, *w, column.title, Tone::Dim);
        if sorted == Some(i) && end < x + w {
            ink.put(end, 0, mark, Tone::Accent);
        }
    }
    let height = ink.height().saturating_sub(1);
    for (line, index) in view.on_screen(usize::from(height)) {
        let y = 1 + u16::try_from(line).unwrap_or(u16::MAX - 1);
        for ((column, (x, w)), (text, tone)) in columns.iter().zip(&places).zip(row(index)) {
            match column.cut {
                Cut::End => ink.clip(*x, y, *w, &text, tone),
                Cut::Middle => ink.clip_middle(*x, y, *w, &text, tone),
            };
        }
        if view.selected() == Some(index) {
            select(ink, y);
        }
    }
    scroll_bar(ink, 1, height, view.top(), view.len());
}

/// Marks a row as the selected one.
pub fn select(ink: &mut Ink<'_>, y: u16) {
    let pointer = ink.glyphs().pointer;
    let a = ink.area();
    ink.on(Rect { width: a.width.saturating_sub(BAR), ..a }).paint_row(y, Tone::Selected);
    ink.put(0, y, pointer, Tone::Accent);
}

/// Draws where in a long list one is, at the right edge; nothing if all of it is seen.
pub fn scroll_bar(ink: &mut Ink<'_>, y: u16, height: u16, top: usize, len: usize) {
    let rows = usize::from(height);
    if len <= rows || rows == 0 {
        return;
    }
    let x = ink.width().saturating_sub(1);
    let size = (rows * rows / len).max(1);
    let at = top * (rows - size) / (len - rows).max(1);
    let thumb = ink.glyphs().thumb;
    for i in at..(at + size).min(rows) {
        ink.put(x, y + u16::try_from(i).unwrap_or(0), thumb, Tone::Dim);
    }
}

/// Start and width of each column.
fn places(columns: &[Column], width: u16) -> Vec<(u16, u16)> {
    let fixed: u16 = columns.iter().map(|c| c.width + GAP).sum::<u16>().saturating_sub(GAP);
    let rest = width.saturating_sub(POINTER + BAR + GAP).saturating_sub(fixed);
    let mut x = POINTER;
    columns
        .iter()
        .map(|c| {
            let w = if c.width == 0 { rest } else { c.width };
            let at = x;
            x = x.saturating_add(w + GAP);
            (at, w)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::theme::Theme;
    use ratatui::buffer::Buffer;
    use std::cell::Cell as Counter;

    #[test]
    fn only_rows_that_are_seen_are_asked_for() {
        let mut view = View::default();
        view.plain(100_000);
        view.step(60_000);
        view.keep_visible(20);
        let mut b = Buffer::empty(Rect::new(0, 0, 80, 21));
        let asked = Counter::new(0);
        draw(&mut Ink::new(&mut b, Rect::new(0, 0, 80, 21), Theme::FULL), &[rest("Name")], None, &view, |i| {
            asked.set(asked.get() + 1);
            assert!((59_981..=60_000).contains(&i));
            vec![(format!("row {i}").into(), Tone::Plain)]
        });
        assert_eq!(asked.get(), 20);
        let all: String = b.content.iter().map(|c| c.symbol()).collect();
        assert!(all.contains("row 60000") && all.contains('┃'));
    }

    #[test]
    fn columns_share_the_width_and_never_leave_it() {
        let columns = [fixed("A", 10), rest("B"), fixed("C", 8)];
        assert_eq!(places(&columns, 40), [(2, 10), (13, 16), (30, 8)]);
        for w in 0..12 {
            let mut b = Buffer::empty(Rect::new(0, 0, w, 3));
            let mut view = View::default();
            view.plain(9);
            draw(&mut Ink::new(&mut b, Rect::new(0, 0, w, 3), Theme::FULL), &columns, Some(0), &view, |_| {
                vec![("日本語".into(), Tone::Plain), ("b".into(), Tone::Plain), ("c".into(), Tone::Plain)]
            });
        }
    }
}
