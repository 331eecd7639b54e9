//! What stands in the way, on a page of its own: asked for from anywhere, looked at again, read to its end.
use crate::{
    robot::Home,
    screen_pictures::hold,
    screen_wizard::{drawn, hit, type_in},
    screen_world::{Kind, press, state},
};
use claviger::{
    doctor::{Area, Check},
    finding::Severity,
    tui::{
        action::{Action, Command},
        effect::Effect,
        layer::Context,
        state::State,
        theme::Theme,
        update::update,
    },
};
use crossterm::event::KeyCode;

fn check(area: Area, severity: Option<Severity>, text: &str, detail: &str, next: &str) -> Check {
    let some = |s: &str| (!s.is_empty()).then(|| s.to_owned());
    Check { area, severity, text: text.to_owned(), detail: some(detail), next: some(next) }
}

fn found() -> Vec<Check> {
    let (warn, error, info) = (Some(Severity::Warn), Some(Severity::Error), Some(Severity::Info));
    vec![
        check(Area::TrustDir, None, "/home/u/.docker/trust, which is there", "", ""),
        check(Area::Settings, None, "configuration file: none, and none is needed", "", ""),
        check(Area::Settings, None, "server: https://notary.example:4443 (--server)", "", ""),
        check(Area::Server, None, "https://notary.example:4443 (--server)", "", ""),
        check(Area::Server, None, "its name has an address", "192.0.2.7", ""),
        check(
            Area::Server,
            error,
            "TLS: its certificate is signed by an unknown authority",
            "invalid peer certificate: UnknownIssuer",
            "Give the server's CA with --tlscacert FILE, or put it as ca.crt into tls/HOST:PORT/ of docker's configuration.",
        ),
        check(Area::Registry, info, "it answers, and wants a token (bearer) first", "realm https://auth.example/token", ""),
        check(Area::Logins, None, "a login for notary.example, from /home/u/.docker/config.json", "as alice", ""),
        check(
            Area::Tools,
            warn,
            "this docker verifies nothing any more: DOCKER_CONTENT_TRUST has no effect on pull and run",
            "Docker version 29.0.1",
            "Pull by the digest that claviger tags GUN shows.",
        ),
    ]
}

fn opened(theme: Theme, size: (u16, u16)) -> State {
    let mut s = state(Kind::Normal, theme, size);
    assert_eq!(hit(&mut s, KeyCode::Char('d')), [Effect::Examine]);
    s
}

#[test]
fn the_doctor_comes_from_anywhere_and_comes_again() {
    let mut s = opened(Theme::FULL, (120, 40));
    assert_eq!(s.context(), Context::Doctor);
    assert!(drawn(&s).contains("looking") && drawn(&s).contains("Nothing is changed"), "{}", drawn(&s));
    assert_eq!(hit(&mut s, KeyCode::Char('r')), [], "it is looked at already");
    update(&mut s, Action::Examined(found()));
    let page = drawn(&s);
    for part in ["1 error", "unknown authority", "--tlscacert FILE", "as alice", "DOCKER_CONTENT_TRUST has no effect"] {
        assert!(page.contains(part), "{part} is not in\n{page}");
    }
    assert_eq!(hit(&mut s, KeyCode::Char('r')), [Effect::Examine]);
    assert!(drawn(&s).contains("looking"));
    hit(&mut s, KeyCode::Esc);
    assert_eq!(s.context(), Context::Overview);
    // What comes late changes nothing that is seen.
    let before = drawn(&s);
    update(&mut s, Action::Examined(found()));
    assert_eq!(drawn(&s), before);

    press(&mut s, &[Command::Place(2), Command::Palette]);
    type_in(&mut s, "doctor");
    assert_eq!(hit(&mut s, KeyCode::Enter), [Effect::Examine]);
    assert_eq!(s.context(), Context::Doctor);
}

#[test]
fn all_that_was_found_can_be_read_to_its_end_on_a_small_screen() {
    let mut s = opened(Theme::BARE, (60, 16));
    update(&mut s, Action::Examined(found()));
    // What is not well comes first, the worst of it at the top.
    let page = drawn(&s);
    let at = |text: &str| page.find(text).unwrap_or_else(|| panic!("{text} is not in\n{page}"));
    assert!(at("To be mended") < at("server: TLS") && at("server: TLS") < at("tools: this docker"));
    assert!(!page.contains("configuration file: none"));
    hit(&mut s, KeyCode::End);
    let page = drawn(&s);
    assert!(page.is_ascii() && page.contains("configuration file: none"), "{page}");
}

#[test]
fn the_doctor_looks_as_in_its_pictures() {
    for size in [(80, 24), (120, 40)] {
        let mut s = opened(Theme::FULL, size);
        update(&mut s, Action::Examined(found()));
        hold(&format!("doctor_{}x{}", size.0, size.1), &s);
    }
    let mut s = opened(Theme::BARE, (80, 24));
    update(&mut s, Action::Examined(found()));
    assert!(drawn(&s).is_ascii());
    hold("doctor_ascii", &s);
}

#[test]
fn the_robot_asks_what_stands_in_the_way() {
    let home = Home::empty();
    let mut robot = home.start(&["--server", "https://127.0.0.1:1"], (100, 30));
    robot.see("Needs attention");
    robot.press("d");
    robot.see("Doctor");
    robot.see("nothing accepts a connection there");
    robot.press("\x1b");
    robot.see("Needs attention");
    robot.press("q");
    assert_eq!(robot.end(), 0);
    robot.wait_whole();
}
