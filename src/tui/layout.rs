//! Where things are on the screen. Drawing and the mouse both ask here, so that a click meets what it sees.
use super::layer::Place;
use ratatui::layout::Rect;

/// Fewer columns or rows than this are too few to show anything that could be trusted.
pub const SMALLEST: (u16, u16) = (60, 15);
/// Columns of the list of places, its line included.
const RAIL: u16 = 16;
/// Columns between places in a row.
const GAP: usize = 2;
/// From so many columns on the places stand on the left; below, in a row.
const WIDE: u16 = 76;

/// The parts of the frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Areas {
    /// Name, trust directory, server and badge.
    pub top: Rect,
    /// The places.
    pub places: Rect,
    /// Whether the places stand in a row.
    pub in_a_row: bool,
    /// The line below the top.
    pub upper_rule: Rect,
    /// The screen of the place.
    pub content: Rect,
    /// The line above the footer: progress and notices.
    pub status: Rect,
    /// The keys that work now.
    pub footer: Rect,
}

/// Divides the screen; nothing if it is too small.
pub fn areas(screen: Rect) -> Option<Areas> {
    let Rect { x, y, width, height } = screen;
    if width < SMALLEST.0 || height < SMALLEST.1 {
        return None;
    }
    let row = |at: u16| Rect { x, y: y + at, width, height: 1 };
    let in_a_row = width < WIDE;
    let (places, upper_rule, content) = if in_a_row {
        (row(1), row(2), Rect { x: x + 1, y: y + 3, width: width - 2, height: height - 5 })
    } else {
        let body = height - 4;
        let rail = Rect { x, y: y + 2, width: RAIL, height: body };
        (rail, row(1), Rect { x: x + RAIL + 1, y: y + 2, width: width - RAIL - 2, height: body })
    };
    Some(Areas { top: row(0), places, in_a_row, upper_rule, content, status: row(height - 2), footer: row(height - 1) })
}

/// What stands for a place in the list or row of places.
pub fn place_label(place: Place) -> String {
    format!(" {} {}", place.number() + 1, place.name())
}

/// The place at a point of the screen.
pub fn place_at(areas: &Areas, x: u16, y: u16) -> Option<Place> {
    Place::ALL.into_iter().find(|p| place_area(areas, *p).contains((x, y).into()))
}

/// Where a place is named.
pub fn place_area(areas: &Areas, place: Place) -> Rect {
    let a = areas.places;
    let n = u16::try_from(place.number()).unwrap_or(0);
    if !areas.in_a_row {
        return Rect { y: a.y + n, height: 1, width: a.width.saturating_sub(1), ..a }.intersection(a);
    }
    let before = Place::ALL.iter().take(place.number()).map(|p| place_label(*p).len() + GAP).sum::<usize>();
    let x = a.x + u16::try_from(before).unwrap_or(0);
    Rect { x, width: u16::try_from(place_label(place).len()).unwrap_or(0), ..a }.intersection(a)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_lie_on_the_screen_at_every_size() {
        for w in 0..200 {
            for h in 0..60 {
                let screen = Rect::new(0, 0, w, h);
                let Some(a) = areas(screen) else {
                    assert!(w < SMALLEST.0 || h < SMALLEST.1);
                    continue;
                };
                for part in [a.top, a.places, a.upper_rule, a.content, a.status, a.footer] {
                    assert_eq!(part.intersection(screen), part, "{w}×{h}");
                    assert!(part.area() > 0, "{w}×{h}");
                }
            }
        }
    }

    #[test]
    fn a_click_on_a_place_finds_it() {
        for w in [60, 80, 120] {
            let a = areas(Rect::new(0, 0, w, 24)).unwrap();
            for p in Place::ALL {
                let r = place_area(&a, p);
                assert_eq!(place_at(&a, r.x + 2, r.y), Some(p));
            }
            assert_eq!(place_at(&a, a.content.x + 3, a.content.y + 5), None);
        }
    }
}
