//! A picture of every screen at two sizes and in every kind of world. `INSTA_UPDATE=always cargo test pictures`
//! renews them after a change that is meant.
use crate::screen_world::{KINDS, Kind, SCREENS, press, start_over, state};
use claviger::tui::{draw, screens::frame::paint, state::State, theme::Theme};
use ratatui::{Terminal, backend::TestBackend, buffer::Buffer, style::Color};

const SIZES: [(u16, u16); 2] = [(80, 24), (120, 40)];

fn picture(s: &State) -> String {
    let mut t = Terminal::new(TestBackend::new(s.size.0, s.size.1)).unwrap();
    t.draw(|f| draw(s, f)).unwrap();
    let b = t.backend().buffer();
    let mut out = String::new();
    for y in 0..b.area.height {
        // A wide character fills the cell behind it, which then holds nothing of its own.
        let mut x = 0;
        let mut line = String::new();
        while x < b.area.width {
            let symbol = b[(x, y)].symbol();
            line.push_str(symbol);
            x += u16::try_from(claviger::tui::fit::width(symbol).max(1)).unwrap();
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

/// Holds a state against its picture.
pub fn hold(name: &str, s: &State) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(concat!(env!("CARGO_MANIFEST_DIR"), "/snapshots"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, picture(s)));
}

#[test]
fn every_screen_looks_as_in_its_picture() {
    for kind in KINDS {
        for size in SIZES {
            let mut s = state(kind, Theme::FULL, size);
            for (name, way) in SCREENS {
                start_over(&mut s);
                press(&mut s, way);
                hold(&format!("{name}_{kind:?}_{}x{}", size.0, size.1).to_lowercase(), &s);
            }
        }
    }
}

#[test]
fn without_colour_nothing_is_coloured_and_the_badge_has_brackets() {
    let theme = Theme { colour: false, unicode: true };
    for kind in [Kind::Normal, Kind::Failing] {
        let mut s = state(kind, theme, (80, 24));
        for (name, way) in SCREENS {
            start_over(&mut s);
            press(&mut s, way);
            let mut b = Buffer::empty(s.screen());
            paint(&s, s.screen(), &mut b);
            assert!(b.content.iter().all(|c| c.fg == Color::Reset && c.bg == Color::Reset), "{name}");
            hold(&format!("{name}_{kind:?}_nocolour").to_lowercase(), &s);
        }
    }
}

#[test]
fn a_bare_terminal_gets_ascii_only() {
    for kind in [Kind::Normal, Kind::Hostile] {
        for (name, way) in SCREENS {
            let mut s = state(kind, Theme::BARE, (80, 24));
            press(&mut s, way);
            assert!(picture(&s).is_ascii(), "{name}");
            hold(&format!("{name}_{kind:?}_ascii").to_lowercase(), &s);
        }
    }
}
