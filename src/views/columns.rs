//! Plain columns for listings: each as wide as its widest cell, counted in characters, the last one open.
use unicode_width::UnicodeWidthStr;

const SPACES: &str = "                                                                ";

/// Lays rows out. `least` is the smallest width of a column including the gap, `gap` the spaces between two. Text must be
/// printable already.
pub fn columns<R: AsRef<[C]>, C: AsRef<str>>(rows: &[R], least: usize, gap: usize) -> String {
    let count = rows.iter().map(|r| r.as_ref().len()).max().unwrap_or(0);
    let width = |i: usize| rows.iter().filter_map(|r| r.as_ref().get(i)).map(|c| width_of(c.as_ref())).max().unwrap_or(0);
    let widths: Vec<usize> = (0..count).map(|i| (width(i) + gap).max(least)).collect();
    let mut out = String::with_capacity(rows.len() * (widths.iter().sum::<usize>() + 1));
    for row in rows {
        let row = row.as_ref();
        for (i, (cell, width)) in row.iter().zip(&widths).enumerate() {
            let cell = cell.as_ref();
            out.push_str(cell);
            if i + 1 < row.len() {
                let mut gap = width.saturating_sub(width_of(cell));
                while gap > 0 {
                    let some = SPACES.get(..gap).unwrap_or(SPACES);
                    out.push_str(some);
                    gap -= some.len();
                }
            }
        }
        out.push('\n');
    }
    out
}

/// Cells on a terminal. ASCII, which most text is, needs no table.
fn width_of(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.width() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let row = |a: &str, b: &str| vec![a.to_owned(), b.to_owned()];
        assert_eq!(columns(&[row("SIGNER", "KEYS"), row("alice", "1")], 10, 3), "SIGNER    KEYS\nalice     1\n");
        assert_eq!(columns(&[row("a-long-name", "x"), row("日本", "y")], 0, 2), "a-long-name  x\n日本         y\n");
    }
}
