//! Paints a passphrase that was drawn past the library that draws everything else, which would keep copies of it.
use super::terminal;
use crate::{os::strongroom, secret::Slate};
use ratatui::layout::Rect;
use std::io;
use zeroize::Zeroizing;

/// Rows that it may need.
pub const ROWS: u16 = 3;
/// More than any has, with what moves the cursor and what clears the rows of a wide terminal.
const LONGEST: usize = 4096;

/// Paints what the slate shows into this part of the screen, if it shows anything.
pub fn paint(slate: &Slate, area: Rect) -> io::Result<()> {
    let painted = strongroom(|| slate.with(|text| terminal::write(|| write(&sequence(text, area)))));
    match painted {
        Some(Ok(written)) => written,
        // There was nothing, or nothing may be written any more.
        None | Some(Err(terminal::Panicked)) => Ok(()),
    }
}

/// Words in lines, each where it belongs, bold; the cursor stays where it was.
fn sequence(text: &[u8], area: Rect) -> Zeroizing<Vec<u8>> {
    let mut out = Zeroizing::new(Vec::with_capacity(LONGEST));
    out.extend_from_slice(b"\x1b7\x1b[0;1m");
    // Over what was painted before.
    for y in 0..area.height {
        at(&mut out, area, 0, y);
        out.extend(std::iter::repeat_n(b' ', usize::from(area.width)));
    }
    let (mut x, mut y) = (0, 0);
    for word in text.split(|b| *b == b' ') {
        let columns = u16::try_from(word.len()).unwrap_or(u16::MAX);
        if x > 0 && x + 1 + columns > area.width {
            (x, y) = (0, y + 1);
        }
        if y >= area.height || columns > area.width {
            break;
        }
        if x > 0 {
            x += 1;
        }
        at(&mut out, area, x, y);
        out.extend_from_slice(word);
        x += columns;
    }
    out.extend_from_slice(b"\x1b[0m\x1b8");
    out
}

/// Moves the cursor; terminals count from one.
fn at(out: &mut Vec<u8>, area: Rect, x: u16, y: u16) {
    out.extend_from_slice(format!("\x1b[{};{}H", area.y + y + 1, area.x + x + 1).as_bytes());
}

/// Writes past every buffer.
fn write(mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match rustix::io::write(io::stdout(), bytes) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(n) => bytes = bytes.get(n..).unwrap_or_default(),
            Err(rustix::io::Errno::INTR) => {}
            Err(e) => return Err(e.into()),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a terminal shows of it.
    fn shown(text: &str, area: Rect) -> Vec<String> {
        let of = |n| std::num::NonZero::new(n).unwrap();
        let mut terminal = vt100::Parser::new(of(24), of(80), 0);
        // Whatever was there before goes.
        for text in ["xxxxxxxxxxxxxxxxx y z", text] {
            terminal.process(&sequence(text.as_bytes(), area));
        }
        terminal.screen().rows(0, 80).map(|row| row.trim_end().to_owned()).filter(|row| !row.is_empty()).collect()
    }

    #[test]
    fn words_stand_in_lines_and_none_is_broken_or_leaves_its_place() {
        let words = "abacus zoom unsaddle gondola walnut turnip lantern correct";
        assert_eq!(shown(words, Rect::new(2, 5, 70, 3)), [format!("  {words}")]);
        assert_eq!(shown(words, Rect::new(0, 20, 26, 3)), ["abacus zoom unsaddle", "gondola walnut turnip", "lantern correct"]);
        assert_eq!(shown(words, Rect::new(0, 0, 12, 2)), ["abacus zoom", "unsaddle"]);
        for width in 0..40 {
            let lines = shown(words, Rect::new(0, 3, width, 3));
            assert!(lines.len() <= 3 && lines.iter().all(|l| l.len() <= usize::from(width)), "{width}: {lines:?}");
        }
    }
}
