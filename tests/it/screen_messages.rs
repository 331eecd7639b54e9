//! A message of the old tools is typed or pasted into the palette: what it means, and what to do, is shown.
use crate::{
    robot::Home,
    screen_pictures::hold,
    screen_wizard::{drawn, hit, type_in},
    screen_world::{Kind, press, state},
};
use claviger::{
    tui::{
        action::Command,
        layer::{Context, Place},
        state::State,
        theme::Theme,
    },
    views::messages,
};
use crossterm::event::KeyCode;

const PRINTED: &str = "Error: remote trust data does not exist for docker.io/library/x: notary.docker.io does not have trust data for docker.io/library/x";

fn typed(theme: Theme, size: (u16, u16), text: &str) -> State {
    let mut s = state(Kind::Normal, theme, size);
    press(&mut s, &[Command::Place(1), Command::Palette]);
    type_in(&mut s, text);
    s
}

#[test]
fn a_message_that_is_typed_into_the_palette_opens_what_it_means() {
    let mut s = typed(Theme::FULL, (120, 40), PRINTED);
    assert!(drawn(&s).contains("what means: Error: remote trust data does not exist for GUN"), "{}", drawn(&s));
    assert_eq!(hit(&mut s, KeyCode::Tab), [], "it is no verb that could be completed");
    assert_eq!(hit(&mut s, KeyCode::Enter), []);
    assert_eq!((s.context(), s.place), (Context::Message, Place::Keys));
    let page = drawn(&s);
    assert!(page.contains("nobody has signed") && page.contains("claviger repo show GUN"), "{page}");
    // From there another one, and back through both.
    hit(&mut s, KeyCode::Char(':'));
    type_in(&mut s, "no valid trust data");
    hit(&mut s, KeyCode::Enter);
    assert!(drawn(&s).contains("No valid trust data for TAG"), "{}", drawn(&s));
    hit(&mut s, KeyCode::Esc);
    assert!(drawn(&s).contains("nobody has signed"));
    hit(&mut s, KeyCode::Esc);
    assert_eq!(s.context(), Context::Keys);
}

#[test]
fn every_message_is_found_and_can_be_read_to_its_end() {
    for message in messages::all() {
        let mut s = typed(Theme::BARE, (60, 16), message.text);
        if s.palette().unwrap().view.is_empty() {
            assert!(messages::find(message.text).is_empty(), "{}", message.text);
            continue;
        }
        hit(&mut s, KeyCode::Enter);
        assert_eq!(s.context(), Context::Message, "{}", message.text);
        hit(&mut s, KeyCode::End);
        let last = message.next.replace('`', "").split_whitespace().last().unwrap().to_owned();
        let page = drawn(&s);
        assert!(page.is_ascii(), "{page}");
        // A longer one may have been offered first.
        let first = messages::find(message.text).first().map(|n| &messages::all()[*n]);
        if first == Some(message) {
            assert!(page.contains(&last), "{last} is not in\n{page}");
        }
    }
}

#[test]
fn messages_look_as_in_their_pictures() {
    for size in [(80, 24), (120, 40)] {
        let mut s = typed(Theme::FULL, size, "does not have trust data");
        hold(&format!("palette_messages_{}x{}", size.0, size.1), &s);
        hit(&mut s, KeyCode::Enter);
        hold(&format!("message_{}x{}", size.0, size.1), &s);
    }
    let mut s = typed(Theme::BARE, (80, 24), "does not have trust data");
    hit(&mut s, KeyCode::Enter);
    assert!(drawn(&s).is_ascii());
    hold("message_ascii", &s);
}

#[test]
fn the_robot_pastes_a_message_and_reads_what_to_do() {
    let home = Home::empty();
    let mut robot = home.start(&[], (100, 30));
    robot.see("Needs attention");
    robot.press(":");
    robot.see("Commands");
    robot.press(&format!("\x1b[200~{PRINTED}\x1b[201~"));
    robot.see("what means: Error: remote trust data");
    robot.press("\r");
    robot.see("nobody has signed");
    robot.press("\x1b");
    robot.see("Needs attention");
    robot.press("q");
    assert_eq!(robot.end(), 0);
    robot.wait_whole();
}
